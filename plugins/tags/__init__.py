"""Tags of spaces and contents."""
