"""Monitoring ▸ Activity Log: finding events, and looking at one."""
