"""What an event is, and everything that talks to OpenSearch."""
