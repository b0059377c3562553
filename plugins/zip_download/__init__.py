"""Folders, selections and whole spaces as one zip file."""
