"""Whom a message goes to and in which language, what it says where nobody said so, and who is told no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer

MAIL: Any = {"subject": "S", "content": "C"}


def events(stub: StubServer, id: str) -> list[tuple[str, Any]]:
    return [(entry["action"], entry["metadata"]) for entry in stub.audit() if entry["entity"]["id"] == id]


def sender(acme: CrmClient, channel: str) -> Callable[..., Any]:
    return partial(acme.notifications.send_email, subject="S") if channel == "email" else acme.notifications.send_sms


def test_who_a_message_goes_to_is_an_id_or_an_address_of_the_channel(acme: CrmClient) -> None:
    nobody = acme.contacts.create({"name": "Nobody"})
    for channel, to, code, field in (
        ("email", "nobody", "REFERENCE_NOT_FOUND", "to"),
        ("email", "123456789", "REFERENCE_NOT_FOUND", "to"),
        ("email", "contact_nobody", "REFERENCE_NOT_FOUND", "to"),
        ("email", "+4930123456", "VALIDATION_ERROR", "to"),
        ("email", nobody.id, "NO_ADDRESS", "to"),
        ("sms", "nobody", "INVALID_PHONE", "to"),
        ("sms", "a@example.com", "INVALID_PHONE", "to"),
        ("sms", "lead_nobody", "REFERENCE_NOT_FOUND", "to"),
        ("sms", "user_nobody", "REFERENCE_NOT_FOUND", "to"),
        ("sms", nobody.id, "NO_ADDRESS", "to"),
        ("sms", "+123456", "INVALID_PHONE", "to"),
        ("sms", "+1234567890123456", "INVALID_PHONE", "to"),
    ):
        refusal = refused(partial(sender(acme, channel), to, content="C"))
        assert (refusal.status, refusal.code, refusal.fields[0].field) == (422, code, field), (channel, to)
    what = {"email": "e-mail address", "sms": "telephone number"}
    for channel, said in what.items():
        refusal = refused(partial(sender(acme, channel), nobody.id, content="C"))
        assert refusal.message == f"Nobody has no {said}"
    for to in ("+1234567", "+123456789012345", " +49 30 123456 "):
        assert acme.notifications.send_sms(to, content="C").recipient == to.replace(" ", "")


def test_a_record_is_written_to_by_its_address_for_the_channel(acme: CrmClient) -> None:
    for number, (mobile, phone) in enumerate((("+4930123001", "+4930123002"), (None, "+4930123003"))):
        members: Any = {"name": "P", "email": f"p{number}@example.com", "mobile": mobile, "phone": phone}
        person = acme.contacts.create(members)
        text, mail = (
            acme.notifications.send_sms(person.id, content="C"),
            acme.notifications.send_email(person.id, **MAIL),
        )
        assert (text.recipient, mail.recipient) == (mobile or phone, f"p{number}@example.com")
        assert {one.contact_id for one in (text, mail)} == {person.id} and text.user_id is mail.user_id is None
    lead = acme.leads.create({"name": "L", "email": "l@example.com", "phone": "+4930123009"})
    for one in (acme.notifications.send_sms(lead.id, content="C"), acme.notifications.send_email(lead.id, **MAIL)):
        assert one.entity is not None
        assert (one.entity.type, one.entity.id, one.entity.name) == ("lead", lead.id, "L")
    user = acme.notifications.send_email("user_sam", **MAIL)
    assert (user.recipient, user.user_id, user.contact_id, user.entity) == ("sam@acme.test", "user_sam", None, None)


def test_an_address_is_that_of_the_user_the_contact_or_else_the_lead(acme: CrmClient, stub: StubServer) -> None:
    lead = acme.leads.create({"name": "L", "email": "l@example.com", "phone": "+4930123009"})
    ways: Any = ((partial(acme.notifications.send_email, **MAIL), "L@Example.com"),
                     (partial(acme.notifications.send_sms, content="C"), "+49 30 123009"))  # fmt: skip
    for send, to in ways:
        sent = send(to)
        assert sent.entity is not None and (sent.entity.id, sent.contact_id) == (lead.id, None)
    first = acme.contacts.create({"name": "A", "email": "a@example.com", "secondary_emails": ["l@example.com"]})
    sent = acme.notifications.send_email("l@example.com", **MAIL)
    assert (sent.contact_id, sent.entity) == (first.id, None), "the contact before the lead"
    second = acme.contacts.create({"name": "B", "email": "b@example.com", "mobile": "+4930123009"})
    stored(stub, "contact", first.id, phone="+4930123009")
    for number, person in enumerate((first, second, first)):
        stored(stub, "contact", person.id, last_activity_at=stub.clock.now() + timedelta(seconds=number))
        assert acme.notifications.send_sms("+4930123009", content="C").contact_id == person.id, "the latest"
    assert acme.notifications.send_email("sam@acme.test", **MAIL).user_id == "user_sam"


def test_the_language_of_a_user_is_that_of_the_messages_else_the_general_one(acme: CrmClient) -> None:
    translations: Any = [{"language": tag, "subject": tag, "content": tag} for tag in ("de", "es", "ar")]
    made = acme.notifications.templates.create(
        {"name": "T", "category": "support", "subject": "en", "content": "en", "translations": translations}
    )

    def language(to: str = "user_sam") -> str | None:
        return acme.notifications.send_email(to, template_id=made.id).title

    acme.users.profile.update("user_sam", {"locale": "ar"})
    assert language() == "en", "the general preference is English by default"
    acme.users.preferences.update("user_sam", {"language": "es"})
    assert language() == "es"
    acme.notifications.preferences.update({"language": "de"}, user_id="user_sam")
    assert language() == "de"
    acme.notifications.preferences.update({"language": None}, user_id="user_sam")
    assert language() == "es"
    lead = acme.leads.create({"name": "L", "email": "l@example.com", "language": "ar"})
    assert (language(lead.id), language("stranger@example.com")) == ("ar", "en")


def test_sales_write_to_what_nobody_owns(stub: StubServer, acme: CrmClient, sales: CrmClient) -> None:
    free = acme.contacts.create({"name": "Free", "email": "free@example.com"})
    stored(stub, "contact", free.id, owner_id=None)
    assert sales.notifications.send_email(free.id, **MAIL).contact_id == free.id
    refusal = refused(lambda: sales.notifications.send_email("user_ada", **MAIL))
    assert (refusal.code, refusal.fields[0].field) == ("FORBIDDEN", "to")


# -- what a message says -----------------------------------------------------------------------------------------------


def test_a_message_without_a_subject_has_the_first_line_of_its_text(acme: CrmClient) -> None:
    for text, title in (
        ("\n  \n  First  \nSecond", "First"),
        ("x" * 100, "x" * 100),
        ("x" * 101, f"{'x' * 99}…"),
    ):
        assert acme.notifications.send_sms("+4930123456", content=text).title == title


def test_the_segments_of_a_text_message(acme: CrmClient) -> None:
    for letter, length, segments in (
        ("a", 160, 1), ("a", 161, 2), ("a", 306, 2), ("a", 307, 3),
        ("€", 80, 1), ("€", 81, 2), ("€", 153, 2), ("€", 154, 3),
        ("ж", 70, 1), ("ж", 71, 2), ("ж", 134, 2), ("ж", 135, 3), ("😀", 35, 1), ("😀", 36, 2),
    ):  # fmt: skip
        sent = acme.notifications.send_sms("+4930123456", content=letter * length, metadata={"a": 1})
        assert sent.metadata == {"a": 1, "segments": segments}, (letter, length)
    assert acme.notifications.send_email("a@example.com", **MAIL).metadata == {}
    for length in (1_600, 1_601):
        send = partial(
            acme.notifications.send_sms, "+4930123456", content="{{ text }}", variables={"text": "a" * length}
        )
        if length == 1_600:
            assert send().metadata == {"segments": 11}
        else:
            refusal = refused(send)
            assert (refusal.status, refusal.fields[0].field, refusal.fields[0].rule) == (422, "content", "length")


def test_values_with_dots_are_members_of_objects(acme: CrmClient) -> None:
    values = {"deal": "D", "deal.title": "Big", "deal.owner.name": "Ada", "deal.owner.role": "admin", "city": "Bonn"}
    text = "{{ deal.title }}, {{ deal.owner.name }} ({{ deal.owner.role }}), {{ city }}"
    sent = acme.notifications.send_email("a@example.com", subject="S", content=text, variables=values)
    assert sent.message == "Big, Ada (admin), Bonn"


def test_what_the_language_of_templates_has(acme: CrmClient) -> None:
    values = {"name": "Eva", "list": "a b", "zero": "0"}
    for text, filled in (
        ("{% if name is defined %}yes{% endif %}", "yes"),
        ("{% if nobody is undefined %}none{% endif %}", "none"),
        ("{{ nobody | default('x') }}{{ nobody | d('y') }}", "xy"),
        ("{{ name if name is string else 'no' }}", "Eva"),
        ("{{ name | upper | reverse }}", "AVE"),
        ("{{ name ~ '!' }}\n", "Eva!\n"),
        ("{{ name['length'] | default('no') }}", "no"),
        ("{% if zero == '0' and not (name == 'X') %}{{ list | length }}{% else %}-{% endif %}", "3"),
        ("plain } text", "plain } text"),
    ):
        assert (
            acme.notifications.send_email("a@example.com", subject="S", content=text, variables=values).message
            == filled
        )
    cannot = partial(acme.notifications.send_email, "a@example.com", subject="S", content="{{ 1 / (zero | int) }}")
    refusal = refused(lambda: cannot(variables=values))
    assert (refusal.status, refusal.code, refusal.fields[0].details) == (422, "TEMPLATE_SYNTAX", {"line": None})
    assert refusal.fields[0].field == "content" and refusal.message.startswith("the text cannot be filled in: ")


def test_a_text_or_a_template_and_who_is_told_why_not(acme: CrmClient) -> None:
    made = acme.notifications.templates.create({"name": "T", "category": "support", "subject": "S", "content": "C"})
    for given, said in (
        ({}, "give a text, or a template"),
        ({"content": "C", "template_id": made.id}, "give either a text or a template, not both"),
    ):
        refusal = refused(partial(acme.notifications.send_email, "a@example.com", **given))  # type: ignore[arg-type] # each is wrong
        assert (refusal.status, refusal.message, refusal.fields[0].field) == (422, said, "content")
    for name in ("subject", "content"):
        given = {"content": "C", "subject": "S", name: "Hi {{"}
        refusal = refused(partial(acme.notifications.send_bulk, "email", [{"to": "a@example.com"}], **given))  # type: ignore[arg-type] # texts only
        assert (refusal.code, refusal.fields[0].field) == ("TEMPLATE_SYNTAX", name)
    deal = acme.deals.list(limit=1).items[0]
    sent = acme.notifications.send_email("a@example.com", entity={"type": "deal", "id": deal.id}, **MAIL)
    assert sent.entity is not None and (sent.entity.type, sent.entity.name) == ("deal", deal.title)


# -- who wants no more -------------------------------------------------------------------------------------------------


def test_unsubscribing_names_an_address_and_ends_every_topic(acme: CrmClient, stub: StubServer) -> None:
    unsubscribe = acme.notifications.unsubscribe
    refusal = refused(unsubscribe)
    assert (refusal.status, refusal.fields[0].field, refusal.fields[0].rule) == (422, "address", "required")
    nobody = stub.client(api_key=None, dialects="platform", max_retries=0)
    assert refused(lambda: nobody.notifications.unsubscribe(address="eva@example.com")).code == "UNAUTHORIZED"
    assert refused(lambda: nobody.notifications.unsubscribe(token="x.y")).code == "INVALID_TOKEN"
    (news,) = unsubscribe(address="Eva@Example.com", topic="news")
    (text,) = unsubscribe(address="+49 30 123456", channel="sms", topic="news")
    assert (news.address, news.channel, news.topic, news.subscribed, news.source) == (
        "eva@example.com", "email", "news", False, "api",
    )  # fmt: skip
    assert (text.address, text.channel) == ("+4930123456", "sms")
    every = unsubscribe(address="eva@example.com")
    assert {one.topic: one.id for one in every} == {"news": news.id, "all": every[-1].id} and len(every) == 2
    assert events(stub, news.id) == [
        ("notification.unsubscribed",
         {"address": "eva@example.com", "channel": "email", "topic": "news", "subscription_id": news.id}),
    ]  # fmt: skip
    assert [one.id for one in unsubscribe(address="eva@example.com")] == [one.id for one in every]
    assert len(events(stub, every[-1].id)) == 1


@pytest.mark.parametrize("noun", ["contacts", "leads"])
def test_who_wants_nothing_has_opted_out_by_every_address(acme: CrmClient, noun: str) -> None:
    calls: Any = getattr(acme, noun)
    members: Any = {"name": "E", "email": "eva@example.com", "phone": "+4930123456"}
    if noun == "contacts":
        members |= {"secondary_emails": ["e@example.com"], "mobile": "+4930123457"}
    person, other = calls.create(members), calls.create({"name": "O", "email": "o@example.com"})
    acme.notifications.unsubscribe(address="eva@example.com", topic="news")
    assert calls.get(person.id).email_opt_out is False
    for address in ("e@example.com", "eva@example.com") if noun == "contacts" else ("eva@example.com",):
        acme.notifications.unsubscribe(address=address)
        assert calls.get(person.id).email_opt_out is True and calls.get(other.id).email_opt_out is False
        calls.update(person.id, {"email_opt_out": False})
        (found,) = [one for one in acme.notifications.subscriptions.list(address=address) if one.topic == "all"]
        assert (found.subscribed, found.source, found.reason) == (True, "api", None)
    if noun == "contacts":
        for address in ("+4930123456", "+4930123457"):
            acme.notifications.unsubscribe(address=address, channel="sms")
            found = calls.get(person.id)
            assert (found.sms_opt_out, found.email_opt_out) == (True, False)
            calls.update(person.id, {"sms_opt_out": False})
            assert acme.notifications.send_sms(address, content="C").delivery_status == "sent"


def test_subscriptions_are_found_by_what_they_have(acme: CrmClient, sales: CrmClient) -> None:
    unsubscribe, find = acme.notifications.unsubscribe, acme.notifications.subscriptions.list
    (mail,), (text,) = (
        unsubscribe(address="a@example.com", topic="x"),
        unsubscribe(address="+4930123456", channel="sms"),
    )
    before = {one.id for one in find()} - {mail.id, text.id}
    (own,) = sales.notifications.unsubscribe(address="sam@acme.test", topic="x")
    cases: Any = (
        ({"address": "A@example.com"}, [mail]), ({"address": "+49 30 123456"}, [text]), ({"channel": "sms"}, [text]),
        ({"topic": "x"}, [own, mail]), ({"subscribed": False}, [own, text, mail]), ({"subscribed": True}, []),
        ({"order": "asc", "sort": "updated_at"}, [mail, text, own]),
    )  # fmt: skip
    for given, expected in cases:
        found = [one.id for one in find(**given) if one.id not in before]
        assert found == [one.id for one in expected], given
    assert [one.id for one in sales.notifications.subscriptions.list(topic="x")] == [own.id]
    assert [one.id for one in sales.notifications.subscriptions.list(address="SAM@acme.test", topic="x")] == [own.id]
