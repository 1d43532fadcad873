"""Real time: events over WebSocket and SSE, Phoenix channels, presence, live cursors.

A session (``session.py``) is a generator that does no I/O; the sync and the async driver (``drivers.py``) run it.
"""
