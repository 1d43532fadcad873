"""What sets off automation rules: events of deals, and time. They run on the engine of workflows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ...data.document import Document
from ...serving import Context, Members, reacts
from ...timetable import apart, recurs
from ..deals import figures as deal_figures
from ..workflows.starting import execution_members, planned_specs, queue
from ..workflows.subjects import ref_of


@reacts("deal.created", "deal.stage_changed", "deal.won", "deal.lost", "deal.updated")
def after_event(call: Context, entry: Document) -> None:
    """Queue the rules that an event triggers; they run after the call that caused it was answered."""
    deal = call.collection("deal").get(entry["entity"]["id"])
    if deal is None:
        return
    for rule in _rules(call, deal):
        if _is_triggered(rule["trigger"], entry, deal):
            _start(call, rule, deal)


def _rules(call: Context, deal: Members) -> list[Document]:
    """Return the enabled rules of a deal's pipeline, in their order."""
    rules = [rule for rule in call.collection("rule").find("pipeline_id", deal["pipeline_id"]) if rule["enabled"]]
    return sorted(rules, key=lambda rule: rule["position"])


def _is_triggered(trigger: Members, entry: Document, deal: Members) -> bool:
    event, what = trigger["event"], entry["action"]
    changed = {change["field"]: change for change in entry["changes"]}
    stage = changed.get("stage_id", {"before": None, "after": deal["stage_id"]})
    if event == "field_changed":
        # An update that moves a deal is told twice; the second event has all its changes.
        told = "deal.stage_changed" if "stage_id" in changed else "deal.updated"
        return what == told and trigger["field"] in changed
    if event in ("stage_entered", "stage_left"):
        entered = event == "stage_entered"
        if what != "deal.stage_changed" and not (entered and what == "deal.created"):
            return False
        wanted, other = (trigger.get("stage_id"), trigger.get("from_stage_id"))
        here = stage["after"] if entered else stage["before"]
        return wanted in (None, here) and (not entered or other in (None, stage["before"]))
    return bool({"deal_created": "deal.created", "deal_won": "deal.won", "deal_lost": "deal.lost"}.get(event) == what)


def _start(call: Context, rule: Document, deal: Document) -> None:
    """Queue an execution of a rule, which is due at once; its conditions are checked when it begins."""
    entity = ref_of("deal", deal)
    entries = planned_specs(rule["actions"])
    queue(call, execution_members(call, entries, entity, source="pipeline_rule", rule=rule))


@recurs("pipeline rules", every=timedelta(hours=1))
def after_time(call: Context) -> None:
    """Queue the rules for rotten deals and for deals that are in a stage for some days, once per stay in a stage."""
    for rule in call.collection("rule").find("enabled", True):
        if rule["trigger"]["event"] in ("deal_rotten", "days_in_stage"):
            with apart(call, rule):
                for deal in _due(call, rule):
                    _start(call, rule, deal)


def _due(call: Context, rule: Document) -> Iterator[Document]:
    fired = call.collection("rule_stay")
    trigger: Members = rule["trigger"]
    for stored in call.collection("deal").find("pipeline_id", rule["pipeline_id"]):
        deal = deal_figures.with_current_figures(call, stored)
        here = trigger.get("stage_id") in (None, deal["stage_id"])
        long = deal["is_rotten"] if trigger["event"] == "deal_rotten" else deal["days_in_stage"] >= trigger["days"]
        stay = f"{rule['id']}/{deal['id']}/{deal['stage_changed_at']}"
        if deal["status"] == "open" and here and long and fired.get(stay) is None:
            fired.put(Document(id=stay))
            yield stored
