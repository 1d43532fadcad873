"""Texts that are filled from records tell no more of them than an answer to their author does."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import New, permission

STORED = {  # what is kept beside the members of an answer, for each kind of record that a workflow can be about
    "user": ("password_hash", "profile.bio"),
    "integration": ("credentials", "credentials.password", "connected_at"),
}


def manual(entity_type: str, text: str) -> Any:
    spec = {"type": "notify", "user_ids": ["user_ada"], "title": "Told", "message": text}
    return {"name": "Tell", "entity_type": entity_type, "triggers": [{"type": "manual"}], "actions": [{"spec": spec}]}


def told_by_workflow(crm: CrmClient, stub: StubServer, entity_type: str, text: str, id: str) -> str:
    """Return what a workflow of somebody makes of a text about a record."""
    made = crm.workflows.create(manual(entity_type, text))
    crm.workflows.activate(made.id)
    crm.workflows.execute(made.id, entity_id=id)
    stub.client(dialects="platform").leads.list(limit=1)  # the next request carries out what is due
    notes = [one for one in stub.store.collection("tenant_acme", "notification") if one["title"] == "Told"]
    return str(notes[-1]["message"])


@pytest.mark.parametrize("kind", STORED)
def test_what_is_stored_beside_the_members_is_in_no_text_of_a_workflow(
    admin: CrmClient, stub: StubServer, kind: str
) -> None:
    docs = stub.store.collection("tenant_acme", kind)
    doc = next(one for one in docs if all(one.get(path.partition(".")[0]) for path in STORED[kind]))
    text = " ".join(f"{{{{{path}}}}}" for path in ("name", *STORED[kind]))
    said = told_by_workflow(admin, stub, kind, text, doc["id"])
    assert said == text.replace("{{name}}", doc["name"])  # a name that is no member stays as it is


@pytest.mark.parametrize(
    "path", ["contact.password_hash", "sender.password_hash", "company.security", "contact.profile"]
)
def test_what_is_stored_beside_the_members_is_in_no_template(admin: CrmClient, path: str) -> None:
    """A template about a user knew the hash of the password."""
    given: Any = {
        "name": "T",
        "category": "marketing",
        "subject": "s",
        "content": f"{{{{contact.name}}}} {{{{{path}}}}}",
    }
    made = admin.notifications.templates.create(given)
    error = refused(lambda: admin.communication.email.send({"to": ["user_sam"], "template_id": made.id}))
    assert [(one.code, one.field) for one in error.fields] == [("MISSING_VARIABLE", f"variables.{path}")]


def test_what_is_hidden_from_the_author_is_in_no_text(admin: CrmClient, stub: StubServer, new: New) -> None:
    person: Any = {
        "name": "Eva",
        "email": "eva@texts.example",
        "phone": "+4930123456",
        "custom_fields": {"tier": "gold"},
    }
    eva = admin.contacts.create(person)
    hidden = [{"entity": "contact", "field": field, "access": "hidden"} for field in ("phone", "custom_fields.tier")]
    words = ("workflows", "contacts", "communication", "notifications", "activities")
    known = [permission(word, action) for word in words for action in ("read", "create", "update")]
    somebody = new(*known, field_permissions=hidden)
    text = "{{name}} {{phone}} {{custom_fields.tier}}"
    assert told_by_workflow(admin, stub, "contact", text, eva.id) == "Eva +4930123456 gold"
    assert told_by_workflow(somebody.crm, stub, "contact", text, eva.id) == "Eva {{phone}} "
    for field in ("phone", "custom_fields.tier"):
        body = f"{{{{contact.name}}}}: {{{{contact.{field}}}}}"
        given: Any = {"name": field, "category": "marketing", "subject": "s", "content": body}
        made = admin.notifications.templates.create(given)
        mail: Any = {"to": [eva.id], "contact_id": eva.id, "template_id": made.id}
        assert admin.communication.email.send(mail).body_text in ("Eva: +4930123456", "Eva: gold")
        assert refused(partial(somebody.crm.communication.email.send, mail)).code == "MISSING_VARIABLE"


def test_what_is_hidden_from_the_author_is_in_no_webhook_of_a_workflow(
    admin: CrmClient, stub: StubServer, new: New
) -> None:
    eva = admin.contacts.create({"name": "Eva", "phone": "+4930123456"})
    hidden = [{"entity": "contact", "field": "phone", "access": "hidden"}]
    known = [permission(word, action) for word in ("workflows", "contacts") for action in ("read", "create", "update")]
    url, bodies = "https://hooks.example.com/x", list[bytes]()
    stub.webhooks.receive(url, lambda headers, body: bodies.append(body))
    for crm in (admin, new(*known, field_permissions=hidden).crm):
        spec = {"type": "call_webhook", "url": url}
        made = crm.workflows.create(manual("contact", "") | {"actions": [{"spec": spec}]})
        crm.workflows.activate(made.id)
        crm.workflows.execute(made.id, entity_id=eva.id)
        admin.leads.list(limit=1)
    assert [b"Eva" in body for body in bodies] == [True, True]
    assert [b"+4930123456" in body for body in bodies] == [True, False]


def test_the_token_of_a_mail_is_for_administrators_alone(admin: CrmClient, stub: StubServer, new: New) -> None:
    """Whoever reads all messages could set the password of an administrator."""
    reader = new(permission("notifications", "read"), permission("notifications", "manage")).crm
    admin.auth.password.reset("ada@acme.test")
    for crm, shown in ((admin, True), (reader, False)):
        found = next(one for one in crm.notifications.history(limit=10) if one.type == "system_mail")
        assert "Set a new password with this token" in (found.message or "")
        assert ("reset_" in found.model_dump_json()) is shown


@pytest.mark.thorough
def test_what_is_hidden_from_a_user_is_in_no_digest(admin: CrmClient, stub: StubServer, new: New) -> None:
    """The mail tells no more of a notification than the inbox does."""
    hidden: Any = [{"entity": "deal", "field": "title", "access": "hidden"}]
    reads = [permission("deals", "read"), permission("notifications", "read")]
    for somebody, told in ((new(*reads, field_permissions=hidden), False), (new(*reads), True)):
        admin.notifications.preferences.update({"digest": "daily"}, user_id=somebody.id)
        deal = admin.deals.create({"title": "Harbour", "owner_id": somebody.id})
        admin.deals.move_stage(deal.id, "proposal")
        stub.clock.advance(86_400)
        mails = [doc for doc in stub.store.collection("tenant_acme", "notification") if doc["type"] == "digest"]
        (mail,) = (doc for doc in mails if doc["user_id"] == somebody.id)
        assert ("Harbour" in mail["message"]) is told
        assert mail["message"].count("\n- ") >= 1
