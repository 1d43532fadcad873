"""The rules of AI agents."""
