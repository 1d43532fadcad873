"""What stands between a command and who uses it: what is asked, read, laid out in columns and printed."""
