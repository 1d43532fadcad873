"""A stateful stub of the CRM platform: ``from server_stub import StubServer``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core import StubServer as StubServer
    from .outside.outbox import Refusal as Refusal

__all__ = ["Refusal", "StubServer"]


def __getattr__(name: str) -> Any:
    if name == "StubServer":
        from .core import StubServer

        return StubServer
    if name == "Refusal":
        from .outside.outbox import Refusal

        return Refusal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
