"""The state of the index, and the job that builds it anew: one type of records in each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.resources.search import Search

from ... import jobs
from ...data.document import Document
from ...problems import Problem
from ...serving import Context, runs, serves
from . import settings as config
from .kinds import Kind, check_types, kind_of, kinds_of, types_of
from .settings import Settings

_JOB = "reindex"


def _latest(call: Context) -> Document | None:
    return max(call.collection("job").find("kind", _JOB), key=lambda job: (job["created_at"], job["id"]), default=None)


def _is_under_way(job: Document | None) -> bool:
    return job is not None and job["status"] not in jobs.ENDED


@serves(Search.reindex)
def reindex(call: Context, types: Sequence[str] | None) -> Document:
    """Start a job that builds the index anew."""
    known = types_of(call)
    chosen = [type for type in (check_types(call, types) if types else known) if type in known]
    job = _latest(call)
    if job is not None and _is_under_way(job):
        raise Problem(
            "REINDEX_IN_PROGRESS", f"the job {job['id']} builds the index anew", details={"job_id": job["id"]}
        )
    kinds = kinds_of(call, chosen)
    return jobs.start(
        call, _JOB, {"types": [kind.type for kind in kinds]}, title="Building the search index anew",
        total=sum(map(_count, kinds)), status_url="/search/status", cancellable=False,
    )  # fmt: skip


@runs(_JOB)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Index the records of the next type; with the last, all searches use what was built."""
    types: list[str] = job["payload"]["types"]
    done: int = job["payload"].get("done", 0)
    counts = dict(job["counts"])
    kind = kind_of(call, types[done]) if done < len(types) else None
    if kind is not None:
        number = min(_count(kind), max(counts["total"] - counts["processed"], 0))
        counts |= {"processed": counts["processed"] + number, "succeeded": counts["succeeded"] + number}
    if done + 1 < len(types):
        return {"counts": counts, "payload": {**job["payload"], "done": done + 1}}
    config.rebuilt(call, types)
    counts |= {"processed": counts["total"], "succeeded": counts["total"]}
    call.emit("search.reindexed", "tenant", call.tenant, metadata={"types": types, "documents": counts["total"]})
    return {"status": "succeeded", "counts": counts, "result": {**_state(call, None), "job": None}}


def _count(kind: Kind) -> int:
    return len(kind.ids())


@serves(Search.status)
def status(call: Context) -> dict[str, Any]:
    """Return the state of the index."""
    return _state(call, _latest(call))


def _state(call: Context, job: Document | None) -> dict[str, Any]:
    settings = Settings(call)
    under_way = job is not None and _is_under_way(job)
    waiting: set[str] = (
        set(job["payload"]["types"][job["payload"].get("done", 0) :]) if job is not None and under_way else set()
    )
    entities: list[dict[str, Any]] = []
    for type in settings.types:
        kind = kind_of(call, type)
        if kind is None:
            continue
        number, stale = _count(kind), settings.is_stale(kind)
        entities.append(
            {
                "type": type,
                "documents": number,
                "pending": number if stale or type in waiting else 0,
                "stale": stale,
                "last_indexed_at": _last_indexed(settings, kind),
            }
        )
    stale = any(entity["stale"] for entity in entities)
    times = [entity["last_indexed_at"] for entity in entities if entity["last_indexed_at"] is not None]
    return {
        "state": "indexing" if under_way else "stale" if stale else "ready",
        "documents": sum(entity["documents"] for entity in entities),
        "pending": sum(entity["pending"] for entity in entities),
        "entities": entities,
        "job": job,
        "last_indexed_at": max(times, default=None),
    }


def _last_indexed(settings: Settings, kind: Kind) -> datetime | None:
    """Return when a record was last indexed: with its last write, or when the index was built."""
    built: datetime | None = settings.stored["indexed"].get(kind.type)
    table = kind.call.collection(kind.collection).table
    newest = table.order("updated_at").slice(0, 1, descending=True)
    written: datetime | None = newest[0].get("updated_at") if newest else None
    return max((at for at in (built, written) if at is not None), default=None)
