"""Files are shown to a virus scanner before they are stored."""
