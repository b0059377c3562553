"""Previews of files and notes."""
