"""The vocabulary of the API: error codes, and the descriptions of arguments and members."""
