"""Search in contents."""
