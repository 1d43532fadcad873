"""What happened to the data: the audit trail, the positions of changes, what was deleted, what a request did."""
