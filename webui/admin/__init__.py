"""Administration: tenants with their zone, hours and plans."""
