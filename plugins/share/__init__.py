"""Files for people without an account."""
