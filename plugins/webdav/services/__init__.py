"""Writes of webdav: locks and dead properties."""
