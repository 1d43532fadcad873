"""A server with TLS on loopback, and the certificate that it shows."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from anyio.from_thread import start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loopback import Loopback


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for loopback that nobody has signed, and its key; return both files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    places = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, kept = folder / "shown.pem", folder / "kept.pem"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kept.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return shown, kept


def _context(shown: Path, kept: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, kept)
    return context


@contextmanager
def behind_tls(port: int, shown: Path, kept: Path) -> Generator[str]:
    """Serve, with TLS, what a server without it serves on a port; gives the URL."""
    tasks: set[Any] = set()

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                sink.write(data)
        sink.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(copy(reader, to_server), copy(from_server, writer))
            finally:
                to_server.transport.abort()
        finally:
            writer.transport.abort()

    async def stop() -> None:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # what was aborted is closed in the next iterations of the loop

    with start_blocking_portal() as portal:
        server = portal.call(lambda: asyncio.start_server(connected, "127.0.0.1", 0, ssl=_context(shown, kept)))
        try:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            portal.call(stop)


class SecureLoopback(Loopback):
    """`Loopback` behind TLS."""

    def __init__(self, shown: Path, kept: Path) -> None:
        super().__init__()
        self.socket = _context(shown, kept).wrap_socket(self.socket, server_side=True)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"
