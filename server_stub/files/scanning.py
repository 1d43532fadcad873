"""The search for viruses: finds the test file of EICAR, also within archives, and archives that only swell."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

ENGINE = "crm-stub-scan/1"
THREAT = "EICAR-Test-File"
BOMB = "Heuristics.ArchiveBomb"
_PARTS = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS-", b"TEST-FILE!$H+H*")
EICAR = b"".join(_PARTS)  # in parts: scanners of the machine need not find this file
_LONGEST = 128
"""The test file has at most so many bytes: the text and blanks after it (eicar.org)."""
_DEEPEST = 8
_MOST_MEMBERS = 10_000
_MOST = 1 << 30
"""So many bytes at most are taken out of an archive."""
_FREE, _RATIO = 32 << 20, 200
"""An archive that swells to more than so many bytes, and so many times its size, is a bomb."""
_PIECE = 1 << 18
_BROKEN = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, KeyError, zlib.error, lzma.LZMAError,
    zipfile.BadZipFile, tarfile.TarError,
)  # fmt: skip


class _BombError(Exception):
    """An archive swells to more than is looked through."""


class _Budget:
    """What may still be taken out of a file and the archives in it."""

    def __init__(self, size: int) -> None:
        self.most = min(_MOST, max(_FREE, size * _RATIO))
        self.members = 0

    def take(self, piece: bytes) -> None:
        self.most -= len(piece)
        if self.most < 0:
            raise _BombError

    def enter(self) -> None:
        self.members += 1
        if self.members > _MOST_MEMBERS:
            raise _BombError


def threats_in(file: IO[bytes], size: int) -> list[str]:
    """Return the names of what is found in a file; none where it is clean."""
    try:
        return [THREAT] if _is_infected(file, _Budget(size), 0) else []
    except _BombError:
        return [BOMB]


def _is_infected(file: IO[bytes], budget: _Budget, depth: int) -> bool:
    if depth > _DEEPEST:
        raise _BombError
    file.seek(0)
    head = file.read(_LONGEST + 1)
    if head.startswith(EICAR) and len(head) <= _LONGEST and not head[len(EICAR) :].strip(b" \t\r\n\x1a"):
        return True
    for member in _members(file, head, budget):
        with member:
            if _is_infected(member, budget, depth + 1):
                return True
    return False


def _members(file: IO[bytes], head: bytes, budget: _Budget) -> Iterator[IO[bytes]]:
    """Yield the files in an archive; none for any other file, or an archive that is broken or locked."""
    for magic, opened in ((b"\x1f\x8b", gzip.GzipFile), (b"BZh", bz2.BZ2File), (b"\xfd7zXZ\0", lzma.LZMAFile)):
        if head.startswith(magic):
            make: Any = opened
            with suppress(*_BROKEN):
                file.seek(0)
                with make(fileobj=file, mode="rb") if opened is gzip.GzipFile else make(file) as inner:
                    yield _copy(inner, budget)
            return
    if b"PK\x03\x04" in head[:4] or zipfile.is_zipfile(file):
        yield from _zipped_files(file, budget)
    else:
        file.seek(0)
        with suppress(*_BROKEN), tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                budget.enter()
                inside = archive.extractfile(member) if member.isfile() else None
                if inside is not None:
                    yield _copy(inside, budget)


def _zipped_files(file: IO[bytes], budget: _Budget) -> Iterator[IO[bytes]]:
    with suppress(*_BROKEN), zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            budget.enter()
            with suppress(*_BROKEN), archive.open(member) as inside:
                yield _copy(inside, budget)


def _copy(inside: IO[bytes], budget: _Budget) -> IO[bytes]:
    """Return what is in an archive as a file of its own, which is closed by who reads it."""
    copy = SpooledTemporaryFile(1 << 20)  # noqa: SIM115 # it is handed on
    try:
        while piece := inside.read(_PIECE):
            budget.take(piece)
            copy.write(piece)
    except _BombError:
        copy.close()
        raise
    except _BROKEN:
        pass  # what could be read is looked through
    return cast("IO[bytes]", copy)
