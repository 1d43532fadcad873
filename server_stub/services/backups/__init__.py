"""Backups: archives of a company's records, and what can be made of them again."""
