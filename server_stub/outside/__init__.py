"""What is outside of the stub: mailboxes, networks, other systems, and what was sent there."""
