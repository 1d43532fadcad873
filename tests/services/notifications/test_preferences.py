"""Preferences, quiet hours, opt-outs and subscriptions: what holds a message back, and who decides."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models import NotificationPreferences
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.request.http import Request
from server_stub.services.notifications.preferences import quiet_until

HEADERS = {"authorization": "Bearer acme-sales", "content-type": "application/json"}
MAIL: Any = {"subject": "S", "content": "C"}


def outcome(acme: CrmClient, **more: Any) -> str:
    return str(acme.notifications.send_email("user_sam", **{**MAIL, **more}).delivery_status)


@pytest.mark.parametrize(
    ("changes", "held", "sent"),
    [
        ({"enabled": False}, {}, {"category": "transactional"}),
        ({"channels": {"email": False}}, {}, {"category": "transactional"}),
        ({"types": [{"type": "approval", "channels": ["in_app"]}]}, {"type": "approval"}, {"type": "comment"}),
    ],
)
def test_what_a_user_does_not_want_is_held_back(
    acme: CrmClient, sales: CrmClient, changes: Any, held: Any, sent: Any
) -> None:
    assert outcome(acme, **held) == "sent"
    sales.notifications.preferences.update(changes)
    assert outcome(acme, **held) == "suppressed"
    assert outcome(acme, **sent) == "sent"


def test_a_change_keeps_what_it_does_not_name_and_no_difference_writes_nothing(
    sales: CrmClient, stub: StubServer
) -> None:
    sales.notifications.preferences.update({"channels": {"sms": False}, "digest": "daily"})
    found = sales.notifications.preferences.update({"channels": {"push": False}})
    assert (found.channels.sms, found.channels.push, found.channels.email, found.digest) == (
        False,
        False,
        True,
        "daily",
    )
    count = len(stub.audit())
    assert sales.notifications.preferences.update({"channels": {"push": False}}) == found
    assert len(stub.audit()) == count
    assert [entry["action"] for entry in stub.audit()[-2:]] == ["notification.preferences_updated"] * 2


def test_others_are_for_those_who_manage(acme: CrmClient, sales: CrmClient) -> None:
    assert refused(lambda: sales.notifications.preferences.update({}, user_id="user_ada")).code == "FORBIDDEN"
    assert refused(lambda: sales.notifications.preferences.get(user_id="user_ada")).code == "FORBIDDEN"
    assert acme.notifications.preferences.update({"digest": "weekly"}, user_id="user_sam").user_id == "user_sam"
    assert sales.notifications.preferences.get().digest == "weekly"
    assert refused(lambda: acme.notifications.preferences.get(user_id="user_nobody")).status == 404


def test_what_cannot_be_is_refused(stub: StubServer) -> None:
    def check(changes: dict[str, Any]) -> None:
        body = {camel(name): value for name, value in changes.items()}
        request = Request("PUT", "/v1/notifications/preferences", headers=HEADERS, body=json.dumps(body).encode())
        answer = stub.handle(request)
        assert answer.status == 422

    cases: list[dict[str, Any]] = [
        {"types": [{"type": "system", "channels": ["email"]}]},
        {"types": [{"type": "approval", "channels": ["pigeon"]}]},
        {"types": [{"type": "a", "channels": []}, {"type": "a", "channels": []}]},
        {"channels": {"pigeon": True}},
        {"digest": "yearly"},
        {"quiet_hours": {"start": "25:00", "end": "06:00", "timezone": "UTC"}},
        {"quiet_hours": {"start": "22:00", "end": "06:00", "timezone": "Mars/North"}},
    ]
    for case in cases:
        check(case)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (("22:00", "07:00", "Europe/Berlin"), (23, 30), datetime(2026, 1, 16, 6, 0, tzinfo=UTC)),
        (("22:00", "07:00", "Europe/Berlin"), (21, 0), datetime(2026, 1, 16, 6, 0, tzinfo=UTC)),
        (("22:00", "07:00", "Europe/Berlin"), (20, 59), None),
        (("09:00", "18:00", "Asia/Tokyo"), (23, 30), None),
        (("09:00", "18:00", "America/Los_Angeles"), (23, 30), datetime(2026, 1, 16, 2, 0, tzinfo=UTC)),
    ],
)
def test_quiet_hours_are_those_of_the_users_zone(
    acme: CrmClient, sales: CrmClient, stub: StubServer, hours: Any, now: Any, until: datetime | None
) -> None:
    start, end, zone = hours
    sales.notifications.preferences.update({"quiet_hours": {"start": start, "end": end, "timezone": zone}})
    stub.clock.advance((datetime(2026, 1, 15, now[0], now[1], tzinfo=UTC) - stub.clock.now()).total_seconds())
    sent = acme.notifications.send_email("user_sam", **MAIL)
    assert (sent.delivery_status, sent.scheduled_at) == (("scheduled", until) if until else ("sent", None))
    assert acme.notifications.send_email("user_sam", priority="high", **MAIL).delivery_status == "sent"
    if until is not None:
        stub.clock.advance((until - stub.clock.now()).total_seconds() + 2)
        assert acme.notifications.status(sent.id).delivery_status == "delivered"


def test_the_inbox_obeys_too_but_for_the_system(acme: CrmClient, sales: CrmClient) -> None:
    sales.notifications.preferences.update({"channels": {"in_app": False}})
    sent = [
        acme.notifications.send_in_app("user_sam", title="T", content="C", type=type).delivery_status
        for type in ("approval", "system")
    ]
    assert sent == ["suppressed", "delivered"]


def test_unsubscribing_from_a_topic_and_from_all(acme: CrmClient) -> None:
    person = acme.contacts.create({"name": "Eva", "email": "eva@example.com"})

    def sent(category: str) -> str:
        return str(acme.notifications.send_email(person.id, category=category, **MAIL).delivery_status)

    acme.notifications.unsubscribe(address="EVA@example.com", topic="marketing")
    assert [sent(word) for word in ("marketing", "support")] == ["suppressed", "sent"]
    assert acme.contacts.get(person.id).email_opt_out is False
    ended = acme.notifications.unsubscribe(address="eva@example.com")
    assert acme.notifications.unsubscribe(address="eva@example.com") == ended
    assert [sent(word) for word in ("support", "transactional")] == ["suppressed", "sent"]
    assert acme.contacts.get(person.id).email_opt_out is True


def test_an_opt_out_of_sms_holds_back_sms_only(acme: CrmClient) -> None:
    person = acme.contacts.create({
        "name": "Eva", "email": "eva@example.com", "phone": "+4930123457", "sms_opt_out": True,
    })  # fmt: skip
    assert acme.notifications.send_sms(person.id, content="x").delivery_status == "suppressed"
    assert acme.notifications.send_email(person.id, **MAIL).delivery_status == "sent"


def test_addresses_of_others_are_for_those_who_may(sales: CrmClient, acme: CrmClient, stub: StubServer) -> None:
    own = "sam@acme.test"
    assert sales.notifications.unsubscribe(address=own, topic="comment")[0].address == own
    assert [one.topic for one in sales.notifications.subscriptions.list(subscribed=False)] == ["comment"]
    for call in (
        lambda: sales.notifications.unsubscribe(address="ada@acme.test"),
        lambda: sales.notifications.subscriptions.list(address="ada@acme.test"),
    ):
        assert refused(call).code == "FORBIDDEN"
    assert own in {one.address for one in acme.notifications.subscriptions.list(subscribed=False)}


def test_subscriptions_tell_what_preferences_decide(sales: CrmClient, acme: CrmClient) -> None:
    """Of those who changed nothing, too; what an address does not want any more stands in the place of it."""

    def listed(**asked: Any) -> dict[tuple[str, str], tuple[bool, str]]:
        found = sales.notifications.subscriptions.list(**asked)
        assert {one.address for one in found} <= {"sam@acme.test", "user_sam"}
        return {(one.channel, one.topic): (one.subscribed, one.source) for one in found}

    every = ("email", "all"), ("push", "all"), ("in_app", "all")
    assert listed() == dict.fromkeys(every, (True, "default"))
    changes: Any = {"channels": {"push": False}, "types": [{"type": "mention", "channels": ["email", "push"]}]}
    sales.notifications.preferences.update(changes)
    assert listed() == {
        ("email", "all"): (True, "default"),
        ("push", "all"): (False, "preferences"),
        ("in_app", "all"): (True, "default"),
        ("email", "mention"): (True, "preferences"),
        ("push", "mention"): (False, "preferences"),
        ("in_app", "mention"): (False, "preferences"),
    }
    assert set(listed(channel="push", subscribed=False)) == {("push", "all"), ("push", "mention")}
    sales.notifications.unsubscribe(address="sam@acme.test")
    assert listed()["email", "all"] == (False, "api")
    sales.notifications.preferences.update({"enabled": False})
    assert set(listed(subscribed=True)) == set()
    assert listed()["in_app", "all"] == (False, "preferences")
    everybody = {one.address for one in acme.notifications.subscriptions.list(channel="in_app", limit=100)}
    assert {"user_sam", "user_ada"} <= everybody
    assert {one.channel for one in acme.notifications.subscriptions.list(address="user_sam")} == {"push", "in_app"}


def test_quiet_hours_change_in_part_and_are_by_default_those_of_the_users_zone(
    sales: CrmClient, acme: CrmClient, stub: StubServer
) -> None:
    def hours(**changes: Any) -> Any:
        given: Any = {"quiet_hours": changes}
        found = sales.notifications.preferences.update(given).quiet_hours
        return found and (found.start, found.end, found.timezone)

    zone = acme.users.get("user_sam").timezone
    assert [one.field for one in refused(lambda: hours(start="22:00")).fields] == ["quiet_hours.end"]
    assert hours(start="22:00", end="07:00") == ("22:00", "07:00", zone)
    sales.users.preferences.update("me", {"timezone": "Asia/Tokyo"})
    assert hours(end="06:30") == ("22:00", "06:30", "Asia/Tokyo")
    assert hours(timezone="Europe/Berlin") == ("22:00", "06:30", "Europe/Berlin")
    count = len(stub.audit())
    hours(start="22:00")
    assert len(stub.audit()) == count
    assert sales.notifications.preferences.update({"quiet_hours": None}).quiet_hours is None


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 3, 29, 0, 10, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # there is no 02:30
        (datetime(2026, 10, 25, 0, 15, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 15, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),  # 02:15 once more
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), None),
    ],
)
def test_quiet_hours_end_later_than_they_are_asked_about(now: datetime, until: datetime | None) -> None:
    stub = StubServer(start=now)
    acme, sales = (stub.client(api_key=key) for key in ("acme-admin", "acme-sales"))
    night: Any = {"quiet_hours": {"start": "22:00", "end": "02:30", "timezone": "Europe/Berlin"}}
    sales.notifications.preferences.update(night)
    assert acme.notifications.send_email("user_sam", **MAIL).scheduled_at == until


def test_a_message_that_falls_due_or_is_tried_again_obeys_too(
    acme: CrmClient, sales: CrmClient, stub: StubServer
) -> None:
    def move(hour: int, minute: int = 0) -> None:
        stub.clock.advance((datetime(2026, 1, 16, hour, minute, tzinfo=UTC) - stub.clock.now()).total_seconds())

    evening, morning = datetime(2026, 1, 16, 20, tzinfo=UTC), datetime(2026, 1, 17, 6, tzinfo=UTC)
    waits = acme.notifications.send_email("user_sam", scheduled_at=evening, **MAIL)
    sales.notifications.preferences.update({"quiet_hours": {"start": "20:00", "end": "06:00", "timezone": "UTC"}})
    move(19, 59)
    stub.outbox.refuse("sam@acme.test")
    failed = acme.notifications.send_email("user_sam", **MAIL)
    move(21)
    assert acme.notifications.status(waits.id).delivery_status == "scheduled"
    assert acme.notifications.status(failed.id).next_retry_at == morning
    assert not stub.outbox.messages
    stub.clock.advance((morning - stub.clock.now()).total_seconds())
    assert {one.notification_id for one in stub.outbox.messages} == {waits.id, failed.id}


def test_what_failed_is_not_tried_again_once_it_is_not_wanted(acme: CrmClient, stub: StubServer) -> None:
    stub.outbox.refuse("eva@example.com")
    failed = acme.notifications.send_email("eva@example.com", **MAIL)
    acme.notifications.unsubscribe(address="eva@example.com")
    assert acme.notifications.retry(failed.id).delivery_status == "suppressed"
    assert not stub.outbox.messages


@pytest.mark.parametrize("noun", ["contacts", "leads"])
def test_who_takes_an_opt_out_back_is_subscribed_again(acme: CrmClient, noun: str) -> None:
    calls: Any = getattr(acme, noun)
    person = calls.create({"name": "Eva", "email": "eva@example.com"})
    acme.notifications.unsubscribe(address="eva@example.com", topic="marketing")
    acme.notifications.unsubscribe(address="eva@example.com")
    calls.update(person.id, {"email_opt_out": False})
    sent = [
        acme.notifications.send_email(person.id, category=word, **MAIL).delivery_status
        for word in ("support", "marketing")
    ]
    assert sent == ["sent", "suppressed"]
    found = acme.notifications.subscriptions.list(address="eva@example.com", sort="updated_at", order="asc").items
    assert [(one.topic, one.subscribed) for one in found] == [("marketing", False), ("all", True)]


# -- changes of preferences --------------------------------------------------------------------------------------------


def test_what_a_change_of_preferences_answers_writes_and_tells(
    acme: CrmClient, sales: CrmClient, stub: StubServer
) -> None:
    def change(**changes: Any) -> tuple[NotificationPreferences, list[dict[str, Any]]]:
        count, given = len(stub.audit()), changes
        answer = sales.notifications.preferences.update(given)  # type: ignore[arg-type] # a plain dict
        assert sales.notifications.preferences.get() == answer
        return answer, [change for entry in stub.audit()[count:] for change in entry["changes"]]

    first = sales.notifications.preferences.get()
    assert first.model_dump() == {
        "user_id": "user_sam", "enabled": True, "types": [], "quiet_hours": None, "digest": "none",
        "channels": {"in_app": True, "email": True, "sms": True, "push": True}, "language": first.language,
    }  # fmt: skip
    user = acme.users.get("user_sam").version
    types: list[dict[str, Any]] = [{"type": "system", "channels": ["in_app", "email", "in_app"]}]
    typed, said = change(types=types, digest="weekly")
    listed = [{"type": "system", "channels": ["in_app", "email"]}]
    assert (typed.model_dump()["types"], typed.digest) == (listed, "weekly")
    assert {one["field"]: (one["before"], one["after"]) for one in said} == {
        "types": ([], listed), "digest": ("none", "weekly"),
    }  # fmt: skip
    assert acme.users.get("user_sam").version == user, "they are not the user's own"
    assert change(types=types, digest="weekly", channels={}, language=None) == (typed, [])
    off, said = change(enabled=False)
    assert said == [{"field": "enabled", "before": True, "after": False}] and off.enabled is False
    assert acme.users.get("user_sam").version == (user or 0) + 1
    assert sales.users.preferences.get("me").notifications is False
    assert change(enabled=False)[1] == []
    on, said = change(enabled=True, digest="none", types=None)
    assert on == first and {one["field"] for one in said} == {"enabled", "digest", "types"}
    spoken, said = change(language="de")
    assert said == [{"field": "language", "before": first.language, "after": "de"}] and spoken.language == "de"
    assert change(language=None)[0] == first
    stored(stub, "user", "user_sam", preferences=None, locale="es", timezone=None)
    assert sales.notifications.preferences.get().language == "es"
    hours, _ = change(quiet_hours={"start": "22:00", "end": "06:00"})
    assert hours.model_dump()["quiet_hours"] == {"start": "22:00", "end": "06:00", "timezone": "UTC"}
    assert sales.notifications.preferences.get(user_id="me") == sales.notifications.preferences.get(user_id="user_sam")


def test_each_wrong_preference_is_named(acme: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    for changes, field, rule in (
        ({"quiet_hours": {"end": "06:00"}}, "quiet_hours.start", "required"),
        ({"quiet_hours": {"start": "06:00"}}, "quiet_hours.end", "required"),
        ({"quiet_hours": {"start": "06:00", "end": "06:00"}}, "quiet_hours.end", "min"),
        ({"quiet_hours": {"start": "06:00", "end": "07:00", "timezone": "X/Y"}}, "quiet_hours.timezone", "format"),
        ({"types": [{"type": "a", "channels": []}, {"type": "b", "channels": []}, {"type": "b", "channels": []}]},
         "types.2.type", "unique"),
        ({"types": [{"type": "a", "channels": []}, {"type": "system", "channels": ["email"]}]},
         "types.1.channels", "required"),
    ):  # fmt: skip
        given: Any = changes
        error = refused(lambda given=given: sales.notifications.preferences.update(given))  # type: ignore[misc] # the value of this turn is bound
        assert [(one.field, one.rule) for one in error.fields] == [(field, rule)], changes
    assert sales.notifications.preferences.get().types == []
    token = acme.auth.token(grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret")
    app = stub.client(api_key=str(token.access_token), dialects="platform", max_retries=0)
    nobody = refused(app.notifications.preferences.get)
    assert (nobody.status, nobody.code) == (403, "NO_USER")
    assert app.notifications.preferences.get(user_id="user_sam").user_id == "user_sam", "one that names a user"


def test_to_the_second_when_quiet_hours_are_and_whom_they_keep_waiting(
    acme: CrmClient, sales: CrmClient, stub: StubServer
) -> None:
    night, day = (
        {"start": one, "end": end, "timezone": "UTC"} for one, end in (("22:00", "07:00"), ("09:00", "18:00"))
    )
    assert quiet_until({"quiet_hours": None}, datetime(2026, 1, 15, tzinfo=UTC)) is None
    for hours, (hour, minute, second), until in (
        (night, (21, 59, 59), None), (night, (22, 0, 0), (16, 7)), (night, (0, 0, 0), (15, 7)),
        (night, (6, 59, 59), (15, 7)), (night, (7, 0, 0), None), (night, (12, 0, 0), None),
        (day, (8, 59, 59), None), (day, (9, 0, 0), (15, 18)), (day, (17, 59, 59), (15, 18)), (day, (18, 0, 0), None),
    ):  # fmt: skip
        found = quiet_until({"quiet_hours": hours}, datetime(2026, 1, 15, hour, minute, second, tzinfo=UTC))
        assert found == (datetime(2026, 1, *until, tzinfo=UTC) if until else None), (hours, hour, minute, second)
    now = stub.clock.now()
    around: Any = {"quiet_hours": {
        "start": f"{now:%H}:00", "end": f"{now + timedelta(hours=2):%H}:00", "timezone": "UTC",
    }}  # fmt: skip
    sales.notifications.preferences.update(around)
    waits = acme.notifications.send_email("user_sam", **MAIL)
    assert waits.delivery_status == "scheduled" and some(waits.scheduled_at) > now
    assert acme.notifications.send_push("user_sam", content="C", priority="low").delivery_status == "scheduled"
    assert acme.notifications.send_in_app("user_sam", title="T", content="C").delivery_status == "delivered"
    assert acme.notifications.send_email("user_ada", **MAIL).delivery_status == "sent"
    assert acme.notifications.send_email("stranger@example.com", **MAIL).delivery_status == "sent"
