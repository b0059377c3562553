"""The lineage of presence."""
