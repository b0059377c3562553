"""Replies that come by mail."""
