"""Keeps events as long as their plans say, and no longer: carry over, certify, delete, hold, erase."""
