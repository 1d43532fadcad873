"""Events: ours against the bare library, over the same feed; a server sends everything it has as fast as it can."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

EVENTS = 5000


def message(seq: int) -> str:
    """Return an event as the server sends it."""
    lead = {"id": f"lead_{seq}", "name": "Jane Doe", "email": "jane@example.com", "source": "website"}
    numbers = {"id": f"evt_{seq}", "seq": seq, "epoch": "e1"}
    return json.dumps({"type": "lead.created", "data": lead, "timestamp": "2026-01-15T09:00:00Z", **numbers})


@contextmanager
def feed() -> Iterator[str]:
    """Serve the feed on a port of its own; the URL is for `base_url`."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.server import ServerConnection, serve

    sent = [message(seq) for seq in range(1, EVENTS + 1)]
    ready = json.dumps({"type": "stream.ready", "data": {"seq": 0, "epoch": "e1", "gap": None}})

    def bring(connection: ServerConnection) -> None:
        connection.send(ready)
        for text in sent:
            connection.send(text)
        with suppress(ConnectionClosed):
            connection.recv()

    server = serve(bring, "127.0.0.1", 0, ping_interval=None, compression=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join(5)


def ours(url: str) -> None:
    """Listen with the SDK: typed, in order, each once."""
    from crm_sdk import CrmClient

    with CrmClient(url, "key") as client, client.events.listen(capacity=EVENTS) as stream:
        for event in stream:
            if event.seq == EVENTS:
                return


def bare(url: str) -> None:
    """Listen with `websockets` alone: a dict for each message, no promise."""
    from websockets.sync.client import connect

    with connect(url.replace("http", "ws") + "/ws", ping_interval=None) as socket:
        while json.loads(socket.recv()).get("seq") != EVENTS:
            pass


def per_event(listen: Callable[[str], None], url: str) -> float:
    """Return the µs an event takes."""
    began = time.perf_counter()
    listen(url)
    return (time.perf_counter() - began) / EVENTS * 1_000_000
