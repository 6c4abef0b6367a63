"""Reviews: what happened in a week, looked at by somebody who had no part in it, and signed."""
