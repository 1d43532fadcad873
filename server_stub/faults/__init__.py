"""Faults that a test sets up: of requests, of webhook deliveries, of live connections."""
