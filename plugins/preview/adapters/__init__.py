"""What runs in a process of its own: each module knows the standard library and its one foreign library alone."""
