"""Foreign library of caldav: Radicale (GPL-3), the protocol layer."""
