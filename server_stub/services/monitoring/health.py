"""The rule of health: what the server needs is tried, and what waits is counted."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm_sdk._version import __version__
from crm_sdk.models.monitoring import Health
from crm_sdk.resources.monitoring import Monitoring
from crm_sdk.wire import encode_json

from ...answers import Answer, TextAnswer
from ...data.document import Document
from ...request.answering.rendering import renderer
from ...serving import Context, serves
from ...webhooks.records import DELIVERY
from .services import check_service, states

_WORST = ("fail", "warn", "pass")
_NO_STORE = {"Cache-Control": "no-store"}
_MEDIA = "application/health+json"
_PENDING = {"search:pending": 1_000, "jobs:queued": 100, "webhooks:pending": 1_000}
"""The number of waiting things above which a check warns."""
_SKEW = 300
"""The seconds that the clock may differ from the machine's."""
_OUTAGES = {"operational": "pass", "degraded": "warn", "partial_outage": "warn", "major_outage": "fail"}


@serves(Monitoring.health)
def health(call: Context, service: str | None, probe: str) -> Answer | TextAnswer:
    """Return whether the server works."""
    if service is not None:
        check_service(service)
    found = dict(_checks(call, service)) if probe == "ready" else {"process:alive": _one(call, "process", "yes", "")}
    status = next(word for word in _WORST if any(check["status"] == word for check in found.values()))
    value = {
        "status": status,
        "version": "v1",
        "release_id": __version__,
        "service_id": service or "crm-stub",
        "description": "The server stub of the CRM platform",
        "checks": {name: [check] for name, check in found.items()},
        "time": call.now,
    }
    code = 503 if status == "fail" else 200
    if _MEDIA in call.headers.get("accept", ""):
        body = encode_json(renderer(Health, "platform")(value))
        return TextAnswer(body, _MEDIA, status=code, headers=_NO_STORE)
    return Answer(value, status=code, headers=_NO_STORE)


def _one(
    call: Context, component: str, value: object, unit: str, *, kind: str = "component", fails: str = "pass",
    why: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "component_id": component,
        "component_type": kind,
        "status": fails,
        "observed_value": value,
        "observed_unit": unit,
        "time": call.now,
        "output": why if fails != "pass" else None,
    }


def _checks(call: Context, service: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    began = time.perf_counter()
    works = call.server.can_write()
    taken = round((time.perf_counter() - began) * 1_000, 3)
    state = "pass" if works else "fail"
    yield "store:write", _one(call, "store", taken, "ms", kind="datastore", fails=state, why="it cannot be written")
    for name, count in _waiting(call).items():
        state = "warn" if count > _PENDING[name] else "pass"
        yield name, _one(call, name.partition(":")[0], count, "items", fails=state, why="more wait than usual")
    skew = round(call.server.clock.skew(), 3)
    state = "warn" if abs(skew) > _SKEW else "pass"
    yield "clock:skew", _one(call, "clock", skew, "s", kind="system", fails=state, why="the clock was moved")
    usage = shutil.disk_usage(call.server.folder or tempfile.gettempdir())
    free = round(usage.free / usage.total * 100, 1)
    # A server in memory stores nothing there: the room of the machine says nothing about it.
    state = "pass" if free >= 5 or call.server.folder is None else "fail" if usage.free < 1_000_000 else "warn"
    yield "storage:free", _one(call, "storage", free, "%", kind="system", fails=state, why="hardly any room is left")
    if service is not None and call.caller.tenant_id:
        (one,) = states(call, [service])
        state = _OUTAGES[one["status"]]
        yield f"{service}:errors", _one(call, service, one["error_rate"], "", fails=state, why="its requests fail")


def _waiting(call: Context) -> Mapping[str, int]:
    """Return how many things wait: the caller's company's, and nobody's without a company."""
    if not call.caller.tenant_id:
        return dict.fromkeys(_PENDING, 0)
    jobs: Sequence[Document] = call.collection("job").find("status", "queued")
    return {
        "search:pending": sum(job["counts"]["total"] for job in jobs if job["kind"] == "reindex"),
        "jobs:queued": len(jobs),
        "webhooks:pending": len(call.collection(DELIVERY).find("status", "pending")),
    }
