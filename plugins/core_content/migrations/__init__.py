"""The lineage of core_content."""
