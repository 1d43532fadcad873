"""The archives of backups: what they have of a company, and their form."""
