"""Title, text and picture of a web page."""
