"""Compliance reports: on screen, as files through the exports, and on a schedule."""
