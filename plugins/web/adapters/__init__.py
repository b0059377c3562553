"""Foreign libraries of web."""
