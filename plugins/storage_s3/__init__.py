"""Bytes of files in a bucket of an S3 server."""
