"""The rules of lead scoring: the configuration, the training of the model, and scores of many leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.models.ai_insights import LeadScoringModel
from crm_sdk.resources.ai_insights import LeadScoring, LeadScoringSettings

from ... import jobs
from ...bulk import carry_out, check_size
from ...data.document import Document
from ...data.merging import differences
from ...data.queries.filter_groups import compile_filter
from ...problems import Problem
from ...serving import Context, Members, RecordType, changes_between, runs, serves
from ..leads.owners import OPEN
from ..leads.points import current_score_members, features, score_source
from ..leads.records import LEADS
from ..leads.scoring import store_score
from .regression import Sample, fit, metrics_of, split, weights_of
from .scheme import FIELDS, KIND, Scheme, config_of, field_types, scheme_of

MODELS = RecordType("model", LeadScoringModel)
_ENDED: Mapping[str, bool] = {"converted": True, "unqualified": False}
"""The statuses that leads end with, and whether the model is to expect them."""
_FEATURES = FIELDS.keys() | {"activities", "authority", "budget", "country", "need", "rule", "timeline"}
"""What can be excluded: members of leads, and the other features of the rules."""


# -- the configuration -------------------------------------------------------------------------------------------------


@serves(LeadScoringSettings.update)
def update(call: Context, changes: Members) -> Document:
    """Change the configuration, and score the open leads anew."""
    before = config_of(call.collection)
    empty: list[Any] = []
    members: dict[str, Any] = {name: empty if value is None else value for name, value in changes.items()}
    if "rules" in members:
        members["rules"] = [_rule(call, rule, number) for number, rule in enumerate(members["rules"])]
    for number, name in enumerate(members.get("excluded_features", ())):
        if name.partition("=")[0] not in _FEATURES:
            known = ", ".join(sorted(_FEATURES - FIELDS.keys()))
            message = f"{name!r} is neither a member of a lead nor one of {known}"
            raise Problem("UNKNOWN_FIELD", message, field=f"excluded_features.{number}", rule="choice")
    after = before | members
    if after["warm_threshold"] >= after["hot_threshold"]:
        raise Problem(
            "THRESHOLD_ORDER",
            f"a warm lead needs {after['warm_threshold']} points, which is not less than a hot one's "
            f"{after['hot_threshold']}",
            field="warm_threshold" if "warm_threshold" in members else "hot_threshold",
            rule="max",
        )
    if not differences(before, members):
        return before
    new = call.collection(KIND).put(after | {"updated_at": call.now})
    call.emit(
        "model.config_updated", "model", as_shown(call, stored_model(call)), changes=changes_between(before, after)
    )
    if new["auto_rescore"]:
        rescore(call)
    return new


def _rule(call: Context, given: Members, number: int) -> dict[str, Any]:
    """Return a rule in stored form. Raises 422 for a condition that cannot be."""
    path = f"rules.{number}.filter"
    field, _ = compile_filter(given["filter"], field_types(call.collection), path, now=call.now)
    usual: dict[str, Any] = {"value": None, "high_value": None, "values": []}
    return {"active": True, **given, "filter": {**usual, **given["filter"], "field": field}}


def rescore(call: Context) -> None:
    """Score all open leads anew; leads whose score stays are not changed."""
    scheme = scheme_of(call.collection, call.now)
    for lead in LEADS.records(call).all():
        if lead["status"] in OPEN:
            store_score(call, lead, current_score_members(call, lead, scheme), scheme=scheme)


# -- scores ------------------------------------------------------------------------------------------------------------


@serves(LeadScoring.score)
def score(call: Context, lead_ids: Sequence[str], persist: bool) -> dict[str, Any]:
    """Score leads, each with the permissions of `leads.score`; without `persist` nothing is written."""
    check_size(lead_ids, "lead_ids")
    scheme = scheme_of(call.collection, call.now)

    def work(lead_id: str) -> Members:
        if not persist:
            return _what_if(call, LEADS.find_one(call, lead_id), scheme)
        lead = LEADS.writable(call, lead_id)
        return store_score(call, lead, current_score_members(call, lead, scheme), scheme=scheme)

    return carry_out(call, lead_ids, work, field="lead_ids", id_of=str)


def _what_if(call: Context, lead: Document, scheme: Scheme) -> dict[str, Any]:
    """Return the score that a lead would get now."""
    scored = current_score_members(call, lead, scheme)
    return {
        "id": call.new_id("score_"),
        "lead_id": lead["id"],
        "score": scored["score"],
        "previous_score": lead["score"],
        "rating": scored["rating"],
        "reasons": scored["score_reasons"],
        "reason": None,
        "scored_at": call.now,
        "scored_by": call.caller.actor_id,
        **score_source(lead, scheme),
    }


# -- the model ---------------------------------------------------------------------------------------------------------


@serves(LeadScoring.model)
def model(call: Context) -> Document:
    """Return the model with its configuration and its latest training."""
    return as_shown(call, stored_model(call))


def stored_model(call: Context) -> Document:
    """Return the company's model as it is stored; one without values where it was never trained."""
    known = call.collection(KIND).get("model")
    empty: dict[str, Any] = {
        "version": 0,
        "trained_at": None,
        "sample_count": 0,
        "positive_count": 0,
        "features": [],
        "metrics": None,
    }
    return known or Document({**empty, "id": "model", "weights": {}, "bias": 0.0, "job_id": None})


