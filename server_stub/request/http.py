"""The input and output of the core: an HTTP request and an HTTP reply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..faults.requests import Fault

if TYPE_CHECKING:
    from ..live.connection import Connection
    from .reading.multipart import Form


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as received. Header names are in lower case; `path` and `query` are not decoded."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    peer: str | None = None
    """The address of the client; None where there is no network between."""
    form: Form | None = None
    """The parts of the body, where it is a form with files; then `body` is empty."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply. `fault` is a fault that the transport carries out; `chunks` is the body of a file.

    `live` is an open connection: a WebSocket where the status is 101, else a stream of events as the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    chunks: Iterable[bytes] | None = None
    fault: Fault | None = None
    live: Connection | None = None


def disposition(name: str) -> str:
    """Return the Content-Disposition of a file (RFC 6266), whose name may have letters that a header cannot have."""
    plain = name.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    whole = "" if name.isascii() else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{whole}'
