"""The rules of sign-in: sessions, OAuth 2.0, registration, passwords, and the second factor."""
