"""The lineage of reactions."""
