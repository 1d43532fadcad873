"""Downloads that are streamed to a file."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import IO, Any
from urllib.parse import unquote

from ..errors import InvalidResponseError


class _DownloadOf:
    """The base class of the sync and the async download."""

    def __init__(self, headers: Mapping[str, str], body: Any) -> None:
        self._body = body
        self.filename: str | None = _filename(headers.get("content-disposition", ""))
        """The file name that the server gives; None where it gives none."""
        self.content_type: str = headers.get("content-type", "application/octet-stream").partition(";")[0].strip()
        length = headers.get("content-length", "")
        self.size: int | None = int(length) if length.isdigit() and "content-encoding" not in headers else None
        """The size in bytes; None where the server does not tell."""
        self.checksum: str | None = headers.get("etag", "").strip('"') or None
        """The server's checksum of the content; None where it gives none."""
        count = headers.get("x-total-count", "")
        self.total: int | None = int(count) if count.isdigit() else None
        """The number of records in an export; None where the server does not tell."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.filename or '?'} {self.content_type}>"

    def _complete(self, written: int) -> None:
        if self.size is not None and written != self.size:
            raise InvalidResponseError(f"the download ended after {written} of {self.size} bytes")


class Download(_DownloadOf):
    """A file to download. Call `read` or `save`, or use ``with``, which releases the connection at its end."""

    def iter_bytes(self) -> Iterator[bytes]:
        """Iterate over the content as it arrives."""
        written = 0
        for chunk in self._body:
            written += len(chunk)
            yield chunk
        self._complete(written)

    def read(self) -> bytes:
        """Read the whole content into memory."""
        return b"".join(self.iter_bytes())

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the content to a file and return its size in bytes.

        The file appears when it is complete: until then the content is in a temporary file beside it.
        """
        with _Destination(path) as file:
            return sum(file.write(chunk) for chunk in self.iter_bytes())

    def close(self) -> None:
        """Give the connection back without reading to the end."""
        self._body.close()

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncDownload(_DownloadOf):
    """A file to download. Call `read` or `save`, or use ``async with``, which releases the connection at its end."""

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Iterate over the content as it arrives."""
        written = 0
        async for chunk in self._body:
            written += len(chunk)
            yield chunk
        self._complete(written)

    async def read(self) -> bytes:
        """Read the whole content into memory."""
        return b"".join([chunk async for chunk in self.iter_bytes()])

    async def save(self, path: str | os.PathLike[str]) -> int:
        """Write the content to a file and return its size in bytes.

        The file appears when it is complete: until then the content is in a temporary file beside it.
        """
        written = 0
        with _Destination(path) as file:
            async for chunk in self.iter_bytes():
                written += file.write(chunk)
        return written

    async def aclose(self) -> None:
        """Give the connection back without reading to the end."""
        await self._body.aclose()

    async def __aenter__(self) -> AsyncDownload:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


class _Destination:
    """A file that is written under a temporary name, and renamed when it is complete.

    What is no file, such as a device or a pipe, is written to as it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fsdecode(path)
        self._is_file = os.path.isfile(self._path) or not os.path.exists(self._path)
        self._part = f"{self._path}.{secrets.token_hex(4)}.part"

    def __enter__(self) -> IO[bytes]:
        try:
            self._file = open(self._part, "xb") if self._is_file else open(self._path, "wb")  # closed in __exit__
        except OSError as error:
            error.filename = self._path
            raise
        return self._file

    def __exit__(self, kind: object, *rest: object) -> None:
        try:
            self._file.close()
            if kind is None and self._is_file:
                os.replace(self._part, self._path)
        finally:
            if self._is_file:
                with suppress(FileNotFoundError):  # it was renamed
                    os.unlink(self._part)


def _filename(disposition: str) -> str | None:
    """Return the file name of a Content-Disposition header, without a path and without control characters."""
    match = re.search(r"filename\*\s*=\s*utf-8'[^']*'([^;]+)", disposition, re.IGNORECASE)
    name = unquote(match[1].strip()) if match else None
    if name is None:
        match = re.search(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', disposition, re.IGNORECASE)
        name = (match[1] or match[2] or "") if match else ""
        name = name.replace('\\"', '"')
    name = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable()).strip()
    return None if name in ("", ".", "..") else name
