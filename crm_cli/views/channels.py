"""``crm channels join``: print the messages of a channel as they arrive."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..connection import open_client
from ..settings import Options, settle
from ..terminal.output import plain
from .conditions import condition
from .tail import Ending, start_cursor, tail

if TYPE_CHECKING:
    from crm_sdk.realtime.channel import ChannelEvent


def join(
    options: Options,
    topic: Annotated[
        str, typer.Argument(metavar="TOPIC", help="user:ID:deals, record:lead:ID, company:ID; see `crm auth me`.")
    ],
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="CURSOR", help="Begin after this: a cursor, a number, or now."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="CONDITION", help="End with what fulfils this; exit 0 means it came."),
    ] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many.")] = None,
) -> int:
    """Join a channel and print its messages as they arrive: as JSON lines for programs, as a table for people.

    The topics of a user end with `deals`, `messages`, `calendar`, `contacts` or `notifications`. Those of a record and
    of the company show the users who are present (`presence:joined`, `presence:left`, `presence:updated`) and their
    cursors (`cursor`). Conditions, `--timeout`, `--since` and the exit status are as in `crm events tail`.

    Example: `crm channels join user:user_1:deals --until "type=deal:stage_changed and newStage=closed-won"`
    """
    settings = settle(options)
    ending = Ending.of(settings, condition(until) if until is not None else None, count)
    with open_client(settings) as client, client.channels.join(topic, since=start_cursor(since)) as channel:
        return tail(channel, lambda event: _record_of(topic, event), settings.output, ending)


def _record_of(topic: str, event: ChannelEvent) -> Mapping[str, Any]:
    from crm_sdk.realtime.cursors import LiveCursor
    from crm_sdk.realtime.presence import Joined, Left, Updated

    if isinstance(event, LiveCursor):
        return {"topic": topic, "type": "cursor", **event.members}
    if isinstance(event, (Joined, Left, Updated)):
        who = event.present
        return {
            "topic": topic,
            "type": f"presence:{type(event).__name__.lower()}",
            "userId": who.key,
            "name": who.name,
            "metas": [dict(meta.members) for meta in who.metas],
        }
    told: dict[str, Any] = plain(event)
    payload = told.get("payload")
    return told | {"payload": base64.b64encode(payload).decode()} if isinstance(payload, bytes) else told
