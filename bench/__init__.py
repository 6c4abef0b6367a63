"""Benchmarks that anyone can rerun: `python -m bench` prints every number that the documents quote."""
