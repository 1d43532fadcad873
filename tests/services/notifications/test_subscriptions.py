"""Links to unsubscribe, what an end of a subscription changes, and whose subscriptions are listed."""

from __future__ import annotations

from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.notifications.subscriptions import opened_token, signed_token

MAIL: Any = {"subject": "S", "content": "C"}


def test_what_the_link_of_a_message_ends(acme: CrmClient, stub: StubServer) -> None:
    nobody = stub.client(api_key=None, dialects="platform", max_retries=0)

    def token(**given: Any) -> tuple[str, str]:
        sent = acme.notifications.send_email("a@example.com", **MAIL, **given)
        header = dict(stub.outbox.messages[-1].headers)["List-Unsubscribe"]
        return sent.id, header.rpartition("token=")[2].rstrip(">")

    def ended(link: str, **given: Any) -> list[tuple[str, str, str, bool, str]]:
        found = nobody.notifications.unsubscribe(token=link, **given)
        return [(one.address, one.channel, one.topic, one.subscribed, one.source) for one in found]

    (first, news), (_, plain) = token(category="news"), token()
    assert opened_token(news) == ["unsubscribe", "tenant_acme", first, "a@example.com", "email", "news"]
    usual = ("a@example.com", "email")
    assert ended(news) == [(*usual, "news", False, "unsubscribe_link")]
    kept = stub.store.collection("tenant_acme", "notification")
    at = some(kept.get(first))["unsubscribed_at"]
    assert at is not None
    stub.clock.advance(1)
    assert ended(news, topic="offers") == [(*usual, "offers", False, "unsubscribe_link")]
    assert some(kept.get(first))["unsubscribed_at"] == at, "the first time"
    kept.remove(first)
    assert [topic for _, _, topic, *_ in ended(plain)] == ["news", "offers", "all"]
    (entry,) = [one for one in stub.audit() if one["action"] == "notification.unsubscribed"][-1:]
    assert (entry["actor"]["type"], entry["actor"]["name"]) == ("anonymous", "a link in a message")
    for wrong in (f"{news}x", news.replace(".", ".x"), "", "x", "é.é", signed_token("open", "tenant_acme", "x")):
        error = refused(lambda wrong=wrong: nobody.notifications.unsubscribe(token=wrong))  # type: ignore[misc] # the value of this turn is bound
        assert (error.status, error.code, error.fields[0].field) == (400, "INVALID_TOKEN", "token"), wrong
    for given in ({}, {"address": "a@example.com"}):
        error = refused(lambda given=given: nobody.notifications.unsubscribe(**given))  # type: ignore[misc] # the value of this turn is bound
        assert (error.status, error.code) == (401, "UNAUTHORIZED")
    assert opened_token(signed_token()) == [] and opened_token(signed_token("é", "…")) == ["é", "…"]


def test_one_channel_and_one_topic_end_and_no_other(acme: CrmClient, sales: CrmClient) -> None:
    for channel, topic in (("push", "news"), ("in_app", "news"), ("push", "offers")):
        (one,) = sales.notifications.unsubscribe(address=" user_sam ", channel=channel, topic=topic)
        assert (one.address, one.channel, one.topic) == ("user_sam", channel, topic)
    both = sales.notifications.unsubscribe(address="user_sam", channel="push")
    assert [(one.channel, one.topic) for one in both] == [("push", "news"), ("push", "offers"), ("push", "all")]

    def sent(channel: str, **given: Any) -> str:
        done = acme.notifications.send_bulk(channel, [{"to": "user_sam"}], content="C", **given)
        return str(some(done.items[0].result).delivery_status)

    assert [sent("push"), sent("in_app", type="approval"), sent("in_app", type="approval", category="news")] == [
        "suppressed", "delivered", "suppressed",
    ]  # fmt: skip
    found = sales.notifications.subscriptions.list(address="user_sam", subscribed=True)
    assert [(one.channel, one.topic) for one in found] == [("in_app", "all")]


def test_who_opts_out_is_changed_once_and_another_change_is_no_consent(acme: CrmClient, stub: StubServer) -> None:
    person = acme.contacts.create({"name": "E", "email": "eva@example.com", "do_not_contact": True})
    lead = acme.leads.create({"name": "L", "email": "l@example.com", "phone": "+4930123456"})
    acme.notifications.unsubscribe(address="+4930123456", channel="sms")
    assert acme.leads.get(lead.id).version == lead.version, "a lead has no opt-out of text messages"
    acme.notifications.unsubscribe(address="eva@example.com")
    after = acme.contacts.get(person.id)
    assert (after.email_opt_out, after.version) == (True, (person.version or 0) + 1)
    acme.notifications.unsubscribe(address="eva@example.com")
    assert acme.contacts.get(person.id).version == after.version

    def subscribed() -> bool:
        (found,) = acme.notifications.subscriptions.list(address="eva@example.com").items
        return found.subscribed

    acme.contacts.update(person.id, {"do_not_contact": False})
    assert subscribed() is False
    acme.contacts.update(person.id, {"email_opt_out": False})
    assert subscribed() is True


def test_whose_subscriptions_are_listed(acme: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    stored(stub, "user", "user_sam", phone="+4930123456")
    own = sales.notifications.subscriptions.list(address="sam@acme.test").items
    user = some(stub.store.collection("tenant_acme", "user").get("user_sam"))
    assert [one.model_dump(exclude={"id"}) for one in own] == [{
        "address": "sam@acme.test", "channel": "email", "topic": "all", "subscribed": True, "source": "default",
        "reason": None, "updated_at": user["updated_at"],
    }]  # fmt: skip
    every = sales.notifications.subscriptions.list().items
    assert {(one.address, one.channel) for one in every} == {
        ("sam@acme.test", "email"), ("+4930123456", "sms"), ("user_sam", "push"), ("user_sam", "in_app"),
    }  # fmt: skip
    ids = {one.id for one in every}
    assert len(ids) == 4 and {(len(id), id[:4]) for id in ids} == {(20, "sub_")}
    assert {one.id for one in sales.notifications.subscriptions.list()} == ids
    assert [one.channel for one in sales.notifications.subscriptions.list(address="+49 30 123456")] == ["sms"]
    refusal = refused(lambda: sales.notifications.subscriptions.list(address="user_ada"))
    assert (refusal.code, refusal.fields[0].field) == ("FORBIDDEN", "address")
    assert {one.channel for one in acme.notifications.subscriptions.list(address="user_123")} == {"push", "in_app"}
    (ended,) = sales.notifications.unsubscribe(address="sam@acme.test", topic="news")
    found = {one.topic: one.id for one in sales.notifications.subscriptions.list(address="sam@acme.test")}
    assert found == {"news": ended.id, "all": own[0].id}
