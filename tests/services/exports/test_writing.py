"""How values are written into files, and what the runs of a schedule have."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

from openpyxl import load_workbook  # type: ignore[import-untyped] # it has no types
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.exports.columns import cell_of, picked_members, relabelled_row, value_at

from .conftest import New, export


def test_values_as_cells() -> None:
    profile = {"network": "x", "url": "https://x.example/eva", "handle": "eva"}
    cells: list[tuple[Any, Any]] = [
        (True, "true"), (False, "false"), ("text", "text"), ("=1", "'=1"), ("+49", "'+49"), ("@x", "'@x"), (5, 5),
        (None, None),
        (["a", "b"], "a;b"), (["a", 5], "a;5"), ([], ""), ({}, None), ({"a": 1}, '{"a":1}'),
        ([{"a": 1}], '[{"a":1}]'), ([profile], "x https://x.example/eva eva"),
        ([profile, profile | {"url": None}], "x https://x.example/eva eva;x eva"),
        (["=1"], "'=1"),
    ]  # fmt: skip
    for value, cell in cells:
        assert (cell_of(value), type(cell_of(value))) == (cell, type(cell)), value
    row = {"a": {"b": 1, "c": [1, 2]}, "d": None, "e": "x"}
    assert [value_at(row, path) for path in (("a", "b"), ("a", "x"), ("d", "x"), ("e",), ("e", "f"), ())] == [
        1, None, None, "x", None, row,
    ]  # fmt: skip
    assert picked_members(row, [("a", "b"), ("e",), ("x",)]) == {"a": {"b": 1}, "e": "x", "x": None}
    labels: Any = [(["e"], {"x": "Ex"}), (["a", "c"], {"1": "One"}), (["d"], {"None": "N"}), (["a", "b"], {"2": "Two"})]
    assert relabelled_row(row, labels) == {"a": {"b": 1, "c": ["One", 2]}, "d": None, "e": "Ex"}
    assert row["e"] == "x", "the record itself stays"


def test_profiles_and_further_fields_in_a_table(admin: CrmClient) -> None:
    made = admin.contacts.create({
        "name": "Eva Table", "social_profiles": [{"network": "linkedin", "url": "https://l.example/eva",
        "handle": "eva"}],
        "custom_fields": {"tier": "gold"}, "tags": ["a", "b"], "do_not_contact": True, "address": {"city": "Bonn"},
    })  # fmt: skip
    (row,) = export(admin, "contact", ids=[made.id]).rows()
    assert row["socialProfiles"] == "linkedin https://l.example/eva eva"
    assert (row["customFields.tier"], row["tags"], row["doNotContact"], row["address.city"]) == (
        "gold",
        "a;b",
        "true",
        "Bonn",
    )
    (line,) = export(
        admin, "contact", ids=[made.id], format="jsonl", fields={"contact": ["address.city", "name"]}
    ).lines()
    assert line == {"address": {"city": "Bonn"}, "name": "Eva Table"}
    one = export(admin, "contact", ids=[made.id], fields={"contact": ["custom_fields.tier"]})  # it is not defined
    assert one.rows() == [{"customFields.tier": "gold"}]
    asked: Any = {"entity_types": ["contact"], "fields": {"contact": ["custom_fields.tier", "custom_fields.nobodys"]}}
    error = refused(lambda: admin.exports.create(asked))
    assert (error.code, error.fields[0].field) == ("UNKNOWN_FIELD", "fields.contact.1")
    (whole,) = json.loads(export(admin, "contact", ids=[made.id], format="json").content)
    assert whole["socialProfiles"][0]["handle"] == "eva" and whole["id"] == made.id
    (labelled,) = export(
        admin, "contact", ids=[made.id], labels=True, fields={"contact": ["lifecycle_stage", "status"]}
    ).rows()
    plain = admin.contacts.get(made.id)
    assert labelled["status"].lower() == plain.status and labelled["status"] != plain.status
    for zone, hour in (("UTC", "09:00"), ("Europe/Berlin", "10:00"), (None, "09:00")):
        given = {"timezone": zone} if zone is not None else {}
        (row,) = export(admin, "contact", ids=[made.id], fields={"contact": ["created_at"]}, **given).rows()
        assert hour in row["createdAt"], zone


def test_a_sheet_is_called_as_the_entity_is(admin: CrmClient) -> None:
    for number, (plural, title) in enumerate(
        (("Cars: [all]/'odd'*", "Cars   all   odd  "), ("C" * 40, "C" * 31), ("Plain ones", "Plain ones"))
    ):
        name = f"vehicle_{number}"
        admin.custom_objects.create({"api_name": name, "label": "Car", "plural_label": plural})
        book = load_workbook(io.BytesIO(export(admin, name, format="xlsx").content))
        assert [sheet.rstrip() for sheet in book.sheetnames] == [title.rstrip()]


def test_a_table_of_several_is_a_zip_with_a_manifest(stub: StubServer, admin: CrmClient) -> None:
    made = export(admin, "territory", "user", format="jsonl")
    files = made.zip()
    manifest = json.loads(files["manifest.json"])
    assert (manifest["format"], [one["name"] for one in manifest["files"]]) == (
        "jsonl",
        ["territory.jsonl", "user.jsonl"],
    )
    assert manifest["position"] and manifest["createdAt"]
    for one in manifest["files"]:
        content = files[one["name"]]
        assert (one["size"], one["rows"]) == (len(content), len(content.splitlines()))
        assert one["schemaVersion"] == admin.objects.describe(one["entity"]).schema_version
    result = made.result
    assert result.row_count == sum(one["rows"] for one in manifest["files"]) and result.size == len(made.content)
    assert result.download_url == f"/files/{result.file_id}/download" and result.file_name.endswith(".zip")
    assert some(result.expires_at) == some(admin.files.get(result.file_id).expires_at)
    job = admin.jobs.get(made.job_id)
    counts = some(job.counts)
    assert counts.total == counts.processed == counts.succeeded == result.row_count
    assert job.title == "Export of territory, user as jsonl" and job.status_url == f"/jobs/{job.id}"


def test_each_full_run_of_a_schedule_has_everything(stub: StubServer, admin: CrmClient, new: New) -> None:
    request: Any = {"entity_types": ["territory"], "format": "jsonl"}
    hourly: Any = {"frequency": "hourly", "at": "00:30"}
    begin = len(stub.audit())
    made = admin.exports.schedules.create({
        "name": " Full ", "request": request, "schedule": hourly,
        "recipients": ["user_sam", "boss@x.example", "user_sam"],
    })  # fmt: skip
    assert (made.name, made.mode, made.enabled, made.owner_id) == ("Full", "full", True, "user_ada")
    assert (made.last_run_at, made.last_status, made.last_job_id) == (None, None, None)
    assert made.recipients == ["user_sam", "boss@x.example"] and some(made.next_run_at).minute == 30
    for _ in range(2):
        stub.clock.advance(3_600)
        now = next(one for one in admin.exports.schedules.list() if one.id == made.id)
        assert now.last_status == "succeeded" and some(now.next_run_at) - some(now.last_run_at) == timedelta(hours=1)
        job = admin.jobs.get(str(now.last_job_id))
        assert job.title == "Export of territory as jsonl: Full"
        lines = admin.files.download(str(job.file_id)).read().splitlines()
        assert len(lines) == 2 and not any(b"_change" in line for line in lines)
        readers = admin.files.permissions.get(str(job.file_id)).entries
        assert [(one.subject_type, one.subject_id, one.access) for one in readers] == [("user", "user_sam", "view")]
    notes = stub.store.collection("tenant_acme", "notification").all()
    ready = [doc for doc in notes if doc["title"] == "Export ready: Full"]
    assert [doc["recipient"] for doc in ready] == ["user_sam", "boss@x.example"] * 2
    assert "has 2 records" in ready[0]["message"]
    changed = admin.exports.schedules.update(made.id, {"mode": "changed"})
    assert changed.version == 2
    stub.clock.advance(3_600)
    first = next(one for one in admin.exports.schedules.list() if one.id == made.id)
    content = admin.files.download(str(admin.jobs.get(str(first.last_job_id)).file_id)).read()
    assert [json.loads(line)["_change"] for line in content.splitlines()] == ["created", "created"], (
        "it begins with all"
    )
    told = [entry["action"] for entry in stub.audit()[begin:] if entry["entity"]["id"] == made.id]
    assert told == ["export.scheduled", "export.schedule_updated"]
    for format in ("vcf", "ics"):
        wrong: Any = {"name": "x", "mode": "changed", "schedule": hourly, "request": {
            "entity_types": ["contact" if format == "vcf" else "activity"], "format": format}}  # fmt: skip
        error = refused(lambda wrong=wrong: admin.exports.schedules.create(wrong))  # type: ignore[misc] # the value of this turn is bound
        assert (error.code, error.fields[0].field) == ("INVALID_FORMAT", "request.format")


def test_a_card_has_the_chosen_members_and_a_name(admin: CrmClient) -> None:
    body: Any = {"name": "Eva Roth", "email": "eva@cards.example", "phone": "+4930123456", "company": "Initech"}
    made = admin.contacts.create(body).id
    every = {"EMAIL": "eva@cards.example", "TEL": "4930123456", "ORG": "Initech"}
    for fields, shown in (
        (None, {"EMAIL", "TEL", "ORG"}), (["email"], {"EMAIL"}), (["id"], set()), (["name", "company"], {"ORG"}),
        (["phone", "email"], {"EMAIL", "TEL"}),
    ):  # fmt: skip
        more: Any = {} if fields is None else {"fields": {"contact": fields}}
        card = export(admin, "contact", ids=[made], format="vcf", **more).content.decode()
        assert "FN:Eva Roth" in card and {line for line, text in every.items() if text in card} == shown, fields


def test_which_records_are_in_a_file_and_in_which_order(admin: CrmClient, stub: StubServer) -> None:
    one, two, three = (admin.leads.create({"name": name}).id for name in ("One", "Two", "Three"))
    stub.clock.advance(60)
    since = stub.clock.now()
    late = admin.leads.create({"name": "Late"}).id
    keep = some(admin.leads.update(two, {"name": "Second"}).updated_at)
    admin.leads.delete(three)
    mine = {"lead": [{"filters": [{"field": "id", "op": "in", "values": [one, two, three, late]}]}]}
    for asked, found in (
        ({"filter_groups": mine}, [one, two, late]),
        ({"filter_groups": mine, "include_deleted": True}, [one, two, three, late]),
        ({"ids": [late, one, late]}, [late, one]), ({"ids": [three, two], "include_deleted": True}, [three, two]),
        ({"changed_since": since}, [two, late]), ({"changed_since": keep}, [two]),
        ({"changed_since": since, "filter_groups": mine, "include_deleted": True}, [two, three, late]),
        ({"changed_since": keep + timedelta(milliseconds=1)}, []),
        ({"ids": [one], "filter_groups": {"lead": [{"filters": [{"field": "name", "op": "eq", "value": "x"}]}]}}, []),
    ):  # fmt: skip
        more: Any = asked
        made = export(admin, "lead", format="jsonl", **more)
        assert [line["id"] for line in made.lines()] == found, asked
        assert made.result.row_count == len(found) and all(
            ("deletedAt" in line) is bool(more.get("include_deleted")) for line in made.lines()
        )
    error = refused(lambda: admin.exports.create({"entity_types": ["lead"], "ids": [one, three]}))
    assert (error.code, error.fields[0].field) == ("REFERENCE_NOT_FOUND", "ids.1")
    first, second = (admin.accounts.create({"name": name}).id for name in ("First", "Second"))
    admin.accounts.merge(first, [second])
    assert [line["id"] for line in export(admin, "account", format="jsonl", ids=[second, first]).lines()] == [first]
    rows = [line["id"] for line in export(admin, "account", format="jsonl", include_deleted=True).lines()]
    assert first in rows and second not in rows
