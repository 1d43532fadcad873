"""The declarations of the calls: one module for each noun, with routes, arguments, results and error codes."""
