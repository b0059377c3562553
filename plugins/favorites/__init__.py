"""Favourite contents of users."""
