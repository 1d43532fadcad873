"""Search: an inverted index over the records of every kind, what is found in it, and how it is set up."""
