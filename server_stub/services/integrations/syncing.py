"""Synchronise records: start, pause and resume runs, and the steps in which they are carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.resources.integrations import IntegrationSync

from ... import jobs
from ...data.document import Document
from ...data.order import Range
from ...data.queries.select import select
from ...outside.remotes import ConnectionLostError
from ...problems import Problem, check_entities
from ...serving import Context, Members, reacts, runs, serves
from . import runs as sync_runs
from .credentials import error_of
from .entities import ENTITIES, known_entities
from .mappings import brings
from .pairs import JOB, LINKS, Pairing, candidates, signature_of
from .records import INTEGRATIONS, reschedule, tell_error

_A_STEP = 50
"""The number of records that one step synchronises."""
_KEPT = 1_000
"""The number of errors and of conflicts that a run shows."""


@serves(IntegrationSync.start)
def start(
    call: Context, integration_id: str, mode: str, entity_types: Sequence[str] | None, direction: str | None
) -> Document:
    """Start a run."""
    integration = INTEGRATIONS.writable(call, integration_id)
    check_entities(entity_types, known_entities(call))
    return begin(call, integration, mode=mode, entity_types=entity_types, direction=direction)


def begin(
    call: Context, integration: Document, *, mode: str = "incremental", entity_types: Sequence[str] | None = None,
    direction: str | None = None, trigger: str = "manual",
) -> Document:  # fmt: skip
    """Start a run. Raises: 409 where the integration is not connected, is synchronised, or has no active mapping."""
    sync_runs.require_ready(call, integration)
    way = direction or integration["direction"]
    mappings = active_mappings(call, integration, way, entity_types)
    if not mappings:
        raise Problem("NO_MAPPINGS", f"{integration['name']} has no active mapping for what is to be synchronised")
    kinds = list(dict.fromkeys(kind for kind in ENTITIES if any(m["entity_type"] == kind for m in mappings)))
    run = sync_runs.begin(
        call, integration, JOB, {}, title=f"Synchronisation with {integration['name']}",
        mode=mode, trigger=trigger, direction=way, entity_types=kinds,
    )  # fmt: skip
    call.collection(sync_runs.PLANS).put(
        Document(id=run["id"], mappings=[dict(mapping) for mapping in mappings], items=None, position=0)
    )
    said = {"run_id": run["id"], "mode": mode, "trigger": trigger}
    INTEGRATIONS.publish(call, "sync_started", integration, metadata=said)
    return run


def active_mappings(
    call: Context, integration: Members, direction: str, entity_types: Sequence[str] | None = None
) -> list[Document]:
    """Return the active mappings that bring values in a direction, of some kinds of records."""
    kinds = entity_types if entity_types is not None else integration["entity_types"]
    return [
        mapping for mapping in call.collection("mapping").find("integration_id", integration["id"])
        if mapping["active"] and (not kinds or mapping["entity_type"] in kinds)
        and (direction == "bidirectional" or brings(mapping, direction))
    ]  # fmt: skip


# -- the steps ---------------------------------------------------------------------------------------------------------


@runs(JOB)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Synchronise the next records; a run that cannot go on ends as failed, and keeps what it has done."""
    records = call.collection("sync_run")
    run = call.record("sync_run", job["payload"]["run_id"])
    integration = call.record("integration", run["integration_id"])
    if run["status"] == "queued":
        run = records.put(run | {"status": "running", "started_at": call.now, "updated_at": call.now})
    run, lost = _advance(call, run, integration)
    said = {"counts": run["counts"], "new_errors": run["errors"][len(job["errors"]) :]}
    if lost is not None:
        return {**said, **_end_failed(call, run, integration, "CONNECTION_REFUSED", lost)}
    if run["counts"]["processed"] < run["counts"]["total"]:
        return said
    sync_runs.end(call, run, {"status": "succeeded", "progress": 1.0})
    integration = call.collection("integration").put(integration | {"last_sync": call.now, "last_error": None})
    metadata = {"run_id": run["id"], "counts": run["counts"], "conflicts": _resolutions(run)}
    INTEGRATIONS.publish(call, "sync_completed", integration, metadata=metadata)
    return {**said, "status": "succeeded"}


