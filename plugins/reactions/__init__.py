"""Reactions to contents."""
