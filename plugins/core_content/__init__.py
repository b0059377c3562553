"""The content tree: folders, notes, files with revisions."""
