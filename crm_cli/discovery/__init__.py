"""What there is to type: the map of all commands, the search in it, schemas, pages, and commands of people's own."""
