"""Answer the links in messages: pixels and redirects with a signed token, opened without a sign-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from .http import Reply, Request

if TYPE_CHECKING:
    from ..core import StubServer

Link: TypeAlias = Callable[["StubServer", str, datetime], Reply]
"""Gets the server, the token in the path, and the time."""
Marked = TypeVar("Marked", bound=Link)


def answers_link(word: str) -> Callable[[Marked], Marked]:
    """Mark a function as what answers the links ``/<word>/<token>``."""

    def mark(link: Marked) -> Marked:
        vars(link)["__links__"] = word  # read by the collector
        return link

    return mark


def linked(server: StubServer, request: Request, now: datetime) -> Reply | None:
    """Return the reply to a link in a message; None for any other request."""
    word, slash, token = request.path.lstrip("/").partition("/")
    link = server.links.get(word) if slash and request.method == "GET" else None
    if link is None:
        return None
    with server.store.transaction():
        return link(server, token, now)
