"""Exports: what a filter finds, as a file with a manifest, made by a job."""
