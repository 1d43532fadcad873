"""The rules of contacts."""
