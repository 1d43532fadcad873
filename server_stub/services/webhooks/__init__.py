"""The rules of webhooks: endpoints, and their deliveries."""
