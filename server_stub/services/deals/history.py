"""What a deal was: its stays in stages, and what it was worth, how likely and when expected, at any time.

Two collections remember it. ``stage_change`` has a record for each stay in a stage, which `deals.history` shows;
``deal_state`` one for each time that something changed which a forecast is made of. Both are written whenever an event
tells of a deal, whatever wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.deals import Deals

from ...data.document import Document
from ...data.queries.query import sort_documents
from ...request.access.permissions import readable
from ...serving import Context, Members, reacts, serves
from . import figures as figures

STATE = (
    "status", "pipeline_id", "stage_id", "value", "currency", "probability", "expected_close_date", "owner_id",
    "team_id",
)  # fmt: skip
"""The members of a deal that a forecast is made of."""
_SHOWN = (
    "id", "deal_id", "pipeline_id", "from_stage", "from_stage_id", "to_stage", "to_stage_id", "entered_at", "left_at",
    "value", "probability", "direction", "reason", "changed_by", "created_at", "updated_at",
)  # fmt: skip


@serves(Deals.history)
def history(call: Context, deal_id: str, sort: str | None, order: str | None) -> Sequence[Document]:
    """Return the stays of a deal in its stages, the first one first. Their whole seconds add up to those of its age."""
    deal = call.record("deal", deal_id)
    entries = [
        Document({name: stay.get(name) for name in _SHOWN}) | {"duration_seconds": _seconds(call, deal, stay)}
        for stay in stays_of(call, deal)
    ]
    if sort is None:
        return entries if order != "desc" else entries[::-1]
    return sort_documents(entries, sort, order, ("entered_at",))


def _seconds(call: Context, deal: Members, stay: Members) -> int:
    born: datetime = deal["created_at"]
    second = timedelta(seconds=1)
    left: datetime = stay["left_at"] or call.now
    entered: datetime = stay["entered_at"]
    return (left - born) // second - (entered - born) // second


# -- stays -----------------------------------------------------------------------------------------------------------


def stays_of(call: Context, deal: Members) -> list[Document]:
    """Return the stays of a deal in its stages, oldest first."""
    return _in_time(call.collection("stage_change").find("deal_id", deal["id"]))


def all_stays(call: Context) -> dict[str, list[Document]]:
    """Return the stays of every deal, by its id, oldest first."""
    found: dict[str, list[Document]] = {}
    for stay in _in_time(call.collection("stage_change").all()):
        found.setdefault(stay["deal_id"], []).append(stay)
    return found


def _in_time(stays: Iterable[Document]) -> list[Document]:
    return sorted(stays, key=lambda stay: (stay["entered_at"], stay["left_at"] is None))  # of one moment the last last


def remember(call: Context, before: Document | None, deal: Document) -> None:
    """End the stay of a deal in its last stage, and begin the one in the stage it is in now."""
    previous = None
    for last in stays_of(call, deal)[-1:]:
        previous = call.collection("stage").get(last["to_stage_id"], deleted=True)
        call.update("stage_change", last, {"left_at": call.now})
    stage = figures.stage_of(call, deal)
    reopened = before is not None and before["status"] != "open" and deal["status"] == "open"
    back = (
        previous is not None
        and stage is not None
        and deal["status"] == "open"
        and previous["pipeline_id"] == stage["pipeline_id"]
        and previous["position"] > stage["position"]
    )
    direction = "initial" if before is None else "reopened" if reopened else "backward" if back else "forward"
    reason = {"lost": deal["lost_notes"] or deal["lost_reason"], "won": deal["won_reason"]}.get(deal["status"])
    at = deal["created_at"] if before is None else call.now
    call.create("stage_change", "stagechange_", _entry(deal, before, at, direction, reason, call.caller.actor_id))


def _entry(
    deal: Members, before: Members | None, at: datetime, direction: str, reason: str | None, actor_id: str
) -> dict[str, Any]:
    return {
        "deal_id": deal["id"],
        "pipeline_id": deal["pipeline_id"],
        "from_stage": before and before["stage"],
        "from_stage_id": before and before["stage_id"],
        "to_stage": deal["stage"],
        "to_stage_id": deal["stage_id"],
        "entered_at": at,
        "left_at": None,
        "value": deal["value"],
        "probability": deal["probability"],
        "direction": direction,
        "reason": reason,
        "changed_by": actor_id,
        # Not shown: what analytics need to know of the deal as it was.
        "kind": deal["status"],
        "closed_at": deal["closed_at"],
        "currency": deal["currency"],
        "owner_id": deal["owner_id"],
    }


def annotate(call: Context, deal: Members, note: str) -> None:
    """Keep why a deal came to the stage it is in."""
    last = stays_of(call, deal)[-1]
    call.collection("stage_change").put(last | {"reason": note})


# -- states ----------------------------------------------------------------------------------------------------------


@reacts("deal.created", "deal.updated", "deal.stage_changed", "deal.activity_added")
def keep_state(call: Context, entry: Document) -> None:
    """Remember what a deal is from now on, where it differs from what it was."""
    deal = call.collection("deal").get(entry["entity"]["id"])
    if deal is None:
        return
    states = states_of(call, deal["id"])
    last: Mapping[str, Any] = states[-1] if states else {}
    if any(last.get(name) != deal[name] for name in STATE):
        members = {name: deal[name] for name in STATE}
        place = {"id": call.new_id("dealstate_"), "deal_id": deal["id"], "at": call.now}
        call.collection("deal_state").put(Document({**place, **members}))


def states_of(call: Context, deal_id: str) -> list[Document]:
    """Return what a deal was, oldest first."""
    return sorted(call.collection("deal_state").find("deal_id", deal_id), key=lambda state: state["at"])


def all_states(call: Context) -> dict[str, list[Document]]:
    """Return what every live deal that the caller may read was, by its id, oldest first."""
    found: dict[str, list[Document]] = {deal["id"]: [] for deal in readable(call, "deal")}
    for state in call.collection("deal_state"):
        if state["deal_id"] in found:
            found[state["deal_id"]].append(state)
    return {id: sorted(states, key=lambda state: state["at"]) for id, states in found.items()}


def state_at(states: Sequence[Document], at: datetime) -> Document | None:
    """Return what a deal was at a time; None before it was created."""
    return next((state for state in reversed(states) if state["at"] <= at), None)
