"""The contract with clients: its facts, and tests that walk every route of it."""
