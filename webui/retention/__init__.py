"""What is kept and until when, what is held, what was deleted; holds and erasures are placed here."""
