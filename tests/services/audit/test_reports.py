"""What the trail tells of changes, and of where records came from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import idle, stored

from crm_sdk import CrmClient
from crm_sdk.models import DataLineage
from server_stub import StubServer


@pytest.fixture
def contact(platform: CrmClient) -> str:
    """A contact with a history."""
    id = platform.contacts.create({"name": "Ada", "email": "ada@x.example", "title": "A", "department": "X"}).id
    for change in ({"title": "B"}, {"department": "Y", "title": "C"}, {"title": None}):
        given: Any = change
        platform.contacts.update(id, given)
    return id


def relations(found: DataLineage) -> set[tuple[str, str, str]]:
    return {(edge.source.id, edge.relation, edge.target.id) for edge in found.edges}


def test_the_report_rebuilds_the_history_of_a_record(platform: CrmClient, contact: str) -> None:
    report = platform.audit.reports.changes(entity_type="contact", entity_id=contact, limit=200)
    said = [(row.field, row.before, row.after) for row in report.items if row.field in ("title", "department")]
    assert [row for row in said if row[0] == "title"] == [
        ("title", "A", "B"),
        ("title", "B", "C"),
        ("title", "C", None),
    ]
    assert [row for row in said if row[0] == "department"] == [("department", "X", "Y")]
    assert report.total == len(report.items) == sum(report.by_field.values()) == sum(report.by_actor.values())
    entry = platform.audit.logs.get(report.items[0].audit_id)
    assert (entry.action, entry.actor) == (report.items[0].action, report.items[0].actor)
    (only,) = platform.audit.reports.changes(entity_id=contact, field="department").items
    assert (only.before, only.after) == ("X", "Y")
    (deal, key) = (platform.deals.list(limit=1).items[0].id, report.items[0].actor.id)
    platform.deals.update(deal, {"title": "Other"})
    for given, total in (
        ({"entity_type": "contact"}, report.total), ({"entity_type": "lead"}, 0), ({"user_id": "user_nobody"}, 0),
        ({"user_id": key}, report.total), ({"start_date": date(2026, 1, 14), "end_date": date(2026, 1, 14)}, 0),
        ({"entity_id": "contact_none"}, 0),
    ):  # fmt: skip
        asked: Any = {"entity_id": contact, **given}
        found = platform.audit.reports.changes(**asked)
        assert (found.total, len(found.items)) == (total, total), given
        assert found.by_actor == ({key: total} if total else {}), given
    assert platform.audit.reports.changes(field="title", entity_type="deal").by_field == {"title": 1}
    page = platform.audit.reports.changes(entity_id=contact, limit=1, page=2)
    assert (page.items, page.has_next, page.total) == (report.items[1:2], True, report.total)
    half = report.total // 2
    for number, limit, more in (
        (1, report.total - 1, True),
        (1, report.total, False),
        (2, half, report.total % 2 == 1),
    ):
        page = platform.audit.reports.changes(entity_id=contact, limit=limit, page=number)
        assert (len(page.items), page.has_next) == (limit, more)


def test_the_report_of_a_record_goes_back_to_its_first_day(platform: CrmClient, contact: str, stub: StubServer) -> None:
    long_ago = stub.clock.now() - timedelta(days=500)
    entries = stub.store.collection("tenant_acme", "audit").all()
    for entry in (entries[0], *(one for one in entries if one["entity"]["id"] == contact)):
        stored(stub, "audit", entry["id"], occurred_at=long_ago)
    day = long_ago.date()
    for given, total in (
        ({"entity_id": contact}, 1), ({"entity_id": contact, "end_date": day + timedelta(days=1)}, 1),
        ({"entity_id": contact, "end_date": day - timedelta(days=2)}, 0), ({"entity_type": "contact"}, 0),
        ({"entity_id": contact, "start_date": day + timedelta(days=2)}, 0),
        ({"entity_type": "contact", "start_date": day - timedelta(days=1), "end_date": day + timedelta(days=1)}, 1),
    ):  # fmt: skip
        asked: Any = given
        assert platform.audit.reports.changes(field="department", **asked).total == total, given


@pytest.mark.thorough
def test_the_report_is_of_a_range(platform: CrmClient, globex: CrmClient, contact: str, stub: StubServer) -> None:
    today = stub.clock.now().date()
    assert platform.audit.reports.changes(start_date=today, end_date=today).total
    idle(stub).clock.advance(400 * 86_400)
    assert platform.audit.reports.changes(entity_type="contact", field="department").total == 0  # twelve months
    assert platform.audit.reports.changes(entity_id=contact, field="department").total == 1
    assert platform.audit.reports.changes(entity_id=contact, user_id="user_nobody").total == 0
    assert globex.audit.reports.changes(entity_id=contact).total == 0
    error = refused(lambda: platform.audit.reports.changes(start_date=today, end_date=today.replace(day=1)))
    assert error.code == "VALIDATION_ERROR"


def test_the_lineage_of_a_lead_leads_to_its_customer(platform: CrmClient) -> None:
    lead = platform.leads.create({"name": "Ada", "email": "lin@x.example", "company": "Lineage", "status": "qualified"})
    won = platform.leads.convert(lead.id, create_deal=False)
    assert won.contact is not None and won.account is not None
    found = platform.audit.data_lineage("lead", lead.id)
    assert found.nodes[0].entity == found.root and found.root.id == lead.id
    expected = {(lead.id, "converted_to", won.contact.id), (lead.id, "converted_to", won.account.id)}
    assert expected <= relations(found) and not found.truncated
    (edge,) = [edge for edge in found.edges if edge.target.id == won.contact.id and edge.relation == "converted_to"]
    assert platform.audit.logs.get(edge.audit_id).action == "lead.converted"
    assert {node.origin for node in found.nodes if node.entity.id == won.contact.id} == {"conversion"}
    back = platform.audit.data_lineage("contact", won.contact.id, depth=1, direction="upstream")
    assert expected & relations(back) == {(lead.id, "converted_to", won.contact.id)}
    assert not back.truncated and platform.audit.data_lineage("contact", won.contact.id, depth=1).truncated
    down = platform.audit.data_lineage("contact", won.contact.id, direction="downstream")
    assert not expected & relations(down)
    platform.contacts.delete(won.contact.id)
    after = platform.audit.data_lineage("contact", won.contact.id)
    assert after.nodes[0].deleted and expected <= relations(after)


def test_merges_copies_and_imports_are_in_the_lineage(platform: CrmClient, stub: StubServer) -> None:
    one, two = (platform.accounts.create({"name": name}).id for name in ("One", "Two"))
    platform.accounts.merge(one, [two])
    merged = platform.audit.data_lineage("account", one)
    assert (two, "merged_into", one) in relations(merged)
    assert {node.entity.id: node.deleted for node in merged.nodes}[two]
    deal = platform.deals.list(limit=1).items[0].id
    copy = platform.deals.clone(deal)
    cloned = platform.audit.data_lineage("deal", copy.id, direction="upstream")
    assert (copy.id, "cloned_from", deal) in relations(cloned) and cloned.nodes[0].origin == "clone"
    job = platform.contacts.imports.create(("people.csv", b"Name\nAda New\n"))
    job.wait()
    (made,) = platform.contacts.list(search="Ada New")
    imported = platform.audit.data_lineage("contact", made.id)
    assert (made.id, "imported_from", job.id) in relations(imported) and imported.nodes[0].origin == "import"
    (by,) = [node for node in imported.nodes if node.entity.type == "job"]
    assert (by.entity.name, by.created_at, by.deleted) == (job.title, job.created_at, False)


@pytest.mark.parametrize("as_user", [True, False])
def test_who_made_a_record_and_what_it_is_about_are_in_the_lineage(
    platform: CrmClient, stub: StubServer, contact: str, as_user: bool
) -> None:
    crm = stub.client(dialects="platform")
    if as_user:
        crm.auth.login("ada@acme.test", "demo-password")
    lead = crm.leads.create({"name": "Leo"}).id
    given: Any = {"kind": "note", "body": "N", "contact_id": contact, "lead_id": lead}
    note = crm.activities.create(given).id
    maker = ("user", "user_ada") if as_user else ("api_key", "apikey_acme_admin")
    upstream, both = (platform.audit.data_lineage("activity", note, direction=way) for way in ("upstream", "both"))
    about = {(note, "attached_to", id) for id in (contact, lead)}
    assert (note, "created_by", maker[1]) in relations(upstream) and about <= relations(both)
    assert maker in {(edge.target.type, edge.target.id) for edge in upstream.edges}


@pytest.mark.parametrize("given", [{"depth": 0}, {"depth": 11}, {"direction": "sideways"}])
def test_a_lineage_has_bounds(platform: CrmClient, contact: str, given: Any) -> None:
    query = "&".join(f"{name}={value}" for name, value in given.items())
    url = f"/v1/audit/data-lineage?entityType=contact&entityId={contact}&{query}"
    assert platform.request("GET", url).status == 422


def test_a_lineage_is_of_ones_own_company(globex: CrmClient, sam: CrmClient, contact: str) -> None:
    assert refused(lambda: globex.audit.data_lineage("contact", contact)).status == 404
    assert refused(lambda: sam.audit.data_lineage("contact", contact)).code == "FORBIDDEN"
    assert refused(lambda: sam.audit.reports.changes()).code == "FORBIDDEN"


def wire_of(crm: CrmClient, kind: str, id: str, query: str = "") -> Any:
    reply = crm.request("GET", f"/v1/audit/data-lineage?entityType={kind}&entityId={id}{query}")
    assert reply.status == 200
    return reply.json()["data"]


def test_the_whole_lineage_of_a_note(platform: CrmClient, stub: StubServer, contact: str) -> None:
    mine = stub.client(dialects="platform", max_retries=0)
    mine.auth.login("ada@acme.test", "demo-password")
    lead = mine.leads.create({"name": "Leo"}).id
    given: Any = {"kind": "note", "title": "N", "body": "N", "contact_id": contact, "lead_id": lead}
    note = mine.activities.create(given).id
    key, names = "apikey_acme_admin", {note: "N", contact: "Ada", lead: "Leo", "user_ada": "Ada Lindqvist"}
    names[key] = "acme-admin"
    kinds = {note: "activity", contact: "contact", lead: "lead", "user_ada": "user", key: "api_key"}
    made = {one["entity"]["id"]: one for one in reversed(stub.audit()) if one["action"].endswith(".created")}

    def shown(**given: Any) -> tuple[list[str], list[tuple[str, str, str]], bool]:
        query = "".join(f"&{name}={value}" for name, value in given.items())
        found = wire_of(platform, kinds[root], root, query)
        for node in found["nodes"]:
            id = node["entity"]["id"]
            said, seen = made.get(id), {name: value for name, value in node.items() if name != "createdAt"}
            assert seen == {
                "entity": {"type": kinds[id], "id": id, "name": names[id]},
                "origin": "manual" if id in (note, lead) else "api",
                "detail": said["source"]["operation"] if said else None,
                "deleted": False,
            }
        for edge in found["edges"]:
            about = made[edge["source"]["id"]]
            assert edge["auditId"] == about["id"]
            assert edge["occurredAt"] == about["occurred_at"].isoformat(timespec="milliseconds")[:23] + "Z"
            for end in ("source", "target"):
                assert edge[end] == {
                    "type": kinds[edge[end]["id"]],
                    "id": edge[end]["id"],
                    "name": names[edge[end]["id"]],
                }
        assert found["root"] == found["nodes"][0]["entity"]
        told = [(one["source"]["id"], one["relation"], one["target"]["id"]) for one in found["edges"]]
        return [one["entity"]["id"] for one in found["nodes"]], told, found["truncated"]

    about = [(note, "attached_to", contact), (note, "attached_to", lead), (note, "created_by", "user_ada")]
    of_contact, of_lead = (contact, "created_by", key), (lead, "created_by", "user_ada")
    root = note
    assert shown() == ([note, contact, lead, "user_ada", key], [*about, of_contact, of_lead], False)
    assert shown(depth=1) == ([note, contact, lead, "user_ada"], [*about, of_lead], True)
    assert shown(depth=1, direction="upstream") == ([note, "user_ada"], [about[2]], False)
    assert shown(direction="downstream") == ([note, contact, lead], about[:2], False)
    root = contact
    assert shown(depth=2, direction="both") == (
        [contact, key, note, lead, "user_ada"], [of_contact, about[0], about[1], about[2], of_lead], False,
    )  # fmt: skip
    assert shown(direction="upstream") == ([contact, key, note, "user_ada"], [of_contact, about[0], about[2]], False)
    assert shown(depth=1, direction="upstream") == ([contact, key, note], [of_contact, about[0]], True)
    root = "user_ada"
    assert shown(depth=1, direction="downstream") == (["user_ada", lead, note], [of_lead, about[2], about[1]], True)
    mine.activities.delete(note)
    assert [one["deleted"] for one in wire_of(platform, "activity", note)["nodes"]] == [True, *[False] * 4]


def test_a_lineage_says_how_each_record_was_made(platform: CrmClient, stub: StubServer) -> None:
    lead = platform.leads.create({"name": "Ada"}).id
    entry = stub.audit()[-1]
    for operation, actor, members, origin in (
        ("leads.create", "api_key", {}, "api"),
        ("leads.create", "app", {}, "api"),
        ("leads.create", "user", {}, "manual"),
        ("leads.create", "system", {}, "manual"),
        ("leads.capture", "api_key", {}, "capture"),
        ("leads.convert", "user", {}, "conversion"),
        ("deals.clone", "user", {}, "clone"),
        ("job:contact_import", "user", {}, "import"),
        ("job:contact_sync", "user", {}, "sync"),
        ("job:contact_sync", "user", {"workflow_id": "workflow_1"}, "workflow"),
    ):
        source, about = entry["source"] | {"operation": operation, **members}, entry["actor"] | {"type": actor}
        stored(stub, "audit", entry["id"], source=source, actor=about)
        found = wire_of(platform, "lead", lead)
        assert (found["nodes"][0]["origin"], found["nodes"][0]["detail"]) == (origin, operation)
        made = {(edge["relation"], edge["target"]["type"], edge["target"]["id"]) for edge in found["edges"]}
        by = set() if actor == "system" else {("created_by", actor, about["id"])}
        job = ("job", source["request_id"])
        assert made == (by | {("imported_from", *job)} if operation == "job:contact_import" else by)
    stored(stub, "audit", entry["id"], action="lead.enriched", source=source | {"operation": "job:enrich"})
    found = wire_of(platform, "lead", lead, "&direction=upstream")
    assert [(one["relation"], one["target"]["id"]) for one in found["edges"]] == [("enriched_by", job[1])]
    for maker, origin in (("user_ada", "manual"), ("apikey_acme_admin", "api"), (None, "api")):
        stored(stub, "lead", lead, created_by=maker)
        node = wire_of(platform, "lead", lead)["nodes"][0]
        assert (node["origin"], node["detail"]) == (origin, None)


def test_a_lineage_has_no_more_than_five_hundred_records(platform: CrmClient, stub: StubServer) -> None:
    account = platform.accounts.create({"name": "One"}).id
    entry = stub.audit()[-1]
    for count, truncated in ((499, False), (500, True)):
        ids = [f"account_gone_{number}" for number in range(count)]
        stored(stub, "audit", entry["id"], action="account.merged", metadata={"merged_ids": ids})
        found = platform.audit.data_lineage("account", account)
        assert [one.entity.id for one in found.nodes] == [account, *ids[:499]] and found.truncated is truncated
        assert [edge.source.id for edge in found.edges] == ids[:499]
    assert refused(lambda: platform.audit.data_lineage("account", "account_gone_1")).status == 404
    gone = found.nodes[1]
    assert (gone.entity.name, gone.created_at, gone.origin, gone.deleted) == (None, None, "manual", True)
