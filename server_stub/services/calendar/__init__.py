"""The rules of the calendar."""
