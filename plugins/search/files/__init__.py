"""The texts in files, as the search has them: when bytes are read, what came of it, whose text it is."""