def _end_failed(call: Context, run: Document, integration: Document, code: str, message: str) -> Mapping[str, Any]:
    """End a run as failed; an integration whose system does not answer has the status ``error``."""
    error = error_of(code, message)
    sync_runs.end(call, run, {"status": "failed", "error": error})
    lost = {"status": "error"} if code == "CONNECTION_REFUSED" else {}
    new = reschedule(call, call.update("integration", integration, {"last_error": error, **lost}), integration)
    tell_error(call, new, error, before=integration, run_id=run["id"], conflicts=_resolutions(run))
    shown = {name: value for name, value in error.items() if name != "rule"}
    return {"status": "failed", "error": shown}


@reacts("job.failed")
def end_failed(call: Context, entry: Document) -> None:
    """End a run that its job could not carry out, of whatever kind: those of calendars and mailboxes are runs, too."""
    job = jobs.job_of(call, entry)
    run = _run_of(call, job)
    if run is not None:
        integration = call.record("integration", run["integration_id"])
        _end_failed(call, run, integration, job["error"]["code"], job["error"]["message"])


@reacts("job.cancelled")
def end_cancelled(call: Context, entry: Document) -> None:
    """Cancel a run whose job was stopped, of whatever kind: another one can begin then."""
    run = _run_of(call, jobs.job_of(call, entry))
    if run is not None:
        sync_runs.cancel(call, run)


def _run_of(call: Context, job: Members) -> Document | None:
    """Return the run that a job was to carry out; None where it is no job of a run, or the run has ended."""
    run = call.collection("sync_run").get(job["payload"].get("run_id") or "")
    return run if run is not None and run["status"] not in jobs.ENDED else None


def _resolutions(run: Members) -> list[dict[str, Any]]:
    """Return what was decided in each conflict, for the audit trail."""
    names = ("entity", "field", "local", "remote", "resolution")
    return [{name: conflict[name] for name in names} for conflict in run["conflicts"]]


def _advance(call: Context, run: Document, integration: Document) -> tuple[Document, str | None]:
    """Synchronise some records, each in its own transaction; return the run, and why it cannot go on."""
    plans = call.collection(sync_runs.PLANS)
    plan = plans.get(run["id"])
    assert plan is not None, "the plan is kept until the run has ended"
    pairings = {one.entity_type: one for one in pairings_of(call, integration, plan["mappings"], run["direction"])}
    if plan["items"] is None:
        plan = plans.put(plan | {"items": _items(pairings.values(), full=run["mode"] == "full")})
    counts, errors, conflicts = dict(run["counts"]), [*run["errors"]], [*run["conflicts"]]
    lost, position = None, plan["position"]
    for kind, side, id in plan["items"][position : position + _A_STEP]:
        pairing = pairings[kind]
        try:
            pairing.remote.reach()
            with call.server.store.transaction():
                outcome = pairing.take(id) if side == "remote" else pairing.give(id)
        except ConnectionLostError as error:
            lost = str(error)
            break
        except Problem as problem:
            counts["failed"] += 1
            errors += [_error(position + 1, entry, id) for entry in problem.entries]
        else:
            if outcome is not None:
                counts[outcome.verb] += 1
                counts["succeeded"] += outcome.verb != "skipped"
                conflicts += outcome.conflicts
            counts["processed"] -= outcome is None
        counts["processed"] += 1
        position += 1
    left = len(plan["items"]) - position
    counts["total"] = counts["processed"] + left
    plans.put(plan | {"position": position})
    made = {
        "counts": counts, "errors": errors[:_KEPT], "conflicts": conflicts[:_KEPT],
        "cursor": "/".join(map(str, (position, *plan["items"][position - 1]))) if position else None,
        "progress": round(position / (position + left), 4) if position else 0.0,
        "updated_at": call.now, "version": run["version"] + 1,
    }  # fmt: skip
    return call.collection("sync_run").put(run | made), lost


def _error(row: int, entry: Any, id: str) -> dict[str, Any]:
    return {"row": row, "field": entry.field, "code": entry.code, "message": entry.message, "value": id}


def pairings_of(call: Context, integration: Members, mappings: Sequence[Members], direction: str) -> Iterator[Pairing]:
    """Yield what each kind of record that has mappings is synchronised by."""
    remote = call.server.remotes.of(call.caller.tenant_id)[integration["provider"]]
    for kind in ENTITIES:
        own = [mapping for mapping in mappings if mapping["entity_type"] == kind]
        if own:
            yield Pairing(call, remote, integration, kind, own, direction)


