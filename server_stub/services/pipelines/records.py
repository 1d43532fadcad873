"""The rules of pipelines: the stages of a new one, the default pipeline, and the deals of a deleted one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.models.pipelines import Pipeline
from crm_sdk.resources.pipelines import Pipelines

from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access.permissions import readable
from ...serving import Context, serves
from .. import company
from ..deals import stages as deal_stages
from ..deals.moves import move_to
from .stage_members import check_stages, usual_stages


def sums(call: Context, deals: Sequence[Document]) -> dict[str, Any]:
    """Return the number of deals, and their total value in the company's currency."""
    worth = company.worth_in(call.tenant)
    return {"deal_count": len(deals), "total_value": company.total(map(worth, deals))}


def with_sums(call: Context, pipeline: Document) -> Document:
    """Return a pipeline with its sums, without its stages."""
    deals = readable(call, "deal", call.collection("deal").find("pipeline_id", pipeline["id"]))
    return pipeline.with_members({"stages": [], "currency": call.tenant["base_currency"], **sums(call, deals)})


def with_stages(call: Context, pipeline: Document) -> Document:
    """Return a pipeline with its sums and its stages."""
    stages = [with_stage_sums(call, stage) for stage in deal_stages.stages(call, pipeline["id"])]
    return with_sums(call, pipeline) | {"stages": stages}


def with_stage_sums(call: Context, stage: Document) -> Document:
    """Return a stage with its sums."""
    return stage | sums(call, readable(call, "deal", call.collection("deal").find("stage_id", stage["id"])))


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Return the members of a new pipeline. Raises: 409 where there would be no active default pipeline."""
    if before is None:
        last = max((doc["position"] for doc in call.collection("pipeline")), default=-1)
        given = members["stages"] if members.get("stages") is not None else usual_stages()
        return {"position": last + 1, "stages": check_stages(given)}
    if before["is_default"] and (members.get("is_default") is False or members.get("active") is False):
        raise _is_default(before, "make another pipeline the default first")
    if members.get("is_default") and members.get("active", before["active"]) is False:
        raise invalid("is_default", "choice", "an inactive pipeline cannot be the default")
    return {}


def _is_default(pipeline: Document, way_out: str) -> Problem:
    return Problem("PIPELINE_IS_DEFAULT", f"{pipeline['name']} is the default pipeline: {way_out}")


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Create the stages of a new pipeline, replace the default, and delete the parts of a deleted pipeline."""
    pipelines = call.collection("pipeline")
    if after is None:
        for kind in ("stage", "rule"):
            for doc in call.collection(kind).find("pipeline_id", before["id"]) if before is not None else ():
                call.delete(kind, doc)
        return None
    if before is None:
        for stage in after["stages"]:
            call.create("stage", "stage_", {**stage, "pipeline_id": after["id"]})
        after = pipelines.put(after | {"stages": []})
    if after["is_default"] and not (before is not None and before["is_default"]):
        for other in pipelines.find("is_default", True):
            if other["id"] != after["id"] and other["entity_type"] == after["entity_type"]:
                call.update("pipeline", other, {"is_default": False})
    return after


@serves(Pipelines.delete)
def delete(call: Context, pipeline_id: str, move_deals_to: str | None, version: int | None) -> None:
    """Delete a pipeline, and move its deals to another."""
    pipeline = PIPELINES.writable(call, pipeline_id, "delete")
    call.lock(pipeline, version)
    if pipeline["is_default"]:
        raise _is_default(pipeline, "make another one the default before it is deleted")
    deals = call.collection("deal").find("pipeline_id", pipeline["id"])
    target = call.reference("pipeline", move_deals_to, "move_deals_to")
    if target is not None and target["id"] == pipeline["id"]:
        raise invalid("move_deals_to", "choice", "the deals cannot move to the pipeline that is deleted")
    if deals and target is None:
        raise Problem(
            "PIPELINE_HAS_DEALS",
            f"{pipeline['name']} has {len(deals)} deals: say where they go with move_deals_to",
            details={"deal_count": len(deals)},
        )
    for deal in deals:
        move_to(call, deal, _stage_like(call, deal, target or pipeline))
    PIPELINES.remove(call, pipeline)


def _stage_like(call: Context, deal: Document, target: Document) -> Document:
    """Return the stage of a pipeline with the key of a deal's stage, else the first of the same kind."""
    there = deal_stages.stages(call, deal_stages.pipeline_of(call, target["id"])["id"])
    same = [stage for stage in there if stage["key"] == deal["stage"]]
    return (same or [stage for stage in there if stage["kind"] == deal["status"]])[0]


PIPELINES = Noun(
    resource=Pipelines,
    kind="pipeline",
    model=Pipeline,
    own=("delete",),
    searched=("name", "description"),
    sorts=("name",),
    order=("position", "asc"),
    forms={"name": required_text("name")},
    unique={"name": "PIPELINE_EXISTS"},
    check=_check,
    follow=_follow,
    shown=with_stages,
    listed=with_sums,
)
