"""Accounts: who may sign in, signing in and out, and the commands that make accounts."""
