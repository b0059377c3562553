"""The lineage of hello."""
