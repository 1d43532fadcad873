"""What an export wrote changes nothing where it is imported again, and is read whole into an empty company."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer

ENTITIES = [one.entity for one in StubServer().client(dialects="platform").objects.list(capability="import")]
FORMATS = ("csv", "xlsx", "jsonl")
CASES = [(entity, format) for entity in ENTITIES for format in FORMATS]
WHOLE = ("account", "contact", "deal", "lead", "territory")
"""The entities whose new records are what the row says, without what follows from others."""


def exported(client: CrmClient, entity: str, format: str) -> bytes:
    request: Any = {"entity_types": [entity], "format": format}
    return client.files.download(client.exports.create(request).wait().file_id).read()


def outcome(client: CrmClient, entity: str, format: str, content: bytes, **options: Any) -> Any:
    job = client.imports.create(entity, (f"records.{format}", content), **options)
    job.wait()
    return client.jobs.get(job.id)


@pytest.mark.parametrize(("entity", "format"), CASES)
def test_what_was_exported_changes_nothing(stub: StubServer, entity: str, format: str) -> None:
    client = stub.client(dialects="platform")
    done = outcome(client, entity, format, exported(client, entity, format))
    assert done.errors[:3] == []
    assert done.counts is not None
    assert done.counts.skipped == done.counts.total > 0


def emptied(stub: StubServer, entity: str) -> CrmClient:
    """Return a client of a company that has no records of an entity, and no workflows that act on new ones."""
    client = stub.client(dialects="platform")
    for workflow in client.workflows.list(status="active"):
        client.workflows.deactivate(workflow.id)
    gone = {record.id for record in client.objects.scan(entity)}
    for collection in stub.store.of_company("tenant_acme"):
        for id in gone:
            if id in collection and collection.kind not in ("job", "file"):
                collection.remove(id)
    return client


def records(client: CrmClient, entity: str) -> Iterator[dict[str, Any]]:
    for line in exported(client, entity, "jsonl").splitlines():
        yield json.loads(line)


@pytest.mark.parametrize(("entity", "format"), [*(case for case in CASES if case[0] in WHOLE), ("contact", "vcf")])
def test_what_was_exported_is_read_into_an_empty_company(stub: StubServer, entity: str, format: str) -> None:
    here, there = stub.client(dialects="platform"), emptied(StubServer(), entity)
    before = list(records(here, entity))
    done = outcome(there, entity, format, exported(here, entity, format), mode="create")
    lost = [error for error in done.errors if error.field != "parent_id"]  # of a tree the parents are others' ids
    assert lost[:3] == []
    refused = {error.row for error in done.errors}
    kept = [record for number, record in enumerate(before, start=1) if number not in refused]
    after = list(records(there, entity))
    assert len(after) == len(kept) > 0
    written = {
        field.name.partition(".")[0]
        for field in there.objects.describe(entity).fields
        if not field.read_only
    }  # fmt: skip
    for old, new in zip(kept, after, strict=True):
        for name in sorted(written):
            wire = name.split("_")[0] + "".join(part.capitalize() for part in name.split("_")[1:])
            if old.get(wire) not in (None, [], {}, ""):  # what is empty, a new record may fill by itself
                assert (old["id"], name, new.get(wire)) == (old["id"], name, old[wire])
