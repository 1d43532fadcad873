"""The contents of files, by their SHA-256: in memory, or in a folder beside the state file.

A content is written under another name, and gets its own when it is complete and on the disk: only then a record may
name it. So no record names a content that there is not, whenever the process ends. The other way round, contents that
no record names any more are removed once the state is saved, and when a server begins.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from .received import PIECE, Received

_INCOMING = "incoming"
_IN_MEMORY = 1 << 20


class Content:
    """The bytes of a file, which never change: in memory, or in a file that goes when nobody has them any more."""

    def __init__(self, path: Path | None, content: bytes = b"", *, owned: bool = False) -> None:
        self._path, self._content = path, content
        if path is not None and owned:
            weakref.finalize(self, path.unlink, missing_ok=True)

    def open(self) -> IO[bytes]:
        """Return the content as a file of its own."""
        return open(self._path, "rb") if self._path is not None else io.BytesIO(self._content)

    def __reduce__(self) -> tuple[Any, ...]:
        with self.open() as file:
            return Content, (None, file.read())


class Contents:
    """The contents of the files of all companies, each stored once."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held: dict[str, Content] = {}
        self.doubtful = False
        """Whether records were removed since the last `sweep`, so that contents may be left."""

    def keep(self, file: Received) -> str:
        """Store the content of an uploaded file for good; returns its SHA-256."""
        if self._folder is not None:
            self._write(self._folder, file.checksum, file.open())
        elif file.checksum not in self._held:
            self._held[file.checksum] = _volatile(file)
        return file.checksum

    def keep_bytes(self, content: bytes) -> str:
        """Store bytes for good; returns their SHA-256."""
        checksum = hashlib.sha256(content).hexdigest()
        if self._folder is not None:
            self._write(self._folder, checksum, io.BytesIO(content))
        else:
            self._held.setdefault(checksum, Content(None, content))
        return checksum

    def open(self, checksum: str) -> IO[bytes]:
        """Return a content as a file. Raises: FileNotFoundError where it is not there."""
        if self._folder is not None:
            return open(_place(self._folder, checksum), "rb")
        try:
            return self._held[checksum].open()
        except KeyError:
            raise FileNotFoundError(f"no file has the content {checksum}") from None

    def read(self, checksum: str) -> bytes:
        """Return a whole content."""
        with self.open(checksum) as file:
            return file.read()

    def pieces(self, checksum: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return a content from a place on, piece by piece; the file is open from the first piece to the last."""
        with self.open(checksum) as file:
            file.seek(start)
            while length is None or length > 0:
                piece = file.read(PIECE if length is None else min(PIECE, length))
                if not piece:
                    return
                length = length - len(piece) if length is not None else None
                yield piece

    def sweep(self, named: Container[str]) -> None:
        """Remove what was not written to its end, and the contents that are not named."""
        self.doubtful = False
        for checksum in [held for held in self._held if held not in named]:
            del self._held[checksum]
        for path in self._paths():
            if path.parent.name == _INCOMING or path.name not in named:
                path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return [path for path in self._folder.glob("*/*") if path.is_file()] if self._folder is not None else []

    def snapshot(self) -> Mapping[str, Content]:
        """Return the contents that there are."""
        found = {path.name: Content(path) for path in self._paths() if path.parent.name != _INCOMING}
        return {**self._held, **found}

    def restore(self, contents: Mapping[str, Content]) -> None:
        """Add the contents of a snapshot, which may be that of another server."""
        if self._folder is None:
            self._held |= contents
            return
        for checksum, content in contents.items():
            if not _place(self._folder, checksum).exists():
                with content.open() as file:
                    self._write(self._folder, checksum, file)

    def _write(self, folder: Path, checksum: str, content: IO[bytes]) -> None:
        """Write a content under another name, and rename it when it is on the disk."""
        place = _place(folder, checksum)
        if place.exists():
            return
        incoming = folder / _INCOMING
        for needed in (folder, incoming, place.parent):
            needed.mkdir(mode=0o700, exist_ok=True)
        part = incoming / secrets.token_hex(8)
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                shutil.copyfileobj(content, file, PIECE)
                file.flush()
                os.fsync(file.fileno())
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(place.parent)


def _place(folder: Path, checksum: str) -> Path:
    return folder / checksum[:2] / checksum


def _sync_folder(folder: Path) -> None:
    """Have the new name of a file on the disk as well, where the system can do it."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _volatile(file: Received) -> Content:
    """Return a content that lasts as long as somebody holds it: in memory, or in a temporary file where it is large."""
    if file.size <= _IN_MEMORY:
        return Content(None, file.read())
    number, path = tempfile.mkstemp(prefix="crm-stub-")
    with open(number, "wb") as copy:
        shutil.copyfileobj(file.open(), copy, PIECE)
    return Content(Path(path), owned=True)
