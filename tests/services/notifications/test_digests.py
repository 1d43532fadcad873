"""The digest: what is unread, by mail, at eight in the morning of the user, daily or on Mondays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer

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
