"""The rules of security: roles, decisions about access, and API keys."""
