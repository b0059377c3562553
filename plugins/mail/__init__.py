"""Notifications, digests and replies by mail."""
