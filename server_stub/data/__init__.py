"""The stub's data: documents, their indexes and transactions, the state file, and how lists look into them."""
