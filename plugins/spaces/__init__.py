"""Spaces, members, roles."""
