"""A stateful stub of the CRM platform: ``from server_stub import StubServer``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core import StubServer as StubServer
    from .outside.outbox import Refusal as Refusal
    from .request.http import Reply as Reply
    from .request.http import Request as Request

__all__ = ["Refusal", "Reply", "Request", "StubServer"]

_HOMES = {
    "Refusal": "server_stub.outside.outbox",
    "Reply": "server_stub.request.http",
    "Request": "server_stub.request.http",
    "StubServer": "server_stub.core",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
