"""What the agent shipped, sealed: leaves collected, written down before positions move, signed, shelved."""
