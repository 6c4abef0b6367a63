"""Tails SmartWMS logs and delivers every record to the store exactly once."""
