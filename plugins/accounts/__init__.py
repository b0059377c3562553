"""Users, sessions, sign-in."""
