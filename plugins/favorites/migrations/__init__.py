"""The lineage of favorites."""
