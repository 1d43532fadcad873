"""What is fetched from a mailbox: whose it is, what a message says, its thread, and where the next run begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient, JobFailedError
from server_stub import StubServer
from server_stub.outside.mailboxes import Mailbox
from server_stub.outside.remotes import ConnectionLostError

Letter = Callable[..., None]
BOX: Any = {
    "type": "email", "provider": "imap", "auth_type": "basic",
    "credentials": {"host": "mail.example", "username": "ada", "password": "a long secret"},
}  # fmt: skip


@pytest.fixture
def other(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def mailbox(client: CrmClient) -> str:
    return client.integrations.create(BOX | {"name": "Ada's mail", "config": {"address": "ada@acme.example"}}).id


@pytest.fixture
def lying(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[bytes]]:
    """The messages in the folders of every mailbox; one that is empty ends the connection."""
    folders: dict[str, list[bytes]] = {"INBOX": [], "Sent": []}

    def fetch(box: Mailbox, folder: str, after: int) -> Iterator[tuple[int, bytes]]:
        for uid, raw in enumerate(folders[folder], start=1):
            if uid > after:
                if not raw:
                    raise ConnectionLostError("nobody answers")
                yield uid, raw

    monkeypatch.setattr(Mailbox, "fetch", fetch)
    return folders


def letter(text: str = "Yes", number: int = 1, **headers: str) -> bytes:
    """Return a message as it lies in a mailbox."""
    said = {
        "From": "Grace <grace@navy.example>", "To": "ada@acme.example", "Subject": "Re: Offer",
        "Message-ID": f"<{number}@navy.example>", **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    lines = [f"{name}: {value}" for name, value in said.items() if value]
    return "\n".join([*lines, "", text]).encode()


def fetched(client: CrmClient, mailbox: str, **given: Any) -> list[Any]:
    """Fetch, and return the e-mails of the mailbox, the oldest first."""
    client.communication.email.sync(mailbox, **given).wait()
    found = [
        one
        for folder in ("inbox", "sent")
        for one in client.communication.email.inbox(folder=folder, integration_id=mailbox, limit=200)
    ]
    return sorted(found, key=lambda one: one.message_id or "")


def test_what_a_message_says(client: CrmClient, mailbox: str, lying: dict[str, list[bytes]], stub: StubServer) -> None:
    early = stub.clock.now().replace(microsecond=0) - timedelta(days=3)
    said, there = (at.strftime("%a, %d %b %Y %H:%M:%S") for at in (early, early + timedelta(hours=2)))
    lying["INBOX"] += [
        letter("One\n", 1, Date=f"{there} +0200", Cc="C <c@x.example>, nobody, d@x.example", Reply_To="r@x.example"),
        letter("Two", 2, Date="nonsense", Subject=""),
        letter("Three", 3, Date="Fri, 01 Jan 2100 00:00:00 +0000", Subject="  A\n  B ", From="GRACE@navy.example"),
        letter("", 4, Date=f"{said} -0000", To="Ada <ada@acme.example>, e@x.example"),
    ]
    one, two, three, four = fetched(client, mailbox)
    assert (one.direction, one.subject, one.body_text, one.received_at, one.sent_at) == (
        "inbound", "Re: Offer", "One", early, early,
    )  # fmt: skip
    assert [(person.email, person.name) for person in one.cc] == [("c@x.example", "C"), ("d@x.example", None)]
    assert (some(one.from_address).email, some(one.from_address).name) == ("grace@navy.example", "Grace")
    assert some(one.reply_to).email == "r@x.example" and one.in_reply_to is None and two.reply_to is None
    assert two.subject == "(no subject)" and early < two.sent_at <= stub.clock.now()
    assert three.subject == "A B" and three.sent_at <= stub.clock.now()
    assert (four.body_text, four.sent_at, [person.email for person in four.to]) == (
        None, early, ["ada@acme.example", "e@x.example"],
    )  # fmt: skip
    assert {mail.status for mail in (one, two, three, four)} == {one.status} and not one.is_read
    documents = stub.store.collection("tenant_acme", "activity").find("integration_id", mailbox)
    assert {(doc["source"], doc["owner_id"], doc["visibility"]) for doc in documents} == {
        ("sync", "user_ada", "private")
    }


@pytest.mark.parametrize(("shared", "visibility"), [(True, "public"), (False, "private")])
def test_what_is_fetched_is_its_owners_or_whose_run_it_was(
    client: CrmClient, other: CrmClient, stub: StubServer, lying: dict[str, list[bytes]], shared: bool, visibility: str
) -> None:
    mailbox = client.integrations.create(BOX | {"name": "M", "config": {"shared": shared}}).id
    lying["INBOX"].append(letter())
    runner = other if shared else client
    (mail,) = fetched(runner, mailbox)
    assert mail.owner_id == ("user_sam" if shared else "user_ada")
    doc = some(stub.store.collection("tenant_acme", "activity").get(mail.id))
    assert doc["visibility"] == visibility
    client.integrations.update(mailbox, {"config": {"shared": not shared}})
    doc = some(stub.store.collection("tenant_acme", "activity").get(mail.id))
    assert doc["visibility"] == ("private" if shared else "public")


def test_a_message_comes_once_and_not_from_before(
    client: CrmClient, mailbox: str, lying: dict[str, list[bytes]], stub: StubServer
) -> None:
    at = stub.clock.now().replace(microsecond=0) - timedelta(hours=5)
    for number, seconds in enumerate((-1, 0, 1)):
        date = (at + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S +0000")
        lying["INBOX"].append(letter("x", number, Date=date))
    lying["INBOX"].append(letter("x", 1))
    lying["INBOX"].append(letter("without an id", 9, Message_ID=""))
    lying["Sent"].append(letter("Mine", 7, From="Ada <other@x.example>"))
    job = client.communication.email.sync(mailbox, since=at).wait()
    assert some(job.counts).created == 4 and some(job.counts).skipped == 2
    found = fetched(client, mailbox)
    assert [one.body_text for one in found if one.direction == "outbound"] == ["Mine"]
    assert {one.message_id for one in found} > {"<1@navy.example>", "<2@navy.example>", "<7@navy.example>"}
    (named,) = [one for one in found if one.body_text == "without an id"]
    assert some(named.message_id).endswith("@unnamed>")
    again = client.communication.email.sync(mailbox, mode="full").wait()
    assert (some(again.counts).created, some(again.counts).skipped) == (1, 5), "what was too old is not known"


def test_the_next_run_begins_where_the_last_one_ended(
    client: CrmClient, mailbox: str, lying: dict[str, list[bytes]], stub: StubServer
) -> None:
    boxes = stub.store.collection("tenant_acme", "integration")
    lying["INBOX"] += [letter("One", 1), letter("Two", 2)]
    first = client.communication.email.sync(mailbox).wait()
    doc = some(boxes.get(mailbox))
    assert (some(first.counts).total, some(first.counts).succeeded) == (2, 2)
    synced = doc["last_sync"]
    assert synced is not None and doc["last_error"] is None
    stub.clock.advance(60)
    lying["INBOX"].append(letter("Three", 3))
    assert some(client.communication.email.sync(mailbox).wait().counts).total == 1
    assert some(boxes.get(mailbox))["last_sync"] > synced + timedelta(seconds=59)
    lying["INBOX"] += [letter("Four", 4), b"", letter("Five", 5)]
    with pytest.raises(JobFailedError, match="nobody answers"):
        client.communication.email.sync(mailbox).wait()
    broken = some(boxes.get(mailbox))
    assert (broken["status"], broken["last_error"]["code"]) == ("error", "CONNECTION_REFUSED")
    (run, *_) = client.integrations.sync.history(mailbox)
    assert (run.status, some(run.error).code, some(run.counts).total) == ("failed", "CONNECTION_REFUSED", 1)
    stored(stub, "integration", mailbox, status="connected")
    lying["INBOX"][4] = letter("Again", 6)
    assert some(client.communication.email.sync(mailbox, folders=["INBOX"]).wait().counts).total == 2
    now = some(boxes.get(mailbox))
    assert now["last_error"] is None and now["email_cursor"] == {"INBOX": 6}
    assert [one.body_text for one in fetched(client, mailbox)] == ["One", "Two", "Three", "Four", "Five", "Again"]


def test_which_mailbox_is_meant(client: CrmClient, other: CrmClient, stub: StubServer, lying: dict[str, Any]) -> None:
    for box in stub.store.collection("tenant_acme", "integration").find("type", "email"):
        stub.store.collection("tenant_acme", "integration").remove(box["id"])
    for number, said in enumerate(("there is no mailbox", None, "there are 2 mailboxes")):
        if number:
            client.integrations.create(BOX | {"name": f"M{number}"})
        if said is None:
            assert client.communication.email.sync().wait().status == "succeeded"
            continue
        refusal = refused(client.communication.email.sync)
        assert (refusal.fields[0].field, refusal.fields[0].rule) == ("integration_id", "required")
        assert refusal.fields[0].message == f"{said}: say which one is meant"
    assert refused(other.communication.email.sync).fields[0].message.startswith("there is no mailbox")
    assert refused(lambda: client.communication.email.sync("integration_no")).code == "REFERENCE_NOT_FOUND"


# -- threads -----------------------------------------------------------------------------------------------------------


def test_a_thread_has_the_emails_that_one_may_see(
    client: CrmClient, other: CrmClient, mailbox: str, lying: dict[str, list[bytes]], stub: StubServer
) -> None:
    grace = client.contacts.create({"name": "Grace", "email": "grace@navy.example"})
    deal = client.deals.create({"title": "D", "contact_id": grace.id})
    mail = client.communication.email.send(
        {"to": [grace.id], "subject": "Offer", "body_text": "See  below", "deal_id": deal.id}
    )
    lying["INBOX"] += [
        letter("Yes " + "y" * 200, 1, References=f"<no@x.example> {mail.message_id} <unknown@x.example>"),
        letter("Or not", 2, In_Reply_To="<1@navy.example>", Cc="Grace H <GRACE@navy.example>, Carol <c@x.example>"),
        letter("Other", 3, Subject="Else"),
    ]
    one, two, three = fetched(client, mailbox)
    assert one.thread_id == two.thread_id == mail.thread_id != three.thread_id
    assert (one.deal_id, two.deal_id, three.deal_id) == (deal.id, deal.id, None)
    assert two.in_reply_to == "<1@navy.example>" and one.in_reply_to == "<unknown@x.example>"
    stored(stub, "activity", one.id, is_read=True)
    thread = some(client.communication.email.get(one.id, include=["thread"]).thread)
    assert [found.id for found in some(thread.emails)] == [mail.id, one.id, two.id]
    assert (thread.subject, thread.message_count, thread.unread_count) == ("Offer", 3, 1)
    assert (thread.contact_id, thread.deal_id, thread.snippet) == (grace.id, deal.id, "Or not")
    assert thread.last_message_at == two.occurred_at and thread.id == mail.thread_id
    assert sorted(str(person.email).casefold() for person in some(thread.participants)) == [
        "ada@acme.example", "ada@acme.test", "c@x.example", "grace@navy.example",
    ]  # fmt: skip
    seen = some(other.communication.email.get(mail.id, include=["thread"]).thread)
    assert ([found.id for found in some(seen.emails)], seen.message_count) == ([mail.id], 1), "what is private is not"
    stored(stub, "activity", mail.id, thread_id=None, subject=None)
    alone = some(client.communication.email.get(mail.id, include=["thread"]).thread)
    assert (alone.id, alone.subject, alone.message_count, alone.snippet) == (mail.id, "", 1, "See below")


def test_threads_of_a_folder_are_each_its_newest_email(
    client: CrmClient, mailbox: str, lying: dict[str, list[bytes]], stub: StubServer
) -> None:
    lying["INBOX"] += [
        letter("a" * 141, 1), letter("Two", 2, In_Reply_To="<1@navy.example>"), letter("Three", 3, Subject="Else"),
        letter("Four", 4, Subject="Else", In_Reply_To="<3@navy.example>"),
    ]  # fmt: skip
    one, two, three, four = fetched(client, mailbox)
    for minutes, mail in enumerate((two, one, three, four)):
        stored(stub, "activity", mail.id, occurred_at=stub.clock.now() + timedelta(minutes=minutes))
    found = client.communication.email.inbox(integration_id=mailbox, group_by="thread").items
    assert [mail.id for mail in found] == [four.id, one.id]
    threads = [some(mail.thread) for mail in found]
    assert [(thread.message_count, thread.emails) for thread in threads] == [(2, []), (2, [])]
    assert [thread.snippet for thread in threads] == ["Four", "a" * 140]
    assert [thread.unread_count for thread in threads] == [2, 2]


def test_an_email_is_read_where_that_is_asked_for(
    client: CrmClient, mailbox: str, lying: dict[str, list[bytes]]
) -> None:
    html = 'Content-Type: text/html\n\n<img src="https://x.example/a.png"><b>x</b>'
    raw = letter().partition(b"\n\n")[0] + b"\n" + html.encode()
    lying["INBOX"].append(raw)
    (mail,) = fetched(client, mailbox)
    get = client.communication.email.get
    assert (mail.body_text, get(mail.id).is_read, get(mail.id).version) == (None, False, 1)
    assert (get(mail.id, mark_read=True).is_read, get(mail.id, mark_read=True).version) == (True, 2)
    assert mail.body_html == '<img data-src="https://x.example/a.png"><b>x</b>' == get(mail.id).body_html
    assert '<img src="https://x.example/a.png">' in some(get(mail.id, include=["images"]).body_html)
    assert get(mail.id).thread is None


def test_a_message_of_a_day_ago_is_told_in_the_conversation(
    client: CrmClient, lying: dict[str, list[bytes]], stub: StubServer
) -> None:
    client.contacts.create({"name": "Grace", "email": "grace@navy.example"})
    mailbox = client.integrations.create(BOX | {"name": "M", "config": {"shared": True}}).id
    own = client.integrations.create(BOX | {"name": "N"}).id
    messages = stub.store.collection("tenant_acme", "message")
    at = stub.clock.now()
    client.communication.email.sync(mailbox).wait()
    takes = some(client.integrations.sync.history(mailbox).items[0].started_at) - at
    for number, (box, ago, told) in enumerate((
        (mailbox, timedelta(hours=23), 1), (mailbox, timedelta(hours=24), 1), (mailbox, timedelta(hours=24, seconds=1),
        0), (own, timedelta(hours=1), 0),
    )):  # fmt: skip
        before = len(messages)
        stub.clock.advance(1 - ((stub.clock.now() + takes).microsecond / 1_000_000))  # it is fetched at a full second
        date = (stub.clock.now() + takes - ago).astimezone(UTC)
        lying["INBOX"][:] = [letter("x", number, Date=date.strftime("%a, %d %b %Y %H:%M:%S +0000"))]
        client.communication.email.sync(box, mode="full").wait()
        assert len(messages) == before + told, ago
    received = [entry for entry in stub.audit() if entry["action"] == "email.received"]
    assert len(received) == 4 and all(entry["metadata"] == {"email_id": entry["entity"]["id"]} for entry in received)


def report(original: str, action: str = "failed", why: str = "Diagnostic-Code: smtp;\n 550  gone") -> bytes:
    """Return the report of a delivery that has failed; `original` is the part that tells of which."""
    return "\n".join((
        'Content-Type: multipart/report; report-type=delivery-status; boundary="x"', "From: mailer@x.example",
        "Subject: It came back", "", "--x", "Content-Type: message/delivery-status", "",
        "Reporting-MTA: dns; x.example", "", "Final-Recipient: rfc822; late@x.example", f"Action: {action}",
        *([why] if why else []), "", "--x", original, "", "--x--", "",
    )).encode()  # fmt: skip


def test_only_the_report_of_a_failure_says_that_an_email_came_back(
    client: CrmClient, mailbox: str, lying: dict[str, list[bytes]], stub: StubServer
) -> None:
    lying["INBOX"].append(letter("Received", 99))
    (received,) = fetched(client, mailbox)
    headers = "Content-Type: text/rfc822-headers\n\nSubject: A\nMESSAGE-ID:  {}"
    whole = "Content-Type: message/rfc822\n\nSubject: A\nMessage-ID: {}\n\nText"
    for number, (original, action, why, outcome, error) in enumerate((
        (headers, "failed", "Status: 5.1.1", "updated", "5.1.1"),
        (whole, " FAILED", "", "updated", "the e-mail came back"),
        (whole, "failed", "Diagnostic-Code: smtp;\n 550  gone", "updated", "smtp; 550 gone"),
        (headers, "delayed", "", "created", None),
        (headers.replace("{}", "<none@x.example>"), "failed", "", "skipped", None),
        (headers.replace("{}", str(received.message_id)), "failed", "", "skipped", None),
        ("Content-Type: text/plain\n\nnothing", "failed", "", "skipped", None),
    )):  # fmt: skip
        mail = client.communication.email.send({"to": ["late@x.example"], "subject": "A", "body_text": "B"})
        stub.clock.advance(3)
        lying["INBOX"][:] = [report(original.format(mail.message_id), action, why)]
        counts = client.communication.email.sync(mailbox, mode="full").wait().counts
        assert getattr(counts, outcome) == 1, number
        now = client.communication.email.get(mail.id)
        assert (now.status, now.error and now.error.message) == (
            ("bounced", error) if error is not None else ("delivered", None)
        ), number
        lying["INBOX"][:] = [report(original.format(mail.message_id), action, why)] if error else []
        again = client.communication.email.sync(mailbox, mode="full").wait().counts
        assert some(again).skipped == int(error is not None), "it came back once"
    assert client.communication.email.get(received.id).status == received.status
    lying["INBOX"][:] = [
        letter("No report", 100, Action="failed", Message_ID=str(mail.message_id).replace("<", "<x")),
        letter("Grüße", 101, Content_Type="text/plain; charset=klingon"),
    ]
    assert {"No report", "Grüße"} < {one.body_text for one in fetched(client, mailbox, mode="full")}


def test_a_folder_has_its_own_messages_and_those_after_one(stub: StubServer, mailbox: str) -> None:
    box = stub.mailboxes[mailbox]
    for number, folder in enumerate(("INBOX", "Sent", "INBOX", "Archive", "INBOX"), start=1):
        box.deliver(letter(number=number), folder)
    stub.mailboxes["another"].deliver(letter(number=6))
    assert [uid for uid, _ in box.fetch("INBOX")] == [1, 3, 5]
    for after, left in ((0, [1, 3, 5]), (1, [3, 5]), (2, [3, 5]), (4, [5]), (5, [])):
        assert [uid for uid, _ in box.fetch("INBOX", after)] == left
    assert box.fetch("Sent", 1) == [(2, letter(number=2))] and box.fetch("Sent", 2) == []
    assert box.sent() == [letter(number=2)]
    assert [uid for uid, _ in stub.mailboxes["another"].fetch("INBOX")] == [1], "a mailbox counts its own"
