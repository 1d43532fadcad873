"""Moving deals between stages, copying them, and changing many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm_sdk.resources.deals import Deals

from ...bulk import carry_out, check_size
from ...data.document import Document
from ...problems import invalid
from ...serving import Context, Members, serves
from .. import company
from . import history as deal_history
from . import stages as deal_stages
from .records import DEALS, with_nested_lists

_COPIED = (
    "value", "currency", "pipeline_id", "contact_id", "contact_name", "account_id", "company", "owner_id", "team_id",
    "source", "type", "next_step", "description", "priority", "probability_override",
)  # fmt: skip
_PARTS = ("contact_roles", "tags", "custom_fields")
_LONGEST_TITLE = 200


@serves(Deals.move_stage)
def move_stage(
    call: Context,
    deal_id: str,
    stage: str,
    pipeline_id: str | None,
    lost_reason: str | None,
    lost_notes: str | None,
    won_reason: str | None,
    closed_at: datetime | None,
    note: str | None,
) -> Document:
    """Move a deal to a stage; to the one it is in, nothing happens."""
    deal = DEALS.writable(call, deal_id)
    if closed_at is not None and closed_at > call.soon:
        raise invalid("closed_at", "max", "a deal is not closed ahead of time")
    closed_at = closed_at and min(closed_at, call.now)
    said = {
        "lost_reason": lost_reason, "lost_notes": lost_notes, "won_reason": won_reason, "closed_at": closed_at
    }  # fmt: skip
    also = {name: value for name, value in said.items() if value is not None}
    return with_nested_lists(call, move(call, deal, stage, also, pipeline_id=pipeline_id, note=note))


def move(
    call: Context,
    deal: Document,
    stage: str,
    also: Members,
    *,
    pipeline_id: str | None = None,
    note: str | None = None,
) -> Document:
    """Move a deal to the stage with a key or an id, with other changes. Raises what the pipeline forbids."""
    here = pipeline_id in (None, deal["pipeline_id"])
    pipeline = call.record("pipeline", deal["pipeline_id"]) if here else deal_stages.pipeline_of(call, pipeline_id)
    wanted = deal_stages.stage_named(call, pipeline, stage)
    if wanted["id"] == deal["stage_id"]:
        return deal
    place = {"pipeline_id": pipeline["id"], "stage": wanted["id"]}
    new = _moved_deal(call, deal, DEALS.stored_form(call, {**also, **place}, deal))
    if note:
        deal_history.annotate(call, new, note)
    return new


def move_to(call: Context, deal: Document, stage: Document) -> Document:
    """Move a deal to a stage, whatever its pipeline forbids: the one it is in goes."""
    return _moved_deal(call, deal, deal_stages.stage_members(call, stage))


def _moved_deal(call: Context, deal: Document, changes: Members) -> Document:
    told = {"from": deal["stage"], "to": changes["stage"]}
    return DEALS.change(call, deal, changes, verb="stage_changed", metadata=told)


@serves(Deals.clone)
def clone(
    call: Context,
    deal_id: str,
    title: str | None,
    stage: str | None,
    owner_id: str | None,
    include: Sequence[str] | None,
) -> Document:
    """Create a copy of a deal that begins anew."""
    deal = DEALS.find_one(call, deal_id)
    parts = _PARTS if include is None else include
    members: dict[str, Any] = {name: deal[name] for name in (*_COPIED, *_PARTS) if name in _COPIED or name in parts}
    if call.find_one("user", members["owner_id"] or "") is None:
        members["owner_id"] = call.caller.user_id
    if deal["expected_close_date"] >= company.today(call):
        members["expected_close_date"] = deal["expected_close_date"]
    if "contact_roles" in members:
        roles: Sequence[Members] = members["contact_roles"]
        members["contact_roles"] = [role for role in roles if call.find_one("contact", role["contact_id"]) is not None]
    copy = " (copy)"
    members["title"] = title if title is not None else deal["title"][: _LONGEST_TITLE - len(copy)] + copy
    chosen = {name: value for name, value in (("stage", stage), ("owner_id", owner_id)) if value is not None}
    stored = DEALS.stored_form(call, {**members, **chosen})
    return with_nested_lists(call, DEALS.add(call, stored | {"cloned_from": deal["id"]}))


@serves(Deals.bulk_update)
def bulk_update(call: Context, updates: Sequence[Members], atomic: bool) -> dict[str, Any]:
    """Change many deals, each as a single call would."""
    check_size(updates, "updates")

    def change(update: Members) -> Document:
        deal = DEALS.writable(call, update["id"])
        changes = {name: value for name, value in update.items() if name != "id"}
        return with_nested_lists(call, DEALS.change(call, deal, DEALS.stored_form(call, changes, deal)))

    return carry_out(call, updates, change, field="updates", id_of=lambda update: update["id"], atomic=atomic)
