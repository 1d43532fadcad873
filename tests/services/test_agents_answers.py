"""What an agent says and proposes, whole, for each intent, and what a lead's points are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", max_retries=0)


def asked(client: CrmClient, given: Any) -> tuple[str, list[tuple[str, dict[str, Any]]], float | None]:
    out = client.agents.execute("agent_123", {"input": given}).output
    return out.response, [(action.type, dict(action.parameters)) for action in out.actions], out.confidence


def test_each_intent_is_answered_with_its_actions(stub: StubServer, client: CrmClient) -> None:
    crm: Any = stub.client(dialects="platform", max_retries=0)
    lead = crm.leads.create({
        "name": "Ada Lane", "first_name": "Ada", "email": "a@x.example", "company": "Firm", "title": "CTO",
        "value": 5_000, "owner_id": "user_sam", "timezone": "Europe/Berlin",
    }).id  # fmt: skip
    bare, person = crm.leads.create({"name": "Bob"}).id, crm.contacts.create({"name": "Kim", "company": "Co"}).id
    stored(stub, "lead", bare, owner_id=None)
    who, bob, friday = {"leadId": lead}, {"leadId": bare}, "2026-01-16T14:00:00Z"
    sorry, look = "I am sorry to hear that", "Our support will look into it:"
    retained = f"{sorry}, Ada. A person will take care of the cancellation and call you today."
    settled = f"{sorry}, Ada. Somebody who can settle it will call you today."
    priced = "I'd be happy to help with pricing information"
    last = "The last thing that happened was 0 days ago."
    for text, said, actions, sure in (
        ("Qualify somebody", "Tell me which lead it is about: name its id.",
         [("request_information", {"field": "leadId"})], 0.25),
        (f"Qualify {person}", "Kim is a contact already; there is nothing to qualify.", [], 0.8),
        (f"cancel the meeting with {lead}",
         "I pass the cancellation on, Ada: a colleague will confirm it and offer another time.",
         [("route_ticket", {**who, "queue": "scheduling", "priority": "medium"}),
          ("notify_owner", {**who, "ownerId": "user_sam", "reason": "cancels a meeting"})], 0.85),
        (f"cancel the call with {lead}",
         "I pass the cancellation on, Ada: a colleague will confirm it and offer another time.",
         [("route_ticket", {**who, "queue": "scheduling", "priority": "medium"}),
          ("notify_owner", {**who, "ownerId": "user_sam", "reason": "cancels a meeting"})], 0.85),
        (f"cancel {lead}", retained, [
            ("route_ticket", {**who, "queue": "retention", "priority": "high"}),
            ("notify_owner", {**who, "ownerId": "user_sam", "reason": "wants to cancel"})], 0.85),
        ("cancel", f"{sorry}. A person will take care of the cancellation and call you today.",
         [("route_ticket", {"queue": "retention", "priority": "high"})], 0.7),
        (f"I want a refund, {lead}", settled, [
            ("route_ticket", {**who, "queue": "retention", "priority": "high"}),
            ("notify_owner", {**who, "ownerId": "user_sam"})], 0.5),
        (f"{bare} complains", f"{sorry}, Bob. Somebody who can settle it will call you today.",
         [("route_ticket", {**bob, "queue": "support", "priority": "high"})], 0.5),
        (f"prices for {lead}", f"{priced}, Ada. With about 5,000 USD in mind I would show the plan that fits it. "
         "Shall we go through it in a call?", [
             ("send_email", {**who, "template": "pricing"}),
             ("schedule_call", {**who, "suggestedTime": friday})], 0.85),
        ("prices", f"{priced}. Shall we go through it in a call?", [], 0.6),
        (f"price for {bare}", f"{priced}, Bob. Shall we go through it in a call?", [
            ("send_email", {**bob, "template": "pricing"}),
            ("schedule_call", {**bob, "suggestedTime": friday})], 0.75),
        (f"schedule a demo with {lead}", "I suggest a meeting with Ada Lane on Friday, 16 January at 14:00 "
         "(Europe/Berlin).", [("schedule_call", {**who, "suggestedTime": "2026-01-16T13:00:00Z"})], 0.85),
        (f"meet {lead} tomorrow at 10", "I have noted a meeting with Ada Lane on Friday, 16 January at 10:00 "
         "(Europe/Berlin), and suggest to send the invitation.", [
             ("schedule_meeting", {**who, "suggestedTime": "2026-01-16T09:00:00Z", "timezone": "Europe/Berlin"})],
         0.92),
        (f"call {lead} tomorrow at 10", "I have noted a call with Ada Lane on Friday, 16 January at 10:00 "
         "(Europe/Berlin), and suggest to send the invitation.", [
             ("schedule_call", {**who, "suggestedTime": "2026-01-16T09:00:00Z", "timezone": "Europe/Berlin"})], 0.92),
        ("meet", "I suggest a meeting on Friday, 16 January at 14:00 (America/New_York).",
         [("schedule_call", {"suggestedTime": "2026-01-16T19:00:00Z"})], 0.7),
        (f"follow up with {lead}", f"I suggest to follow up with Ada Lane on the next working day. {last}",
         [("create_task", {**who, "title": "Follow up with Ada Lane", "dueAt": friday})], 0.8),
        ("follow up", "I suggest to follow up on the next working day.",
         [("create_task", {"title": "Follow up", "dueAt": friday})], 0.65),
        (f"help {lead}", f"Happy to help, Ada. {look} help {lead}",
         [("route_ticket", {**who, "queue": "support", "priority": "medium"})], 0.45),
        ("help, terrible error " + "x" * 200, f"I am sorry for the trouble. {look} help, terrible error " + "x" * 99,
         [("route_ticket", {"queue": "support", "priority": "high"})], 0.3),
        (f"thanks {lead}", "You're welcome, Ada! Tell me if there is anything else.", [], 0.95),
        (f"hello {lead}", "Ada Lane (CTO, Firm, new). What would you like me to do?", [], 0.6),
        (f"hello {bare}", "Bob (new). What would you like me to do?", [], 0.6),
        (f"hello {person}", "Kim (Co, active). What would you like me to do?", [], 0.6),
        ("hello", "I am not sure what to do about: hello.", [], 0.3),
    ):  # fmt: skip
        assert asked(client, text) == (said, actions, sure), text
    tokens = [
        client.agents.execute("agent_123", {"input": text}).usage for text in (f"hello {lead}", "hello lead_none")
    ]
    used = [one.input_tokens or 0 for one in tokens if one is not None]
    assert used[0] > used[1] + 100, "what is read of the lead is paid for"
    for given, name in (
        ({"message": "hello", "leadId": lead}, "Ada Lane"), ({"text": "hello", "contact_id": person}, "Kim"),
        ({"message": "", "prompt": "hello", "deal": {"leadId": lead}}, "Ada Lane"),
        ({"leadId": lead, "deal": {"leadId": bare}, "message": "hello"}, "Ada Lane"),
        ({"message": f"hello lead_nobody {person} {lead}"}, "Kim"), ({"question": f"hello {lead} {bare}"}, "Ada Lane"),
    ):  # fmt: skip
        assert asked(client, given)[0].startswith(f"{name} ("), given


def test_the_points_of_a_lead_decide_what_is_proposed(stub: StubServer, client: CrmClient) -> None:
    crm: Any = stub.client(dialects="platform", max_retries=0)
    lead = crm.leads.create({"name": "Ada"}).id
    usual = {"email": None, "phone": None, "company": None, "value": 0, "source": None, "status": "new", "score": 0,
             "title": None}  # fmt: skip
    both: dict[str, Any] = {"email": "a@x.example", "phone": "1"}
    mail, firm, phone = "e-mail address known", "works for F", "phone number known"
    for members, facts, told, rest in (
        ({}, {}, "0 points: nothing speaks for it yet", ("add_tag", 0.79)),
        ({"value": 2_499}, {}, "0 points: nothing speaks for it yet", ("add_tag", 0.79)),
        ({"value": 2_500}, {}, "15 points: worth 2,500", ("add_tag", 0.71)),
        ({"value": 9_999}, {}, "15 points: worth 9,999", ("add_tag", 0.71)),
        ({"value": 100}, {"leadValue": 10_000}, "30 points: worth 10,000", (["phone", "company", "title"], 0.64)),
        ({"value": 10_000}, {"leadValue": True}, "30 points: worth 10,000", (["phone", "company", "title"], 0.64)),
        ({"source": "referral", **both}, {}, f"35 points: {mail}; {phone}; came by referral",
         (["company", "title", "value"], 0.61)),
        ({"source": "partner", "status": "contacted"}, {}, "30 points: came by partner; was contacted",
         (["phone", "company", "title", "value"], 0.64)),
        ({}, {"previousInteractions": 2}, "10 points: 2 interactions before", ("add_tag", 0.74)),
        ({}, {"previousInteractions": 4}, "15 points: 4 interactions before", ("add_tag", 0.71)),
        ({"score": 4}, {}, "0 points: nothing speaks for it yet", ("add_tag", 0.79)),
        ({"score": 24 * 5 + 4}, {}, "24 points: scored 124", ("add_tag", 0.67)),
        ({"score": 25 * 5}, {}, "25 points: scored 125", (["phone", "company", "title", "value"], 0.66)),
        ({"score": 49 * 5}, {}, "49 points: scored 245", (["phone", "company", "title", "value"], 0.66)),
        ({"score": 50 * 5}, {}, "50 points: scored 250", ("qualify", 0.66)),
        ({"score": 9_999, **both}, {}, f"100 points: {mail}; {phone}; scored 9999", ("qualify", 0.91)),
        ({"company": "F", "title": "T", "value": 2_500, "phone": "1"}, {}, f"35 points: {phone}; {firm}; worth 2,500",
         (["budget"], 0.61)),
        ({"status": "qualified", "score": 250}, {}, "50 points: scored 250", ("qualified", 0.95)),
        ({"status": "converted"}, {}, "0 points: nothing speaks for it yet", ("converted", 0.95)),
    ):  # fmt: skip
        stored(stub, "lead", lead, **{**usual, **members})
        said, actions, sure = asked(client, {"message": "Qualify", "leadId": lead, **facts})
        what, expected = rest
        if what == "qualify":
            text, planned = " I suggest to qualify the lead and to call.", [
                ("update_lead", {"leadId": lead, "changes": {"status": "qualified"}}),
                ("schedule_call", {"leadId": lead, "suggestedTime": "2026-01-16T14:00:00Z"}),
            ]  # fmt: skip
        elif what == "add_tag":
            text, planned = " I suggest to nurture it.", [("add_tag", {"leadId": lead, "tag": "nurture"})]
        elif isinstance(what, list):
            text = f" Before it is qualified, find out: {', '.join(what)}."
            planned = [("request_information", {"leadId": lead, "fields": what})]
        else:
            text, planned = f" The lead is {what} already.", []
        assert (said, actions, sure) == (f"Ada has {told}.{text}", planned, expected), members


def test_an_answer_is_added_to_what_an_agent_did_and_cost(stub: StubServer, client: CrmClient) -> None:
    crm: Any = stub.client(dialects="platform", max_retries=0)
    lead = crm.leads.create({"name": "Ada"}).id
    stored(stub, "lead", lead, email="a@x.example", phone="1", value=20_000, source="referral", company="F", score=80)
    before = {"total_interactions": 4, "success_rate": 0.5, "avg_response_time": 2.0}
    used = {"cost": Decimal(1), "qualifications": 3, "qualified": 2}
    config = {"model": "gpt-4"}
    stored(stub, "agent", "agent_123", performance=before, usage=used, config=config)
    done = client.agents.execute("agent_123", {"input": f"Qualify {lead}"})
    assert "update_lead" in [action.type for action in done.output.actions] and done.usage is not None
    spent, made, cost = done.usage.input_tokens, done.usage.output_tokens, done.usage.total_cost
    assert spent and made and cost is not None
    assert Decimal(cost) == (spent * Decimal("0.005") + made * Decimal("0.02")) / 1000
    agent = stored(stub, "agent", "agent_123")
    assert agent["usage"] == {"cost": Decimal(1) + Decimal(cost), "qualifications": 4, "qualified": 3}
    assert (agent["performance"]["total_interactions"], agent["performance"]["success_rate"]) == (5, 0.6)


def test_a_new_agent_has_done_nothing_and_its_first_answer_is_told_whole(stub: StubServer, client: CrmClient) -> None:
    made = client.agents.create({"name": " Nova ", "type": "support"}).id
    nothing = {"total_interactions": 0, "success_rate": 0.0, "avg_response_time": 0.0}
    agent = stored(stub, "agent", made)
    members = ("name", "type", "status", "capabilities", "performance", "config", "version")
    assert [agent[name] for name in members] == [
        "Nova", "support", "active", ["faq-answers", "ticket-routing"], nothing, {"model": "gpt-4"}, 1,
    ]  # fmt: skip
    assert client.agents.list()[0].id == made
    log = len(stub.audit())
    done = client.agents.execute(made, {"input": "help"})
    assert done.usage is not None and done.output.confidence == 0.55
    told = [(entry["action"], entry["metadata"]) for entry in stub.audit()[log:] if entry["entity"]["id"] == made]
    assert told == [
        ("agent.status", {"status": "processing", "current_task": "Helping somebody"}),
        ("agent.completed", {"confidence": 0.55, "task": "Helping somebody", "actions": ["route_ticket"]}),
        ("agent.status", {"status": "active", "current_task": None}),
    ]  # fmt: skip
    agent = stored(stub, "agent", made)
    spent, out = done.usage.input_tokens, done.usage.output_tokens or 0
    assert (spent, out) == (4, 32), "four characters each, of the question and of the answer with its actions"
    assert agent["usage"] == {"cost": Decimal("0.00066"), "qualifications": 0, "qualified": 0}
    assert agent["performance"] == {"total_interactions": 1, "success_rate": 1.0, "avg_response_time": 0.72}
    assert (agent["version"], agent["updated_at"]) == (1, stub.clock.now())
    (calls,) = stub.store.collection("tenant_acme", "agent_calls").all()
    assert (calls["id"], calls["calls"]) == ("2026-01-15", 1)
    for config, more, price in (
        ({"model": "gpt-3.5-turbo"}, 0, "0.0015"), ({"model": "another"}, 0, "0.02"), ({}, 0, "0.02"),
        ({"systemPrompt": "x" * 41}, 11, "0.02"), ({"system_prompt": "x" * 40}, 10, "0.02"),
    ):  # fmt: skip
        stored(stub, "agent", made, config=config)
        usage = client.agents.execute(made, {"input": "help"}).usage
        assert usage is not None and (usage.input_tokens, usage.output_tokens) == (4 + more, out), config
        cost = (4 + more) * Decimal("0.0005" if price == "0.0015" else "0.005") + out * Decimal(price)
        assert Decimal(usage.total_cost or 0) == (cost / 1000).quantize(Decimal("0.000001")), config


def test_an_answer_is_a_success_from_half_a_confidence_on(stub: StubServer, client: CrmClient) -> None:
    crm: Any = stub.client(dialects="platform", max_retries=0)
    lead = crm.leads.create({"name": "Ada"}).id
    for text, sure, rate in ((f"refund {lead}", 0.5, 1.0), (f"help {lead}", 0.45, 0.5), ("help", 0.3, 0.333333)):
        if sure == 0.5:
            stored(stub, "agent", "agent_123", performance=None, usage=None)
        assert asked(client, text)[2] == sure
        assert stored(stub, "agent", "agent_123")["performance"]["success_rate"] == rate, text
