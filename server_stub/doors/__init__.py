"""The ways into a stub: in the same process, through httpx, and on a real port."""
