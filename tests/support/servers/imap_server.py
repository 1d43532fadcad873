"""A small IMAP server (RFC 3501): as much as it takes to sign in, choose a folder and fetch messages."""

from __future__ import annotations

import re
import socketserver
import threading
from types import TracebackType


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("* OK ready")
        chosen: list[bytes] | None = None
        for line in self.rfile:
            tag, _, command = line.decode().strip().partition(" ")
            word = command.upper()
            if word.startswith("CAPABILITY"):
                self._say("* CAPABILITY IMAP4rev1")
            elif word.startswith("LOGIN"):
                if command.split()[-1].strip('"') != self.server.password:
                    self._say(f"{tag} NO wrong password")
                    continue
            elif word.startswith(("SELECT", "EXAMINE")):
                chosen = self.server.folders.get(command.split(" ", 1)[1].strip('"'))
                if chosen is None:
                    self._say(f"{tag} NO no such folder")
                    continue
                self._say(f"* {len(chosen)} EXISTS")
            elif word.startswith("UID SEARCH") and chosen is not None:
                first = int(re.findall(r"UID (\d+):", word)[0])
                found = [number for number in range(1, len(chosen) + 1) if number >= first]
                self._say("* SEARCH " + " ".join(map(str, found or [len(chosen)])))  # `*` is always the last one
            elif word.startswith("UID FETCH") and chosen is not None:
                number = int(command.split()[2])
                raw = chosen[number - 1]
                self.wfile.write(f"* {number} FETCH (UID {number} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
            self._say(f"{tag} OK done")
            if word.startswith("LOGOUT"):
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    password: str
    folders: dict[str, list[bytes]]


class ImapServer:
    """The server, on a free port of this machine: ``with ImapServer("secret") as imap: imap.folders["INBOX"]``."""

    def __init__(self, password: str) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.password = password
        self._server.folders = self.folders = {"INBOX": list[bytes]()}
        self.address: tuple[str, int] = ("127.0.0.1", self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> ImapServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
