"""From a record to an audit event: what it means, whose it is, and what must not be kept."""
