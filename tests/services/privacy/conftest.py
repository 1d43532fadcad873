"""A person of whom a company knows everything, each value a canary that must not sing after an erasure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import PrivacyReport
from server_stub import StubServer

MARK = "zq7canary"
"""What every value of the person has in it, and nothing else in the data."""


@dataclass
class Canary:
    """The person, and the records that refer to it."""

    stub: StubServer
    crm: CrmClient
    email: str = f"{MARK}@person.example"
    ids: dict[str, str] = field(default_factory=dict)

    def erase(self, **given: Any) -> PrivacyReport:
        """Erase the person for good."""
        subject: Any = given.pop("subject", {"email": self.email})
        confirm = given.pop("confirm", self.email)
        return self.crm.privacy.erase(subject, dry_run=False, confirm=confirm, **given).wait()

    def places(self) -> list[str]:
        """Return where the person is found: in records of any kind, in contents, and in what is in memory."""
        mark = MARK.encode()
        found = [
            f"{key[0]}/{key[1]}/{doc['id']}: {_path(dict(doc))}"
            for key, table in self.stub.store.snapshot().collections.items()
            for doc in table.docs.values()
            if MARK in repr(doc).lower()
        ]
        for checksum, content in self.stub.contents.snapshot().items():
            with content.open() as file:
                if mark in _unpacked(file.read()).lower():
                    found.append(f"content {checksum}")
        found += [f"journal {entry.path}?{entry.query}" for entry in self.stub.journal if MARK in repr(entry).lower()]
        found += [f"outbox {message.title}" for message in self.stub.outbox.messages if MARK in repr(message).lower()]
        return found


def _path(value: Any, at: str = "") -> str:
    if isinstance(value, dict):
        return next((_path(one, f"{at}.{name}") for name, one in value.items() if MARK in repr(one).lower()), at)
    if isinstance(value, list):
        return next((_path(one, f"{at}.{n}") for n, one in enumerate(value) if MARK in repr(one).lower()), at)
    return f"{at}={value!r}"


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"\n".join(name.encode() + _unpacked(archive.read(name)) for name in archive.namelist())


@pytest.fixture
def crm(stub: StubServer) -> Iterator[CrmClient]:
    with stub.client(dialects="platform", strict=True) as client:
        yield client


@pytest.fixture
def canary(stub: StubServer, crm: CrmClient) -> Canary:
    return fill(Canary(stub, crm))


def fill(canary: Canary) -> Canary:
    """Store the person, and everything that can refer to a person."""
    crm, email, ids = canary.crm, canary.email, canary.ids
    whole: Any = {
        "name": f"Eva{MARK}1 Roth", "first_name": f"Eva{MARK}1", "last_name": "Roth", "salutation": f"Prof. {MARK} 1",
        "email": f"eva.{MARK}@home.example", "secondary_emails": [email],
        "phone": "+49301117777", "mobile": "+491701117777", "title": f"Head of {MARK} 1", "avatar": f"https://pictures.example/{MARK}.png",
        "address": {"street": f"{MARK} street 1", "city": "Berlin"}, "website": f"https://{MARK}.example",
        "social_profiles": [{"network": "linkedin", "url": f"https://linkedin.example/{MARK}", "handle": f"{MARK}1"}],
        "birthday": "1980-02-03", "notes": [f"likes {MARK} tea"], "company": "Canary Works",
    }  # fmt: skip
    ids["gone"] = crm.contacts.create({"name": f"Gone {MARK}", "email": f"gone.{MARK}@person.example",
                                       "secondary_emails": [email]}).id  # fmt: skip
    crm.contacts.delete(ids["gone"])
    ids["contact"] = crm.contacts.create(whole).id
    ids["lead"] = crm.leads.create({"name": f"Eva{MARK}1 Roth", "email": email, "phone": "+49301117777"}).id
    id = ids["contact"]
    ids["other"] = crm.contacts.create({"name": "Otto Other", "email": "otto@other.example",
                                        "notes": [f"knows {email} well"]}).id  # fmt: skip
    crm.contacts.relationships.create(id, {"related_contact_id": ids["other"], "type": "colleague"})
    ids["deal"] = crm.deals.create({"title": "Big one", "value": 1234, "contact_id": id}).id
    ids["role"] = crm.deals.create({"title": "Other one", "value": 1, "contact_id": ids["other"],
                                    "contact_roles": [{"contact_id": id, "role": "champion"}]}).id  # fmt: skip
    ids["note"] = crm.activities.notes.create({"body": f"talk about {MARK}", "contact_id": id}).id
    crm.activities.tasks.create({"title": f"Call {MARK}", "lead_id": ids["lead"]})
    crm.activities.calls.create({"title": f"Call {MARK}", "contact_id": id, "to_number": "+49301117777",
                                 "transcript": f"{MARK} says hello"})  # fmt: skip
    times: Any = {"start_time": "2026-02-02T09:00:00Z", "end_time": "2026-02-02T10:00:00Z"}
    meeting: Any = {"title": "Meeting of others", **times, "attendees": [
        {"email": email, "name": f"Eva{MARK}1 Roth"}, {"email": "otto@other.example"},
    ]}  # fmt: skip
    ids["event"] = crm.activities.events.create(meeting).id
    crm.activities.emails.create({"subject": f"To {MARK}", "body_text": f"Dear {MARK}", "to": [{"email": email}],
                                  "sent_at": datetime(2026, 1, 14, 8, tzinfo=UTC)})  # fmt: skip
    crm.collaboration.comments.create({"entity": {"type": "contact", "id": id}, "body": f"{MARK}?"})
    crm.collaboration.comments.create({"entity": {"type": "deal", "id": ids["deal"]}, "body": f"ask {email} soon"})
    crm.notifications.send_email(email, subject=f"Hello {MARK}", content=f"Dear {MARK}")
    own: Any = {"type": "contact", "id": id}
    crm.files.upload(("passport.txt", f"{MARK}".encode()), related_to=own)
    ids["file"] = crm.files.upload(("list.txt", f"one\n{email}\nthree".encode())).id
    crm.contacts.imports.create(("people.csv", f"name,email\nEva{MARK}1 Roth,{email}".encode()), mode="create")
    crm.contacts.list(search=email)
    canary.stub.clock.advance(60)
    return canary
