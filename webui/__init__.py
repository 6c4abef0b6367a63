"""The web UI: search, history, exports, reports, alerts and reviews."""
