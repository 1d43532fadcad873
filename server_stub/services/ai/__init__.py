"""The rules of the AI services."""
