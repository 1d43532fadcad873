"""A small HTTP server on loopback for tests of the network: it keeps connections open and notes each."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from patience import HANG

KEPT = 1 << 16
"""The most bytes of a body that are kept."""


class Connection(BaseHTTPRequestHandler):
    """One connection. What it answers depends on the path."""

    protocol_version = "HTTP/1.1"
    server: Loopback

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.server.lock:
            self.server.opened += 1
            self.server.now_open += 1
            self.server.most_open = max(self.server.most_open, self.server.now_open)
            self.serial = self.server.opened

    def finish(self) -> None:
        with self.server.lock:
            self.server.now_open -= 1
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with JSON, or with what the headers say."""
        self.send_response(status)
        for name, value in {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        size = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(min(size, KEPT))
        for left in range(size - len(body), 0, -KEPT):
            self.rfile.read(min(left, KEPT))
        with self.server.lock:
            self.server.seen.append((self.command, self.path, body))
            self.server.sizes.append(size)
        rule = next((rule for part, rule in self.server.rules.items() if part in self.path), None)
        if rule is not None:
            rule(self)
        else:
            self.lead()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 # names of the standard library's

    def lead(self, **headers: str) -> None:
        """Answer with a lead whose id is the path's last segment."""
        members = {"id": self.path.rpartition("/")[2], "name": f"connection {self.serial}", "status": "new"}
        self.answer(json.dumps(members).encode(), 200, **headers)


class Loopback(ThreadingHTTPServer):
    """The server. `rules` say what is answered on a path that has some text in it; elsewhere it is a lead."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.lock = threading.Lock()
        self.opened = self.now_open = self.most_open = 0
        self.seen: list[tuple[str, str, bytes]] = []
        self.sizes: list[int] = []
        self.rules: dict[str, Callable[[Connection], None]] = {}
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is what some tests are about."""

    def settled(self, count: int) -> bool:
        """Tell whether so many connections are open, if necessary after a moment."""
        until = time.monotonic() + HANG
        while self.now_open != count and time.monotonic() < until:
            time.sleep(0.005)
        return self.now_open == count

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self.server_close()


def drip(pieces: int, pause: float) -> Callable[[Connection], None]:
    """Return a rule that answers byte by byte."""

    def rule(connection: Connection) -> None:
        connection.send_response(200)
        connection.send_header("Content-Length", str(pieces))
        connection.end_headers()
        for _ in range(pieces):
            connection.wfile.write(b" ")
            connection.wfile.flush()
            time.sleep(pause)

    return rule


def closing(connection: Connection) -> None:
    """Answer, and close the connection without having said so."""
    connection.lead()
    connection.close_connection = True


def silent(connection: Connection) -> None:
    """Never answer; the client has to give up."""
    time.sleep(30)
