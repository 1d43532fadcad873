"""The network over httpx: connections, requests and bodies."""
