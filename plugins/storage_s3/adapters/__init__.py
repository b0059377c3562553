"""What knows the client library."""
