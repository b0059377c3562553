"""What clients read at start: settings, error codes, applications, content types."""
