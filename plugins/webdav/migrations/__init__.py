"""The lineage of webdav."""
