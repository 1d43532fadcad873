"""The stages of deals: moving a deal between stages, the history of its stays, and the consequences of closing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members, changes_between
from ..contacts import health as contact_health
from . import figures as figures
from . import notices as deal_notices


def pipeline_of(call: Context, pipeline_id: str | None, field: str = "pipeline_id") -> Document:
    """Return a pipeline, or the default one. Raises: 422 where it does not exist, 409 where it is inactive."""
    wanted = pipeline_id or _default_pipeline_id(call)
    pipeline = call.reference("pipeline", wanted, field)
    if pipeline is None or not pipeline["active"]:
        raise Problem("PIPELINE_INACTIVE", f"the pipeline {wanted} takes no deals", details={"pipeline_id": wanted})
    return pipeline


def _default_pipeline_id(call: Context) -> str | None:
    defaults = call.collection("pipeline").find("is_default", True)
    return next((pipeline["id"] for pipeline in defaults if pipeline["entity_type"] == "deal"), None)


def stages(call: Context, pipeline_id: str) -> list[Document]:
    """Return the stages of a pipeline, in their order."""
    return sorted(call.collection("stage").find("pipeline_id", pipeline_id), key=lambda stage: stage["position"])


def stage_named(call: Context, pipeline: Document, name: str | None, field: str = "stage") -> Document:
    """Return the stage with a key or an id, or the first open one. Raises: 409 where there is none."""
    there = stages(call, pipeline["id"])
    for stage in there:
        if name in (stage["key"], stage["id"]) if name is not None else stage["kind"] == "open":
            return stage
    raise Problem(
        "STAGE_NOT_IN_PIPELINE",
        f"the pipeline {pipeline['name']} has no stage {name!r}",
        field=field,
        details={"stages": [stage["key"] for stage in there]},
    )


def stage_members(call: Context, stage: Members) -> dict[str, Any]:
    """Return the members that a deal gets from the stage it enters now."""
    return {
        "pipeline_id": stage["pipeline_id"],
        "stage": stage["key"],
        "stage_id": stage["id"],
        "status": stage["kind"],
        "forecast_category": stage["forecast_category"],
        "stage_changed_at": call.now,
        "closed_at": None if stage["kind"] == "open" else call.now,
    }


def check_move(call: Context, deal: Document, stage: Document, also: Members) -> None:
    """Raise a Problem for a move that the pipeline does not allow; `also` are the members that change with it."""
    pipeline = call.record("pipeline", stage["pipeline_id"])
    before = figures.stage_of(call, deal)
    if pipeline["lock_closed"] and deal["status"] != "open":
        raise Problem("DEAL_CLOSED", f"closed deals of {pipeline['name']} stay closed")
    if before is not None and before["pipeline_id"] == stage["pipeline_id"] and stage["kind"] == "open":
        steps = stage["position"] - before["position"]
        if steps < 0 and not pipeline["allow_backward"] and deal["status"] == "open":
            raise Problem("STAGE_BACKWARD_FORBIDDEN", f"deals of {pipeline['name']} do not go back to {stage['name']}")
        if steps > 1 and not pipeline["allow_skip"]:
            raise Problem(
                "STAGE_SKIP_FORBIDDEN", f"deals of {pipeline['name']} skip no stage on the way to {stage['name']}"
            )
    after = {**deal, **also}
    if stage["kind"] == "lost" and pipeline["require_lost_reason"] and not also.get("lost_reason"):
        raise Problem("LOST_REASON_REQUIRED", f"{pipeline['name']} asks why a deal is lost", field="lost_reason")
    missing = [name for name in stage.get("required_fields") or () if after.get(name) in (None, "", [], {})]
    if missing:
        raise Problem(
            "STAGE_FIELDS_MISSING",
            f"a deal in {stage['name']} needs {', '.join(missing)}",
            field=missing[0],
            details={"fields": missing},
        )


def move(call: Context, deal: Document, stage: Members, also: Members | None = None) -> Document:
    """Move a deal to a stage, with other changes; publish the events, and update its contact and account."""
    changes: dict[str, Any] = {**(also or {}), **stage_members(call, stage), "last_activity": call.now}
    if stage["kind"] != "lost" and deal["status"] == "lost":
        changes = {"lost_reason": None, "lost_notes": None, **changes}
    new = call.update("deal", deal, changes | figures.computed_members(call, deal | changes))
    _remember(call, deal, new, stage)
    told = changes_between(deal, new)
    call.emit("deal.stage_changed", "deal", new, changes=told, metadata={"from": deal["stage"], "to": new["stage"]})
    if new["status"] != deal["status"]:
        _tell_status(call, new)
    deal_notices.notify_stage_change(call, new, deal["stage"])
    follow(call, new)
    return new


def begin(call: Context, deal: Document) -> Document:
    """Complete a new deal: begin its history, compute its figures; a new closed deal counts as moved."""
    _first_stay(call, deal)
    deal = call.collection("deal").put(deal | figures.computed_members(call, deal))
    call.emit("deal.created", "deal", deal)
    if deal["status"] != "open":
        _tell_status(call, deal)
        deal_notices.notify_stage_change(call, deal, None)
    follow(call, deal)
    return deal


def _tell_status(call: Context, deal: Document) -> None:
    event = {"won": "deal.won", "lost": "deal.lost"}.get(deal["status"], "deal.reopened")
    call.emit(event, "deal", deal, metadata={"value": deal["value"], "currency": deal["currency"]})


def _first_stay(call: Context, deal: Document) -> None:
    """Begin the history of a deal's stages with the one it is in."""
    call.create("stage_change", "stagechange_", _entry(deal, None, deal["stage_changed_at"] or deal["created_at"]))


