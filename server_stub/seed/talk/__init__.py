"""What was said and written in the demo data: threads, notes, messages, posts."""
