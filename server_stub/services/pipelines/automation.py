"""Automation rules of pipelines: create, change and test them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.models.pipelines import AutomationRule
from crm_sdk.resources.deals import Deals
from crm_sdk.resources.pipelines import PipelineAutomation

from ...data.document import Document
from ...data.queries.query import member
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ..workflows.action_types import check_actions, every_action
from ..workflows.rights import written_by
from ..workflows.starting import execution_members, planned_specs
from ..workflows.subjects import check_conditions, filters_in, holds, ref_of, stored_conditions
from ..workflows.trials import trial
from .records import PIPELINES

_NEEDED: Mapping[str, str] = {"days_in_stage": "days", "field_changed": "field"}
"""The required parameter of each trigger."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Check a rule; a new one gets the last position in its pipeline. Raises: 422 for a rule that could not run."""
    pipeline_id = before["pipeline_id"] if before is not None else members["pipeline_id"]
    enabled = members.get("enabled", before is None or before["enabled"])
    if "trigger" in members or (before is not None and enabled and not before["enabled"]):
        # A rule that is off may keep a stage that is gone; it cannot be switched on with it.
        there: Members = before["trigger"] if before is not None else {}
        _check_trigger(call, members.get("trigger", there), pipeline_id, {} if enabled else there)
    if members.get("conditions"):
        check_conditions(call, "deal", members["conditions"])
    if "actions" in members:
        check_actions(call, "deal", members["actions"])
    if before is not None:
        return written_by(call) if "actions" in members else {}
    rules = call.collection("rule").find("pipeline_id", pipeline_id)
    return {"position": max((rule["position"] for rule in rules), default=-1) + 1, **written_by(call)}


def _check_trigger(call: Context, trigger: Members, pipeline_id: str, held: Members) -> None:
    event = trigger["event"]
    for name in ("stage_id", "from_stage_id"):
        stage = call.reference("stage", trigger.get(name), f"trigger.{name}", held.get(name))
        if stage is not None and stage["pipeline_id"] != pipeline_id:
            raise invalid(f"trigger.{name}", "reference", f"{stage['name']} is a stage of another pipeline")
    needed = _NEEDED.get(event)
    if needed is not None and trigger.get(needed) is None:
        raise invalid(f"trigger.{needed}", "required", f"{event} needs {needed}")
    if trigger.get("field") is not None and trigger["field"] not in Deals.update.operation.arguments.members:
        message = f"deals have no field {trigger['field']!r}"
        raise Problem("UNKNOWN_FIELD", message, field="trigger.field", details={"field": trigger["field"]})


def disable_rules_of(call: Context, stage: Document) -> None:
    """Switch off the rules that wait for a stage that is gone, or move deals to it: they could only fail."""
    for rule in call.collection("rule").find("pipeline_id", stage["pipeline_id"]):
        trigger: Members = rule["trigger"]
        waits = stage["id"] in (trigger.get("stage_id"), trigger.get("from_stage_id"))
        if rule["enabled"] and (waits or _moves_to(rule["actions"], stage)):
            RULES.change(call, rule, {"enabled": False}, reason=f"the stage {stage['name']} was deleted")


def _moves_to(actions: Sequence[Members], stage: Members) -> bool:
    """Tell whether one of some actions moves deals to a stage, in whatever branch."""
    names = (stage["id"], stage["key"])
    return any(
        spec.get("stage") in names or (spec.get("field") == "stage" and spec.get("value") in names)
        for spec in every_action(actions)
    )


@serves(PipelineAutomation.test)
def test(call: Context, pipeline_id: str, rule_id: str, deal_id: str) -> dict[str, Any]:
    """Test a rule on a deal, and undo all its effects."""
    pipeline = PIPELINES.find_one(call, pipeline_id)
    rule = RULES.find_one(call, rule_id, pipeline["id"])
    deal = call.reference("deal", deal_id, "deal_id")
    if deal is None or deal["pipeline_id"] != pipeline["id"]:
        raise Problem("DEAL_NOT_IN_PIPELINE", f"{deal_id} is not a deal of {pipeline['name']}", field="deal_id")
    wanted = rule["trigger"].get("stage_id") if rule["trigger"]["event"] in ("stage_entered", "days_in_stage") else None
    triggered = wanted in (None, deal["stage_id"])
    conditions = [
        {
            "filter": given,
            "actual": member(deal, given["field"]),
            "matched": holds(call, "deal", [{"filters": [given]}], deal),
        }
        for given in filters_in(rule["conditions"])
    ]
    return {
        "rule_id": rule["id"],
        "deal_id": deal["id"],
        "would_run": triggered and holds(call, "deal", rule["conditions"], deal),
        "trigger_matched": triggered,
        "conditions": conditions,
        "actions": _preview(call, rule, deal),
    }


def _preview(call: Context, rule: Document, deal: Document) -> list[dict[str, Any]]:
    """Return the changes that each action makes to a deal, in order; those inside a branch are the branch's."""
    entries = planned_specs(rule["actions"])
    done = trial(call, execution_members(call, entries, ref_of("deal", deal), source="pipeline_rule", rule=rule))
    previews: list[dict[str, Any]] = []
    for entry, step in zip(done["entries"], done["steps"], strict=True):
        if step["status"] == "skipped":
            break
        if entry["level"] == 0:
            previews.append({"type": step["type"], "description": step["name"], "changes": [], "error": None})
        previews[-1]["changes"] = _in_all([*previews[-1]["changes"], *step["changes"]])
        previews[-1]["error"] = previews[-1]["error"] or step["error"]
    return previews


def _in_all(changes: Sequence[Members]) -> list[Members]:
    """Return changes with one entry for each member: from its first value to its last."""
    whole: dict[str, Members] = {}
    for change in changes:
        whole[change["field"]] = {**change, "before": whole.get(change["field"], change)["before"]}
    return list(whole.values())


RULES = Noun(
    resource=PipelineAutomation,
    kind="rule",
    model=AutomationRule,
    within=("pipeline_id", PIPELINES),
    events="automation.",
    order=("position", "asc"),
    forms={"conditions": stored_conditions},
    check=_check,
)
