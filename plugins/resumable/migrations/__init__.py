"""The lineage of resumable."""
