"""Live messages: the log of events, inboxes, streams."""
