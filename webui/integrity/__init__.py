"""Whether the events are as they were sealed: what `audit-indexer verify` found last."""
