"""Live connections: ``/ws``, server-sent events and Phoenix channels, all fed from the log of events.

A connection (``connection.py``) does no I/O. Its carrier, in the process or on a port, passes received messages to it,
takes messages to send from it, and is woken when there are more.
"""
