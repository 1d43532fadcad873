"""What the controls of compliance measure in words, what is unusual of accesses, and which policies there can be."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from refusals import refused
from stub_data import idle, some, stored

from crm_sdk import CrmClient
from crm_sdk.models import ComplianceControl
from server_stub import StubServer
from server_stub.data.document import Document

ACME = "tenant_acme"


def measured(crm: CrmClient, name: str, **given: Any) -> ComplianceControl:
    report = crm.audit.reports.compliance(framework="gdpr", **given)
    (found,) = [one for one in report.controls if one.id == f"gdpr.{name}"]
    return found


def keep_active(stub: StubServer, count: int) -> list[str]:
    """Leave so many active users, the caller's first, and return their ids."""
    users = stub.store.collection(ACME, "user")
    template = some(users.get("user_ada"))
    for doc in users.all():
        if doc["id"] != "user_ada":
            users.remove(doc["id"])
    for number in range(1, count):
        users.put(Document(template | {"id": f"user_{number}", "email": f"u{number}@x.test", "name": f"U{number}"}))
    return ["user_ada", *(f"user_{number}" for number in range(1, count))]


def test_second_factors_are_a_warning_from_80_percent(stub: StubServer, platform: CrmClient) -> None:
    ids = keep_active(stub, 5)
    for having, status, share in ((5, "pass", 100), (4, "warning", 80), (3, "fail", 60), (0, "fail", 0)):
        for number, id in enumerate(ids):
            stored(stub, "user", id, mfa_enabled=number < having)
        found = measured(platform, "mfa")
        assert found.status == status
        assert found.measured == f"{having} of 5 active users have a second factor ({share}%)"
        assert [(one.type, one.id) for one in found.findings] == [("user", id) for id in ids[having:]]
    stored(stub, "user", ids[-1], status="inactive")
    assert measured(platform, "mfa").measured.startswith("0 of 4 active users")
    assert found.title == "Art. 32(1)(b): users sign in with a second factor"


def test_access_is_in_use_within_90_days(stub: StubServer, platform: CrmClient) -> None:
    one, two = keep_active(stub, 2)
    now = stub.clock.now()
    sessions, keys = stub.store.collection(ACME, "session"), stub.store.collection(ACME, "api_key")
    for doc in sessions.all():
        sessions.remove(doc["id"])
    long = now - timedelta(days=200)
    stored(stub, "user", one, last_login=now)
    for login, seen, unused in (
        (timedelta(days=90, seconds=-60), None, 0), (timedelta(days=90, seconds=60), None, 1),
        (None, timedelta(days=89), 0), (None, timedelta(days=91), 1), (None, None, 1),
    ):  # fmt: skip
        at = now - login if login is not None else None
        stored(stub, "user", two, last_login=at, created_at=long)
        if seen is not None:
            sessions.put(Document(id="session_x", user_id=two, last_seen_at=now - seen, revoked_at=now))
        found = measured(platform, "unused_access")
        assert found.status == ("warning" if unused else "pass")
        assert found.measured == (f"0 deactivated users with a session or a key, {unused} users unused for 90 days")
        assert [ref.id for ref in found.findings] == [two] * unused
        if seen is not None:
            sessions.remove("session_x")
    stored(stub, "user", two, status="inactive")
    key = some(keys.get("apikey_acme_sales"))
    for kind, members, gone in (
        ("api_key", {"revoked_at": None, "expires_at": None}, 1), ("api_key", {"revoked_at": now}, 0),
        ("api_key", {"revoked_at": None, "expires_at": now + timedelta(days=1)}, 1),
        ("api_key", {"revoked_at": None, "expires_at": now}, 0), ("session", {"revoked_at": None}, 1),
    ):  # fmt: skip
        id = f"{kind}_x"
        stub.store.collection(ACME, kind).put(
            Document(key | {"id": id, "user_id": two, "fingerprint": id, "last_seen_at": now} | members)
        )
        found = measured(platform, "unused_access")
        assert (found.status, [ref.id for ref in found.findings]) == (("fail", [two]) if gone else ("pass", [])), (
            members
        )
        stub.store.collection(ACME, kind).remove(id)


def test_failures_of_one_account_in_a_day_are_counted(stub: StubServer, platform: CrmClient) -> None:
    trail = stub.store.collection(ACME, "audit")
    stub.client(api_key=None, dialects="platform").auth.login("ada@acme.test", "demo-password")
    good = some(trail.last())
    while good["action"] != "auth.login":
        good = some(next(doc for doc in trail.backwards() if doc["action"] == "auth.login"))
    number = 0
    for counts, status, most in (
        ((4, 4), "pass", 4), ((5, 4), "warning", 5), ((19, 1), "warning", 19), ((20, 0), "fail", 20),
    ):  # fmt: skip
        start = stub.snapshot()
        for person, count in zip(("user_ada", "user_sam"), counts, strict=True):
            for _ in range(count):
                number += 1
                entity = {"type": "user", "id": person, "name": person}
                members = {"id": f"audit_x{number}", "action": "auth.login_failed", "entity": entity}
                trail.put(Document(good | members | {"occurred_at": stub.clock.now()}))
        found = measured(platform, "failed_logins")
        assert (found.status, len(found.audit_ids)) == (status, sum(counts))
        assert found.measured == (
            f"{sum(counts)} failed and 1 good sign-ins; at most {most} failures of one account in a day"
        )
        assert [ref.id for ref in found.findings] == (["user_ada"] if most >= 5 else [])
        stub.restore(start)


