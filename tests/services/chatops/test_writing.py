"""What is written in a conversation: a plan first, carried out once, by whoever asked, with no more than his rights."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import ChatMessage, ChatPlan
from server_stub import StubServer


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def reader(stub: StubServer, acme: CrmClient) -> CrmClient:
    return signed_in(stub, acme, "read_only", name="Rea Der")[1]


def plan_of(answer: ChatMessage) -> ChatPlan:
    assert answer.plan is not None, answer.text
    return answer.plan


def contact(client: CrmClient, **members: Any) -> Any:
    whole: Any = {"name": "Eva Plan", **members}
    return client.contacts.create(whole)


def test_a_plan_writes_nothing_until_it_is_confirmed_and_then_once(stub: StubServer, acme: CrmClient) -> None:
    eva = contact(acme, phone="+4930901820")
    before = len(stub.audit())
    answer = acme.chatops.send(f"/set {eva.id} title=Head of Sales phone=null")
    plan = plan_of(answer)
    assert [entry["action"] for entry in stub.audit()[before:]] == ["chatops.message"]
    assert [(one.field, one.before, one.after) for one in plan.changes] == [
        ("title", None, "Head of Sales"), ("phone", eva.phone, None),
    ]  # fmt: skip
    assert plan.operations[0].version == eva.version and acme.contacts.get(eva.id) == eva
    done = acme.chatops.confirm(answer.id)
    now = acme.contacts.get(eva.id)
    assert (now.title, now.phone, now.version) == ("Head of Sales", None, eva.version + 1)
    assert (plan_of(done).status, done.in_reply_to, [one.id for one in done.records]) == ("done", answer.id, [eva.id])
    assert [entry["action"] for entry in stub.audit()[before + 1 :]] == ["contact.updated", "chatops.plan_executed"]
    for accept in (True, False):
        refusal = refused(lambda accept=accept: acme.chatops.confirm(answer.id, accept=accept))  # type: ignore[misc] # the value of this turn is bound
        assert (refusal.status, refusal.code) == (409, "PLAN_DONE")


def test_a_plan_is_cancelled_expires_and_is_overtaken(stub: StubServer, acme: CrmClient) -> None:
    eva = contact(acme)
    first, second, third = (acme.chatops.send(f"/set {eva.id} title={n}") for n in range(3))
    assert plan_of(acme.chatops.confirm(first.id, accept=False)).status == "cancelled"
    assert refused(lambda: acme.chatops.confirm(first.id)).code == "PLAN_DONE"
    acme.chatops.confirm(second.id)
    assert refused(lambda: acme.chatops.confirm(third.id)).code == "VERSION_CONFLICT"
    late = acme.chatops.send(f"/set {eva.id} title=late")
    stub.clock.advance(10 * 60)
    assert refused(lambda: acme.chatops.confirm(late.id)).code == "PLAN_EXPIRED"
    assert refused(lambda: acme.chatops.confirm(acme.chatops.send("/help").id)).code == "NO_PLAN"
    assert acme.contacts.get(eva.id).title == "1"
    assert acme.chatops.send(f"/set {eva.id} title=1").plan is None, "nothing would change"


def test_of_several_writes_all_are_done_or_none(acme: CrmClient) -> None:
    twins = [acme.contacts.create({"name": f"Twin Plan {n}"}) for n in range(2)]
    listed = acme.chatops.send("/list contact named Twin Plan")
    answer = acme.chatops.send("/set them department=Lab", session_id=listed.session_id)
    assert len(plan_of(answer).operations) == 2
    acme.contacts.update(twins[1].id, {"title": "Other"})
    assert refused(lambda: acme.chatops.confirm(answer.id)).code == "VERSION_CONFLICT"
    assert [acme.contacts.get(twin.id).department for twin in twins] == [None, None]
    again = acme.chatops.send("/set them department=Lab", session_id=listed.session_id)
    acme.chatops.confirm(again.id)
    assert [acme.contacts.get(twin.id).department for twin in twins] == ["Lab", "Lab"]


def test_every_command_does_what_its_call_does(stub: StubServer, acme: CrmClient) -> None:
    def done(text: str, **more: Any) -> Any:
        return acme.chatops.confirm(acme.chatops.send(text, **more).id).records[0].id

    eva = done("/create contact name=Eva Create email=eva@create.example tags=vip, north custom_fields.tier=gold")
    made = acme.contacts.get(eva)
    assert (made.name, made.email, made.tags) == ("Eva Create", "eva@create.example", ["vip", "north"])
    deal = done('/create deal title="Big one" value=12.5k expected_close_date=tomorrow owner=sam@acme.test')
    stored = acme.deals.get(deal)
    assert (stored.title, int(stored.value), stored.owner_id) == ("Big one", 12_500, "user_sam")
    assert str(stored.expected_close_date) == "2026-01-16"
    done(f"/move {deal} to Negotiation")
    assert acme.deals.get(deal).stage == "negotiation"
    task = done("/create task title=Call back due_at=tomorrow 09:30 priority=high")
    due: Any = acme.activities.get(task)
    assert due.due_at == datetime(2026, 1, 16, 14, 30, tzinfo=UTC), "on the user's clock"
    done(f"/done {task}")
    assert acme.activities.get(task).status == "completed"  # type: ignore[union-attr] # it was answered, and is checked by that
    done("/assign Eva Create to Sam")
    assert acme.contacts.get(eva).owner_id == "user_sam"
    note, call = (acme.activities.get(done(f"/log {kind} on Eva Create: she likes tea")) for kind in ("note", "call"))
    assert (note.body, note.contact_id, call.title, call.contact_id) == ("she likes tea", eva, "she likes tea", eva)  # type: ignore[union-attr] # it was answered, and is checked by that
    meeting: Any = acme.activities.get(done("/schedule 45 with Eva Create tomorrow 14:00"))
    assert (meeting.start_time, meeting.end_time) == (
        datetime(2026, 1, 16, 19, 0, tzinfo=UTC), datetime(2026, 1, 16, 19, 45, tzinfo=UTC),
    )  # fmt: skip
    assert acme.activities.get(done("/schedule 30 with it", context={"type": "contact", "id": eva})) is not None


def test_a_command_that_is_not_written_so_says_how_it_is(acme: CrmClient) -> None:
    cases: list[str] = ["/create", "/set", "/move", "/assign", "/log", "/schedule", "/sum", "/list", "/done"]
    for name in cases:
        for text in (name, f"{name} nothing of the sort"):
            answer = acme.chatops.send(text)
            assert (answer.plan, answer.records) == (None, []), text
            assert text != name or f"{name} <" in answer.text or f"{name} call|note on <" in answer.text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/set {id} email=nonsense", "VALIDATION_ERROR"),
        ("/set {id} email=taken@plan.example", "CONTACT_EXISTS"),
        ("/set {id} account_id=account_nowhere", "REFERENCE_NOT_FOUND"),
    ],
)
def test_the_errors_of_a_plan_are_those_of_its_writes(acme: CrmClient, text: str, code: str) -> None:
    contact(acme, email="taken@plan.example")
    eva = acme.contacts.create({"name": "Eva Wrong"})
    answer = acme.chatops.send(text.format(id=eva.id))
    refusal = refused(lambda: acme.chatops.confirm(answer.id))
    assert refusal.code == code and acme.contacts.get(eva.id) == eva
    assert plan_of(acme.chatops.confirm(answer.id, accept=False)).status == "cancelled", "it was still there"


def test_rights_are_the_callers_own(acme: CrmClient, sales: CrmClient, reader: CrmClient) -> None:
    eva = contact(acme)
    for client, text in ((reader, f"/set {eva.id} title=x"), (reader, "/set"), (reader, "/log note on x: y")):
        assert refused(lambda client=client, text=text: client.chatops.send(text)).code == "FORBIDDEN"  # type: ignore[misc] # the value of this turn is bound
    assert refused(lambda: sales.chatops.send(f"/set {eva.id} title=x")).code == "FORBIDDEN", "it is another's"
    deal = acme.deals.create({"title": "Anothers Deal", "value": 1, "owner_id": "user_ada"})
    task = acme.activities.tasks.create({"title": "Anothers Task", "owner_id": "user_ada"})
    texts = (f"/move {deal.id} proposal", f"/done {task.id}", f"/assign {deal.id} to sam@acme.test")
    assert [refused(lambda text=text: sales.chatops.send(text)).code for text in texts] == ["FORBIDDEN"] * 3  # type: ignore[misc] # the value of this turn is bound
    assert [plan_of(acme.chatops.send(text)).status for text in texts] == ["pending"] * 3
    assert acme.chatops.send('/set "" title=x').text == 'Nothing was found for /set "" title=x'
    assert reader.chatops.send("won deals").total == acme.chatops.send("won deals").total
    assert {one.name for one in reader.chatops.commands()} == {
        "/list", "/show", "/count", "/sum", "/summarize", "/help",
    }  # fmt: skip
    assert all(one.writes is (one.name.lstrip("/") in ["create", "set", "move", "done", "assign", "log", "schedule"])
               for one in acme.chatops.commands())  # fmt: skip


def test_rights_are_those_on_the_kind_of_record(stub: StubServer, acme: CrmClient) -> None:
    """Whoever may create and read contacts alone plans no deal, is told of none, and has the commands for contacts."""
    permissions: Any = [
        {"resource": "contacts", "action": "create"}, {"resource": "contacts", "action": "read"},
        {"resource": "chatops", "action": "create"},
    ]  # fmt: skip
    acme.security.roles.create({"key": "greeter", "name": "Greeter", "permissions": permissions})
    _, gus = signed_in(stub, acme, "greeter")
    eva, deal = contact(acme), acme.deals.create({"title": "Engine Deal"}).id
    acme.activities.notes.create({"body": "Wants a quote", "contact_id": eva.id})
    assert [one.name for one in gus.chatops.commands()] == [
        "/list", "/show", "/count", "/sum", "/create", "/summarize", "/help",
    ]  # fmt: skip
    assert plan_of(gus.chatops.send("/create contact name=New")).status == "pending"
    for text in ("/create deal title=New", "/list deal", "/count task", "/sum value of deal", "/move x proposal"):
        error = refused(partial(gus.chatops.send, text))
        assert (error.status, error.code) == (403, "FORBIDDEN"), text
    assert refused(lambda: gus.chatops.send("/move x y")).details == {"command": "move"}
    for text in (f"/show {deal}", "/show Engine Deal"):
        assert gus.chatops.send(text).text == f"Nothing was found for {text.removeprefix('/show ')}"
    assert gus.chatops.send(f"/summarize {eva.id}").text.endswith(". no activities yet")
    assert "Wants a quote" in acme.chatops.send(f"/summarize {eva.id}").text


def test_conversations_and_plans_are_their_users(stub: StubServer, acme: CrmClient, sales: CrmClient) -> None:
    eva = contact(acme)
    globex = stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)
    answer = acme.chatops.send(f"/set {eva.id} title=x")
    for other in (sales, globex):
        for call in (
            lambda other=other: other.chatops.send("/help", session_id=answer.session_id),
            lambda other=other: other.chatops.confirm(answer.id),
            lambda other=other: other.chatops.send("/help", session_id="chatsession_nowhere"),
        ):
            assert refused(call).code == "NOT_FOUND"
    told = globex.chatops.send(f"/show {eva.id}")
    assert told.records == [] and "Eva" not in told.text
    assert refused(lambda: globex.chatops.send("/set it title=x", context={"type": "contact", "id": eva.id})).code == (
        "REFERENCE_NOT_FOUND"
    )
    stub.clock.advance(30 * 60)
    assert acme.chatops.send("/set it title=y", session_id=answer.session_id).plan is None, "a new conversation"


def test_a_user_goes_on_with_another_credential(stub: StubServer, acme: CrmClient, sales: CrmClient) -> None:
    eva = contact(acme)
    ada = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
    ada.auth.login("ada@acme.test", "demo-password")
    first = acme.chatops.send(f"/set {eva.id} title=One")
    assert ada.chatops.send("/set it title=Two", session_id=first.session_id).session_id == first.session_id
    done = ada.chatops.confirm(first.id)
    assert acme.contacts.get(eva.id).title == "One" and done.session_id == first.session_id
    behalf = acme.chatops.send("/help", on_behalf_of="user_sam")
    for other in (sales, acme):
        assert refused(lambda other=other: other.chatops.send("/help", session_id=behalf.session_id)).code == (  # type: ignore[misc] # the value of this turn is bound
            "NOT_FOUND"
        ), "it is whose asked, for whom it was asked"
    again = ada.chatops.send("/help", session_id=behalf.session_id, on_behalf_of="user_sam")
    assert again.session_id == behalf.session_id


def test_a_bot_asks_for_a_user_with_no_more_than_his_rights(acme: CrmClient, sales: CrmClient) -> None:
    own, foreign = sales.contacts.create({"name": "Own Bot"}), contact(acme)
    for named in ("user_sam", "SAM@acme.test"):
        answer = acme.chatops.send(f"/set {own.id} title={named}", on_behalf_of=named)
        acme.chatops.confirm(answer.id)
        assert acme.contacts.get(own.id).title == named
    (entry,) = acme.audit.logs.list(action="contact.updated", entity_id=own.id, limit=1).items
    assert entry.actor.id == "user_sam"
    acme.chatops.confirm(acme.chatops.send(f"/set {foreign.id} title=One").id)
    (entry,) = acme.audit.logs.list(action="contact.updated", entity_id=foreign.id, limit=1).items
    assert entry.actor.id == "apikey_acme_admin", "nobody asked for anybody else"
    assert acme.chatops.send("/count deal my", on_behalf_of="user_sam").total == sales.deals.list(
        owner_id="user_sam", limit=1
    ).total  # fmt: skip
    refusals = {
        "FORBIDDEN": [
            lambda: acme.chatops.send(f"/set {foreign.id} title=x", on_behalf_of="user_sam"),
            lambda: sales.chatops.send("/help", on_behalf_of="user_ada"),
        ],
        "REFERENCE_NOT_FOUND": [
            lambda: acme.chatops.send("/help", on_behalf_of="nobody@acme.test"),
            lambda: acme.chatops.send("/help", on_behalf_of="gina@globex.test"),
        ],
    }
    for code, calls in refusals.items():
        assert {refused(call).code for call in calls} == {code}


def test_a_company_has_a_limit_a_day_and_a_switch(stub: StubServer, acme: CrmClient) -> None:
    acme.tenants.limits.update("tenant_acme", {"chat_messages_per_day": 2})
    acme.chatops.send("/help")
    acme.chatops.send("/help")
    assert refused(lambda: acme.chatops.send("/help")).code == "LIMIT_EXCEEDED"
    stub.clock.advance(24 * 3_600)
    acme.chatops.send("/help")
    acme.tenants.features.update("tenant_acme", {"chatops": False})
    assert refused(lambda: acme.chatops.commands()).code == "FEATURE_DISABLED"


def test_messages_count_as_ai(stub: StubServer) -> None:
    stub.enforce_limits = True
    client = stub.client(dialects="platform", max_retries=0)
    for _ in range(20):
        client.chatops.commands()
    assert refused(lambda: client.chatops.send("/help")).code == "RATE_LIMIT_EXCEEDED"
    assert client.contacts.list(limit=1).items


def test_a_meeting_on_a_day_is_at_its_first_free_time(acme: CrmClient) -> None:
    cases: list[tuple[str, str, str]] = [
        ("tomorrow", "2026-01-16T05:00:00Z", "2026-01-17T05:00:00Z"),
        ("in 3 days", "2026-01-18T05:00:00Z", "2026-01-19T05:00:00Z"),
        ("next week", "2026-01-19T05:00:00Z", "2026-01-26T05:00:00Z"),
        ("monday", "2026-01-19T05:00:00Z", "2026-01-20T05:00:00Z"),
        ("2026-02-03", "2026-02-03T05:00:00Z", "2026-02-04T05:00:00Z"),
    ]
    for when, earliest, latest in cases:
        eva = acme.contacts.create({"name": "Eva Meets"}).id
        answer = acme.chatops.send(f"/schedule 30 with {eva} {when}")
        assert answer.plan is not None, answer.text
        values = answer.plan.operations[0].values
        assert (values["earliest"], values["latest"]) == (earliest, latest), when


def test_a_day_of_the_week_is_the_next_one(acme: CrmClient) -> None:
    cases: list[tuple[str, str]] = [
        ("thursday 14:00", "2026-01-15T19:00:00Z"),  # it is Thursday, 4 o'clock in the morning in New York
        ("friday 14:00", "2026-01-16T19:00:00Z"),
        ("wednesday 14:00", "2026-01-21T19:00:00Z"),
        ("14:00", "2026-01-15T19:00:00Z"),
    ]
    for when, start in cases:
        eva = acme.contacts.create({"name": "Eva Meets"}).id
        answer = acme.chatops.send(f"/schedule 30 with {eva} {when}")
        assert answer.plan is not None, answer.text
        assert start in answer.plan.operations[0].values.values(), when


def test_what_a_message_cannot_be_about_is_refused(stub: StubServer) -> None:
    with httpx.Client(transport=stub.transport(), headers={"Authorization": "Bearer acme-admin"}) as raw:
        for body, named in (
            ({"text": "x" * 4001}, ("VALIDATION_ERROR", "text", "max")),
            ({"text": "/show it", "context": {"type": "contact", "id": "contact_none"}},
             ("REFERENCE_NOT_FOUND", "context.id", "reference")),
        ):  # fmt: skip
            reply = raw.post("http://stub.test/platform/v1/chatops/messages", json=body)
            (error,) = reply.json()["errors"]
            assert (reply.status_code, error["code"], error["field"], error["rule"]) == (422, *named)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/log call on contact_123: Talked", "call"),
        ("/log note on contact_123: Talked", "note"),
        ("/schedule 30 with contact_123 tomorrow 14:00", "event"),
    ],
)
def test_a_plan_names_the_kind_of_activity_that_it_makes(stub: StubServer, text: str, kind: str) -> None:
    with stub.client(api_key=None, dialects="platform", max_retries=0) as crm:
        crm.auth.login("ada@acme.test", "demo-password")
        plan = crm.chatops.send(text).plan
    assert plan is not None and plan.summary.startswith(f"create {kind} ")


def test_what_is_written_at_once_is_told_as_what_is_confirmed(stub: StubServer, acme: CrmClient) -> None:
    eva = contact(acme)
    acme.configuration.settings.update({"chatops.confirm_writes": False})
    before = len(stub.audit())
    answer = acme.chatops.send(f"/set {eva.id} title=Boss department=Lab")
    plan = plan_of(answer)
    assert (plan.status, answer.total, answer.suggestions) == ("done", 1, [])
    assert [(one.type, one.id, one.name) for one in answer.records] == [("contact", eva.id, "Eva Plan")]
    assert plan.summary in answer.text and not answer.text.endswith("Confirm it?")
    now = acme.contacts.get(eva.id)
    assert (now.title, now.department, now.version) == ("Boss", "Lab", eva.version + 1)
    told = [(entry["action"], entry["metadata"]) for entry in stub.audit()[before : before + 3]]
    assert [action for action, _ in told] == ["contact.updated", "chatops.message", "chatops.plan_executed"]
    said = {"intent": "update", "channel": "api", "session_id": answer.session_id}
    assert [metadata for _, metadata in told[1:]] == [said, {"plan_id": plan.id, "ids": [eva.id]}]
    shown = acme.chatops.send("/show it", session_id=answer.session_id)
    assert [one.id for one in shown.records] == [eva.id]
    done = refused(lambda: acme.chatops.confirm(answer.id))
    assert (done.code, done.details, done.message) == ("PLAN_DONE", {"status": "done"}, "the plan is done")


def test_nobody_confirms_for_a_user_who_does_not_work_any_more(stub: StubServer, acme: CrmClient) -> None:
    eva = acme.contacts.create({"name": "Eva Own", "owner_id": "user_sam"})
    answer = acme.chatops.send(f"/set {eva.id} title=x", on_behalf_of="user_sam")
    users = stub.store.collection("tenant_acme", "user")
    sam = users.get("user_sam")
    assert sam is not None
    users.put(sam | {"status": "inactive"})
    error = refused(lambda: acme.chatops.confirm(answer.id))
    assert (error.status, error.code, error.message) == (
        403, "FORBIDDEN", "the user for whom this was planned may not work any more",
    )  # fmt: skip
    named = refused(lambda: acme.chatops.send("/help", on_behalf_of="user_sam"))
    assert (named.code, named.fields[0].field, named.fields[0].rule) == (
        "REFERENCE_NOT_FOUND", "on_behalf_of", "reference",
    )  # fmt: skip
    users.put(sam)
    assert plan_of(acme.chatops.confirm(answer.id)).status == "done" and acme.contacts.get(eva.id).title == "x"


def test_what_an_owner_alone_sees_is_found_by_nobody_else(stub: StubServer, acme: CrmClient) -> None:
    permissions: Any = [
        {"resource": "contacts", "action": "read", "scope": "own"}, {"resource": "chatops", "action": "create"},
    ]  # fmt: skip
    acme.security.roles.create({"key": "own", "name": "Own", "permissions": permissions})
    user, gus = signed_in(stub, acme, "own")
    own, other = (acme.contacts.create({"name": f"Zoe {n}", "owner_id": owner}).id
                  for n, owner in enumerate((user.id, "user_ada")))  # fmt: skip
    assert gus.chatops.send(f"/show {own}").records[0].id == own
    assert [one.id for one in gus.chatops.send("/list contact named Zoe").records] == [own]
    for text in (f"/show {other}", "/show Zoe 1"):
        answer = gus.chatops.send(text)
        assert (answer.records, answer.text) == ([], f"Nothing was found for {text.removeprefix('/show ')}")
