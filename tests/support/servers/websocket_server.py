"""A WebSocket server on loopback that does what a function says with each connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from patience import HANG
from websockets.sync.server import ServerConnection, serve


@contextmanager
def serving(handle: Callable[[ServerConnection], None]) -> Generator[str]:
    """Serve WebSockets; gives the host and the port."""
    server = serve(handle, "127.0.0.1", 0, ping_interval=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join(HANG)
