"""The rules of stages: their order, and the deals of a stage that is changed or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.models.pipelines import Stage
from crm_sdk.resources.pipelines import PipelineStages

from ...data.document import Document
from ...noun import Noun
from ...problems import Problem
from ...serving import STAMPS, Context, changes_between, serves
from ..deals import figures as deal_figures
from ..deals import stages as deal_stages
from ..deals.moves import move_to
from .automation import disable_rules_of
from .records import PIPELINES, with_stage_sums
from .stage_members import KINDS, check_order, stage_form


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Return a stage with its derived members and its position among the other stages."""
    stage = stage_form(members, before=before)
    others = [
        one for one in deal_stages.stages(call, stage["pipeline_id"]) if before is None or one["id"] != before["id"]
    ]
    if before is not None and stage["kind"] != before["kind"]:
        _require_other(before, others)
        _require_no_deals(call, before, "before its kind is changed")
    if "position" in members:
        position = min(members["position"], len(others))
    elif before is not None and stage["kind"] == before["kind"]:
        position = before["position"]
    else:
        position = _last_of_kind(others, stage["kind"])
    kinds = [one["kind"] for one in others]
    check_order([*kinds[:position], stage["kind"], *kinds[position:]])
    own = Stage.model_fields.keys() - STAMPS - {"deal_count", "total_value"}
    return {**{name: value for name, value in stage.items() if name in own}, "position": position}


def _last_of_kind(stages: Sequence[Document], kind: str) -> int:
    """Return the position after the last stage of a kind, else after the stages of the kinds before it."""
    before = KINDS[: KINDS.index(kind) + 1] if kind in KINDS else KINDS
    return max((number + 1 for number, stage in enumerate(stages) if stage["kind"] in before), default=0)


def _require_other(stage: Document, others: Sequence[Document]) -> None:
    if all(one["kind"] != stage["kind"] for one in others):
        raise Problem("STAGE_REQUIRED", f"{stage['name']} is the only {stage['kind']} stage of its pipeline")


def _require_no_deals(call: Context, stage: Document, when: str) -> None:
    count = len(call.collection("deal").find("stage_id", stage["id"]))
    if count:
        message = f"{stage['name']} has {count} deals: move them {when}"
        raise Problem("STAGE_HAS_DEALS", message, details={"deal_count": count})


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Renumber the other stages, and recompute the deals of a stage whose probability has changed."""
    stage = after if after is not None else before
    if stage is None:
        return None
    others = [one for one in deal_stages.stages(call, stage["pipeline_id"]) if one["id"] != stage["id"]]
    if after is not None:
        others.insert(after["position"], after)
    else:
        disable_rules_of(call, stage)
    _number(call, others)
    if before is not None and after is not None and before["probability"] != after["probability"]:
        for deal in call.collection("deal").find("stage_id", after["id"]):
            if deal["status"] == "open":
                new = call.collection("deal").put(deal | deal_figures.computed_members(call, deal))
                if new["probability"] != deal["probability"]:
                    call.emit("deal.updated", "deal", new, changes=changes_between(deal, new))
    return None


def _number(call: Context, stages: Sequence[Document]) -> bool:
    """Number the stages; return whether one moved. Their versions stay, since no caller has changed them."""
    moved = [stage | {"position": number} for number, stage in enumerate(stages) if stage["position"] != number]
    for stage in moved:
        call.collection("stage").put(stage)
    return bool(moved)


@serves(PipelineStages.delete)
def delete(call: Context, pipeline_id: str, stage_id: str, move_deals_to: str | None) -> None:
    """Delete a stage, and move its deals to another of the pipeline."""
    pipeline = PIPELINES.find_one(call, pipeline_id)
    stage = STAGES.writable(call, stage_id, "delete", whole_id=pipeline["id"])
    target = call.reference("stage", move_deals_to, "move_deals_to")
    if target is not None and (target["pipeline_id"] != pipeline["id"] or target["id"] == stage["id"]):
        message = f"{target['name']} is no other stage of {pipeline['name']}"
        raise Problem("STAGE_NOT_IN_PIPELINE", message, field="move_deals_to")
    _require_other(stage, [one for one in deal_stages.stages(call, pipeline["id"]) if one["id"] != stage["id"]])
    if target is None:
        _require_no_deals(call, stage, "with move_deals_to")
    else:
        for deal in call.collection("deal").find("stage_id", stage["id"]):
            move_to(call, deal, target)
    STAGES.remove(call, stage)


@serves(PipelineStages.reorder)
def reorder(call: Context, pipeline_id: str, stage_ids: Sequence[str]) -> list[Document]:
    """Reorder the stages of a pipeline."""
    pipeline = PIPELINES.writable(call, pipeline_id)
    there = {stage["id"]: stage for stage in deal_stages.stages(call, pipeline["id"])}
    if sorted(stage_ids) != sorted(there):
        message = f"name each of the {len(there)} stages of {pipeline['name']} exactly once"
        raise Problem("INCOMPLETE_ORDER", message, field="stage_ids", details={"stage_ids": list(there)})
    wanted = [there[id] for id in stage_ids]
    check_order([stage["kind"] for stage in wanted])
    if _number(call, wanted):
        call.emit("pipeline.stages_reordered", "pipeline", pipeline, metadata={"stage_ids": list(stage_ids)})
    return [with_stage_sums(call, stage) for stage in deal_stages.stages(call, pipeline["id"])]


STAGES = Noun(
    resource=PipelineStages,
    kind="stage",
    model=Stage,
    own=("delete",),
    within=("pipeline_id", PIPELINES),
    events="pipeline.stage_",
    unique={"name": "STAGE_EXISTS", "key": "STAGE_EXISTS"},
    check=_check,
    follow=_follow,
    shown=with_stage_sums,
)
