"""A port of this machine to which the browser brings the answer of a sign-in (RFC 8252, section 7.3)."""

from __future__ import annotations

import hmac
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .browser import CALLBACK

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Signed in</title>
<body style="font:16px system-ui;margin:4rem auto;max-width:30rem"><h1>{title}</h1><p>{text}</p></body></html>"""


class Loopback:
    """Waits for the browser, as a context manager. What does not have the `state` of the sign-in is not taken."""

    def __init__(self, port: int, state: str) -> None:
        self._answer: dict[str, list[str]] | None = None
        self._state = state
        self._server = HTTPServer(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="crm-sdk-sign-in", daemon=True
        )

    @property
    def address(self) -> str:
        """The address that the browser is to be sent to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{CALLBACK}"

    def received(self) -> dict[str, list[str]] | None:
        """Return what the browser has brought; None before it came."""
        return self._answer

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, path: str) -> tuple[int, str, str]:
        parts = urlsplit(path)
        answer = parse_qs(parts.query)
        if parts.path != CALLBACK:
            return 404, "Not found", "There is nothing here."
        if not hmac.compare_digest(answer.get("state", [""])[0].encode(), self._state.encode()):
            return 400, "Not this sign-in", "Begin again from the program that has opened this page."
        self._answer = answer
        if "code" not in answer:
            return 200, "Not signed in", "The program has been told; you may close this window."
        return 200, "Signed in", "You may close this window."

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                status, title, text = take(self.path)
                content = _PAGE.format(title=title, text=text).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the path has the code."""

        return Handler