def _items(pairings: Iterable[Pairing], *, full: bool) -> list[list[str]]:
    """Return the kind, side and id of each record to synchronise."""
    found: list[list[str]] = []
    for pairing in pairings:
        signature = signature_of(pairing.mappings)
        found += [
            [pairing.entity_type, one.side, one.id] for one in candidates(pairing) if full or one.waits(signature)
        ]
    return found


def change_of(call: Context, integration: Document) -> str | None:
    """Return the side that has changed something since the last run: ``remote``, ``local``, or None."""
    known = sync_runs.of(call, integration["id"])
    since = max((run["started_at"] or run["created_at"] for run in known), default=None)
    direction = integration["direction"]
    sides: set[str] = set()
    for pairing in pairings_of(call, integration, active_mappings(call, integration, direction), direction):
        for one in candidates(pairing):
            for side, source in (("remote", one.record), ("local", one.doc)):
                changed = one.changed_there if side == "remote" else one.changed_here
                # What has no link and is older than the last run was refused by it, and would be again.
                if changed and source is not None and (one.link or since is None or source["updated_at"] > since):
                    sides.add(side)
    return "remote" if "remote" in sides else next(iter(sides), None)


# -- what a run is asked for -------------------------------------------------------------------------------------------


@serves(IntegrationSync.pause)
def pause(call: Context, integration_id: str) -> Document:
    """Pause the run that is under way."""
    integration = INTEGRATIONS.writable(call, integration_id)
    run = sync_runs.current(call, integration["id"])
    if run is None or run["status"] == "paused":
        raise Problem("SYNC_NOT_RUNNING", f"{integration['name']} is not being synchronised")
    sync_runs.change_job(call, run, status="paused")
    paused = {"status": "paused", "paused_at": call.now, "paused_by": call.caller.actor_id}
    run = call.update("sync_run", run, paused)
    INTEGRATIONS.publish(call, "sync_paused", integration, metadata={"run_id": run["id"], "cursor": run["cursor"]})
    return run


@serves(IntegrationSync.resume)
def resume(call: Context, integration_id: str) -> Document:
    """Resume the run that is paused, at the record it has come to."""
    integration = INTEGRATIONS.writable(call, integration_id)
    run = sync_runs.current(call, integration["id"])
    if run is None or run["status"] != "paused":
        raise Problem("SYNC_NOT_PAUSED", f"{integration['name']} has no run that is paused")
    if integration["status"] != "connected":
        raise Problem("INTEGRATION_NOT_CONNECTED", f"{integration['name']} is not connected")
    status = "running" if run["started_at"] is not None else "queued"
    sync_runs.change_job(call, run, status=status, due_at=call.now + jobs.PACE)
    run = call.update("sync_run", run, {"status": status, "paused_at": None, "paused_by": None})
    INTEGRATIONS.publish(call, "sync_resumed", integration, metadata={"run_id": run["id"], "cursor": run["cursor"]})
    return run


@serves(IntegrationSync.status)
def status(call: Context, integration_id: str) -> dict[str, Any]:
    """Return what is under way, and what was last."""
    integration = INTEGRATIONS.find_one(call, integration_id)
    known = sync_runs.of(call, integration["id"])
    under_way = sync_runs.current(call, integration["id"])
    last = max((run for run in known if run["status"] in jobs.ENDED), key=_ended_at, default=None)
    failed = integration["status"] == "error" or (last is not None and last["status"] == "failed")
    links = call.collection(LINKS).find("integration_id", integration["id"])
    return {
        "integration_id": integration["id"],
        "state": under_way["status"] if under_way is not None else "error" if failed else "idle",
        "current": under_way,
        "last": last,
        "next_sync_at": integration.get("next_sync_at"),
        "pending_conflicts": sum(len(link["open"]) for link in links),
    }


def _ended_at(run: Members) -> tuple[datetime, datetime]:
    return run["finished_at"] or run["created_at"], run["created_at"]


@serves(IntegrationSync.history)
def history(
    call: Context, integration_id: str, status: str | None, trigger: str | None, since: datetime | None,
    until: datetime | None, sort: str | None, order: str | None,
) -> Sequence[Document]:  # fmt: skip
    """Return the runs of an integration."""
    integration = INTEGRATIONS.find_one(call, integration_id)
    wanted = {"integration_id": integration["id"], "status": status, "trigger": trigger}
    return select(
        call.collection("sync_run"), equal={name: value for name, value in wanted.items() if value is not None},
        ranges={"created_at": Range(since, until, closed=False)} if since or until else {}, sort=sort, order=order,
    )  # fmt: skip
