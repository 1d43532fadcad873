"""Who makes a request, and what that caller may do, see and change, and how often."""
