"""What people see, for programs: the same filters, the same isolation, keys instead of sessions."""
