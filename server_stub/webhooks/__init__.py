"""Webhooks of the stub: the deliveries of events to endpoints, their retries, and the receivers."""
