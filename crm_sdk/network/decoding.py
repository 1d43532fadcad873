"""Bodies that are compressed: decoded piece by piece, to their end, and no further than to what a body may hold."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

PIECE = 1 << 20
"""The most bytes that are decoded at once: what is compressed may be a thousand times as long as it looks."""
_MOST_TIMES = 4
_MAGIC = b"\x1f\x8b"


class DecodeError(Exception):
    """A compressed body that cannot be decoded, or ends too early."""


class _Stage(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


class _Gzip:
    """One or more gzip members, one after another (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._begin()
        self._whole = True

    def _begin(self) -> None:
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                if not data.startswith(_MAGIC[: len(data)]):
                    return  # padding after the last member
                self._begin()
            yield from _inflate(self._member, data)
            data = self._member.unused_data if self._member.eof else b""
            self._whole = self._member.eof

    def finish(self) -> None:
        if not self._whole:
            raise DecodeError("its gzip data ends too early")


class _Deflate:
    """A zlib stream, or the bare deflate data that some servers send under the same name."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._begun and data:
            self._begun = True
            if data[0] & 0x0F != 8:  # RFC 1950, 2.2: the method of a zlib stream
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        if not self._stream.eof:
            yield from _inflate(self._stream, data)

    def finish(self) -> None:
        if self._begun and not self._stream.eof:
            raise DecodeError("its deflate data ends too early")


def _inflate(stream: Any, data: bytes) -> Iterator[bytes]:
    while True:
        try:
            piece = stream.decompress(data, PIECE)
        except zlib.error as error:
            raise DecodeError(str(error)) from None
        if piece:
            yield piece
        data = stream.unconsumed_tail
        if stream.eof or (not data and len(piece) < PIECE):
            return


_KINDS: dict[str, type[_Gzip] | type[_Deflate]] = {"gzip": _Gzip, "x-gzip": _Gzip, "deflate": _Deflate}


class Decoder:
    """Decodes the pieces of a body that was encoded once or several times."""

    def __init__(self, stages: Sequence[_Stage]) -> None:
        self._stages = stages

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what a piece holds, in pieces of at most `PIECE` bytes. Raises: DecodeError."""
        return _through(self._stages, data)

    def finish(self) -> None:
        """Note that no more comes. Raises: DecodeError, where there should have."""
        for stage in self._stages:
            stage.finish()


def _through(stages: Sequence[_Stage], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    for piece in stages[0].feed(data):
        yield from _through(stages[1:], piece)


def decoder_for(encoding: str) -> Decoder | None:
    """Return what decodes a ``Content-Encoding``; None for one that is not ours to decode. Raises: DecodeError."""
    names = [name.strip().lower() for name in encoding.split(",") if name.strip().lower() not in ("", "identity")]
    if len(names) > _MOST_TIMES:
        raise DecodeError(f"it was encoded {len(names)} times")
    if any(name not in _KINDS for name in names):
        return None
    return Decoder([_KINDS[name]() for name in reversed(names)])
