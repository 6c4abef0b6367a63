"""Files as streams of records: what is there, what is it, how far was it read, what of that is final."""
