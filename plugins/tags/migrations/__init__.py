"""The lineage of tags."""
