"""Where the rules of communication begin and end: tries and sizes of e-mails, what is counted, listed and told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from itertools import product
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.outside.mailboxes import Mailbox
from server_stub.outside.remotes import ConnectionLostError
from server_stub.request.http import Request

MAIL: Any = {"to": ["a@x.example"], "subject": "A", "body_text": "B"}
MOST = 25 * 1024 * 1024


@pytest.fixture
def mailbox(client: CrmClient) -> str:
    """A mailbox of the caller, by its id."""
    return client.integrations.create({
        "name": "Ada's mail", "type": "email", "provider": "imap", "auth_type": "basic",
        "credentials": {"host": "mail.example", "username": "ada", "password": "a long secret"},
    }).id  # fmt: skip


# -- e-mails -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [1, 4, 5])
def test_an_email_is_tried_five_times_each_later_than_the_one_before(
    stub: StubServer, client: CrmClient, mailbox: str, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    tries: list[int] = []
    start = stub.clock.now()

    def send(box: Mailbox, message: EmailMessage, sender: str, recipients: Sequence[str]) -> Mapping[str, str]:
        tries.append((stub.clock.now() - start) // timedelta(minutes=1))
        if len(tries) <= lost:
            raise ConnectionLostError("nobody answers")
        return {}

    monkeypatch.setattr(Mailbox, "send", send)
    mail = client.communication.email.send(MAIL | {"integration_id": mailbox})
    stub.clock.advance(1)
    assert client.communication.email.get(mail.id).status == ("queued" if lost else "sent")
    waiting = some(stub.store.collection("tenant_acme", "email_delivery").get(mail.id))
    assert not lost or waiting["at"] >= start + timedelta(minutes=5)
    for _ in range(100):
        stub.clock.advance(60)
        client.communication.email.get(mail.id)
    assert tries == [0, 5, 15, 35, 75][: lost + 1]
    after = client.communication.email.get(mail.id)
    if lost < 5:
        assert (after.status, after.error) == ("delivered", None)
    else:
        assert (after.status, some(after.error).code, some(after.error).message) == (
            "failed", "CONNECTION_REFUSED", "nobody answers",
        )  # fmt: skip
    assert not stub.store.collection("tenant_acme", "email_delivery").get(mail.id)


@pytest.mark.parametrize(("sizes", "allowed"), [([MOST], True), ([MOST - 1, 1], True), ([MOST, 1], False)])
def test_attachments_have_25_megabytes_together(
    stub: StubServer, client: CrmClient, sizes: list[int], allowed: bool
) -> None:
    ids = [client.files.upload((f"{number}.txt", b"text %d" % number)).id for number in range(len(sizes))]
    for id, size in zip(ids, sizes, strict=True):
        stored(stub, "file", id, size=size)
    mail: Any = {**MAIL, "attachments": ids}
    if allowed:
        assert client.communication.email.send(mail).attachments == ids
    else:
        error = refused(lambda: client.communication.email.send(mail))
        assert (error.code, error.fields[0].field) == ("FILE_TOO_LARGE", "attachments")
        assert error.details == {"limit": MOST, "size": MOST + 1}


def test_each_link_counts_its_own_clicks_and_the_first_and_last_time_are_kept(
    stub: StubServer, client: CrmClient
) -> None:
    html = "".join(f'<a href="https://x.example/{name}">x</a>' for name in "aba")
    mail = client.communication.email.send({"to": ["a@x.example"], "subject": "A", "body_html": html})
    sent = client.communication.email.get(mail.id, include=["images"]).body_html or ""
    first, second, again, pixel = re.findall(r"http://stub.test(/l/[^\"]+)", sent)
    assert first == again != second
    start = stub.clock.now()
    for path in (pixel, first, second, second, pixel):
        stub.handle(Request("GET", path))
        stub.clock.advance(10)
    found = some(client.communication.email.get(mail.id).tracking)
    assert [(str(link.url), link.clicks) for link in found.links or ()] == [
        ("https://x.example/a", 1), ("https://x.example/b", 2),
    ]  # fmt: skip
    assert (found.opens, found.clicks) == (2, 3)
    times = (found.first_opened_at, found.last_opened_at, found.first_clicked_at)
    assert [round((some(at) - start).total_seconds()) for at in times] == [0, 40, 10]
    told = [entry for entry in stub.audit() if entry["action"] in ("email.clicked", "email.opened")]
    assert [entry["metadata"].get("url", "")[-1:] for entry in told] == ["", "a", "b", "b", ""]


def test_an_email_is_followed_as_was_asked_and_a_private_one_tells_no_subject(
    stub: StubServer, client: CrmClient, mailbox: str
) -> None:
    links = '<a href="https://x.example/?a=1&amp;b=2">x</a><a href="mailto:a@x.example">y</a><a href="/z">z</a>'
    plain: Any = {"to": ["a@x.example"], "subject": "Secret", "body_html": links}
    get = client.communication.email.get
    for opens, clicks in product((True, False), (True, False)):
        given: Any = {**plain, "track_opens": opens, "track_clicks": clicks}
        mail = client.communication.email.send(given)
        sent = some(get(mail.id, include=["images"]).body_html)
        assert (len(re.findall(r"http://stub.test/l/", sent)), "<img" in sent) == (opens + clicks, opens)
        assert all(f'<a href="{other}" ' in sent for other in ("mailto:a@x.example", "/z"))
        assert ('<a href="https://x.example/?a=1&amp;b=2" ' in sent) is not clicks
        tracking = get(mail.id).tracking
        shown = [(str(one.url), one.clicks) for one in tracking.links or ()] if tracking is not None else None
        assert shown == ([("https://x.example/?a=1&b=2", 0)] * clicks if opens or clicks else None)
        assert tracking is None or (tracking.opens, tracking.clicks, tracking.last_opened_at) == (0, 0, None)
    both: Any = ((plain, "Secret"), ({**plain, "integration_id": mailbox}, None))
    for given, name in both:
        mail = client.communication.email.send(given)
        click, pixel = re.findall(r"http://stub.test(/l/[^\"]+)", some(get(mail.id, include=["images"]).body_html))
        assert stub.handle(Request("GET", click)).headers["Cache-Control"] == "no-store"
        stub.handle(Request("GET", pixel))
        told = stub.audit()[-2:]
        assert [(entry["action"], entry["entity"]["name"]) for entry in told] == [
            ("email.clicked", name), ("email.opened", name),
        ]  # fmt: skip
        assert [(one["before"]["opens"], one["after"]["opens"]) for one in told[1]["changes"]] == [(0, 1)]
    stored(stub, "activity", mail.id, tracking=None)
    assert stub.handle(Request("GET", pixel)).status == 404


# -- calls -------------------------------------------------------------------------------------------------------------


def test_the_history_has_the_calls_that_each_condition_says(stub: StubServer, client: CrmClient) -> None:
    contact = client.contacts.create({"name": "Grace"}).id
    start = stub.clock.now()
    calls: Any = {
        "early": {"direction": "outbound", "to_number": "+4930111222", "status": "completed", "outcome": "voicemail",
                  "owner_id": "user_sam", "start_time": start, "end_time": start + timedelta(seconds=30)},
        "late": {"direction": "inbound", "from_number": "+4930333444", "status": "no_answer",
                 "start_time": start + timedelta(seconds=60), "end_time": start + timedelta(seconds=70)},
    }  # fmt: skip
    for title, members in calls.items():
        client.communication.calls.create(members | {"title": title, "contact_id": contact})
    conditions: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["late", "early"]),
        ({"direction": "inbound"}, ["late"]),
        ({"status": "no_answer"}, ["late"]),
        ({"outcome": "voicemail"}, ["early"]),
        ({"owner_id": "user_sam"}, ["early"]),
        ({"number": "+49 30 111222"}, ["early"]),
        ({"number": "+4930333444"}, ["late"]),
        ({"number": "+4930333445"}, []),
        ({"since": 60}, ["late"]),
        ({"since": 61}, []),
        ({"until": 1}, ["early"]),
        ({"until": 0}, []),
        ({"min_duration": 0}, ["late", "early"]),
        ({"min_duration": 30}, ["early"]),
        ({"min_duration": 31}, []),
        ({"sort": "start_time"}, ["early", "late"]),
        ({"sort": "duration_seconds"}, ["late", "early"]),
        ({"sort": "duration_seconds", "order": "desc"}, ["early", "late"]),
    ]
    for given, found in conditions:
        given = {
            name: start + timedelta(seconds=value) if name in ("since", "until") else value
            for name, value in given.items()
        }
        assert [one.title for one in client.communication.calls.history(contact_id=contact, **given)] == found, given


# -- meetings ----------------------------------------------------------------------------------------------------------


def test_a_changed_meeting_is_told_to_those_whom_it_concerns(stub: StubServer, client: CrmClient) -> None:
    rows: list[tuple[dict[str, Any], list[str], list[tuple[str, str]]]] = [
        ({"title": "Talk"}, [], []),
        ({"title": "Other"}, ["meeting.updated"], []),
        ({"attendees": ["eva", "bob"]}, ["meeting.updated"], [("REQUEST", "bob@x.example")]),
        ({"attendees": []}, ["meeting.updated"], []),
        ({"start_time": 5}, ["meeting.updated"], [("REQUEST", "eva@x.example")]),
        ({"end_time": 35}, ["meeting.updated"], [("REQUEST", "eva@x.example")]),
        ({"status": "cancelled"}, ["meeting.cancelled"], [("CANCEL", "eva@x.example")]),
    ]
    start = stub.clock.now() + timedelta(days=1)

    def members(given: dict[str, Any]) -> Any:
        asked = given.get("attendees")
        return {
            name: start + timedelta(minutes=value) if name in ("start_time", "end_time") else value
            for name, value in given.items()
        } | ({"attendees": [{"email": f"{name}@x.example"} for name in asked]} if asked is not None else {})

    for (changes, told, asked), notify in product(rows, (True, False)):
        event: Any = members({"title": "Talk", "start_time": 0, "end_time": 30, "attendees": ["eva"]})
        made = client.communication.meetings.create(event, force=True, notify=False)
        log = len(stub.audit())
        changed = client.communication.meetings.update(made.id, members(changes), notify=notify, force=True)
        assert changed.version == some(made.version) + bool(told), changes
        assert [verb for verb in trail(stub, log) if verb.startswith("meeting.")] == told, changes
        sent = stub.store.collection("tenant_acme", "invitation").find("event_id", made.id)
        assert [(one["method"], one["to"]) for one in sent] == (asked if notify else []), changes