def test_what_retention_and_the_chain_are_measured_to_be(stub: StubServer, platform: CrmClient) -> None:
    found = measured(platform, "retention")
    assert found.measured == "5 of 5 policies are enabled; the trail is kept for 1,095 days"
    policies: Any = [one.model_dump() for one in platform.audit.retention_policies.list()]
    kept: Any = [one for one in policies if one["entity_type"] != "audit_log"]
    platform.audit.retention_policies.update(kept)
    found = measured(platform, "retention")
    assert (found.status, found.measured) == ("pass", "4 of 4 policies are enabled; the trail is kept for ever")
    (told,) = [entry for entry in stub.audit() if entry["action"] == "retention.updated"]
    assert found.audit_ids == [told["id"]]
    chain, entries = measured(platform, "chain"), stub.audit(reads=True)
    assert chain.measured == f"{len(entries):,} entries, in an unbroken chain"
    assert (chain.status, chain.audit_ids, chain.findings) == ("pass", [entries[-1]["id"]], [])
    stored(stub, "audit", entries[0]["id"], severity="critical")
    broken = measured(platform, "chain")
    assert (broken.status, broken.measured) == ("fail", f"{len(entries):,} entries, of which some were changed")


def test_exports_are_named_with_who_made_them(platform: CrmClient, sam: CrmClient) -> None:
    assert measured(platform, "exports").measured == "exports: 0, callers: 0, unusual: 0"
    platform.contacts.export().read()
    found = measured(platform, "exports")
    assert found.measured == "exports: 1, callers: 1, unusual: 1"
    assert [ref.type for ref in found.findings] == ["api_key"] and len(found.audit_ids) == 1


# -- accesses ----------------------------------------------------------------------------------------------------------


def test_the_mean_is_of_the_thirty_days_before(stub: StubServer, platform: CrmClient) -> None:
    idle(stub)
    id = platform.contacts.create({"name": "Ada", "email": "ada@reads.example"}).id
    for _ in range(4):
        platform.contacts.get(id)
    for days, mean in ((30, "0.1"), (31, "0.0")):
        start = stub.snapshot()
        stub.clock.advance(days * 86_400)
        platform.contacts.get(id)
        today = stub.clock.now().date()
        (row,) = platform.audit.reports.data_access(entity_type="contact", entity_id=id).rows
        assert (row.unusual, row.reads) == (True, 5)
        assert row.reasons == [f"1 on {today}, more than 3 times the mean of {mean} a day before"]
        (only,) = platform.audit.reports.data_access(entity_id=id, start_date=today).rows
        assert (only.reads, only.reasons) == (1, row.reasons)
        past = platform.audit.reports.data_access(entity_id=id, end_date=today - timedelta(days=1))
        assert [(one.reads, one.unusual) for one in past.rows] == [(4, False)]
        stub.restore(start)


def test_who_reads_most_comes_first(platform: CrmClient, sam: CrmClient) -> None:
    ids = [platform.contacts.create({"name": f"A{n}", "email": f"a{n}@reads.example"}).id for n in range(2)]
    for crm, times in ((platform, 1), (sam, 3)):
        for _ in range(times):
            crm.contacts.get(ids[0])
    platform.contacts.update(ids[1], {"title": "T"})
    platform.contacts.delete(ids[1])
    rows = platform.audit.reports.data_access(entity_type="contact").rows
    assert [(row.actor.name, row.reads, row.updates, row.deletes) for row in rows] == [
        ("acme-sales", 3, 0, 0), ("acme-admin", 1, 1, 1),
    ]  # fmt: skip
    assert [row.records for row in rows] == [1, 2]


# -- policies ----------------------------------------------------------------------------------------------------------


