"""The lineage of accounts."""
