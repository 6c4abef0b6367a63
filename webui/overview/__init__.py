"""The first page: what happened lately, who did most, what failed, and how long it is all kept."""
