"""Predictions: stored, made within the call or by a job where they are of many records, and read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.models.ai_predictions import PREDICTION_MODELS, Prediction
from crm_sdk.resources.ai_insights import Predictions

from ... import jobs
from ...answers import Answer
from ...data.blanks import blank
from ...data.document import Document
from ...request.access import permissions
from ...serving import Context, RecordType, reacts, runs, serves
from . import churn, deal_chances, revenue
from .lead_scoring import stored_model

PREDICTIONS = RecordType("prediction", Prediction)
AT_ONCE = 1_000
"""So many records are predicted within the call; more take a job."""
_VALID = timedelta(hours=24)
_LISTS: Mapping[str, str] = {"deals": "deals", "churn": "customers"}
"""The member with the predictions of single records, by kind."""


@serves(Predictions.get)
def get(call: Context, prediction_id: str) -> Document:
    """Return a prediction, also one that has expired."""
    return call.record("prediction", prediction_id)


@serves(Predictions.deals)
def deals(
    call: Context,
    deal_ids: Sequence[str] | None,
    filter_groups: Sequence[Mapping[str, Any]] | None,
    horizon_days: int,
) -> Answer:
    """Predict open deals."""
    permissions.check(call.caller, "deals", "read")
    chosen = deal_chances.deals_to_predict(call, deal_ids, filter_groups)
    return _predict(call, "deals", [("deal", deal["id"]) for deal in chosen], {"horizon_days": horizon_days})


@serves(Predictions.churn)
def predict_churn(
    call: Context,
    contact_ids: Sequence[str] | None,
    account_ids: Sequence[str] | None,
    min_risk: int,
    horizon_days: int,
) -> Answer:
    """Predict how likely customers are to leave."""
    for name in ("contacts", "accounts"):
        permissions.check(call.caller, name, "read")
    options = {"min_risk": min_risk, "horizon_days": horizon_days}
    return _predict(call, "churn", churn.customers_to_predict(call, contact_ids, account_ids), options)


@serves(Predictions.revenue)
def predict_revenue(
    call: Context,
    horizon: int,
    period: str,
    pipeline_id: str | None,
    owner_id: str | None,
    team_id: str | None,
    confidence_level: float,
) -> Answer:
    """Predict revenue."""
    permissions.check(call.caller, "deals", "read")
    for kind, id in (("pipeline", pipeline_id), ("user", owner_id), ("team", team_id)):
        call.reference(kind, id, "owner_id" if kind == "user" else f"{kind}_id")
    whole = revenue.Wanted(horizon, period, pipeline_id, owner_id, team_id, confidence_level)
    return _answer(call, _finish(call, _new(call, "revenue"), revenue.predict(call, whole)))


Targets = Sequence[tuple[str, str]]
"""The kinds and ids of the records that are predicted."""


def _predict(call: Context, kind: str, targets: Targets, options: Mapping[str, Any]) -> Answer:
    """Predict records now, or queue a job for many."""
    doc = _new(call, kind)
    if len(targets) <= AT_ONCE:
        return _answer(call, _finish(call, doc, _in_order(kind, _predictions_of(call, kind, targets, options))))
    payload = {"prediction_id": doc["id"], "kind": kind, "targets": [list(target) for target in targets]}
    jobs.start(
        call,
        "prediction",
        payload | {"options": dict(options), "made": []},
        title=f"Prediction of {len(targets):,} records",
        total=len(targets),
        status_url=f"/ai-insights/predictions/{doc['id']}",
        entity={"type": "prediction", "id": doc["id"], "name": None},
        cancellable=False,
    )
    return _answer(call, doc)


def _predictions_of(call: Context, kind: str, targets: Targets, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the predictions of single records."""
    if kind == "deals":
        return deal_chances.predict(call, [id for _, id in targets], options["horizon_days"])
    return churn.predict(call, targets, options["min_risk"], options["horizon_days"])


def _in_order(kind: str, made: list[dict[str, Any]]) -> dict[str, Any]:
    sort = deal_chances.in_order if kind == "deals" else churn.in_order
    return {_LISTS[kind]: sort(made)}


@runs("prediction")
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Predict the next records of a job, and finish the prediction with the last ones."""
    payload, counts = job["payload"], dict(job["counts"])
    targets = payload["targets"][counts["processed"] :][:AT_ONCE]
    made = payload["made"] + _predictions_of(call, payload["kind"], targets, payload["options"])
    for name in ("processed", "succeeded"):
        counts[name] += len(targets)
    doc = call.record("prediction", payload["prediction_id"])
    if counts["processed"] < counts["total"]:
        progress = {
            "status": "running",
            "started_at": job["started_at"],
            "progress": counts["processed"] / counts["total"],
        }
        call.update("prediction", doc, progress)
        return {"counts": counts, "payload": payload | {"made": made}}
    _finish(call, doc, {"started_at": job["started_at"], **_in_order(payload["kind"], made)})
    return {"status": "succeeded", "counts": counts, "payload": payload | {"made": []}}


@reacts("job.failed")
def end_failed(call: Context, entry: Document) -> None:
    """End a prediction that its job could not make."""
    jobs.fail_record(call, entry, "prediction", "prediction", "prediction_id")


def _new(call: Context, kind: str) -> Document:
    """Store a prediction that is yet to be made."""
    members = {
        **blank(PREDICTION_MODELS[kind]),
        "kind": kind,
        "model_version": stored_model(call)["version"],
        "expires_at": call.now + _VALID,
        "status": "queued",
        "progress": 0.0,
    }
    return call.create("prediction", "pred_", members)


def _finish(call: Context, doc: Document, members: Mapping[str, Any]) -> Document:
    """Store what was predicted, and publish it."""
    done = {"started_at": call.now, **members, "status": "succeeded", "progress": 1.0, "finished_at": call.now}
    made_now = doc["created_at"] == call.now
    new = call.collection("prediction").put(doc | done) if made_now else call.update("prediction", doc, done)
    call.emit("prediction.completed", "prediction", new, metadata={"kind": new["kind"]})
    return new


def _answer(call: Context, doc: Document) -> Answer:
    place = str(call.source["path"]).rpartition("/")[0]
    return Answer(doc, None if doc["status"] == "succeeded" else 202, {"Location": f"{place}/{doc['id']}"})
