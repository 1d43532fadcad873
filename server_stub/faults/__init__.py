"""What a test asks to go wrong: with requests, with deliveries of webhooks, with live connections."""
