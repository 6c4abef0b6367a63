"""One JSON an Index State Management policy, in its own format; read with importlib.resources."""
