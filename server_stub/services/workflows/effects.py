"""The effects of actions: each is carried out with the rights of the caller, and returns the record it made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crm_sdk.models.activities import ACTIVITY_MODELS
from crm_sdk.wire import camel

from ...data.document import Document
from ...noun import Noun
from ...problems import Problem
from ...request.access import permissions
from ...request.access.hiding import hidden_from
from ...request.answering.rendering import renderer
from ...request.reading.intake import receive_changes
from ...serving import Context, Members
from ...webhooks.records import ADDRESS
from ...webhooks.records import write as write_delivery
from .. import company
from ..activities import records as activities
from ..agents import records as agents
from ..custom_objects.definitions import object_named
from ..custom_objects.stored import RECORDS
from ..deals.moves import move
from ..leads import conversion
from ..leads.owners import Dealer
from ..notifications import notify
from .starting import begin
from .subjects import Subject, links_of, noun_of, ref_of, write, write_field


@dataclass(frozen=True, slots=True)
class Made:
    """A record that an action made, and the members that it was given."""

    kind: str
    record: Members
    members: Members


Effect = Callable[[Context, Subject, Members], Made | None]


def _update_field(call: Context, on: Subject, spec: Members) -> None:
    value = spec["value"]
    write_field(call, on, spec["field"], on.fill(call, value) if isinstance(value, str) else value)


def _add_tag(call: Context, on: Subject, spec: Members) -> None:
    write(call, on, {"tags": [*(on.record(call).get("tags") or ()), spec["tag"]]})


def _remove_tag(call: Context, on: Subject, spec: Members) -> None:
    tags: Sequence[str] = on.record(call).get("tags") or ()
    write(call, on, {"tags": [tag for tag in tags if tag.casefold() != spec["tag"].casefold()]})


def _assign_owner(call: Context, on: Subject, spec: Members) -> None:
    owner = spec.get("owner_id") or Dealer(call, spec["strategy"]).assignment(on.record(call))["owner_id"]
    write(call, on, {"owner_id": owner})


def _move_stage(call: Context, on: Subject, spec: Members) -> None:
    deal = noun_of(call, "deal").writable(call, on.record(call)["id"])
    move(call, deal, spec["stage"], {"lost_reason": spec["lost_reason"]} if spec.get("lost_reason") else {})


def _convert_lead(call: Context, on: Subject, spec: Members) -> Made:
    made = conversion.convert(
        call, on.record(call)["id"], account_id=None, contact_id=None, create_account=True,
        create_deal=spec.get("create_deal", True), deal=None, owner_id=None,
    )  # fmt: skip
    kind = "deal" if made["deal"] is not None else "contact"
    return Made(kind, made[kind], {})


# -- what is made ------------------------------------------------------------------------------------------------------


def _create_task(call: Context, on: Subject, spec: Members) -> Made:
    about = on.last_known(call) or Document()
    days = spec.get("due_in_days")
    members = {
        "title": on.fill(call, spec["title"]),
        "description": on.fill(call, spec["description"]) if spec.get("description") else None,
        "due_at": call.now + timedelta(days=days) if days is not None else None,
        "owner_id": spec.get("owner_id") or about.get("owner_id") or call.caller.user_id,
        "priority": spec.get("priority") or "medium",
    }
    return _activity(call, on, "task", members)


def _activity(call: Context, on: Subject, kind: str, members: Members) -> Made:
    permissions.check(call.caller, "activities", "create")
    doc = on.last_known(call)
    links = links_of(on, doc) if doc is not None and doc.get("deleted_at") is None else {}
    return Made("activity", activities.add(call, kind, {**members, **links, "source": "workflow"}), members)


def _create_record(call: Context, on: Subject, spec: Members) -> Made:
    call = on.beside(call)
    noun = noun_of(call, spec["entity_type"])
    permissions.check(call.caller, noun.word, "create")
    if noun is RECORDS:
        return _create_own_record(call, on, spec)
    create = noun.declared("create")
    assert create is not None, "the check of the action demands it"
    values = {camel(k): on.fill(call, v) if isinstance(v, str) else v for k, v in spec["fields"].items()}
    given = receive_changes(create, values, typed=False)
    if noun is activities.ACTIVITIES:
        kind = given.pop("kind")
        return Made("activity", activities.add(call, kind, given), given)
    return Made(noun.kind, noun.add(call, noun.stored_form(call, given)), given)


def _create_own_record(call: Context, on: Subject, spec: Members) -> Made:
    object = object_named(call, spec["entity_type"])
    if object is None or not object["active"]:
        raise Problem("NOT_FOUND", f"there is no custom object {spec['entity_type']!r}")
    values = {name: on.fill(call, v) if isinstance(v, str) else v for name, v in spec["fields"].items()}
    given = {"fields": values, "object_id": object["id"]}
    return Made(object["api_name"], RECORDS.add(call, RECORDS.stored_form(call, given)), values)


def _send_email(call: Context, on: Subject, spec: Members) -> Made:
    """Send an e-mail: it is an outbound activity of the record."""
    template = call.record("template", spec["template_id"]) if spec.get("template_id") else Document()
    subject = spec.get("subject") or template.get("subject") or template.get("name") or ""
    body = spec.get("body") or template.get("body") or template.get("content") or ""
    person = _recipient(call, on, spec["to"])
    members = {
        "direction": "outbound",
        "subject": on.fill(call, subject),
        "body_text": on.fill(call, body),
        "to": [person],
        "sent_at": call.now,
        "owner_id": call.caller.user_id,
        "template_id": spec.get("template_id"),
    }
    return _activity(call, on, "email", members)


def _recipient(call: Context, on: Subject, to: str) -> dict[str, Any]:
    """Return the name and the address of the recipient. Raises: NO_ADDRESS; RECIPIENT_OPTED_OUT."""
    if to not in ("record", "owner"):
        return {"email": to, "name": None}
    doc = on.record(call)
    if to == "owner":
        found = call.find_one("user", doc.get("owner_id") or "")
    else:
        found = doc if doc.get("email") else call.find_one("contact", doc.get("contact_id") or "")
    if found is None or not found.get("email"):
        raise Problem("NO_ADDRESS", f"the {to} has no e-mail address", field="to")
    if to == "record" and (found.get("email_opt_out") or found.get("do_not_contact")):
        raise Problem("RECIPIENT_OPTED_OUT", f"{found['name']} wants no e-mails", details={"id": found["id"]})
    return {"email": found["email"], "name": found["name"]}


# -- who is told -------------------------------------------------------------------------------------------------------


def _notify(call: Context, on: Subject, spec: Members) -> None:
    users = spec.get("user_ids") or [user["id"] for user in company.users_with(call, spec.get("role") or "")]
    channel = spec.get("channel") or "in_app"
    doc = on.last_known(call)
    about = (on.kind, doc["id"]) if doc is not None else None
    for user_id in users:
        title, message = (on.fill(call, spec[name]) for name in ("title", "message"))
        data = {"channel": channel} if channel != "in_app" else None
        notify(call, user_id, "system", title, message, about=about, data=data)


def _call_webhook(call: Context, on: Subject, spec: Members) -> None:
    """Hand a request to the outbox of webhooks, which posts it, and again while it fails."""
    secret = spec.get("secret")
    address = call.collection(ADDRESS).put(
        Document(
            id=call.new_id("address_"),
            url=spec["url"],
            method=spec.get("method") or "POST",
            headers=dict(spec.get("headers") or {}),
            secrets=[{"value": secret, "expires_at": None}] if secret else [],
            active=True,
        )
    )
    noun, doc = noun_of(call, on.kind), on.published(call)
    data = {
        "workflowId": call.source.get("workflow_id"),
        "executionId": call.source.get("execution_id"),
        "input": dict(on.input),
        "record": _as_json(call, on, noun, doc) if doc is not None else None,
    }
    write_delivery(call, address, "workflow.called", call.new_id("evt_"), data)


def _as_json(call: Context, on: Subject, noun: Noun, doc: Document) -> Any:
    model = ACTIVITY_MODELS[doc["kind"]] if noun is activities.ACTIVITIES else noun.model
    with hidden_from(on.author or call.caller, call.server.nouns):
        return renderer(model, "platform")(doc)


def _enroll(call: Context, on: Subject, spec: Members) -> Made:
    """Start another workflow for the same record."""
    workflow = call.record("workflow", spec["workflow_id"])
    require_active(workflow)
    actions = sorted(call.collection("action").find("workflow_id", workflow["id"]), key=lambda one: one["position"])
    begin(call, workflow, actions, on.record(call), source="workflow", input=on.input)
    return Made("workflow", workflow, {})


def require_active(workflow: Document) -> None:
    """Raise 409 for a workflow that is not active."""
    if workflow["status"] != "active":
        message = f"{workflow['name']} is {workflow['status']}: activate it first"
        raise Problem("WORKFLOW_INACTIVE", message, details={"status": workflow["status"]})


def _run_agent(call: Context, on: Subject, spec: Members) -> None:
    call = on.beside(call)
    permissions.check(call.caller, "agents", "update")
    context = {f"{on.kind}_id": on.id} if on.id is not None and on.kind in ("lead", "contact") else {}
    request = {"input": on.fill(call, spec["input"]), "context": context}
    agents.execute(call, spec["agent_id"], request)


EFFECTS: Mapping[str, Effect] = {
    "update_field": _update_field,
    "create_task": _create_task,
    "create_record": _create_record,
    "send_email": _send_email,
    "notify": _notify,
    "call_webhook": _call_webhook,
    "assign_owner": _assign_owner,
    "move_stage": _move_stage,
    "add_tag": _add_tag,
    "remove_tag": _remove_tag,
    "convert_lead": _convert_lead,
    "enroll": _enroll,
    "run_agent": _run_agent,
}
"""The effects of the types of actions; ``branch``, ``wait`` and ``stop`` are the engine's."""


def output_of(made: Made | None) -> dict[str, Any] | None:
    """Return the EntityRef of what an action made."""
    return ref_of(made.kind, made.record) if made is not None else None
