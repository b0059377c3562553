"""The kernel: database session, config, event bus, HTTP routing, and the frame that holds plugins."""
