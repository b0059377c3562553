"""The lineage of search_elastic."""
