"""A server of ``/ws`` on a real port that does wrong whatever a network can: for the chaos tests.

It shares no code with the stub: it follows docs/realtime.md, and a seeded script of faults.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from patience import HANG
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

KINDS = ("abort", "close", "drop", "duplicate", "reorder", "corrupt", "stall", "refuse")


class Rough:
    """A feed of numbered events, and what goes wrong with it."""

    def __init__(
        self, faults: Callable[[int], str | None], *, kept: int = 10**9, numbered: bool = True, refusal: float = 0.5
    ) -> None:
        self.faults = faults
        """Which fault befalls a transmission, by the count of transmissions."""
        self.kept = kept
        self.numbered = numbered
        self.refusal = refusal
        self.epoch = "e1"
        self.log: list[int] = []
        self.news = threading.Condition()
        self.connects: list[float] = []
        self.suffered: list[str] = []
        self.refusing_until = 0.0
        self._sent = 0
        self._lock = threading.Lock()

    def emit(self, count: int = 1) -> None:
        """Let so many events happen."""
        with self.news:
            for _ in range(count):
                self.log.append(len(self.log) + 1)
            self.news.notify_all()

    def _fault(self) -> str | None:
        with self._lock:
            self._sent += 1
            found = self.faults(self._sent)
            if found is not None:
                self.suffered.append(found)
            return found

    def _message(self, seq: int) -> str:
        numbers = {"id": f"evt_{seq}", "seq": seq, "epoch": self.epoch} if self.numbered else {"id": f"evt_{seq}"}
        return json.dumps({"type": "test.event", "data": {"n": seq}, "timestamp": "2026-01-15T09:00:00Z", **numbers})

    def greet(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse the upgrade while the script says so."""
        self.connects.append(time.monotonic())
        if time.monotonic() < self.refusing_until:
            return Response(HTTPStatus.SERVICE_UNAVAILABLE.value, "Service Unavailable", Headers(), b"")
        return None

    def serve(self, connection: ServerConnection) -> None:
        """Bring a connection the events, one fault or another included."""
        request = connection.request
        assert request is not None
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        at = int(query["since"]) if "since" in query and self.numbered else len(self.log)
        gap: dict[str, Any] | None = None
        oldest = max(0, len(self.log) - self.kept)
        if at < oldest:
            gap, at = {"from": at + 1, "to": oldest, "reason": "expired"}, oldest
        try:
            if self.numbered:
                self._say(connection, "stream.ready", {"seq": at, "epoch": self.epoch, "gap": gap})
            self._bring(connection, at)
        except (ConnectionClosed, OSError):
            return

    def _fresh(self, at: int) -> bool:
        with self.news:
            return self.news.wait_for(lambda: len(self.log) > at, 0.2)

    def _say(self, connection: ServerConnection, kind: str, data: dict[str, Any]) -> None:
        connection.send(json.dumps({"type": kind, "data": data, "timestamp": "2026-01-15T09:00:00Z"}))

    def _bring(self, connection: ServerConnection, at: int) -> None:
        held: list[str] = []
        while True:
            if not self._fresh(at):
                if held:
                    connection.send(held.pop())
                elif self.numbered:
                    self._say(connection, "stream.position", {"seq": at, "epoch": self.epoch})
                else:
                    connection.ping()
                continue
            at += 1
            message = self._message(at)
            fault = self._fault()
            if fault in ("abort", "refuse"):
                self.refusing_until = time.monotonic() + (self.refusal if fault == "refuse" else 0.0)
                linger = struct.pack("ii", 1, 0)  # a reset instead of a goodbye
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                with suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
                connection.socket.close()
                return
            if fault == "close":
                connection.close(1012)
                return
            if fault == "stall":
                time.sleep(0.02)
            if fault == "reorder":
                held.append(message)
                continue
            if fault == "drop":
                continue
            connection.send("{" + message[: len(message) // 2] if fault == "corrupt" else message)
            if fault == "duplicate":
                connection.send(message)
            if held:
                connection.send(held.pop())


@contextmanager
def running(rough: Rough) -> Generator[str]:
    """Serve it on a free port; the URL is for a client's `base_url`."""
    server: Server = serve(rough.serve, "127.0.0.1", 0, process_request=rough.greet, ping_interval=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join(HANG)


def at_random(seed: int, rate: float, kinds: tuple[str, ...] = KINDS) -> Callable[[int], str | None]:
    """Return a script: each transmission suffers something with this probability."""
    rng = random.Random(seed)
    return lambda count: rng.choice(kinds) if rng.random() < rate else None
