"""An integration with the stub's `demo_crm`, whose records a test reads and writes: what tests of syncs stand on."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.errors import ApiError
from crm_sdk.models import Contact, FieldMapping, SyncRun
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.outside.remotes import Remote

ADA: Any = {"name": "Ada", "email": "ada@x.example", "phone": "+49 30 1234567"}
BOB: Any = {"name": "Bob", "email": "bob@x.example"}


def refusal(error: pytest.ExceptionInfo[Any]) -> str:
    """Return the code of a refusal."""
    assert isinstance(error.value, ApiError)
    return str(error.value.code)


class Crm:
    """An integration with a system of its own."""

    def __init__(self, stub: StubServer, **members: Any) -> None:
        self.stub = stub
        self.client: CrmClient = stub.client()
        body: Any = {"name": "Partner", "type": "crm", "provider": "demo_crm", "auth_type": "none", **members}
        self.id = self.client.integrations.create(body).id

    @property
    def remote(self) -> Remote:
        """The other system."""
        return self.stub.remotes["demo_crm"]

    def map(self, *fields: str, entity_type: str = "contact", **members: Any) -> FieldMapping:
        """Map fields: ``name`` to the member of the same name, ``company>custom_fields.x`` to another one."""
        made = None
        for field in fields:
            source, _, target = field.partition(">")
            body: Any = {
                "entity_type": entity_type, "source_field": source, "target_field": target or source, **members,
            }  # fmt: skip
            made = self.client.integrations.mappings.create(self.id, body)
        assert made is not None
        return made

    def sync(self, **options: Any) -> SyncRun:
        """Synchronise to the end, and return the run."""
        run = self.client.integrations.sync.start(self.id, **options)
        return self.ended(run.id)

    def ended(self, run_id: str) -> SyncRun:
        """Let the time pass that runs take; return one that has ended."""
        self.stub.clock.advance(60)
        last = self.client.integrations.sync.status(self.id).last
        assert last is not None and last.id == run_id, last
        return last

    def counts(self, **options: Any) -> dict[str, int]:
        """Synchronise, and return the counts that are not zero."""
        run = self.sync(**options)
        assert run.status == "succeeded" and run.counts is not None and run.progress == 1, run
        assert run.counts.processed == run.counts.total
        names = ("total", "created", "updated", "skipped", "failed")
        return {name: count for name in names if (count := getattr(run.counts, name))}

    def contact(self, **members: Any) -> Contact:
        """Return the only contact with the members."""
        found = [c for c in self.client.contacts.list() if all(getattr(c, n) == v for n, v in members.items())]
        assert len(found) == 1, found
        return found[0]

    def theirs(self, kind: str = "contact") -> dict[str, dict[str, Any]]:
        """Return the records of the other system by e-mail address."""
        return {record["email"]: record for record in self.remote.all(kind)}

    def later(self, seconds: float = 3600) -> None:
        """Let some time pass."""
        self.stub.clock.advance(seconds)

    def deeds(self, id: str | None = None) -> list[str]:
        """Return what the trail tells of a record, by default of the integration."""
        return [entry["action"] for entry in self.stub.audit() if entry["entity"]["id"] == (id or self.id)]

    def entry(self, action: str) -> Document:
        """Return the last entry of the trail with an action."""
        return next(entry for entry in reversed(self.stub.audit()) if entry["action"] == action)
