"""Notification: messages that features have to tell, channels to tell them through, and their delivery."""
