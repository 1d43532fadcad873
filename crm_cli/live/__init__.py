"""What goes on: waiting for a record to become something, and views that are drawn again when the data changes."""
