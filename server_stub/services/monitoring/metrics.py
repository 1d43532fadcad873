"""The rule of the figures: counted from what is there and what was done, as JSON or in the format of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sdk.resources.monitoring import Monitoring
from crm_sdk.vocabulary.event_names import EVENT_NAMES

from ...answers import TextAnswer
from ...history import audit
from ...request.meters import quantile
from ...serving import Context, serves
from ...webhooks.records import DELIVERY
from ..jobs.records import kinds_and_states

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Family:
    """The figures of one name."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


@serves(Monitoring.metrics)
def metrics(call: Context, names: Sequence[str] | None) -> dict[str, Any] | TextAnswer:
    """Return the figures of the company."""
    wanted = {name.removeprefix("crm_") for name in names} if names is not None else None
    found = [family for family in _families(call) if wanted is None or family.name in wanted]
    if "text/plain" in call.headers.get("accept", ""):
        return TextAnswer("".join(map(_text, found)).encode(), _PROMETHEUS)
    samples = [
        {"name": one.name, "kind": one.kind, "help": one.help, "labels": dict(labels), "value": value}
        for one in found
        for labels, value in one.samples
    ]
    return {"time": call.now, "samples": samples}


def _families(call: Context) -> Iterator[Family]:
    meters, tenant_id = call.server.meters, call.caller.tenant_id
    yield Family("requests_total", "counter", "Requests by operation and status", [
        ({"operation": operation, "status": str(status)}, count)
        for operation, status, count in meters.requests(tenant_id)
    ])  # fmt: skip
    taken = meters.durations(tenant_id)
    yield Family("request_seconds", "histogram", "How long requests took, in seconds", [
        ({"stat": "count"}, taken.count),
        ({"stat": "sum"}, round(taken.sum, 6)),
        *(({"stat": name}, round(quantile(taken.latest, share) or 0.0, 6)) for name, share in _SHARES.items()),
    ])  # fmt: skip
    limited = [({"class": kind}, float(count)) for kind, count in meters.refused_counts(tenant_id)]
    yield Family("rate_limited_total", "counter", "Requests refused for a rate limit, by class", limited)
    yield Family("records", "gauge", "Records by entity", [
        ({"entity": entity}, count) for entity, count in sorted(_records(call).items())
    ])  # fmt: skip
    jobs = Counter(kinds_and_states(call))
    yield Family("jobs", "gauge", "Jobs by kind and status", [
        ({"kind": kind, "status": status}, count) for (kind, status), count in sorted(jobs.items())
    ])  # fmt: skip
    events = (str(entry["action"]) for entry in call.collection(audit.KIND))
    yield Family("events_total", "counter", "Events by name", _by("event", (e for e in events if e in EVENT_NAMES)))
    deliveries = (str(delivery["status"]) for delivery in call.collection(DELIVERY))
    yield Family("webhook_deliveries_total", "counter", "Webhook deliveries by status", _by("status", deliveries))
    live = sum(one.caller.tenant_id == tenant_id for one in call.server.live.connections)
    yield Family("live_connections", "gauge", "Open live connections", [({}, live)])
    stored = sum(int(file.get("size") or 0) for file in call.collection("file"))
    yield Family("storage_bytes", "gauge", "Bytes of the files that are stored", [({}, stored)])


def _records(call: Context) -> dict[str, int]:
    """Return how many records the company has of each entity, and of each other kind."""
    entities = call.server.entities.every(call)
    kinds = {noun.collection for noun in call.server.nouns.values() if not noun.shared}
    others = kinds - {entity.collection for entity in entities} - {"record"}  # the latter of all custom objects
    found = {entity.name: len(entity.documents(call)) for entity in entities}
    return found | {kind: len(call.collection(kind)) for kind in others}


def _by(label: str, words: Iterable[str]) -> list[tuple[Mapping[str, str], float]]:
    return [({label: word}, float(count)) for word, count in sorted(Counter(words).items())]


def _text(family: Family) -> str:
    """Return figures in the format of Prometheus; a distribution is a summary there."""
    name = f"crm_{family.name}"
    kind = "summary" if family.kind == "histogram" else family.kind
    lines = [f"# HELP {name} {family.help}", f"# TYPE {name} {kind}"]
    for labels, value in family.samples:
        stat = labels.get("stat")
        if stat in ("count", "sum"):
            lines.append(f"{name}_{stat} {value!r}")
            continue
        shown = {"quantile": str(_SHARES[stat])} if stat is not None else labels
        told = ",".join(f'{label}="{_escaped_label(text)}"' for label, text in shown.items())
        lines.append(f"{name}{{{told}}} {value!r}" if told else f"{name} {value!r}")
    return "\n".join(lines) + "\n"


def _escaped_label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
