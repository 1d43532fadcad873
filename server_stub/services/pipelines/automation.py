"""Automation rules of pipelines: create, change and test them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from crm_sdk.models.pipelines import AutomationRule
from crm_sdk.resources.deals import Deals
from crm_sdk.resources.pipelines import PipelineAutomation

from ...data.document import Document
from ...data.filter_groups import compile_filters
from ...data.query import member
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Context, Members, changes_between, serves
from .actions import FIELDS, StopRule, attempt, carry_out, check_actions, describe, moves_to
from .records import PIPELINES

EVENTS = (
    "deal_created", "stage_entered", "stage_left", "deal_won", "deal_lost", "deal_rotten", "days_in_stage",
    "field_changed",
)  # fmt: skip
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
        compile_filters(members["conditions"], FIELDS, now=call.now)
    if "actions" in members:
        check_actions(call, members["actions"])
    if before is not None:
        return {}
    rules = call.collection("rule").find("pipeline_id", pipeline_id)
    return {"position": max((rule["position"] for rule in rules), default=-1) + 1}


def _check_trigger(call: Context, trigger: Members, pipeline_id: str, held: Members) -> None:
    event = trigger["event"]
    if event not in EVENTS:
        message = f"{event!r} is not one of {', '.join(EVENTS)}"
        raise invalid("trigger.event", "choice", message, choices=list(EVENTS))
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
        if rule["enabled"] and (waits or moves_to(rule["actions"], stage)):
            RULES.change(call, rule, {"enabled": False}, reason=f"the stage {stage['name']} was deleted")


@serves(PipelineAutomation.test)
def test(call: Context, pipeline_id: str, rule_id: str, deal_id: str) -> dict[str, Any]:
    """Test a rule on a deal, and undo all its effects."""
    pipeline = PIPELINES.found(call, pipeline_id)
    rule = RULES.found(call, rule_id, pipeline["id"])
    deal = call.reference("deal", deal_id, "deal_id")
    if deal is None or deal["pipeline_id"] != pipeline["id"]:
        raise Problem("DEAL_NOT_IN_PIPELINE", f"{deal_id} is not a deal of {pipeline['name']}", field="deal_id")
    wanted = rule["trigger"].get("stage_id") if rule["trigger"]["event"] in ("stage_entered", "days_in_stage") else None
    triggered = wanted in (None, deal["stage_id"])
    conditions = [
        {
            "filter": given,
            "actual": member(deal, given["field"]),
            "matched": compile_filters([{"filters": [given]}], FIELDS, now=call.now)(deal),
        }
        for group in rule["conditions"]
        for given in group["filters"]
    ]
    holds = compile_filters(rule["conditions"], FIELDS, now=call.now)(deal)
    return {
        "rule_id": rule["id"],
        "deal_id": deal["id"],
        "would_run": triggered and holds,
        "trigger_matched": triggered,
        "conditions": conditions,
        "actions": _preview(call, rule, deal),
    }


class _UndoError(Exception):
    """Raised at the end of a test, so that its transaction is undone."""


def _preview(call: Context, rule: Document, deal: Document) -> list[dict[str, Any]]:
    """Return the changes that each action makes to a deal, in order; all are undone."""
    previews: list[dict[str, Any]] = []
    try:
        with call.server.store.transaction():
            for spec in rule["actions"]:
                before = call.record("deal", deal["id"])
                preview: dict[str, Any] = {"type": spec["type"], "description": describe(spec), "error": None}
                previews.append(preview)
                try:
                    preview["error"] = attempt(call, rule, partial(carry_out, call, deal["id"], spec))
                except StopRule:
                    break
                finally:
                    preview["changes"] = changes_between(before, call.record("deal", deal["id"]))
                if preview["error"] is not None:
                    break
            raise _UndoError
    except _UndoError:
        return previews


RULES = Noun(
    resource=PipelineAutomation,
    kind="rule",
    model=AutomationRule,
    within=("pipeline_id", PIPELINES),
    events="automation.",
    order=("position", "asc"),
    check=_check,
)
