"""A raw WebSocket to a stub in the process: a client that does no more than listen and say what it is told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm_sdk.realtime.sockets import Socket
from server_stub import StubServer
from server_stub.doors.link import StubLink

ADMIN = {"Authorization": "Bearer acme-admin"}
USER = "user_ada"
"""Whose key it is."""


class Wire:
    """A socket, and what came over it."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._refs = 0

    def next(self, timeout: float = 0) -> Any:
        """Return the next message, None where there is none."""
        data = self.socket.receive(timeout)
        return json.loads(data) if isinstance(data, str) else data

    def all(self) -> list[Any]:
        """Return everything that is there."""
        return list(iter(self.next, None))

    def types(self) -> list[str]:
        """Return the types of everything that is there, or the events of a channel."""
        return [message["type"] if isinstance(message, dict) else message[3] for message in self.all()]

    def push(self, topic: str, event: str, payload: Any = None, *, join_ref: str | None = None) -> Any:
        """Send a push and return what comes next."""
        self._refs += 1
        self.socket.send(json.dumps([join_ref, str(self._refs), topic, event, payload or {}]))
        return self.next()

    def join(self, topic: str, **params: Any) -> Any:
        """Join a topic and return the reply's response."""
        self._refs += 1
        ref = str(self._refs)
        self.socket.send(json.dumps([ref, ref, topic, "phx_join", params]))
        reply = self.next()
        assert reply[1:4] == [ref, topic, "phx_reply"]
        return reply[4]["response"] if reply[4]["status"] == "ok" else reply[4]


@contextmanager
def opened(stub: StubServer, target: str = "/ws?resume=1", headers: dict[str, str] | None = None) -> Iterator[Wire]:
    with StubLink(stub).open_socket(f"ws://stub.test{target}", ADMIN if headers is None else headers, [], 5) as socket:
        yield Wire(socket)


CHANNELS = "/ws/websocket?vsn=2.0.0"
HEARTBEAT = '[null,"1","phoenix","heartbeat",{}]'
DEALS, MESSAGES, CALENDAR = (f"user:{USER}:{name}" for name in ("deals", "messages", "calendar"))
