"""The kernel's own command groups, one a module; everything heavy is imported inside a command."""
