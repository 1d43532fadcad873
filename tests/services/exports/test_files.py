"""The files of exports: every entity in every format, and what stands in them."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped] # it has no types

from crm_sdk import CrmClient, JobFailedError
from server_stub import StubServer
from server_stub.files.marked import read_list
from server_stub.services.exports import formats

from .conftest import New, export

ENTITIES = (
    "account", "activity", "contact", "conversation", "deal", "lead", "message", "onboarding", "territory", "user",
)  # fmt: skip
TABLES = ("csv", "xlsx", "jsonl", "json")


@pytest.mark.thorough
@pytest.mark.parametrize("format", TABLES)
def test_every_entity_has_as_many_rows_as_records(admin: CrmClient, format: str) -> None:
    known = {one.entity: one.record_count for one in admin.objects.list(capability="export")}
    found = export(admin, *known, format=format)
    files = found.zip()
    manifest = json.loads(files.pop("manifest.json"))
    assert {one["entity"]: one["rows"] for one in manifest["files"]} == known
    assert found.result.row_count == sum(known.values())
    for one in manifest["files"]:
        content = files.pop(one["name"])
        assert (one["sha256"], one["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
        assert one["schemaVersion"] == admin.objects.describe(one["entity"]).schema_version
        assert b"password" not in content.lower()
    assert files == {}
    assert admin.changes.list(cursor=manifest["position"]).items[:0] == []


def test_the_rows_are_those_of_the_scan(admin: CrmClient) -> None:
    for entity in ("contact", "activity", "deal", "onboarding"):
        by_id = {row["id"]: row for row in export(admin, entity, format="jsonl").lines()}
        scanned = admin.request("GET", f"/v1/objects/{entity}/records?limit=200").json()["data"]["items"]
        for item in scanned:
            row = by_id[item["id"]]
            assert row == {name: item[name] for name in row}


def test_a_table_has_dotted_columns_joined_lists_and_quoted_formulas(admin: CrmClient) -> None:
    made = admin.contacts.create({
        "name": "Žofie; Nováková", "title": "=1+1", "address": {"city": "Köln"}, "tags": ["a", "b"],
        "notes": ["said: yes, maybe", "later"], "custom_fields": {"tier": "gold", "n": 3},
    })  # fmt: skip
    (row,) = export(admin, "contact", ids=[made.id]).rows()
    assert (row["name"], row["address.city"], row["tags"]) == (made.name, "Köln", "a;b")
    assert (row["title"], row["customFields.tier"], row["customFields.n"]) == ("'=1+1", "gold", "3")
    assert read_list(row["notes"], whole=True) == made.notes


def test_contacts_come_back_from_their_own_export(admin: CrmClient) -> None:
    made = admin.contacts.create({"name": "Eva", "email": "eva@back.example", "notes": ["a, b", "c"], "tags": ["x"]})
    content = export(admin, "contact", ids=[made.id], fields={"contact": ["email", "name", "notes", "tags"]}).content
    admin.contacts.delete(made.id)
    (id,) = admin.contacts.imports.create(("eva.csv", content), match_on="email").wait().created_ids
    back = admin.contacts.get(id)
    assert (back.name, back.notes, back.tags) == (made.name, made.notes, made.tags)


def test_a_workbook_has_typed_cells(admin: CrmClient) -> None:
    made = admin.deals.create({"title": "+49 Ltd", "value": 1200})
    content = export(admin, "deal", ids=[made.id], format="xlsx").content
    (header, row) = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    cells: dict[str, Any] = dict(zip(header, row, strict=True))
    assert (cells["title"], cells["value"], cells["probability"]) == ("'+49 Ltd", 1200, made.probability)
    assert cells["createdAt"].replace(tzinfo=UTC) == made.created_at


def test_no_row_is_a_file_with_the_header(admin: CrmClient) -> None:
    nobody = {"contact": [{"filters": [{"field": "name", "op": "eq", "value": "Nobody at all"}]}]}
    found = export(admin, "contact", filter_groups=nobody)
    assert found.rows() == [] and found.content.startswith(b"id,createdAt,") and found.content.count(b"\n") == 1


def test_only_the_encodings_that_say_so_have_a_mark(admin: CrmClient) -> None:
    cases: list[Any] = [("utf-8", b"na"), ("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("cp1252", b"na")]
    for encoding, mark in cases:
        made = admin.contacts.create({"name": "Zoé; Müller"})
        more: dict[str, Any] = {
            "ids": [made.id],
            "fields": {"contact": ["name"]},
            "delimiter": ";",
            "encoding": encoding,
        }
        content = export(admin, "contact", **more).content
        assert content.startswith(mark), encoding
        assert content.decode(encoding).splitlines() == ["name", '"Zoé; Müller"'], encoding


def test_fields_choose_the_columns_in_their_order(admin: CrmClient) -> None:
    made = admin.contacts.create({"name": "Eva", "email": "eva@fields.example", "address": {"city": "Ulm"}})
    fields = {"contact": ["email", "address.city", "name"]}
    assert export(admin, "contact", ids=[made.id], fields=fields).rows() == [
        {"email": "eva@fields.example", "address.city": "Ulm", "name": "Eva"}
    ]
    lines = export(admin, "contact", ids=[made.id], fields=fields, format="jsonl").lines()
    assert lines == [{"email": "eva@fields.example", "address": {"city": "Ulm"}, "name": "Eva"}]
    one = export(admin, "contact", ids=["contact_123"], fields={"contact": ["communicationHistory"]}, format="jsonl")
    assert one.lines()[0]["communicationHistory"]


@pytest.mark.parametrize("fields", [["address", "address.city"], ["address.city", "address", "address"]])
@pytest.mark.parametrize("street", ["S", None])
def test_a_member_that_is_named_whole_and_in_part_is_in_it_once(
    admin: CrmClient, fields: list[str], street: str | None
) -> None:
    body: Any = {"name": "Eva"} | ({"address": {"street": street}} if street else {})
    made = admin.contacts.create(body)
    asked: dict[str, Any] = {"ids": [made.id], "fields": {"contact": fields}}
    for format in ("jsonl", "json"):
        read = json.loads(export(admin, "contact", **asked, format=format).content)
        (line,) = read if format == "json" else [read]
        assert list(line) == ["address"] and (line["address"] or {}).get("street") == street
    header = export(admin, "contact", **asked).content.decode().splitlines()[0].split(",")
    assert sorted(header) == sorted(set(header)) and len(header) == 6
    own: Any = admin.contacts.export(format="csv", fields=["name", "address", "name"]).read().decode()
    assert own.splitlines()[0].split(",")[0::6] == ["name", "address.country"]


def test_a_member_that_is_named_whole_is_in_lines_as_it_is(admin: CrmClient) -> None:
    bodies: list[Any] = [
        {"custom_fields": {"a": 1}}, {"custom_fields": {"b": None}, "address": {"city": "Ulm"}}, {"address": None},
    ]  # fmt: skip
    made = [admin.contacts.create(body | {"name": f"C{n}"}) for n, body in enumerate(bodies)]
    fields = {"contact": ["name", "custom_fields", "address"]}
    for format in ("jsonl", "json"):
        found = export(admin, "contact", ids=[one.id for one in made], fields=fields, format=format)
        lines = found.lines() if format == "jsonl" else json.loads(found.content)
        for one in made:
            (line,) = (each for each in lines if each["name"] == one.name)
            raw = admin.request("GET", f"/v1/contacts/{one.id}").json()["data"]
            assert line == {name: raw.get(name) for name in ("name", "customFields", "address")}


@pytest.mark.parametrize("entity", sorted(ENTITIES))
def test_all_that_a_description_names_makes_columns_of_different_names(admin: CrmClient, entity: str) -> None:
    names = [field.name for field in admin.objects.describe(entity).fields]
    header = next(iter(export(admin, entity, fields={entity: names}).content.decode().splitlines())).split(",")
    assert len(header) == len(set(header))
    export(admin, entity, fields={entity: names}, format="jsonl").lines()


def test_times_are_in_the_zone_that_is_asked_for(admin: CrmClient) -> None:
    made = admin.contacts.create({"name": "Eva"})
    more: dict[str, Any] = {"ids": [made.id], "fields": {"contact": ["created_at"]}, "timezone": "Asia/Kolkata"}
    assert export(admin, "contact", **more).rows()[0]["createdAt"].endswith("+05:30")


def test_labels_stand_in_place_of_values(admin: CrmClient) -> None:
    made = admin.contacts.create({"name": "Eva", "lifecycle_stage": "mql", "source": "own words"})
    more: dict[str, Any] = {"ids": [made.id], "fields": {"contact": ["lifecycle_stage", "source"]}}
    label = {
        option.value: option.label
        for field in admin.objects.describe("contact").fields if field.name == "lifecycle_stage"
        for option in field.options
    }["mql"]  # fmt: skip
    assert label != "mql"
    assert export(admin, "contact", **more, labels=True).rows() == [{"lifecycleStage": label, "source": "own words"}]
    assert export(admin, "contact", **more).rows()[0]["lifecycleStage"] == "mql"
    options: Any = [{"value": "g", "label": "Gold"}]
    admin.customization.fields.create(
        "contact", {"api_name": "loyalty_tier", "label": "Tier", "type": "select", "options": options}
    )
    own = admin.contacts.create({"name": "Own", "custom_fields": {"loyalty_tier": "g"}})
    rows = export(
        admin, "contact", ids=[own.id], labels=True, fields={"contact": ["custom_fields.loyalty_tier"]}
    ).rows()
    assert rows == [{"customFields.loyalty_tier": "Gold"}]


def test_cards_and_calendars(admin: CrmClient) -> None:
    made = admin.contacts.create({"name": "Eva Roth", "email": "eva@cards.example"})
    card = export(admin, "contact", ids=[made.id], format="vcf").content.decode()
    assert card.count("BEGIN:VCARD") == 1 and "FN:Eva Roth" in card and "eva@cards.example" in card
    event = admin.activities.events.create({
        "title": "Meet", "start_time": "2031-05-05T10:00:00Z", "end_time": "2031-05-05T11:00:00Z",  # type: ignore[typeddict-item, unused-ignore] # texts are read
    })  # fmt: skip
    task = admin.activities.tasks.create({"title": "Call back", "due_at": "2031-05-06T10:00:00Z"})  # type: ignore[typeddict-item, unused-ignore] # a plain text for a time
    note = admin.activities.notes.create({"body": "No entry", "contact_id": made.id})
    found = export(admin, "activity", ids=[event.id, task.id, note.id], format="ics")
    text = found.content.decode()
    assert (text.count("BEGIN:VEVENT"), text.count("BEGIN:VTODO"), found.result.row_count) == (1, 1, 2)
    assert "SUMMARY:Meet" in text and "DUE:20310506T100000Z" in text
    both = export(admin, "contact", "lead", format="vcf").zip()
    assert set(both) == {"manifest.json", "contact.vcf", "lead.vcf"}


def test_deleted_records_are_in_it_where_they_are_asked_for(admin: CrmClient) -> None:
    gone, kept = admin.contacts.create({"name": "Gone"}), admin.contacts.create({"name": "Kept"})
    admin.contacts.delete(gone.id)
    rows = {row["id"]: row for row in export(admin, "contact", include_deleted=True).rows()}
    assert rows[gone.id]["deletedAt"] and not rows[kept.id]["deletedAt"]
    assert export(admin, "contact", ids=[gone.id], include_deleted=True).result.row_count == 1
    assert gone.id not in export(admin, "contact").content.decode()


def test_only_what_was_changed_since(stub: StubServer, admin: CrmClient) -> None:
    stub.clock.advance(60)
    since = stub.clock.now()
    made = admin.contacts.create({"name": "New"})
    assert [row["id"] for row in export(admin, "contact", changed_since=since).rows()] == [made.id]


def test_a_view_gives_conditions_order_and_columns(admin: CrmClient) -> None:
    view = next(one for one in admin.customization.layouts.list(entity="deal") if one.name == "Large deals")
    rows = export(admin, "deal", view=view.id).rows()
    assert list(rows[0]) == ["title", "value", "stage"]  # a column of another record is not in it
    values = [float(row["value"]) for row in rows]
    assert values == sorted(values, reverse=True) and min(values) >= 50_000
    assert list(export(admin, "deal", view=view.id, fields={"deal": ["id"]}).rows()[0]) == ["id"]


def test_a_file_is_kept_for_seven_days_or_as_the_company_says(stub: StubServer, admin: CrmClient) -> None:
    for days in (7, 30):
        found = export(admin, "territory")
        made = admin.jobs.get(found.job_id).finished_at
        assert made is not None and found.result.expires_at - made == timedelta(days=days)
        admin.configuration.settings.update({"exports.keep_days": 30})


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["export", "report_export", "audit_export"])
def test_a_file_that_has_expired_has_no_address_at_any_door(stub: StubServer, admin: CrmClient, kind: str) -> None:
    if kind == "export":
        job: Any = admin.exports.create({"entity_types": ["territory"]})
    elif kind == "audit_export":
        job = admin.audit.reports.export()
    else:
        report = admin.reports.create({"name": "Deals", "entity_type": "deal", "columns": [{"field": "title"}]})
        job = admin.reports.exports.csv(report.id)
    file_id = job.wait().file_id
    assert _address(admin, job.id) == f"/files/{file_id}/download"
    stub.clock.advance(7 * 86_400)
    assert _address(admin, job.id) is None
    if kind != "export":
        assert admin.reports.exports.get(job.id).result == admin.jobs.get(job.id).result


def _address(crm: CrmClient, job_id: str) -> str | None:
    result: Any = crm.jobs.get(job_id).result
    return None if result.download_url is None else str(result.download_url)


def test_a_workbook_that_cannot_hold_the_rows_fails(admin: CrmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MOST_ROWS", 5)
    with pytest.raises(JobFailedError) as raised:
        export(admin, "contact", format="xlsx")
    assert raised.value.code == "TOO_MANY_ROWS"


def test_what_a_role_hides_is_in_no_file_and_cannot_be_named(admin: CrmClient, new: New) -> None:
    body: Any = {"name": "Eva", "email": "canary@hidden.example", "custom_fields": {"tier": "canary-gold", "n": 1}}
    made = admin.contacts.create(body)
    hidden = [
        {"entity": "contact", "field": name, "access": "hidden"} for name in ("email", "custom_fields.tier")
    ]  # fmt: skip
    _, crm = new("contacts:read@all", "contacts:export@all", "files:read@all", field_permissions=hidden)
    for format in (*TABLES, "vcf"):
        content = export(crm, "contact", ids=[made.id], format=format).content
        assert b"canary" not in content and (b"Eva" in content or format == "xlsx"), format
    for more in (
        {"fields": {"contact": ["email"]}},
        {"fields": {"contact": ["customFields.tier"]}},
        {"filter_groups": {"contact": [{"filters": [{"field": "email", "op": "is_set"}]}]}},
    ):
        job_error = pytest.raises(Exception, match="UNKNOWN_FIELD")
        with job_error:
            export(crm, "contact", **more)


def test_rows_are_those_in_the_scope_of_export(admin: CrmClient, sales: CrmClient) -> None:
    found = {row["ownerId"] for row in export(sales, "deal").rows()}
    assert found <= {"user_sam", ""}
    others = [deal.id for deal in admin.deals.list(limit=200) if deal.owner_id not in ("user_sam", None)]
    assert export(sales, "deal", ids=others[:3]).result.row_count == 0


async def _awaited(stub: StubServer) -> int:
    async with stub.async_client(dialects="platform") as crm:
        job = await crm.exports.create({"entity_types": ["territory"]})
        return (await job.wait()).row_count


def test_the_other_client_exports_too(stub: StubServer) -> None:
    import asyncio

    assert asyncio.run(_awaited(stub)) == 2


@pytest.mark.thorough
def test_conditions_are_those_of_the_moment_of_the_export(stub: StubServer, admin: CrmClient) -> None:
    since: dict[str, Any] = {"filter_groups": {"deal": [{"filters": [
        {"field": "days_in_stage", "op": "gte", "value": 40}, {"field": "status", "op": "eq", "value": "open"},
    ]}]}}  # fmt: skip
    made = admin.deals.create({"title": "Waits"})
    assert made.id not in {row["id"] for row in export(admin, "deal", **since).rows()}
    stub.clock.advance(41 * 86_400)
    rows = {row["id"] for row in export(admin, "deal", **since).rows()}
    assert made.id in rows
    assert rows == {deal.id for deal in admin.deals.list(status="open") if (deal.days_in_stage or 0) >= 40}


def test_a_calendar_has_a_task_once_and_no_event_whose_times_are_hidden(admin: CrmClient, new: New) -> None:
    cases: list[Any] = [
        ("event", None, (1, 0)), ("event", "start_time", (0, 0)), ("event", "end_time", (0, 0)),
        ("task", None, (0, 1)), ("task", "start_time", (0, 1)), ("task", "due_at", (0, 1)),
        ("event", "title", (1, 0)), ("task", "title", (0, 1)), ("event", "description", (1, 0)),
        ("task", "description", (0, 1)),
    ]  # fmt: skip
    for kind, hidden, parts in cases:
        ends = {"end_time": "2031-05-05T11:00:00Z"} if kind == "event" else {"due_at": "2031-05-06T10:00:00Z"}
        said: dict[str, Any] = {"title": "Canary title", "description": "Canary description"}
        body: Any = {"kind": kind, **said, "start_time": "2031-05-05T10:00:00Z", **ends}
        made = admin.activities.create(body)
        fields = [{"entity": kind, "field": hidden, "access": "hidden"}] if hidden is not None else []
        _, crm = new("activities:read@all", "activities:export@all", "files:read@all", field_permissions=fields)
        found = export(crm, "activity", ids=[made.id], format="ics")
        counts = (found.content.count(b"BEGIN:VEVENT"), found.content.count(b"BEGIN:VTODO"))
        assert (counts, found.result.row_count) == (parts, sum(parts)), kind
        shown = {name for name, text in said.items() if text.encode() in found.content}
        assert shown == (set(said) - {hidden} if sum(parts) else set()), kind
        assert (b"DUE:20310506" in found.content) is (kind == "task" and hidden != "due_at"), kind
