"""Requests for httpx transports, built without the preparations that our requests do not need."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import httpx

from ..exchange import Request


class Remaining(dict[str, float]):
    """The timeouts of one request: each step gets the time that is left of the call's deadline when it begins."""

    def __init__(self, seconds: float) -> None:
        super().__init__(connect=seconds, read=seconds, write=seconds, pool=seconds)
        self.until: float = time.monotonic() + seconds

    def get(self, step: str, default: Any = None) -> Any:
        """Return the seconds a step may take."""
        return max(0.001, min(self[step], self.seconds_left()))

    def seconds_left(self) -> float:
        """Return the seconds until the call's deadline."""
        return self.until - time.monotonic()


_origin = lru_cache(maxsize=64)(httpx.URL)


class _Url(httpx.URL):
    """A URL that is parsed only when it is needed: our URLs are normalised, and parsing takes httpx long."""

    def __init__(self, text: str) -> None:
        end = text.index("/", 8) if text.count("/") > 2 else len(text)  # after "https://host:8000"
        self._text = text
        self._origin = _origin(text[:end])
        self._target = text[end:].encode("ascii") or b"/"

    @property
    def raw_scheme(self) -> bytes:
        return self._origin.raw_scheme

    @property
    def raw_host(self) -> bytes:
        return self._origin.raw_host

    @property
    def port(self) -> int | None:
        return self._origin.port

    @property
    def netloc(self) -> bytes:
        return self._origin.netloc

    @property
    def raw_path(self) -> bytes:
        return self._target

    def __getattr__(self, name: str) -> Any:
        if "_text" not in self.__dict__:
            raise AttributeError(name)
        self.__dict__.update(vars(httpx.URL(self._text)))
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None


class _PreparedRequest(httpx.Request):
    """A request without the preparations of `httpx.Request`, which take longer than the rest of a call."""

    def __init__(self, request: Request, timeouts: Remaining) -> None:
        self.method = request.method
        self.url = _Url(request.url)
        self.extensions = {"timeout": timeouts}
        content = request.content or b""
        self.stream = httpx.ByteStream(content)
        self._content = content
        lines = [(b"Host", self.url.netloc), *((k.encode(), v.encode()) for k, v in request.headers.items())]
        if not any(name == b"Accept-Encoding" for name, _ in lines):
            lines.append((b"Accept-Encoding", b"gzip, deflate"))
        if content or request.method in ("POST", "PUT", "PATCH"):
            lines.append((b"Content-Length", str(len(content)).encode()))
        self.headers = httpx.Headers(lines)


def build(request: Request, timeouts: Remaining) -> httpx.Request:
    """Return a request in the form that a transport takes."""
    if request.files is None:
        return _PreparedRequest(request, timeouts)
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        files=request.files,
        extensions={"timeout": timeouts},
    )
