"""Every setting, and every rule of the security policy, changes something: one that changes nothing fails here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from newcomers import PASSWORD

from crm_sdk import ApiError, CrmClient, JobFailedError
from crm_sdk.models import CalendarEvent
from crm_sdk.models.security import SecurityPolicyInput
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.http import Request
from server_stub.request.settings import SETTINGS

HOUR = 3_600
DAY = 24 * HOUR
START = datetime(2026, 3, 24, 9, 0, tzinfo=UTC)
Probe = Callable[[StubServer, CrmClient], object]

FOR_INTERFACES = {"ui.navigation", "ui.home_dashboard_id", "ui.density"}
"""What a server cannot do: the settings are kept for whoever shows something. `docs/configuration.md` says so."""


def refusal(call: Callable[..., object], *arguments: Any, **named: Any) -> str | None:
    """Return the code of the error that a call raises; None where it succeeds."""
    try:
        call(*arguments, **named)
    except ApiError as error:
        return error.code
    return None


def anonymous(stub: StubServer, **named: Any) -> CrmClient:
    return stub.client(api_key=None, dialects="platform", max_retries=0, **named)


def signed_in(stub: StubServer, admin: CrmClient, password: str = PASSWORD, email: str = "kim@acme.test") -> CrmClient:
    admin.users.create({"email": email, "name": "Kim", "password": password})
    crm = anonymous(stub)
    crm.auth.login(email, password)
    return crm


# -- settings ----------------------------------------------------------------------------------------------------------


def reminders(stub: StubServer, admin: CrmClient) -> object:
    event = admin.activities.events.create(
        {"title": "Visit", "start_time": START, "end_time": START + timedelta(hours=1)}
    )
    return [reminder.minutes_before for reminder in event.reminders]


def times_found(stub: StubServer, admin: CrmClient) -> tuple[object, ...]:
    """Return how long, and how close to a meeting, the free times are."""
    admin.activities.events.create({"title": "Visit", "start_time": START, "end_time": START + timedelta(hours=1)})
    me = admin.users.get("me").id
    span = {"start": START - timedelta(hours=1), "end": START + timedelta(hours=4), "business_hours": False}
    found = admin.activities.availability([me], **span)  # type: ignore[arg-type] # one keyword is a boolean
    booked = admin.activities.schedule(title="Next", duration_minutes=60, user_ids=[me], earliest=START)
    return found.duration_minutes, [slot.start for slot in found.slots], booked.start_time


def logged(stub: StubServer, admin: CrmClient) -> object:
    """Return when a meeting ended of which only the beginning was told."""
    (contact,) = admin.contacts.list(limit=1).items
    at = stub.clock.now() - timedelta(days=1)
    stub.client(dialects="flow").contacts.communication.create(
        contact.id, {"type": "meeting", "summary": "Met", "date": at}
    )
    found = admin.activities.list(kind=["event"], contact_id=contact.id)
    (met,) = (one for one in found if isinstance(one, CalendarEvent) and one.start_time == at)
    return met.end_time


def rotten(stub: StubServer, admin: CrmClient) -> object:
    now = stub.clock.now()  # the work is due at once, so that a day's other work is not done
    stub.store.collection("tenant_acme", "timetable").put(Document(id="rotten deals", due_at=now, last_run=now))
    stub.clock.advance(1)
    return any("rotting" in one.title for one in admin.notifications.list(type="deal_update", limit=200).items)


def feed(stub: StubServer, admin: CrmClient) -> object:
    return refusal(signed_in(stub, admin).calendar.feed.create)


def changes_kept(stub: StubServer, admin: CrmClient) -> object:
    oldest = admin.changes.list(limit=0).oldest
    return oldest and stub.clock.now() - oldest


def strictness(stub: StubServer, admin: CrmClient) -> object:
    (contact,) = admin.contacts.list(limit=1).items
    return refusal(admin.contacts.update, contact.id, {"custom_fields": {"undefined": 1}})


def export_expiry(stub: StubServer, admin: CrmClient) -> object:
    job = admin.exports.create({"entity_types": ["territory"]})
    expires_at = job.wait().expires_at
    assert expires_at is not None
    return expires_at - stub.clock.now()


def chat(stub: StubServer, admin: CrmClient) -> object:
    (deal,) = admin.deals.list(limit=1).items
    answer = admin.chatops.send(f"/set {deal.id} company=Renamed")
    assert answer.plan is not None, answer.text
    return answer.plan.status, admin.deals.get(deal.id).company


def label_of_deal(stub: StubServer, admin: CrmClient) -> object:
    return admin.objects.describe("deal").label


def erased_comes_back(stub: StubServer, admin: CrmClient) -> object:
    email = "gone@erased.test"
    admin.contacts.create({"name": "Gone Person", "email": email})
    admin.privacy.erase({"email": email}, dry_run=False, confirm=email).wait()
    return refusal(admin.contacts.create, {"name": "Gone Person", "email": email})


def import_result(stub: StubServer, admin: CrmClient) -> object:
    job = admin.imports.create("contact", ("rows.csv", b"name,email\nA B,a@rows.test\nC D,c@rows.test\n"))
    try:
        return job.wait().created_ids != []
    except JobFailedError as error:
        return str(error)


def backups_made(stub: StubServer, admin: CrmClient) -> object:
    stub.clock.advance(HOUR + 60)
    return len(admin.backups.list(trigger="scheduled", limit=200).items)


def last_backup(stub: StubServer, admin: CrmClient) -> object:
    admin.backups.create().wait()
    return [refusal(admin.backups.delete, backup.id) for backup in admin.backups.list(limit=200).items]


def recovery(stub: StubServer, admin: CrmClient) -> object:
    return admin.monitoring.status().recovery


PROBES: Mapping[str, tuple[Any, Probe]] = {
    "records.page_size": (3, lambda stub, admin: len(admin.contacts.list().items)),
    "customization.strict_fields": (True, strictness),
    "deals.rotten_notify": (False, rotten),
    "activities.reminder_minutes": ([5, 10], reminders),
    "calendar.meeting_minutes": (45, lambda stub, admin: (logged(stub, admin), times_found(stub, admin)[0])),
    "calendar.buffer_minutes": (90, times_found),
    "calendar.feed_allowed": (False, feed),
    "imports.max_rows": (1, import_result),
    "exports.keep_days": (2, export_expiry),
    "changes.keep_days": (3, changes_kept),
    "backup.schedule": ("hourly", backups_made),
    "backup.keep": (0, last_backup),
    "backup.rpo_hours": (7, recovery),
    "chatops.confirm_writes": (False, chat),
    "privacy.block_erased": (False, erased_comes_back),
    "ui.terminology": ({"deal": {"one": "Opportunity", "many": "Opportunities"}}, label_of_deal),
}
"""Another value than the default, and what is different with it."""


def both(stub: StubServer, probe: Probe, change: Callable[[CrmClient], object]) -> tuple[object, object]:
    """Return what a probe finds, without and with a change."""
    before = stub.snapshot()
    without = probe(stub, stub.client(dialects="platform", max_retries=0))
    stub.restore(before)
    admin = stub.client(dialects="platform", max_retries=0)
    change(admin)
    return without, probe(stub, admin)


@pytest.mark.parametrize("key", sorted(set(SETTINGS) - FOR_INTERFACES))
def test_each_setting_changes_something(stub: StubServer, key: str) -> None:
    value, probe = PROBES[key]
    without, with_it = both(stub, probe, lambda admin: admin.configuration.settings.update({key: value}))
    assert without != with_it


# -- the security policy -----------------------------------------------------------------------------------------------


def password_of(password: str) -> Probe:
    return lambda stub, admin: refusal(
        admin.users.create, {"email": "kim@acme.test", "name": "Kim", "password": password}
    )


def sign_in_with_an_old_password(stub: StubServer, admin: CrmClient) -> object:
    signed_in(stub, admin)
    users = stub.store.collection("tenant_acme", "user")
    (kim,) = users.find("email", "kim@acme.test")
    users.put(kim | {"created_at": kim["created_at"] - timedelta(days=40)})
    before = refusal(anonymous(stub).auth.login, "kim@acme.test", PASSWORD)
    anonymous(stub).auth.password.reset("kim@acme.test")
    anonymous(stub).auth.password.confirm(token_of_mail(stub, "kim@acme.test"), f"{PASSWORD}!")
    assert refusal(anonymous(stub).auth.login, "kim@acme.test", f"{PASSWORD}!") is None
    return before


def call_later(seconds: float) -> Probe:
    """Sign in, renew the token later, and call."""

    def probe(stub: StubServer, admin: CrmClient) -> object:
        crm = signed_in(stub, admin)
        stub.clock.advance(seconds)
        return refusal(crm.deals.list)

    return probe


def call_without_factor(stub: StubServer, admin: CrmClient) -> object:
    admin.users.create({"email": "kim@acme.test", "name": "Kim", "password": PASSWORD})
    kim = anonymous(stub)
    kim.auth.login("kim@acme.test", PASSWORD)
    before = refusal(kim.deals.list)
    if before is not None:
        code = pyotp.TOTP(str(kim.auth.mfa.setup().secret)).at(stub.clock.now())
        kim.auth.mfa.verify(code)
        assert refusal(kim.deals.list) is None
    return before


def tries_until_locked(stub: StubServer, admin: CrmClient) -> object:
    crm = anonymous(stub)
    codes = [refusal(crm.auth.login, "ada@acme.test", "wrong") for _ in range(7)]
    stub.clock.advance(3 * 60)
    return codes, refusal(crm.auth.login, "ada@acme.test", "wrong")


def unverified(stub: StubServer, admin: CrmClient) -> object:
    admin.users.create({"email": "kim@acme.test", "name": "Kim", "password": PASSWORD})
    return refusal(anonymous(stub).auth.login, "kim@acme.test", PASSWORD)


def token_of_mail(stub: StubServer, address: str) -> str:
    (*_, mail) = (mail for mail in stub.mails if mail.to == address)
    return str(mail.token)


def invited(stub: StubServer, admin: CrmClient) -> object:
    admin.users.create({"email": "kim@acme.test", "name": "Kim"})
    token = token_of_mail(stub, "kim@acme.test")
    return refusal(
        anonymous(stub).auth.register,
        email="kim@acme.test", password=PASSWORD, name="Kim", invitation_token=token,
    )  # fmt: skip


def password_again(stub: StubServer, admin: CrmClient) -> object:
    signed_in(stub, admin)
    crm = anonymous(stub)
    crm.auth.password.reset("kim@acme.test")
    return refusal(crm.auth.password.confirm, token_of_mail(stub, "kim@acme.test"), PASSWORD)


def call_from_elsewhere(stub: StubServer, admin: CrmClient) -> object:
    headers = {"authorization": "Bearer acme-admin"}
    return stub.handle(Request("GET", "/v1/deals", headers=headers, peer="203.0.113.9")).status


def key_for_ever(stub: StubServer, admin: CrmClient) -> object:
    key = admin.security.api_keys.create({"name": "for ever"})
    renewed = admin.security.api_keys.rotate(admin.security.api_keys.create({"name": "renewed"}).id)
    return key.expires_at is None, renewed.expires_at is None


def own_key(stub: StubServer, admin: CrmClient) -> object:
    return refusal(signed_in(stub, admin).security.api_keys.create, {"name": "mine"})


def link(stub: StubServer, admin: CrmClient) -> object:
    file = admin.files.upload(("note.txt", b"text"))
    return refusal(admin.files.share, file.id, link=True)


def read_by_sales(stub: StubServer, admin: CrmClient) -> object:
    return stub.client(api_key="acme-sales", dialects="platform").deals.list().total


POLICIES: Mapping[str, tuple[object, Probe]] = {
    "password_min_length": (20, password_of("Short-Horse-7")),
    "password_require": (["symbol"], password_of("ShortHorse7")),
    "require_mfa": (True, call_without_factor),
    "require_email_verification": (True, unverified),
    "session_timeout_minutes": (5, call_later(10 * 60)),
    "session_idle_minutes": (5, call_later(10 * 60)),
    "allowed_email_domains": (["else.test"], invited),
    "ip_allowlist": (["127.0.0.0/8"], call_from_elsewhere),
    "lockout_attempts": (3, tries_until_locked),
    "lockout_minutes": (2, tries_until_locked),
    "password_max_age_days": (30, sign_in_with_an_old_password),
    "password_history": (0, password_again),
    "api_key_max_days": (30, key_for_ever),
    "allow_share_links": (False, link),
    "allow_api_keys": (False, own_key),
    "default_scope": ("own", read_by_sales),
}
"""Another value than the default of each rule, and what is different with it."""


def change_policy(stub: StubServer, name: str, value: object) -> None:
    """Change the policy, as somebody with a second factor would."""
    acme = stub.tenant("tenant_acme")
    stub.store.collection("tenant_acme", "tenant").put(acme | {"security": {**acme["security"], name: value}})


@pytest.mark.parametrize("name", sorted(SecurityPolicyInput.__annotations__))
def test_each_rule_of_the_security_policy_changes_something(stub: StubServer, name: str) -> None:
    value, probe = POLICIES[name]
    without, with_it = both(stub, probe, lambda admin: change_policy(stub, name, value))
    assert without != with_it
