"""The results of rules that are more than a value: with a status and headers, of another form, files, and live ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .caller import Caller
    from .live.connection import Connection
    from .live.hub import Live


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a rule with another status than the declared one, with headers, or with more in ``meta``."""

    value: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    once: tuple[str, ...] = ()
    """The members that a repeated call with the same idempotency key does not get again: a secret."""
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a list of the platform dialect says in ``meta`` beside the page."""
    fields: Sequence[str] = ()
    """The members to show, where the company has names of its own for them."""


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """An answer with a body of its own form, for a caller who asks for that form by ``Accept``."""

    body: bytes
    content_type: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file to download, in chunks."""

    name: str
    content_type: str
    chunks: Iterable[bytes]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """A connection that stays open: `open` makes it, of all live connections, for a caller until a time."""

    open: Callable[[Live, Caller, datetime | None], Connection]
