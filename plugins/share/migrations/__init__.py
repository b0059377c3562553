"""The lineage of share."""