def as_shown(call: Context, stored: Document) -> Document:
    """Return the model as answers show it."""
    job = call.collection("job").get(stored["job_id"]) if stored["job_id"] is not None else None
    running = job is not None and job["status"] not in jobs.ENDED
    failed = job is not None and job["status"] == "failed"
    status = "training" if running else "failed" if failed else "ready" if stored["version"] else "untrained"
    members = {
        "id": f"model_{call.caller.tenant_id.partition('_')[2]}",
        "name": "Lead scoring",
        "status": status,
        "algorithm": "logistic_regression",
        "config": config_of(call.collection),
        "job": job,
    }
    return stored.with_members(members)


@serves(LeadScoring.train)
def train(call: Context, since: datetime | None, min_samples: int, holdout: float) -> Document:
    """Start a training; the leads are read when it is done."""
    stored = stored_model(call)
    shown = as_shown(call, stored)
    if shown["status"] == "training":
        message = f"the training {stored['job_id']} is under way"
        raise Problem("TRAINING_IN_PROGRESS", message, details={"job_id": stored["job_id"]})
    payload = {"since": since, "min_samples": min_samples, "holdout": holdout}
    count = len(_samples(call, payload))
    job = jobs.start(
        call,
        "training",
        payload,
        title=f"Training of the lead scoring model on {count:,} leads",
        total=count,
        status_url="/ai-insights/lead-scoring/model",
        entity={"type": "model", "id": shown["id"], "name": shown["name"]},
        cancellable=False,
    )
    call.collection(KIND).put(stored | {"job_id": job["id"]})
    return job


def _samples(call: Context, payload: Members) -> list[Sample]:
    """Return the leads that converted or were disqualified, with the features that count.

    Raises: 409 where there are too few, or all of one kind.
    """
    scheme, since = scheme_of(call.collection, call.now), payload["since"]
    found = [
        Sample(lead["id"], [name for name in features(lead) if scheme.has(name)], _ENDED[lead["status"]])
        for lead in LEADS.records(call)
        if lead["status"] in _ENDED and (since is None or lead["created_at"] >= since)
    ]
    positives = sum(sample.converted for sample in found)
    if len(found) < payload["min_samples"] or positives in (0, len(found)):
        raise Problem(
            "NOT_ENOUGH_TRAINING_DATA",
            f"{len(found):,} leads converted or were disqualified, {positives:,} of them converted: "
            f"{payload['min_samples']:,} are needed, and some of each kind",
            details={"samples": len(found), "positives": positives},
        )
    return found


@runs("training")
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Train the model, measure it, and score the open leads anew."""
    samples = _samples(call, job["payload"])
    trained, measured = split(samples, job["payload"]["holdout"])
    found = fit(trained)
    labels = {name: label for lead in LEADS.records(call) for name, label in features(lead).items()}
    stored = stored_model(call)
    new = call.collection(KIND).put(
        stored
        | {
            "version": stored["version"] + 1,
            "trained_at": call.now,
            "sample_count": len(samples),
            "positive_count": sum(sample.converted for sample in samples),
            "features": weights_of(found, trained, labels),
            "metrics": metrics_of(found, measured),
            "weights": dict(found.weights),
            "bias": found.bias,
        }
    )
    told = {"version": new["version"], "job_id": job["id"]}
    shown = as_shown(call, new).with_members({"status": "ready", "job": None})
    call.emit("model.trained", "model", shown, metadata=told)
    if shown["config"]["auto_rescore"]:
        rescore(call)
    count = len(samples)
    counts = job["counts"] | {"total": count, "processed": count, "succeeded": count}
    return {"status": "succeeded", "counts": counts, "result": dict(shown)}
