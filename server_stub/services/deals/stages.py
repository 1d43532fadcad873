"""The stages of deals: which exist, and their conditions for a deal that enters them."""

from __future__ import annotations

from typing import Any

from ...data.document import Document
from ...problems import FieldError, Problem, invalid
from ...serving import Context, Members


def pipeline_of(call: Context, pipeline_id: str | None, field: str = "pipeline_id") -> Document:
    """Return a pipeline, or the default one. Raises: 422 where it is not one of deals, 409 where it is inactive."""
    wanted = pipeline_id or _default_pipeline_id(call)
    pipeline = call.reference("pipeline", wanted, field)
    if pipeline is not None and pipeline["entity_type"] != "deal":
        raise invalid(field, "choice", f"{pipeline['name']} is a pipeline of {pipeline['entity_type']}s")
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


def stage_like(call: Context, deal: Members, pipeline: Document) -> Document:
    """Return the stage of a pipeline with the key of a deal's stage, else the first open one."""
    same = [stage for stage in stages(call, pipeline["id"]) if stage["key"] == deal["stage"]]
    return same[0] if same else stage_named(call, pipeline, None)


def place_again(call: Context, deal: Members) -> Members:
    """Return the members that a deal gets that came back after its stage was deleted or became one of another kind.

    It comes to the stage with the same key, else the first of the same kind, of its pipeline or else the default one.
    """
    stage = call.collection("stage").get(deal["stage_id"] or "")
    if stage is not None and stage["kind"] == deal["status"]:
        return {}
    pipeline_id = (
        deal["pipeline_id"] if call.find_one("pipeline", deal["pipeline_id"] or "") else _default_pipeline_id(call)
    )
    there = [one for one in stages(call, pipeline_id or "") if one["kind"] == deal["status"]]
    new = next((one for one in there if one["key"] == deal["stage"]), there[0] if there else None)
    return stage_members(call, new) | {"closed_at": deal["closed_at"]} if new is not None else {}


def stage_members(call: Context, stage: Members) -> dict[str, Any]:
    """Return the members that a deal gets from the stage it enters now."""
    closed = stage["kind"] != "open"
    lost = {} if stage["kind"] == "lost" else {"lost_reason": None, "lost_notes": None}
    won = {} if stage["kind"] == "won" else {"won_reason": None}
    return {
        "pipeline_id": stage["pipeline_id"],
        "stage": stage["key"],
        "stage_id": stage["id"],
        "status": stage["kind"],
        "forecast_category": stage["forecast_category"],
        "stage_changed_at": call.now,
        "closed_at": call.now if closed else None,
        "last_activity": call.now,
        **lost,
        **won,
    }


def check_move(call: Context, deal: Document, stage: Document) -> None:
    """Raise a Problem for a move that the pipeline of the deal, or the one it goes to, does not allow."""
    here, pipeline = call.collection("pipeline").get(deal["pipeline_id"]), call.record("pipeline", stage["pipeline_id"])
    if here is not None and here["lock_closed"] and deal["status"] != "open":
        raise Problem("DEAL_CLOSED", f"closed deals of {here['name']} stay closed")
    if deal["status"] != "open" or deal["pipeline_id"] != pipeline["id"]:
        return
    there = stages(call, pipeline["id"])
    before = next((one["position"] for one in there if one["id"] == deal["stage_id"]), -1)
    if stage["kind"] == "open" and stage["position"] < before and not pipeline["allow_backward"]:
        raise Problem("STAGE_BACKWARD_FORBIDDEN", f"deals of {pipeline['name']} do not go back to {stage['name']}")
    between = [one for one in there if one["kind"] == "open" and before < one["position"] < stage["position"]]
    if between and stage["kind"] != "lost" and not pipeline["allow_skip"]:
        message = f"deals of {pipeline['name']} do not skip {between[0]['name']} on the way to {stage['name']}"
        raise Problem("STAGE_SKIP_FORBIDDEN", message)


def check_entry(call: Context, deal: Members, stage: Members) -> None:
    """Check the conditions of a stage. Raises: 422 for missing required fields, or the missing reason of a loss."""
    pipeline = call.record("pipeline", stage["pipeline_id"])
    if stage["kind"] == "lost" and pipeline["require_lost_reason"] and not deal.get("lost_reason"):
        message = f"{pipeline['name']} asks why a deal is lost"
        raise Problem("LOST_REASON_REQUIRED", message, field="lost_reason", rule="required")
    missing = [name for name in stage.get("required_fields") or () if deal.get(name) in (None, "", [], {})]
    if missing:
        message = f"a deal in {stage['name']} needs {', '.join(missing)}"
        why, code = f"a deal in {stage['name']} needs it", "STAGE_FIELDS_MISSING"
        entries = [FieldError(name, "required", why, code) for name in missing]
        raise Problem(code, message, field=missing[0], rule="required", errors=entries)
