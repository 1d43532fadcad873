"""Objects: what every noun has in common."""
