"""What decides in communication: who joins a meeting as whom, the language of a text, whom an e-mail concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stub_data import stored

from crm_sdk import CrmClient, ValidationError
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.communication.composing import Fields, fill
from server_stub.services.notifications.templates import text_in


def test_everybody_joins_as_what_they_are_asked_for(stub: StubServer, client: CrmClient) -> None:
    rows: list[tuple[str, str | None, str, str | None]] = [
        ("acme-admin", None, "host", None),
        ("acme-admin", "ADA@acme.test", "host", None),
        ("acme-admin", "eva@x.example", "attendee", "eva@x.example"),
        ("acme-admin", "new@x.example", "guest", None),
        ("acme-sales", None, "attendee", "sam@acme.test"),
        ("acme-sales", "Chair@x.example", "host", "chair@x.example"),
        ("acme-sales", "ada@acme.test", "guest", None),
    ]
    asked: Any = [
        {"email": "eva@x.example"}, {"email": "chair@x.example", "role": "host"}, {"email": "sam@acme.test"},
    ]  # fmt: skip
    for key, email, role, accepted in rows:
        start = stub.clock.now() + timedelta(minutes=10)
        event: Any = {"title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=30)}
        made = client.communication.meetings.create(event | {"attendees": asked}, force=True)
        meetings = stub.client(api_key=key, dialects="platform", max_retries=0).communication.meetings
        log = len(stub.audit())
        way = meetings.join(made.id, email=email)
        assert (way.role, way.meeting_id, way.dial_in, way.passcode) == (role, made.id, None, None), (key, email)
        attendees = client.communication.meetings.get(made.id).attendees or []
        taken = [one.email for one in attendees if one.status == "accepted"]
        assert taken == ([accepted] if accepted else []), (key, email)
        told = email if role == "guest" else None
        (joined,) = [entry for entry in stub.audit()[log:] if entry["action"] == "meeting.joined"]
        assert joined["metadata"] == {"email": accepted or told or "ada@acme.test", "role": role}


TEMPLATE: dict[str, Any] = {
    "language": "en-GB", "subject": "Hello", "content": "own", "content_html": "<p>own</p>",
    "translations": [
        {"language": "de", "subject": "Hallo", "content": "German"},
        {"language": "pt-BR", "subject": None, "content": "Brazilian"},
    ],
}  # fmt: skip


def test_a_text_is_in_the_first_language_that_there_is() -> None:
    spoken: list[tuple[list[str | None], str, str]] = [
        (["de"], "Hallo", "German"),
        (["de-AT"], "Hallo", "German"),
        (["PT-br", "de"], "Hello", "Brazilian"),
        (["pt", "de"], "Hallo", "German"),
        (["en", "de"], "Hello", "own"),
        (["en-gb", "de"], "Hello", "own"),
        ([None, "fr", "de"], "Hallo", "German"),
        (["fr"], "Hello", "own"),
        ([], "Hello", "own"),
    ]
    for languages, subject, content in spoken:
        found = text_in(TEMPLATE, *languages)
        assert (found["subject"], found["content"]) == (subject, content), languages
        assert found["content_html"] == ("<p>own</p>" if content == "own" else None), languages


def test_a_variable_without_a_value_is_named_as_it_is_written() -> None:
    cases: list[str] = ["topic", "contact.title", "range", "lipsum"]
    for name in cases:
        with pytest.raises(Problem) as caught:
            fill(f"{{{{ {name} }}}}", {"contact": Fields("contact", {"name": "Eva"})}, field="content")
        assert (caught.value.code, caught.value.field) == ("MISSING_VARIABLE", f"variables.{name}")


def test_an_email_concerns_who_is_named_else_who_is_known(client: CrmClient) -> None:
    eva = client.contacts.create({"name": "Eva", "email": "eva@x.example"})
    lead = client.leads.create({"name": "Leo", "email": "leo@x.example"})
    deal = client.deals.create({"title": "Pepper", "contact_id": eva.id})

    def concerned(to: str, **given: Any) -> tuple[str | None, str | None, str | None]:
        body: Any = {"to": [to], "subject": "A", "body_text": "B", **given}
        mail = client.communication.email.send(body)
        return mail.contact_id, mail.lead_id, mail.deal_id

    assert concerned("eva@x.example", deal_id=deal.id) == (eva.id, None, deal.id)
    assert concerned("leo@x.example", deal_id=deal.id) == (None, lead.id, deal.id)
    assert concerned("new@x.example", deal_id=deal.id) == (eva.id, None, deal.id)
    assert concerned("new@x.example") == (None, None, None)
    assert concerned("eva@x.example", lead_id=lead.id) == (None, lead.id, None)


def test_the_inbox_has_what_each_condition_says(stub: StubServer, client: CrmClient) -> None:
    def sent(subject: str) -> str:
        mail = client.communication.email.send({"to": ["a@x.example"], "subject": subject, "body_text": "B"})
        return str(mail.id)

    def found(**given: Any) -> set[str]:
        return {one.id for one in client.communication.email.inbox(folder="sent", **given)} & {first, second}

    first = sent("First")
    stub.clock.advance(60)
    second, now = sent("Second"), stub.clock.now()
    stub.clock.advance(5)
    stored(stub, "activity", second, from_address={"email": "Other@x.example", "name": None}, is_read=False)
    stored(stub, "activity", first, is_read=True)
    assert found() == {first, second}
    assert found(from_address=" other@X.example ") == found(unread=True) == found(since=now) == {second}
    assert found(unread=False) == found(search="first") == found(until=now - timedelta(seconds=1)) == {first}
    with pytest.raises(ValidationError):
        found(sort="colour")


def test_the_templates_of_emails_are_those_that_are_asked_for(stub: StubServer, client: CrmClient) -> None:
    names = {
        "on": {"language": "de"}, "off": {"active": False, "category": "proposal", "subject": "The second"}, "old": {},
        "sms": {"channel": "sms"},
    }  # fmt: skip
    for name, members in names.items():
        made: Any = {"name": name, "subject": "Subject", "content": "Text", "category": "custom", "language": "en"}
        client.notifications.templates.create(made | members)
    (old,) = stub.store.collection("tenant_acme", "template").find("name", "old")
    stored(stub, "template", old["id"], active=None, channel=None)
    rows: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {"on", "off", "old"}),
        ({"active": True}, {"on", "old"}),
        ({"active": False}, {"off"}),
        ({"language": "de"}, {"on"}),
        ({"category": "proposal"}, {"off"}),
        ({"search": "second"}, {"off"}),
    ]
    for given, found in rows:
        listed = client.communication.email.templates.list(**given, sort="name", limit=200)
        mine = [one.name for one in listed if one.name in names]
        assert set(mine) == found and mine == sorted(mine), given


def test_a_template_that_cannot_be_filled_says_why() -> None:
    for text, message, details in (
        ("{{ a", "line 1: unexpected end of template, expected 'end of print statement'.", {"line": 1}),
        ("\n{{ contact.name|nope }}", "line 2: No filter named 'nope'.", {"line": 2}),
        ("{% include 'x' %}", "no loader for this environment specified", {}),
        ("{{ 1 / 0 }}", "division by zero", {}),
        ("{{ contact.name + 1 }}", 'can only concatenate str (not "int") to str', {}),
        ("{{ '%d' | format('x') }}", "%d format: a real number is required, not str", {}),
    ):
        with pytest.raises(Problem) as caught:
            fill(text, {"contact": Fields("contact", {"name": "Eva"})}, field="subject")
        problem = caught.value
        assert (problem.code, problem.field, problem.message, problem.details) == (
            "TEMPLATE_SYNTAX", "subject", message, details,
        )  # fmt: skip
