"""What each kind of report says: a module a kind, a function from material to body."""
