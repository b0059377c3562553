"""The only place that imports wsgidav."""
