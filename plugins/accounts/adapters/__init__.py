"""Foreign libraries of accounts: jsonschema and Pillow, each in its own module."""
