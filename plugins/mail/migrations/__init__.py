"""The lineage of mail."""
