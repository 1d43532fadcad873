"""Reads in the audit trail: which are written, what they say, and who is counted for what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from refusals import refused
from stub_data import idle

from crm_sdk import CrmClient
from crm_sdk.models import AuditLog, DataAccessRow
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.audit.accesses import SORTS, accesses
from server_stub.services.ranges import span
from server_stub.timetable import system_call

Read: TypeAlias = Callable[[CrmClient], str]


def reads(client: CrmClient, **given: Any) -> list[AuditLog]:
    return [entry for entry in client.audit.logs.list(**given) if entry.action.endswith(".read")]


def row_of(client: CrmClient, actor: str, entity_type: str, **given: Any) -> DataAccessRow:
    (row,) = client.audit.reports.data_access(user_id=actor, entity_type=entity_type, **given).rows
    return row


def a_contact(client: CrmClient, name: str = "Ada") -> str:
    return client.contacts.create({"name": name, "email": f"{name.lower()}@reads.example"}).id


def a_call(client: CrmClient) -> str:
    return client.activities.list(kind=["call"], limit=1).items[0].id


READ: dict[str, tuple[str, Read]] = {
    "contact.read": ("contact", lambda crm: crm.contacts.get(a_contact(crm)).id),
    "lead.read": ("lead", lambda crm: crm.leads.get(crm.leads.create({"name": "Ada"}).id).id),
    "call.read": ("activity", lambda crm: crm.communication.calls.get(a_call(crm)).id),
    "user.read": ("user", lambda crm: crm.users.get("user_mia").id),
}


@pytest.mark.parametrize("action", READ)
def test_a_record_with_personal_data_leaves_an_entry(stub: StubServer, platform: CrmClient, action: str) -> None:
    kind, read = READ[action]
    events = len(stub.store.collection("tenant_acme", "event"))
    id = read(platform)
    (entry,) = reads(platform, entity_id=id)
    assert (entry.action, entry.category, entry.entity.type, entry.entity.id) == (action, "access", kind, id)
    assert (entry.changes, entry.source.method, entry.source.status) == ([], "GET", 200)
    told = [event["type"] for event in stub.store.collection("tenant_acme", "event").all()[events:]]
    assert not [name for name in told if name.endswith(".read")]  # in no feed, and to no webhook
    assert platform.audit.logs.list(verify=True, limit=1).meta == {"chainValid": True}


def test_the_entry_of_a_private_event_has_no_more_of_it_than_the_trail(platform: CrmClient) -> None:
    at = platform.activities.list(kind=["event"], limit=1).items[0]
    platform.activities.update(at.id, {"title": "Hush", "visibility": "private"})
    platform.activities.get(at.id)
    (entry,) = reads(platform, entity_id=at.id)
    assert entry.action == "event.read" and entry.entity.name != "Hush"


def test_a_test_sees_the_deeds_and_if_it_wants_the_reads(stub: StubServer, platform: CrmClient) -> None:
    platform.contacts.get(a_contact(platform))
    assert stub.audit()[-1]["action"] == "contact.created"
    assert stub.audit(reads=True)[-1]["action"] == "contact.read"


def test_every_dialect_is_logged(stub: StubServer, platform: CrmClient) -> None:
    id = a_contact(platform)
    stub.client(dialects="flow").contacts.get(id)
    lead = platform.leads.create({"name": "Ada"}).id
    stub.client(dialects="mvp").leads.get(lead)
    assert [entry.source.dialect for entry in (*reads(platform, entity_id=id), *reads(platform, entity_id=lead))] == [
        "flow",
        "mvp",
    ]


def test_what_was_not_answered_is_not_logged(stub: StubServer, platform: CrmClient, globex: CrmClient) -> None:
    id = a_contact(platform)
    assert refused(lambda: globex.contacts.get(id)).status == 404
    platform.contacts.list(limit=100)
    platform.deals.list(limit=1)
    platform.users.get("me")
    before = len(reads(platform))
    path = f"/v1/contacts/{id}"
    etag = platform.request("GET", path).headers["etag"]
    assert platform.request("GET", path, headers={"If-None-Match": etag}).status == 304
    assert before == 0 and len(reads(platform)) == 1
    stub.log_reads = False
    platform.contacts.get(id)
    stub.log_reads = True
    assert len(reads(platform)) == 1


@pytest.mark.parametrize("scanned", [False, True])
def test_a_long_list_leaves_one_entry_with_its_ids(platform: CrmClient, scanned: bool) -> None:
    found: Any = platform.objects.scan("contact", limit=120) if scanned else platform.contacts.list(limit=120)
    ids = [str(item["id"] if isinstance(item, dict) else item.id) for item in found.items]
    (entry,) = reads(platform, entity_type="contact")
    assert len(ids) == 120 and entry.metadata == {"count": 120, "ids": ids} and entry.entity.id == "contacts"
    row = row_of(platform, entry.actor.id, "contact")
    assert (row.reads, row.records) == (1, 120)
    one = platform.audit.reports.data_access(entity_type="contact", entity_id=ids[7])
    assert [row.reads for row in one.rows] == [1]


def test_the_report_counts_what_a_caller_did(stub: StubServer, platform: CrmClient, sam: CrmClient) -> None:
    one, two = a_contact(platform), a_contact(platform, "Bob")
    key = reads_by(sam, one)
    for id in (one, one, two):
        sam.contacts.get(id)
    mine = sam.contacts.create({"name": "Eve", "email": "eve@reads.example"}).id
    sam.contacts.update(mine, {"title": "CEO", "department": "X"})
    sam.contacts.delete(mine)
    row = row_of(platform, key, "contact")
    assert (row.reads, row.exports, row.updates, row.deletes, row.records) == (4, 0, 1, 1, 3)
    assert row.actor.id == key and row.first_at < row.last_at and not row.unusual and not row.reasons
    report = platform.audit.reports.data_access(user_id=key)
    for name in ("reads", "exports", "updates", "deletes", "records", "unusual"):
        assert report.totals[name] == sum(int(getattr(row, name)) for row in report.rows)
    only = row_of(platform, key, "contact", entity_id=two)
    assert (only.reads, only.records) == (1, 1)
    tomorrow = (stub.clock.now() + timedelta(days=1)).date()
    assert not platform.audit.reports.data_access(start_date=tomorrow, end_date=tomorrow).rows
    assert refused(lambda: sam.audit.reports.data_access()).code == "FORBIDDEN"


def reads_by(client: CrmClient, id: str) -> str:
    """Read a contact, and return the id of who has read it."""
    client.contacts.get(id)
    return client.auth.sessions.current().id.removeprefix("session_")


def test_a_call_that_is_changed_is_one_update(platform: CrmClient) -> None:
    key = reads_by(platform, a_contact(platform))
    platform.communication.calls.update(a_call(platform), {"description": "They called back"})
    assert row_of(platform, key, "activity").updates == 1  # activity.updated and call.updated tell of it


def test_the_first_export_is_unusual_and_the_second_is_not(stub: StubServer, platform: CrmClient) -> None:
    platform.contacts.export().read()
    actor = platform.auth.sessions.current().id.removeprefix("session_")
    row = row_of(platform, actor, "contact")
    assert (row.exports, row.unusual, row.records) == (1, True, platform.contacts.list(limit=1).total)
    assert row.reasons == [f"the first export, on {stub.clock.now().date()}"]
    idle(stub).clock.advance(40 * 86_400)
    platform.contacts.export().read()
    today = stub.clock.now().date()
    again = row_of(platform, actor, "contact", start_date=today)
    assert again.exports == 1 and not [reason for reason in again.reasons if "first" in reason]


@pytest.mark.thorough
@pytest.mark.parametrize(("count", "unusual"), [(6, False), (7, True)])
def test_more_than_three_times_the_own_mean_is_unusual(
    stub: StubServer, platform: CrmClient, count: int, unusual: bool
) -> None:
    idle(stub)
    id = a_contact(platform)
    for _ in range(5):
        for _ in range(2):
            actor = reads_by(platform, id)
        stub.clock.advance(86_400)
    for _ in range(count):
        platform.contacts.get(id)
    today = stub.clock.now().date()
    row = row_of(platform, actor, "contact")
    assert (row.unusual, row.reads) == (unusual, 10 + count)
    said = [f"{count} on {today}, more than 3 times the mean of 2.0 a day before"] if unusual else []
    assert row.reasons == said
    shown = platform.audit.reports.data_access(user_id=actor, entity_type="contact", unusual=unusual)
    assert shown.rows == [row] and shown.totals["unusual"] == int(unusual)
    assert not platform.audit.reports.data_access(user_id=actor, entity_type="contact", unusual=not unusual).rows


def test_a_read_changes_no_lineage_and_makes_no_figures_stale(stub: StubServer, platform: CrmClient) -> None:
    id = a_contact(platform)
    before = platform.audit.data_lineage("contact", id)
    platform.contacts.get(id)
    assert platform.audit.data_lineage("contact", id) == before
    dashboard = platform.dashboards.list(limit=1).items[0].id
    platform.dashboards.data(dashboard)
    platform.contacts.get(id)
    assert not platform.dashboards.data(dashboard).stale


def entry(day: int, action: str = "contact.read", hour: int = 12, **members: Any) -> Any:
    """Return an entry of the trail, of a day of March 2001 in New York."""
    usual: dict[str, Any] = {
        "action": action, "actor": {"id": "user_ada", "type": "user"}, "entity": {"id": f"c{day}", "type": "contact"},
        "changes": [], "metadata": {}, "source": {"request_id": f"{day} {hour}"},
        "occurred_at": datetime(2001, 3, day, hour, tzinfo=ZoneInfo("America/New_York")),
    }  # fmt: skip
    return Document(usual | members)


def test_what_is_counted_and_what_is_unusual_of_what_somebody_did(stub: StubServer) -> None:
    call = system_call(stub, "tenant_acme", stub.clock.now(), "test")

    def rows(*entries: Any, first: int = 10, last: int = 20) -> list[tuple[Any, ...]]:
        whole = span(call, date(2001, 3, first), date(2001, 3, last))
        made = [one.row() for one in accesses(call, whole, entries)]
        return [(row["actor"]["id"], *(row[sort] for sort in SORTS), row["records"], row["reasons"]) for row in made]

    change = [{"field": "name"}]
    assert rows(entry(10)) == [("user_ada", 1, 0, 0, 0, 1, [])] and rows(entry(9), entry(21)) == []
    assert [row[:2] for row in rows(entry(10, hour=0), entry(20, hour=23))] == [("user_ada", 2)], (
        "the whole of both days"
    )
    ones: list[tuple[Any, tuple[int, int, int, int] | None]] = [
        (entry(10, "file.downloaded"), (1, 0, 0, 0)), (entry(10, "contact.exported"), (0, 1, 0, 0)),
        (entry(10, "contact.updated", changes=change), (0, 0, 1, 0)), (entry(10, "contact.updated"), None),
        (entry(10, "contact.created", changes=change), None), (entry(10, "contact.deleted"), (0, 0, 0, 1)),
        (entry(10, "report.exported"), None), (entry(10, "notification.read"), None),
        (entry(10, actor={"id": "system", "type": "system"}), None),
        (entry(10, "lead.qualified", changes=change), (0, 0, 1, 0)),
    ]  # fmt: skip
    for each, counts in ones:
        assert [row[1:5] for row in rows(each)] == ([counts] if counts else []), each["action"]
    listed = entry(10, metadata={"count": 7, "ids": ["c1", "c2"]})
    exported = entry(11, "contact.exported", metadata={"count": 9})
    assert rows(listed) == [("user_ada", 1, 0, 0, 0, 7, [])]
    assert rows(listed, entry(12, metadata={"ids": ["c2", "c3", "c12"]})) == [("user_ada", 2, 0, 0, 0, 7, [])]
    assert rows(exported, entry(12)) == [("user_ada", 1, 1, 0, 0, 9, ["the first export, on 2001-03-11"])]
    assert rows(entry(10, "contact.exported"), exported, first=11) == [("user_ada", 0, 1, 0, 0, 9, [])], (
        "the first was before"
    )
    twice = entry(10, "contact.updated", changes=change)
    assert rows(twice, twice, twice | {"action": "contact.moved"}) == [("user_ada", 0, 0, 1, 0, 1, [])]
    other: Any = {"actor": {"id": "user_sam", "type": "user"}}
    assert [row[:2] for row in rows(entry(10), entry(10, **other), entry(11, **other))] == [
        ("user_sam", 2), ("user_ada", 1),
    ]  # fmt: skip
    assert [row[:2] for row in rows(entry(10, **other), entry(10))] == [("user_ada", 1), ("user_sam", 1)]
    many = [entry(10, hour=hour) for hour in range(7)]
    before = [entry(day, hour=hour) for day in range(7, 10) for hour in range(2)]
    said = "7 on 2001-03-10, more than 3 times the mean of 2.0 a day before"
    assert [row[-1] for row in rows(*before, *many)] == [[said]]
    assert [row[-1] for row in rows(*before, *many[1:])] == [[]], "three times as many are not more"
    assert [row[-1] for row in rows(*many)] == [[]], "there is no day before"
    assert [row[-1] for row in rows(*before, *many, first=11)] == [] == rows(*before, *many, last=10, first=10)[1:]
    assert [row[-1] for row in rows(*before, *many, entry(11))] == [[said]]
    february = [entry(1, hour=hour) | {"occurred_at": entry(1)["occurred_at"] - timedelta(days=20)} for hour in (1, 2)]
    late = [entry(20), *february[:1]]
    assert [row[-1] for row in rows(*late[::-1])] == [
        ["1 on 2001-03-20, more than 3 times the mean of 0.0 a day before"]
    ]
    assert [row[-1] for row in rows(*before[:5], entry(20))] == [[]], "the mean of thirteen days is 0.4"
