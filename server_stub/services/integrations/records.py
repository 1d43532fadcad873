"""The rules of integrations: their credentials and status, and what becomes of their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from crm_sdk.models.integrations import Integration
from crm_sdk.resources.integrations import Integrations

from ...data.document import Document
from ...data.forms import required_text
from ...data.merging import differences
from ...data.queries.query import sort_documents
from ...noun import Noun
from ...problems import Problem, check_entities, validation
from ...request.access import permissions
from ...serving import Context, Members, changes_between, reacts, serves
from . import credentials as kept
from . import runs, times
from .entities import known_entities

_FIXED_IN_A_RUN = ("direction", "entity_types")


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Return what is stored of credentials, the result of testing them, and the frequency that `config` names."""
    if before is not None:
        _check_run(call, members, before)
    known: Sequence[str] = before["entity_types"] if before is not None else ()
    check_entities(members.get("entity_types"), [*known_entities(call), *known])
    follows = _frequency(members, before)
    whole: dict[str, Any] = {"auth_type": "api_key", **(before or {}), **members}
    if before is None or "credentials" in members:
        if members.get("credentials"):
            permissions.check(call.caller, INTEGRATIONS.word, "manage")
        follows |= kept.kept_credentials(members.get("credentials") or {}, before)
    whole |= follows
    masks: Members = whole.get("credentials") or {}
    follows["credentials_set"] = bool(masks)
    proven = {name: whole.get(name) for name in (*kept.STORED, "auth_type")}
    if before is not None and not differences(before, proven):
        return follows
    kept.check_auth(whole["auth_type"], masks, whole["name"], given=bool(members.get("credentials")))
    if before is None and not masks and whole["provider"] not in kept.OPEN_TO_ALL:
        return follows  # nothing to prove: it stays disconnected until it is tested
    follows |= kept.verdict(call, whole)
    return follows


def _check_run(call: Context, members: Members, before: Document) -> None:
    """Raise 409 for a change of what a run that is under way goes by."""
    changed = {name: members[name] for name in _FIXED_IN_A_RUN if name in members}
    run = runs.current(call, before["id"]) if differences(before, changed) else None
    if run is not None:
        raise runs.in_progress(before, run)


