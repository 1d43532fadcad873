"""Build the streams of `client.events.listen` and the channels of `client.channels.join`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError, UnsupportedOperationError
from ..models.events import read_event
from ..options import at_least
from ..resource import Resource, Sync
from .drivers import AsyncDriver, Driver
from .feed import Feed, Over, Raw, record_of
from .mailbox import Mailbox, Overflow
from .position import Cursor
from .session import Backoff, keep
from .stream import AsyncStream, Stream

if TYPE_CHECKING:
    from ..client import Client


def listen(
    client: Client[Any],
    types: Iterable[str] | None,
    since: Cursor | str | int | None,
    over: Over,
    capacity: int,
    overflow: Overflow,
    heartbeat: float,
) -> Any:
    """Return a stream of the company's events, for the sync or the async client."""
    _require_dialect(client, "events.listen", "mvp")
    if over not in ("ws", "sse"):
        raise InvalidInputError(f'over must be "ws" or "sse", not {over!r}')
    if isinstance(types, str):
        raise InvalidInputError(f"types must be a list of names, such as [{types!r}]")
    mailbox: Mailbox[Raw] = new_mailbox(capacity, overflow)
    feed = Feed(
        client,
        mailbox,
        over=over,
        types=list(types) if types is not None else None,
        since=_cursor(since),
        heartbeat=at_least("heartbeat", heartbeat, 0.05),
    )
    steps = keep(feed, client.clock, Backoff())
    what = f"events.listen(over={over!r})"
    if client.mode is Sync:
        return Stream(client, feed, mailbox, read_event, what, Driver(client, steps, over_http=over == "sse"))
    return AsyncStream(client, feed, mailbox, read_event, what, AsyncDriver(client, steps, over_http=over == "sse"))


def join(
    channels: Resource[Any],
    topic: str,
    params: Mapping[str, Any],
    since: Cursor | str | int | None,
    capacity: int,
    overflow: Overflow,
) -> Any:
    """Return a channel, for the sync or the async client."""
    from .channel import AsyncChannel, Channel
    from .frames import JOIN, Frame
    from .hub import AsyncHub, Hub
    from .membership import Membership
    from .phoenix import encode_input

    client: Client[Any] = channels._client  # pyright: ignore[reportPrivateUsage] # the client's own machinery
    _require_dialect(client, "channels.join", "flow")
    encode_input(Frame(None, None, topic, JOIN, params))  # every connection sends it: an error is raised now
    member = Membership(topic, params, new_mailbox(capacity, overflow), _cursor(since))

    def hub() -> Any:
        hubs: dict[int, Hub | AsyncHub] = vars(channels).setdefault("_hubs", {})
        pid = os.getpid()  # a forked child process does not have the thread of its parent's hub
        return hubs.get(pid) or hubs.setdefault(pid, Hub(client) if client.mode is Sync else AsyncHub(client))

    return Channel(client, hub, member) if client.mode is Sync else AsyncChannel(client, hub, member)


def _require_dialect(client: Client[Any], call: str, dialect: str) -> None:
    if dialect not in client.dialects:
        raise UnsupportedOperationError(
            f"{call} is of the {dialect} document, and this client may use {', '.join(client.dialects)} only; "
            f"dialects={dialect!r} has it",
            operation=call,
            dialects=(dialect,),
        )


def new_mailbox(capacity: int, overflow: Overflow) -> Mailbox[Raw]:
    """Return a mailbox for messages."""
    if overflow not in ("block", "drop_oldest", "coalesce"):
        raise InvalidInputError(f'overflow must be "block", "drop_oldest" or "coalesce", not {overflow!r}')
    return Mailbox(int(at_least("capacity", capacity, 1)), overflow, record_of)


def _cursor(since: Cursor | str | int | None) -> Cursor | None:
    if since is None or isinstance(since, Cursor):
        return since
    if isinstance(since, int):
        return Cursor(since)
    try:
        return Cursor.parse(since)
    except ValueError:
        raise InvalidInputError(
            f"since must be a stream's cursor, such as 'e1:41', or a number, not {since!r}"
        ) from None
