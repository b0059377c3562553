"""Hello: greetings between users, a plugin for Atrio."""
