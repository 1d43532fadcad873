"""Opening WebSockets: what a server may answer instead."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from blocking import MODES, opened
from patience import HANG

from crm_sdk import ApiError, AsyncCrmClient, CrmClient


@contextmanager
def answering(status: int, **headers: str) -> Generator[tuple[str, list[str]]]:
    """Serve one answer to everything; gives the URL, and the credentials that came."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            came.append(f"{self.headers.get('Authorization')} {self.headers.get('Sec-WebSocket-Protocol')}")
            self.send_response(status)
            for name, value in {"Content-Length": "0", "Connection": "close", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join(HANG)


@pytest.mark.thorough
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("what", ["events", "channels"])
def test_a_redirect_takes_no_credential_to_another_server(mode: str, what: str) -> None:
    kind = CrmClient if mode == "sync" else AsyncCrmClient
    with answering(403) as (other, leaked), answering(302, Location=f"ws://{other}/ws") as (here, came):
        client = kind(f"http://{here}", "secret", timeout=HANG)
        make = {
            "events": lambda client: client.events.listen(),
            "channels": lambda client: client.channels.join("user:user_ada:deals"),
        }[what]
        with pytest.raises(ApiError) as caught, opened(client, make, mode):
            raise AssertionError("it was opened")
        assert caught.value.status == 302
    assert leaked == [] and len(came) == 1 and "Bearer secret" in came[0]
