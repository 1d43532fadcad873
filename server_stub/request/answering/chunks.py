"""The chunks of a file that is written while it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...problems import LOG


class BrokenOffError(Exception):
    """A file could not be written to its end; the client must not take what it has for the whole."""


def begin(chunks: Iterable[bytes], operation: str, request_id: str) -> Iterator[bytes]:
    """Return the chunks of a file, the first of which is made now: a file that fails at once is answered with an error.

    One that fails later raises `BrokenOffError` for the transport, which ends the connection without an end of the
    body, and its traceback is in the log.
    """
    rest = iter(chunks)
    first = next(rest, b"")

    def all_of_them() -> Iterator[bytes]:
        yield first
        try:
            yield from rest
        except Exception as error:
            LOG.exception("the file of %s broke off (%s)", operation, request_id)
            kind = type(error).__name__
            raise BrokenOffError(f"the file broke off: the server could not write it ({kind})") from None

    return all_of_them()
