"""Contacts on their way in and out of files."""
