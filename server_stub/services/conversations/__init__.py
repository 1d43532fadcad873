"""The rules of conversations."""
