"""The database: engines per dialect, the unit of work, one migration lineage per plugin."""
