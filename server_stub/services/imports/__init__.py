"""The rules of importing records of any entity from files."""
