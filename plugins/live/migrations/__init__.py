"""The lineage of live."""
