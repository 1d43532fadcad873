"""Runs of automation rules after events and with time, in order, each as a job, without endless loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from ... import jobs
from ...data.document import Document
from ...data.filter_groups import compile_filters
from ...problems import Problem
from ...serving import Context, Members, reacts, runs
from ...timetable import recurs
from ..deals import figures as deal_figures
from .actions import FIELDS, StopRule, attempt, carry_out

DEEPEST = 5
"""The greatest length of a chain of runs that cause one another."""
_KIND = "pipeline_rule"


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
    """Queue a run of a rule as a job, which is due at once."""
    depth = int(call.source.get("depth", 0)) + 1
    payload = {"rule_id": rule["id"], "deal_id": deal["id"], "position": rule["position"], "depth": depth}
    entity = {"type": "deal", "id": deal["id"], "name": deal["title"]}
    title = f"Rule {rule['name']!r} on {deal['title']}"
    job = jobs.start(call, _KIND, payload, title=title, total=1, status_url=None, entity=entity)
    call.collection("job").put(job | {"due_at": call.now, "source": {"dialect": "system", "depth": depth}})


@runs(_KIND)
def run(call: Context, job: Document) -> Mapping[str, Any]:
    """Carry out the actions of a rule in one transaction, and record the result."""
    task: Members = job["payload"]
    rule, deal = call.collection("rule").get(task["rule_id"]), call.collection("deal").get(task["deal_id"])
    error: Mapping[str, Any] | None = None
    if rule is not None and deal is not None and compile_filters(rule["conditions"], FIELDS, now=call.now)(deal):
        error = attempt(call, rule, partial(_act, call, rule, deal["id"], task["depth"]))
        _note(call, rule, deal, task, error)
    return {"status": "failed" if error else "succeeded", "error": error}


def _act(call: Context, rule: Document, deal_id: str, depth: int) -> None:
    if depth > DEEPEST:
        raise Problem("AUTOMATION_LOOP", f"{DEEPEST} rules were caused by one another: this is a loop")
    try:
        for spec in rule["actions"]:
            carry_out(call, deal_id, spec)
    except StopRule:
        return


def _note(call: Context, rule: Document, deal: Document, task: Members, error: Mapping[str, Any] | None) -> None:
    """Record a run in the rule's counts and in the history of executions; the rule's version stays."""
    status = "failed" if error else "succeeded"
    counts = {"run_count": rule["run_count"] + 1, "last_run_at": call.now, "last_status": status}
    call.collection("rule").put(rule | counts)
    execution = {
        "rule_id": rule["id"],
        "workflow_id": None,
        "source": _KIND,
        "entity": {"type": "deal", "id": deal["id"], "name": deal["title"]},
        "status": status,
        "depth": task["depth"],
        "error": error,
        "started_at": call.now,
        "finished_at": call.now,
    }
    call.create("execution", "execution_", execution)


@recurs("pipeline rules", every=timedelta(hours=1))
def after_time(call: Context) -> None:
    """Queue the rules for rotten deals and for deals that are in a stage for some days, once per stay in a stage."""
    for rule in call.collection("rule").find("enabled", True):
        if rule["trigger"]["event"] in ("deal_rotten", "days_in_stage"):
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
