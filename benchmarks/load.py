"""A load on a port: several connections that are kept alive, each with one request after the other.

``python benchmarks/load.py URL PATH CONNECTIONS SECONDS`` prints the requests a second. It reads an answer
only to its end, so that the server is what is measured.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


async def answered(reader: asyncio.StreamReader) -> None:
    """Read one answer. Raises ValueError where it is no 200."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    if not head.startswith(b"HTTP/1.1 200") or length is None:
        raise ValueError(head.decode())
    await reader.readexactly(int(length[1]))


async def main(url: str, path: str, connections: int, seconds: float) -> None:
    """Ask for a path again and again, and print how often it was answered in a second."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer acme-admin\r\n\r\n".encode()
    count, ends = 0, 0.0

    async def ask() -> None:
        nonlocal count
        reader, writer = await asyncio.open_connection(host, port, limit=2**22)
        while time.perf_counter() < ends:
            writer.write(request)
            await answered(reader)
            count += 1
        writer.close()

    began = time.perf_counter()
    ends = began + seconds
    await asyncio.gather(*(ask() for _ in range(connections)))
    print(count / (time.perf_counter() - began))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
