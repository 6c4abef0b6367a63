"""History: one entity through time, what it was at any moment, and one user through time."""
