"""Revisions of search_elastic."""
