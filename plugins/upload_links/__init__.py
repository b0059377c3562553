"""Links by which people without an account put files into a space."""
