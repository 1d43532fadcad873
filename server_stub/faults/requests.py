"""Faults of requests, which a test sets up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias, get_args

from .plan import FaultList

FaultKind: TypeAlias = Literal["status", "refuse", "drop", "delay", "garble", "search_lag"]
"""``status``: answer with an error, without processing the request. ``refuse``: refuse the connection. ``drop``:
process the request, then lose the answer. ``delay``: answer late. ``garble``: process the request, then answer with a
body that is not JSON. ``search_lag``: answer a search, and a list with ``search=``, from the data of some seconds ago
on the stub's clock."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, and the requests in which it happens."""

    kind: FaultKind
    status: int = 503
    code: str | None = None
    """The code of the error body; by default the usual code of the status."""
    message: str | None = None
    retry_after: float | None = None
    seconds: float = 0.0
    """The delay of a ``delay``, or the age of the data of a ``search_lag``, in seconds."""
    operation: str | None = None
    """The operation, such as ``leads.create``; None for all."""
    method: str | None = None
    path_prefix: str | None = None
    times: int | None = None
    """The number of times the fault happens; None for always."""
    after: int = 0
    """The number of matching requests without a fault before the first one with it."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"{self.kind!r} is not a kind of fault; use one of {', '.join(get_args(FaultKind))}")
        if self.kind == "status" and self.status not in (status.value for status in HTTPStatus):
            raise ValueError(f"{self.status} is not an HTTP status")
        if self.kind in ("delay", "search_lag") and self.seconds <= 0:
            raise ValueError(f"a {self.kind} needs the seconds it takes: add({self.kind!r}, seconds=3)")
        if self.after < 0 or (self.times is not None and self.times < 1):
            raise ValueError(f"times is at least 1 and after at least 0, not {self.times} and {self.after}")
        if self.path_prefix is not None and not self.path_prefix.startswith("/"):
            raise ValueError(f"a path begins with a slash, {self.path_prefix!r} does not")

    def fits(self, operation: str | None, method: str, path: str) -> bool:
        """Return whether a request matches."""
        return (
            (self.operation is None or self.operation == operation)
            and (self.method is None or self.method.upper() == method.upper())
            and (self.path_prefix is None or path.startswith(self.path_prefix))
        )


class Faults(FaultList[Fault]):
    """The faults that are set up, in order; of several that match a request, the first one happens."""

    __slots__ = ()

    def add(
        self,
        kind: FaultKind,
        *,
        status: int = 503,
        code: str | None = None,
        message: str | None = None,
        retry_after: float | None = None,
        seconds: float = 0.0,
        operation: str | None = None,
        method: str | None = None,
        path_prefix: str | None = None,
        times: int | None = None,
        after: int = 0,
    ) -> Fault:
        """Set up a fault for the requests that match operation, method and path_prefix."""
        return self._plan(
            Fault(kind, status, code, message, retry_after, seconds, operation, method, path_prefix, times, after)
        )

    def take(self, operation: str | None, method: str, path: str) -> Fault | None:
        """Return the fault that happens to a request, and count it; how far searches lag is asked by `take_lag`."""
        return self._next(lambda fault: fault.kind != "search_lag" and fault.fits(operation, method, path))

    def take_lag(self, operation: str | None, method: str, path: str) -> float | None:
        """Return by how many seconds a search is behind, and count it; None where it sees what is there."""
        lag = self._next(lambda fault: fault.kind == "search_lag" and fault.fits(operation, method, path))
        return lag.seconds if lag is not None else None

    @property
    def longest_lag(self) -> float | None:
        """By how many seconds searches may be behind; None where none is."""
        return max((fault.seconds for fault in self.pending if fault.kind == "search_lag"), default=None)


USUAL_CODES: Mapping[int, str] = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "VERSION_CONFLICT",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
}
"""The default codes of error statuses."""
