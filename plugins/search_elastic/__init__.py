"""Search by Elasticsearch or OpenSearch."""