def _frequency(members: Members, before: Document | None) -> dict[str, Any]:
    """Return the frequency that a new configuration names, where the call itself names none."""
    named = times.frequency_in(members.get("config"))
    known = times.frequency_in(before.get("config")) if before is not None else None
    if "sync_frequency" in members or named == known or named not in times.FREQUENCIES:
        return {}
    return {"sync_frequency": named}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Schedule the next synchronisation; of a deleted integration end the run, and delete mappings and links."""
    if after is not None:
        return reschedule(call, after, before)
    assert before is not None, "a record that is deleted was there"
    run = runs.current(call, before["id"])
    if run is not None:
        runs.cancel(call, run)
    for mapping in call.collection("mapping").find("integration_id", before["id"]):
        call.delete("mapping", mapping)
    links = call.collection("sync_link")
    for link in links.find("integration_id", before["id"]):
        links.remove(link["id"])
    times.plan(call.collection)
    return None


def reschedule(call: Context, doc: Document, before: Members | None = None) -> Document:
    """Store when an integration is synchronised next, where its frequency or status has changed; return it."""
    same = before is not None and all(
        doc.get(name) == before.get(name) for name in ("status", "sync_frequency", "config")
    )
    at = doc.get("next_sync_at") if same else times.next_time(doc, call.now)
    if at != doc.get("next_sync_at"):
        doc = call.collection("integration").put(doc | {"next_sync_at": at})
    times.plan(call.collection)
    return doc


def _with_figures(call: Context, doc: Document) -> Document:
    return doc.with_members({"mapping_count": len(call.collection("mapping").find("integration_id", doc["id"]))})


def _without_secrets(doc: Document) -> Document:
    return Document({name: value for name, value in doc.items() if name not in kept.STORED})


@serves(Integrations.list)
def list_(call: Context, **given: Any) -> Sequence[Document]:
    """Return the integrations: in the mvp dialect by name."""
    if call.dialect == "mvp":
        return sort_documents(call.collection("integration").all(), "name", None, ("name",))
    return INTEGRATIONS.select(call, given)


INTEGRATIONS = Noun(
    resource=Integrations,
    kind="integration",
    model=Integration,
    searched=("name", "provider", "category"),
    sorts=("name", "last_sync"),
    forms={"name": required_text("name")},
    unique={"name": "INTEGRATION_EXISTS"},
    computed=("connected_at", "next_sync_at", "last_error"),
    check=_check,
    follow=_follow,
    shown=_with_figures,
    listed=_with_figures,
    published=_without_secrets,
)


# -- the connection ----------------------------------------------------------------------------------------------------


@reacts("integration.created", "integration.updated")
def _tell_status(call: Context, entry: Document) -> None:
    """Tell that an integration was connected, or that its connection failed."""
    doc = call.collection("integration").get(entry["entity"]["id"])
    made = entry["action"] == "integration.created"
    if doc is not None and (made or any(change["field"] == "status" for change in entry["changes"])):
        if doc["status"] == "connected":
            INTEGRATIONS.publish(call, "connected", doc)
        elif doc["status"] == "error":
            tell_error(call, doc, doc["last_error"])


def tell_error(call: Context, doc: Document, error: Members, before: Document | None = None, **metadata: Any) -> None:
    """Tell that something is wrong with an integration."""
    said = {"code": error["code"], "message": error["message"], **metadata}
    INTEGRATIONS.publish(call, "error", doc, before=before, reason=error["message"], metadata=said)


@serves(Integrations.test)
def test(call: Context, integration_id: str) -> dict[str, Any]:
    """Test the connection; the status of the integration becomes the result."""
    doc = INTEGRATIONS.find_one(call, integration_id)
    steps, result = kept.checks(call, doc), kept.verdict(call, doc)
    ok = result["status"] == "connected"
    new = doc
    if differences(doc, {name: result[name] for name in ("status", "last_error")}):
        new = reschedule(call, call.update("integration", doc, result), doc)
    if not ok:
        tell_error(call, new, result["last_error"], before=doc)
    elif doc["status"] != "connected":
        INTEGRATIONS.publish(call, "connected", new, before=doc)
    latency = 20 + blake2b(str(doc["provider"]).encode(), digest_size=1).digest()[0] // 2
    return {
        "ok": ok,
        "checked_at": call.now,
        "latency_ms": latency,
        "checks": steps,
        "account_name": f"{call.tenant['name']} ({doc['provider']})" if ok else None,
    }


@serves(Integrations.connect)
def connect(call: Context, integration_id: str, credentials: Members, config: Mapping[str, Any] | None) -> Document:
    """Connect a system with its credentials, as the mvp document has it: one that is refused changes nothing."""
    doc = call.record("integration", integration_id)
    given = {name: value for name, value in credentials.items() if value not in (None, "")}
    faults = list(kept.missing(kept.REQUIRED.get(doc["provider"], kept.ANY), given, doc["name"]))
    if faults:
        raise validation(faults)
    refused = next((name for name, value in given.items() if kept.is_refused(name, value)), None)
    if refused is not None:
        message = f"{doc['name']} refused the {refused}"
        with call.server.store.keep_despite_rollback():
            tell_error(call, doc, kept.error_of("CONNECTION_REFUSED", message))
        raise Problem("CONNECTION_REFUSED", message, field=f"credentials.{refused}", rule="credential")
    merged = {**doc["config"], **kept.masked_config(config or {})}
    members = {
        **_frequency({"config": merged}, doc), **kept.kept_credentials(given, None),
        "config": merged, "status": "connected",
        "credentials_set": True, "last_error": None, "last_sync": call.now, "connected_at": call.now,
    }  # fmt: skip
    new = reschedule(call, call.update("integration", doc, members), doc)
    shown = (_without_secrets(doc), _without_secrets(new))
    call.emit("integration.connected", "integration", shown[1], changes=changes_between(*shown))
    return new
