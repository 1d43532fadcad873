"""Webhooks of the stub: which events are posted to which endpoints, when again, and to whom."""
