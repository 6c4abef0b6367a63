"""The product on a real day of a real SmartWMS: `make demo`."""
