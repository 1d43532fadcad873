"""Jobs of every kind: the list, the end, the cancellation."""
