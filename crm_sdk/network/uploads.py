"""Uploads: files that are read while they are sent, from the same place for each attempt."""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import InvalidInputError

_PIECE = 1 << 20


class FileContent:
    """The content of a file from a position on, as a file of its own that can be read again.

    httpx reads it piece by piece: so a file of any size takes little memory, and is sent alike by a repeated request.
    """

    _owned = False

    def __init__(self, file: IO[bytes], *, owned: bool) -> None:
        self._file, self._owned = file, owned
        self._start = file.tell()
        self._size = max(0, file.seek(0, os.SEEK_END) - self._start)
        file.seek(self._start)
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none at the end. Raises: InvalidInputError where the file has become shorter."""
        left = self._size - self._at
        wanted = left if size < 0 else min(size, left)
        if not wanted:
            return b""
        try:
            self._file.seek(self._start + self._at)  # the caller may have read on from it since
            piece = self._file.read(wanted)
        except (OSError, ValueError) as error:
            raise _unreadable(error) from error
        if not piece:
            raise InvalidInputError(f"the file ended after {self._at} of {self._size} bytes: it has become shorter")
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, from the beginning or from the end."""
        self._at = offset + (self._size if whence == os.SEEK_END else 0)
        return self._at

    def tell(self) -> int:
        """Return how many bytes are before the present place."""
        return self._at

    def close(self) -> None:
        """Close a file that was opened for the upload, and no other."""
        if self._owned:
            self._file.close()

    __del__ = close


def multipart(upload: Any) -> tuple[str, bytes | FileContent]:
    """Return the (file name, content) of an upload: a path, bytes, an open binary file, or (name, bytes).

    An open file is sent from its present position on.
    """
    pair: Any = upload
    if isinstance(upload, tuple):
        if len(pair) != 2 or not isinstance(pair[1], (bytes, bytearray, FileContent)):
            raise InvalidInputError("an upload from memory is (name, bytes)")
        return str(pair[0]), pair[1] if isinstance(pair[1], FileContent) else bytes(pair[1])
    if isinstance(upload, (bytes, bytearray)):
        return "upload", bytes(upload)
    if isinstance(upload, (str, os.PathLike)):
        path = os.fsdecode(upload)  # pyright: ignore[reportUnknownArgumentType] # a path of str or of bytes
        try:
            return Path(path).name, _content(open(path, "rb"), owned=True)
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"cannot read {path!r}: {getattr(error, 'strerror', error)}") from error
    if hasattr(upload, "read"):
        name = getattr(upload, "name", "upload")
        try:
            nothing = upload.read(0)
        except (OSError, ValueError) as error:
            raise _unreadable(error) from error
        if inspect.iscoroutine(nothing):
            nothing.close()
            raise InvalidInputError("the file is read by `await`; give the file that it wraps, such as `upload.file`")
        if not isinstance(nothing, bytes):
            raise InvalidInputError("the file is open as text; open it with mode 'rb'")
        return Path(name).name if isinstance(name, str) else "upload", _content(upload, owned=False)
    raise InvalidInputError(
        f"an upload is a path, bytes, an open binary file or (name, bytes), not {type(upload).__name__}"
    )


@contextmanager
def opened_upload(upload: Any) -> Generator[tuple[str, bytes | FileContent]]:
    """Return the (file name, content) of an upload; a file that was opened for it is closed at the end of the block."""
    name, content = multipart(upload)
    try:
        yield name, content
    finally:
        if isinstance(content, FileContent):
            content.close()


def _content(file: Any, *, owned: bool) -> FileContent:
    """Return the content of an open file. What cannot be read twice, such as a pipe, is copied to a temporary file."""
    if _is_seekable(file):
        return FileContent(file, owned=owned)
    import shutil
    import tempfile

    copy = tempfile.TemporaryFile()  # noqa: SIM115 # it is closed with the content
    try:
        shutil.copyfileobj(file, copy, _PIECE)
        copy.seek(0)
    except (OSError, ValueError) as error:
        copy.close()
        raise _unreadable(error) from error
    finally:
        if owned:
            file.close()
    return FileContent(copy, owned=True)


def _is_seekable(file: Any) -> bool:
    try:
        return bool(file.seekable()) and file.tell() >= 0
    except (AttributeError, OSError):
        return False


def _unreadable(error: Exception) -> InvalidInputError:
    return InvalidInputError(f"cannot read the file: {error}")
