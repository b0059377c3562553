"""The lineage of calls."""
