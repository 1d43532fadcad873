"""What has happened to the records that a viewer may see, for widgets that show a feed."""

from __future__ import annotations

from itertools import islice
from typing import Any

from crm_sdk.wire import read_instant, snake

from ...serving import Context, Members
from .. import company
from ..collaboration.feed import items

_MOST, _USUAL = 200, 20


def feed_of(call: Context, wanted: Members, owner_id: str | None, team_id: str | None) -> list[dict[str, Any]]:
    """Return what has happened that a filter asks for, newest first."""
    limit = wanted.get("limit")
    most = min(limit, _MOST) if isinstance(limit, int) and limit > 0 else _USUAL
    given = {snake(name): value for name, value in wanted.items()}
    given |= {name: read_instant(given.get(name)) for name in ("since", "until")}
    is_in = company.owned_by(call, owner_id, team_id)
    everybody = owner_id is None and team_id is None
    found = (item for item in items(call, given) if everybody or is_in(_actor(item)) or is_in(_owner(call, item)))
    return list(islice(found, most))


def _actor(item: Members) -> str | None:
    actor: Members = item["actor"] or {}
    return actor.get("id")


def _owner(call: Context, item: Members) -> str | None:
    doc = call.find_one(item["entity"]["type"], item["entity"]["id"])
    return doc.get("owner_id") if doc is not None else None
