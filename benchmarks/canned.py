"""A server that answers a path with the same bytes each time, so that what is measured is the client."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path


class Canned(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole; all of them are without a body."""
        self._rest += data
        while b"\r\n\r\n" in self._rest:
            head, self._rest = self._rest.split(b"\r\n\r\n", 1)
            path = head.split(b" ", 2)[1].partition(b"?")[0]
            body = self._answers[path]
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
            )


async def main() -> None:
    """Serve the answers of a JSON file, path -> body, on a free port, whose URL is printed."""
    answers = {path.encode(): body.encode() for path, body in json.loads(Path(sys.argv[1]).read_text()).items()}
    server = await asyncio.get_running_loop().create_server(lambda: Canned(answers), "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
