"""The lineage of upload_links."""
