"""What the assistant says, one file per language: names of records, phrases, and what the commands do."""
