"""Foreign libraries of live: redis."""
