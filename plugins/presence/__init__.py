"""Who is online, told by the open streams of all processes."""
