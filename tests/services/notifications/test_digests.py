"""The digest: what is unread, by mail, at eight in the morning of the user, daily or on Mondays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.notifications import notify
from server_stub.services.notifications.digests import schedule, send_digests
from server_stub.timetable import system_call

DAY = 86_400
BERLIN = ZoneInfo("Europe/Berlin")

Tell = Callable[[str], str]


@pytest.fixture
def eva(acme: CrmClient) -> str:
    """Somebody new, to whom nothing else happens."""
    given: Any = {"email": "eva@acme.test", "name": "Eva", "role": "sales", "password": "Correct-Horse-7!"}
    id = acme.users.create(given).id
    acme.users.profile.update(id, {"timezone": "Europe/Berlin"})
    return id


@pytest.fixture
def prefer(acme: CrmClient, eva: str) -> Callable[..., Any]:
    return lambda **changes: acme.notifications.preferences.update(changes, user_id=eva)  # type: ignore[arg-type] # a plain dict


@pytest.fixture
def tell(acme: CrmClient, eva: str) -> Tell:
    def send(title: str) -> str:
        given = {"title": title}
        return acme.notifications.send_in_app(eva, title="{{ title }}", content="C", variables=given).id

    return send


def digests(stub: StubServer, *, sent: bool = True) -> list[tuple[datetime, str, str]]:
    """When each digest was sent, with its title and its text."""
    found = [doc for doc in stub.store.collection("tenant_acme", "notification") if doc["type"] == "digest"]
    return [(doc["sent_at"], doc["title"], doc["message"]) for doc in found if not sent or doc["sent_at"] is not None]


@pytest.mark.thorough
def test_a_daily_digest_has_what_is_unread_since_the_last(
    stub: StubServer, eva: str, prefer: Callable[..., Any], tell: Tell
) -> None:
    prefer(digest="daily")
    notifications = stub.store.collection("tenant_acme", "notification")
    read = tell("Read already")
    notifications.put({**(notifications.get(read) or {}), "read": True})
    tell("{{ unread }}")
    stub.clock.advance(DAY)
    ((at, title, text),) = digests(stub)
    assert at.astimezone(BERLIN).strftime("%H:%M") == "08:00"
    assert title.endswith(": 1 unread notifications") and text.startswith("Hello Eva, ")
    assert "{{ unread }}: C" in text and "Read already" not in text
    assert [message.recipient for message in stub.outbox.messages if message.title == title] == ["eva@acme.test"]
    stub.clock.advance(3 * DAY)  # nothing new: nothing is sent
    assert len(digests(stub)) == 1
    tell("Another one")
    stub.clock.advance(DAY)
    later, title, text = digests(stub)[-1]
    assert ": 1 unread" in title and "Another one" in text and (later - at).days == 4


@pytest.mark.thorough
def test_a_weekly_digest_comes_on_mondays_in_the_language_of_the_user(
    stub: StubServer, prefer: Callable[..., Any], tell: Tell
) -> None:
    prefer(digest="weekly", language="de-AT")
    for number in range(25):
        tell(f"Nummer {number}")
    stub.clock.advance(15 * DAY)
    ((at, title, text),) = digests(stub)
    assert at.astimezone(BERLIN).strftime("%a %H:%M") == "Mon 08:00" and "25 ungelesene" in title
    assert "Nummer 24:" in text and "Nummer 4:" not in text and text.endswith("und 5 weitere")


@pytest.mark.thorough
@pytest.mark.parametrize("why", ["none", "no e-mail", "unsubscribed", "inactive"])
def test_who_wants_no_digest_gets_none(
    stub: StubServer, acme: CrmClient, eva: str, prefer: Callable[..., Any], tell: Tell, why: str
) -> None:
    prefer(digest="daily")
    tell("One")
    if why == "none":
        prefer(digest="none")
    elif why == "no e-mail":
        prefer(channels={"email": False})
    elif why == "unsubscribed":
        acme.notifications.unsubscribe(address="eva@acme.test", topic="digest")
    else:
        acme.users.deactivate(eva)
    stub.clock.advance(2 * DAY)
    assert not digests(stub)


def test_quiet_hours_delay_a_digest_and_a_new_zone_moves_it(
    stub: StubServer, acme: CrmClient, eva: str, prefer: Callable[..., Any], tell: Tell
) -> None:
    prefer(digest="daily", quiet_hours={"start": "22:00", "end": "09:30", "timezone": "Europe/Berlin"})
    tell("One")
    stub.clock.advance(DAY)
    assert digests(stub)[0][0].astimezone(BERLIN).strftime("%H:%M") == "09:30"
    prefer(quiet_hours=None)
    acme.users.profile.update(eva, {"timezone": "Asia/Tokyo"})
    tell("Two")
    stub.clock.advance(DAY)
    assert digests(stub)[-1][0].astimezone(ZoneInfo("Asia/Tokyo")).strftime("%H:%M") == "08:00"


# -- when, and of what -------------------------------------------------------------------------------------------------


def at(day: int, hour: int, minute: int = 0, **more: int) -> datetime:
    """Return a time of January 2026 in Berlin: the 5th and the 12th are Mondays."""
    return datetime(2026, 1, day, hour, minute, tzinfo=BERLIN, **more).astimezone(UTC)


def kept(stub: StubServer, id: str) -> Document:
    return some(stub.store.collection("tenant_acme", "notification_preferences").get(id))


def test_when_a_digest_is_due(stub: StubServer, acme: CrmClient, eva: str, prefer: Callable[..., Any]) -> None:
    prefer(digest="daily")
    assert kept(stub, eva)["digest_at"].astimezone(BERLIN).strftime("%H:%M") == "08:00"
    entry = Document(entity={"type": "user", "id": eva})
    for digest, zone, now, due in (
        ("daily", "Europe/Berlin", at(6, 7, 59), at(6, 8)), ("daily", "Europe/Berlin", at(6, 8), at(7, 8)),
        ("weekly", "Europe/Berlin", at(6, 7), at(12, 8)), ("weekly", "Europe/Berlin", at(5, 7), at(5, 8)),
        ("weekly", "Europe/Berlin", at(5, 8), at(12, 8)), ("weekly", "Europe/Berlin", at(11, 23), at(12, 8)),
        ("daily", None, at(6, 8), at(6, 9)), ("daily", "Asia/Tokyo", at(6, 20), at(7, 0)),
        ("none", "Europe/Berlin", at(6, 7), None), (None, "Europe/Berlin", at(6, 7), None),
    ):  # fmt: skip
        stored(stub, "user", eva, timezone=zone)
        stored(stub, "notification_preferences", eva, digest=digest, digest_at=None)
        schedule(system_call(stub, "tenant_acme", now, "test"), entry)
        assert kept(stub, eva)["digest_at"] == due, (digest, zone, now)
    for nobody in ("user_nobody", "user_sam"):  # who has changed no preference
        schedule(system_call(stub, "tenant_acme", at(6, 7), "test"), Document(entity={"type": "user", "id": nobody}))
    assert [doc["id"] for doc in stub.store.collection("tenant_acme", "notification_preferences")] == [eva]
    stub.store.collection("tenant_acme", "user").remove(eva)
    before = kept(stub, eva)
    schedule(system_call(stub, "tenant_acme", at(6, 7), "test"), entry)
    assert kept(stub, eva) == before


def test_what_a_digest_has_and_when_the_next_is_due(
    stub: StubServer, acme: CrmClient, eva: str, prefer: Callable[..., Any]
) -> None:
    prefer(digest="daily")
    notifications, due, ms = stub.store.collection("tenant_acme", "notification"), at(6, 8), timedelta(milliseconds=1)
    usual: dict[str, Any] = {
        "user_id": eva, "channel": "in_app", "delivery_status": "delivered", "read": False, "type": "approval",
        "title": "T", "message": "M", "expires_at": None, "created_at": at(6, 7), "version": 1,
    }  # fmt: skip
    cases: list[dict[str, Any]] = [
        {}, {"created_at": at(5, 8)}, {"created_at": at(5, 8) - ms}, {"read": True}, {"channel": "email"},
        {"delivery_status": "suppressed"}, {"expires_at": due}, {"expires_at": due + ms, "title": "Soon"},
        {"user_id": "user_sam"},
    ]  # fmt: skip
    for number, members in enumerate(cases):
        notifications.put(Document(id=f"x_{number}", **{**usual, **members}))

    def sent(**members: Any) -> list[Document]:
        stored(stub, "notification_preferences", eva, **{"digest_at": due, "digested_at": None, **members})
        before = {doc["id"] for doc in notifications}
        with stub.store.transaction():
            send_digests(system_call(stub, "tenant_acme", due, "test"))
        return [doc for doc in notifications if doc["id"] not in before]

    (one,) = sent()
    assert one["metadata"] == {"notificationIds": ["x_0", "x_7", "x_1"]}
    assert (one["title"], one["type"], one["category"], one["channel"], one["user_id"], one["recipient"]) == (
        "Acme: 3 unread notifications", "digest", "digest", "email", eva, "eva@acme.test",
    )  # fmt: skip
    lines = one["message"].splitlines()
    assert lines == [
        "Hello Eva, you have not read these yet:", "",
        "- 2026-01-06 07:00  T: M", "- 2026-01-06 07:00  Soon: M", "- 2026-01-05 08:00  T: M",
    ]  # fmt: skip
    assert (kept(stub, eva)["digested_at"], kept(stub, eva)["digest_at"]) == (due, at(7, 8))
    found: list[tuple[dict[str, Any], set[str] | None]] = [
        ({"digested_at": at(5, 9)}, {"x_0", "x_7"}), ({"digested_at": at(1, 8)}, {"x_0", "x_7", "x_1"}),
        ({"digested_at": at(6, 7) + ms}, None), ({"digest_at": due + ms}, None), ({"digest_at": None}, None),
        ({"digest": "weekly", "digested_at": at(1, 8)}, {"x_0", "x_7", "x_1", "x_2"}),
    ]  # fmt: skip
    for members, ids in found:
        made = sent(**{"digest": "daily", **members})
        assert [{*doc["metadata"]["notificationIds"]} for doc in made] == ([ids] if ids is not None else []), members
    stored(stub, "user", eva, email=None)
    assert sent(digest="daily") == [] and kept(stub, eva)["digest_at"] == at(7, 8), "nobody can be reached"
    stored(stub, "user", eva, email="eva@acme.test", status="invited")
    assert len(sent()) == 1, "who has not accepted the invitation yet, too"
    stored(stub, "user", eva, status="inactive")
    assert sent() == [] and kept(stub, eva)["digest_at"] is None
    stub.store.collection("tenant_acme", "user").remove(eva)
    assert sent() == [] and kept(stub, eva)["digest_at"] is None


def test_a_digest_says_as_much_as_the_inbox_and_counts_the_rest(
    stub: StubServer, acme: CrmClient, eva: str, prefer: Callable[..., Any]
) -> None:
    def mailed(count: int, **members: Any) -> list[str]:
        stored(stub, "notification_preferences", eva, digest_at=at(6, 8), digested_at=None)
        for doc in notifications.find("user_id", eva):
            notifications.remove(doc["id"])
        for number in range(count):
            call = system_call(stub, "tenant_acme", at(6, 7) + timedelta(seconds=number), "test")
            notify(call, eva, "approval", f"N{number}", "M", **members)
        with stub.store.transaction():
            send_digests(system_call(stub, "tenant_acme", at(6, 8), "test"))
        (mail,) = [doc for doc in notifications.find("user_id", eva) if doc["type"] == "digest"]
        return str(mail["message"]).splitlines()

    prefer(digest="daily", language="de-AT")
    notifications = stub.store.collection("tenant_acme", "notification")
    twenty, more = mailed(20), mailed(22)
    assert (len(twenty), twenty[0]) == (22, "Guten Tag Eva, diese sind noch ungelesen:")
    assert [line.rpartition("  ")[2] for line in twenty[2:]] == [f"N{number}: M" for number in reversed(range(20))]
    assert [line.rpartition("  ")[2] for line in more[2:]] == [
        *(f"N{number}: M" for number in reversed(range(2, 22))), "und 2 weitere",
    ]  # fmt: skip
    body: Any = {"key": "less", "name": "L", "permissions": [], "field_permissions": [
        {"entity": "notification", "field": "title", "access": "hidden"},
    ]}  # fmt: skip
    acme.security.roles.create(body)
    acme.users.roles.assign(eva, "less")
    acme.users.roles.remove(eva, "sales")
    assert mailed(1)[2:] == ["- 2026-01-06 07:00  M"]
    hidden: Any = [{"entity": "notification", "field": name, "access": "hidden"} for name in ("title", "message")]
    acme.security.roles.update("less", {"field_permissions": hidden})
    stored(stub, "user", eva, timezone=None)
    assert mailed(1)[2:] == ["- 2026-01-06 06:00  approval"]
    prefer(language=None)
    stored(stub, "user", eva, preferences=None, locale="es-MX")
    assert mailed(1)[0] == "Hola Eva, estas aún están sin leer:"
    stored(stub, "user", eva, locale=None)
    assert mailed(1)[0] == "Hello Eva, you have not read these yet:"
    stored(stub, "user", eva, preferences={"language": "AR"})
    assert mailed(1)[0].startswith("مرحبًا Eva")