def history(call: Context, deal: Members) -> list[Document]:
    """Return the stays of a deal in its stages, oldest first."""
    return sorted(call.collection("stage_change").find("deal_id", deal["id"]), key=lambda entry: entry["entered_at"])


def _remember(call: Context, before: Document, after: Document, stage: Members) -> None:
    if not history(call, before):
        _first_stay(call, before)  # deals of converted leads and of the demo data have no history yet
    last = history(call, before)[-1]
    stayed = call.now - last["entered_at"]
    call.update("stage_change", last, {"left_at": call.now, "duration_seconds": int(stayed.total_seconds())})
    entry = _entry(after, before, call.now)
    previous = figures.stage_of(call, before)
    back = previous is not None and previous["position"] > stage["position"]
    reopened = before["status"] != "open" and after["status"] == "open"
    direction = "reopened" if reopened else "backward" if back else "forward"
    call.create("stage_change", "stagechange_", entry | {"direction": direction, "changed_by": call.caller.actor_id})


def _entry(deal: Members, before: Members | None, at: Any) -> dict[str, Any]:
    return {
        "deal_id": deal["id"],
        "pipeline_id": deal["pipeline_id"],
        "from_stage": before and before["stage"],
        "from_stage_id": before and before["stage_id"],
        "to_stage": deal["stage"],
        "to_stage_id": deal["stage_id"],
        "entered_at": at,
        "left_at": None,
        "duration_seconds": None,
        "value": deal["value"],
        "probability": deal["probability"],
        "direction": "initial",
        "reason": None,
        "changed_by": deal["created_by"],
    }


# -- what follows ----------------------------------------------------------------------------------------------------


def follow(call: Context, deal: Members, *others: str | None) -> None:
    """Recompute the figures of the deal's contacts and of the `others`; its account reacts to its events."""
    roles: Sequence[Members] = deal.get("contact_roles") or ()
    people = {deal.get("contact_id"), *(role["contact_id"] for role in roles), *others} - {None}
    for contact_id in sorted(id for id in people if id is not None):
        contact = call.collection("contact").get(contact_id)
        if contact is not None and deal["status"] == "won" and contact["lifecycle_stage"] not in _CUSTOMERS:
            new = call.update("contact", contact, {"lifecycle_stage": "customer"})
            call.emit("contact.updated", "contact", new, changes=changes_between(contact, new))
        contact_health.refresh(call, contact_id)


_CUSTOMERS = ("customer", "evangelist", "other")
