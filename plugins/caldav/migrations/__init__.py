"""The lineage of caldav."""