def test_a_wrong_set_of_policies_is_refused_with_its_reason(stub: StubServer, platform: CrmClient) -> None:
    update = platform.audit.retention_policies.update
    first = platform.audit.retention_policies.list()
    given: Any = [one.model_dump() for one in first]
    for policies, code, field, details in (
        ([{"entity_type": "audit_log", "retain_days": 364}], "RETENTION_TOO_SHORT",
         "policies.0.retain_days", {"min": 365}),
        ([{"entity_type": "audit_log", "retain_days": 400, "action": "archive"}], "VALIDATION_ERROR",
         "policies.0.action", None),
        ([{"entity_type": "deleted_records", "retain_days": 1, "action": "anonymize"}], "VALIDATION_ERROR",
         "policies.0.action", None),
        ([{"entity_type": "lead", "retain_days": 1}] * 2, "DUPLICATE_POLICY", "policies.1.entity_type", None),
        ([{"id": "retention_no", "entity_type": "lead", "retain_days": 1}], "REFERENCE_NOT_FOUND",
         "policies.0.id", None),
    ):  # fmt: skip
        wrong: Any = policies
        refusal = refused(partial(update, wrong))
        assert (refusal.status, refusal.code, refusal.fields[0].field) == (422, code, field)
        assert details is None or refusal.details == details
    assert platform.audit.retention_policies.list() == first
    for days in (365, 364):
        short: Any = {"entity_type": "lead" if days == 364 else "audit_log", "retain_days": days}
        assert update([short])[0].retain_days == days
    held: Any = {"entity_type": "lead", "retain_days": 30, "legal_hold": True}
    (made,) = update([held])
    assert (made.basis, made.action, made.enabled, made.version, made.created_by) == (
        "updated_at", "delete", True, 1, "apikey_acme_admin",
    )  # fmt: skip
    refusal = refused(partial(update, given[:0]))
    assert (refusal.status, refusal.code) == (409, "LEGAL_HOLD")
    assert refusal.details == {"id": made.id, "entityType": "lead"}
    again: Any = made.model_dump()
    count = len(stub.audit())
    assert update([again])[0].version == 1 and len(stub.audit()) == count, "nothing new is no change"
    (changed,) = update([again | {"legal_hold": False, "retain_days": 31}])
    assert (changed.id, changed.version) == (made.id, 2)
    entry = stub.audit()[-1]
    assert [(one["field"], one["before"]["retain_days"], one["after"]["retain_days"]) for one in entry["changes"]] == [
        ("lead", 30, 31)
    ]
    assert update([]) == [] and stub.audit()[-1]["changes"][0]["after"] is None


def test_a_purge_names_a_time_or_a_policy_and_is_confirmed(platform: CrmClient, stub: StubServer) -> None:
    purge = platform.audit.data_purge
    (policy,) = [one for one in platform.audit.retention_policies.list() if one.entity_type == "job"]
    now = stub.clock.now()
    for given, code, field in (
        ({}, "VALIDATION_ERROR", "before"), ({"before": now, "policy_id": policy.id}, "VALIDATION_ERROR", "before"),
        ({"policy_id": "retention_no"}, "REFERENCE_NOT_FOUND", "policy_id"),
        ({"before": now, "dry_run": False}, "CONFIRMATION_REQUIRED", "confirm"),
        ({"before": now, "dry_run": False, "confirm": "lead"}, "CONFIRMATION_REQUIRED", "confirm"),
    ):  # fmt: skip
        wanted: Any = given
        refusal = refused(partial(purge, "job", **wanted))
        assert (refusal.status, refusal.code, refusal.fields[0].field) == (422, code, field)
    assert refused(lambda: purge("hats", before=now)).fields[0].field == "entity_type"
    other = refused(lambda: purge("session", policy_id=policy.id))
    assert other.code == "REFERENCE_NOT_FOUND", "a policy is of its type"
    platform.leads.create({"name": "Old"})
    stub.clock.advance(60)
    job = purge("lead", before=stub.clock.now())
    result, counts = some(job.result), some(job.counts)
    assert (result.dry_run, result.purged, result.held) == (True, 0, 0) and result.matched > 0
    assert (counts.total, counts.skipped, counts.succeeded, counts.deleted) == (result.matched, result.matched, 0, 0)
    done = purge("lead", before=stub.clock.now(), dry_run=False, confirm="lead")
    counts = some(done.counts)
    assert (counts.total, counts.succeeded, counts.deleted, counts.skipped, counts.updated) == (
        result.matched, result.matched, result.matched, 0, 0,
    )  # fmt: skip
    assert platform.leads.list(limit=1).total == 0 and done.title == "Purge of lead"


def test_a_control_names_a_hundred_at_most(stub: StubServer, platform: CrmClient) -> None:
    trail = stub.store.collection(ACME, "audit")
    platform.leads.create({"name": "L"})
    good = some(trail.last())
    for number in range(101 * 5):
        entity = {"type": "user", "id": f"user_{number % 101}", "name": "N"}
        members = {"id": f"audit_x{number}", "action": "auth.login_failed", "entity": entity, "category": "auth"}
        trail.put(Document(good | members | {"occurred_at": stub.clock.now()}))
    found = measured(platform, "failed_logins")
    assert (len(found.findings), len(found.audit_ids)) == (100, 100)
    assert found.audit_ids == [f"audit_x{number}" for number in range(405, 505)]
