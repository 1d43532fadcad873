"""Import a file of contacts into a new stub, and look at all that came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm_sdk.models.contacts import Contact
from crm_sdk.models.values import JobError
from server_stub import StubServer


@dataclass(frozen=True)
class Imported:
    """An import that has ended."""

    status: str
    contacts: list[Contact]
    """The contacts that were created, in the order of the file."""
    failed: dict[int, JobError]
    """The first error of each row that failed, by the row's number."""
    warnings: list[JobError]
    unmapped: list[str]
    error: str
    """Why the whole file was refused."""

    @property
    def only(self) -> Contact:
        """The contact, where the file has one."""
        (contact,) = self.contacts
        return contact

    def warned(self, column: str | None) -> list[tuple[int | None, str | None]]:
        """Return the rows and values of the warnings about a column."""
        return [(entry.row, entry.value) for entry in self.warnings if entry.field == column]


def imported(content: str | bytes, name: str = "people.csv", **options: Any) -> Imported:
    """Import a file and wait for its end. The stub must live on: a contact can be created after it."""
    stub = StubServer()
    client = stub.client(dialects="platform")
    known = {contact.id for contact in client.contacts.list()}
    raw = content.encode() if isinstance(content, str) else content
    job = client.contacts.imports.create((name, raw), **options)
    for _ in range(10_000):
        if job.done:
            break
        stub.clock.advance(1)
        job = client.contacts.imports.get(job.id)
    assert {contact.id for contact in client.contacts.list()} >= known, "an import touches nothing else"
    assert client.contacts.create({"name": "Afterwards"}).id
    errors: dict[int, JobError] = {}
    for entry in job.errors:
        errors.setdefault(entry.row or 0, entry)
    result = job.result
    return Imported(
        job.status,
        [client.contacts.get(id) for id in (result.created_ids if result else ())],
        errors,
        list(result.warnings) if result else [],
        list(result.unmapped_columns) if result else [],
        job.error.message if job.error else "",
    )
