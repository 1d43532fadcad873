"""What an export wrote, an import reads: odd texts and times come through every format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from server_stub import StubServer

TEXTS = {
    "plain": ("one, two; \\ three", "one, two; \\ three"),
    "line separator": ("a\u2028b", "a\u2028b"),
    "line breaks": ("a\r\nb", "a\nb"),
    "control character": ("a\x0bb", None),
}
"""A note, and how it comes back; None: as a format can hold it."""


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl", "vcf"])
def test_an_export_is_imported(format: Any, text: str) -> None:
    given, expected = TEXTS[text]
    here, there = (StubServer().client(dialects="platform") for _ in range(2))
    when = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    contact: Any = {"name": "Odd", "email": "odd@example.com", "notes": [given], "next_follow_up": when}
    here.contacts.create(contact)
    content = here.contacts.export(format=format, search="odd@example.com").read()
    job = there.contacts.imports.create((f"contacts.{format}", content))
    job.wait()
    done = there.contacts.imports.get(job.id)
    assert done.counts is not None
    assert (done.counts.created, done.counts.failed) == (1, 0), done.errors
    (found,) = there.contacts.list(search="odd@example.com")
    if expected is not None:
        assert [note.replace("\r\n", "\n") for note in found.notes] == [expected]
    if format != "vcf":  # a card has no place for it
        assert found.next_follow_up == when
