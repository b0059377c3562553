"""The only place that imports zipstream-ng."""
