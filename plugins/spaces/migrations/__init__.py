"""The lineage of spaces."""
