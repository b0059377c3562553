"""The lineage of search."""
