"""What time takes of files: those whose time has come, and the versions and contents of those that are purged."""

from __future__ import annotations

from datetime import timedelta

from due_work import wait_for
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.files.storing import VERSION

from .conftest import ACME, put

HOUR = timedelta(hours=1)


def deeds(stub: StubServer, id: str) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == id]


def test_a_file_is_seen_until_its_time_and_deleted_when_it_is_next_looked_for(
    stub: StubServer, acme: CrmClient
) -> None:
    over, later, never = (put(acme) for _ in range(3))
    stored(stub, "file", over.id, expires_at=stub.clock.now() + TICK)
    assert refused(lambda: acme.files.get(over.id)).status == 404, "at its time it is gone"
    stored(stub, "file", over.id, expires_at=stub.clock.now() + 2 * TICK)
    assert acme.files.get(over.id).id == over.id
    due = wait_for(stub, "every expired files", lambda call: None)
    stored(stub, "file", over.id, expires_at=due)
    stored(stub, "file", later.id, expires_at=due + HOUR)
    assert {one.id for one in acme.files.list(limit=200)} >= {later.id, never.id}
    assert [deeds(stub, one.id)[-1] for one in (over, later, never)] == [
        "file.deleted", "file.uploaded", "file.uploaded",
    ]  # fmt: skip
    assert some(stub.store.collection(ACME, "file").get(over.id, deleted=True))["deleted_at"] is not None


def test_versions_and_contents_go_with_the_records_that_are_purged(stub: StubServer, acme: CrmClient) -> None:
    gone, twin, kept = put(acme, "a.txt", b"only here"), put(acme, "b.txt", b"in both"), put(acme, "c.txt", b"in both")
    acme.files.versions.create(gone.id, b"a second one")
    deleted = put(acme, "d.txt", b"not purged yet")
    files, versions = stub.store.collection(ACME, "file"), stub.store.collection(ACME, VERSION)
    for file in (gone, twin, deleted):
        acme.files.delete(file.id)
        ago = timedelta(days=1 if file is deleted else 400)
        files.put(some(files.get(file.id, deleted=True)) | {"deleted_at": stub.clock.now() - ago})

    def left() -> list[int]:
        return [len(versions.find("file_id", file.id)) for file in (gone, twin, kept, deleted)]

    assert left() == [2, 1, 1, 1]
    wait_for(stub, "every audit retention", lambda call: None)
    acme.files.list(limit=1)
    assert left() == [0, 0, 1, 1]
    held = set(stub.contents.snapshot())
    assert str(gone.checksum) not in held and {str(kept.checksum), str(deleted.checksum)} <= held
