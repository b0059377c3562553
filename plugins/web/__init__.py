"""Serves a front end and its branding."""
