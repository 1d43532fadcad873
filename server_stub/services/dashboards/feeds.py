"""What has happened to the records that a viewer may see, for widgets that show a feed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from crm_sdk.wire import read_instant

from ...live.feeds import plain
from ...serving import Context, Members
from .. import company
from ..analytics.real_time import may_see

_MOST, _USUAL = 200, 20
_VERBS = {"logged": "created", "stage_moved": "stage_changed"}


def feed_of(call: Context, wanted: Members, owner_id: str | None, team_id: str | None) -> list[dict[str, Any]]:
    """Return what has happened that a filter asks for, newest first."""
    limit = wanted.get("limit")
    most = min(limit, _MOST) if isinstance(limit, int) and limit > 0 else _USUAL
    return list(islice(_items(call, wanted, owner_id, team_id), most))


def _items(call: Context, wanted: Members, owner_id: str | None, team_id: str | None) -> Iterator[dict[str, Any]]:
    is_in = company.owned_by(call, owner_id, team_id)
    users, since, until = call.collection("user"), _instant(wanted.get("since")), _instant(wanted.get("until"))
    people = {user for team in wanted.get("teamIds") or () for user in company.members_of(call, team)}
    people |= set(wanted.get("userIds") or ())
    words = str(wanted.get("q") or "").casefold()
    for event in call.collection("event").backwards():
        head, _, verb = event["type"].rpartition(".")
        said, entity, actor_id = str(_VERBS.get(verb) or verb), event["entity"], event["actor"]["id"]
        if since is not None and event["occurred_at"] < since:
            return
        name = entity.get("name") or entity.get("title")
        summary = f"{event['actor']['name'] or actor_id} {said.replace('_', ' ')} {name or entity.get('id')}"
        if (
            (until is not None and event["occurred_at"] >= until)
            or (people and actor_id not in people)
            or (wanted.get("verbs") and said not in wanted["verbs"])
            or (wanted.get("entityTypes") and not {event["entity_type"], head}.intersection(wanted["entityTypes"]))
            or (words and words not in summary.casefold())
            or not (is_in(actor_id) or is_in(entity.get("owner_id")))
            or not may_see(call, event)
        ):
            continue
        actor = users.get(actor_id, deleted=True)
        yield {
            "id": f"feed_{str(event['id']).partition('_')[2]}",
            "type": event["type"],
            "verb": said,
            "actor": actor and {"id": actor["id"], "name": actor["name"], "avatar": actor.get("avatar")},
            "entity": {"type": event["entity_type"], "id": entity["id"], "name": name},
            "target": None,
            "summary": summary,
            "changes": [
                {**change, **{side: plain(change[side]) for side in ("before", "after")}} for change in event["changes"]
            ],
            "occurred_at": event["occurred_at"],
            "count": 1,
        }


def _instant(value: object) -> datetime | None:
    return read_instant(value) if isinstance(value, str) else None
