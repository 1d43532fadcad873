"""What moves bytes: connections, requests and bodies over httpx."""
