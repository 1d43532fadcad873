"""Live connections: ``/ws``, server-sent events and Phoenix channels, all read from the one log of events.

A connection (``connection.py``) does no I/O. What carries it, in the process or on a port, hands it what came in, takes
what is to go out, and is woken when there is more.
"""
