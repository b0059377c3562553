"""The libraries that speak to the server."""
