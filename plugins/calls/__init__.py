"""Calls between two users, on a conference server."""
