"""A file that was uploaded: on the disk from its second megabyte on, and gone when the request has ended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, cast

PIECE = 1 << 18
"""The bytes that are read of a file at once."""
_IN_MEMORY = 1 << 20


class Received:
    """An uploaded file. A small one may be taken apart: ``name, content = file``."""

    def __init__(self, name: str | None, digest: str | None = None) -> None:
        self.name = name or ""
        """The file name as it was sent, which nobody has checked yet."""
        self.digest = digest
        """The Content-Digest of the file; None where the sender gave none."""
        self.body_digest = ""
        """The SHA-256 of the whole body that it came in."""
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 # it is closed with the request

    @staticmethod
    def of(name: str, content: bytes) -> Received:
        """Return content in memory as an uploaded file."""
        made = Received(name)
        made.write(content)
        return made

    @property
    def checksum(self) -> str:
        """The SHA-256 of the content, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add a piece at the end."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def open(self) -> IO[bytes]:
        """Return the file at its beginning; it is closed with the request."""
        self._file.seek(0)
        return cast("IO[bytes]", self._file)

    def read(self) -> bytes:
        """Return the whole content."""
        return self.open().read()

    def close(self) -> None:
        """Give back what the content takes."""
        self._file.close()

    def __iter__(self) -> Iterator[str | bytes]:
        yield from (self.name, self.read())
