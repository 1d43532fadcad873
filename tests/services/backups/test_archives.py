"""Archives: lines that lose nothing, and files that are no archives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from backing_up import MANIFEST, Founded, changed, parts_of, zipped
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from server_stub.archives.lines import read_line, with_secrets_of, write_line
from server_stub.data.document import Document

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(minutes=345))])
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False), st.dates(), st.datetimes(timezones=ZONES),
    st.binary(max_size=8),
)  # fmt: skip
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
DOCS = st.dictionaries(st.from_regex("[a-z]{1,8}", fullmatch=True), VALUES, max_size=6)


def exact(value: Any) -> Any:
    """Return a value with its types: 1, True and Decimal(1) are equal, and not the same."""
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    return type(value).__name__, str(value) if isinstance(value, (Decimal, datetime, float)) else value


@pytest.mark.thorough
@given(DOCS)
def test_a_line_loses_nothing(members: dict[str, Any]) -> None:
    doc = Document({**members, "id": "x_1", "custom_fields": members})
    line = write_line(doc)
    assert b"\n" not in line
    again = read_line(line)
    assert exact(again["custom_fields"]) == exact(members)
    assert write_line(again) == line


def test_a_line_is_the_record_as_any_program_reads_it() -> None:
    doc = {"id": "deal_1", "value": Decimal("5.00"), "at": datetime(2026, 1, 1, tzinfo=UTC), "days": [date(2026, 1, 2)]}
    plain = json.loads(write_line(doc))
    assert plain.pop("$types") == {"datetime": ["/at"], "date": ["/days/0"], "decimal": ["/value"]}
    assert plain == {"id": "deal_1", "value": "5.00", "at": "2026-01-01T00:00:00+00:00", "days": ["2026-01-02"]}


def test_secrets_are_empty_and_stay_what_they_are() -> None:
    now = {"id": "x", "webhook_key": "k", "spec": {"api_token": "t", "url": "u"}, "custom_fields": {"token": "mine"}}
    line = write_line(now)
    assert json.loads(line) == {
        "id": "x", "webhook_key": None, "spec": {"api_token": None, "url": "u"}, "custom_fields": {"token": "mine"},
    }  # fmt: skip
    assert with_secrets_of(read_line(line), now) == now


# -- what is no archive ------------------------------------------------------------------------------------------------


def rewritten(manifest: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """Return what changes the manifest of an archive."""

    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if name != MANIFEST:
            return name, content
        said = json.loads(content)
        manifest(said)
        return name, json.dumps(said).encode()

    return lambda content: changed(content, change)


def with_line(line: bytes) -> Callable[[bytes], bytes]:
    """Return what adds a line to the contacts of an archive, and says so in the manifest."""

    def change(content: bytes) -> bytes:
        parts = parts_of(content)
        text = parts["data/contact.jsonl"] + line + b"\n"

        def say(manifest: dict[str, Any]) -> None:
            (entry,) = (part for part in manifest["parts"] if part["name"] == "contact")
            entry |= {"rows": len(text.splitlines()), "sha256": hashlib.sha256(text).hexdigest()}

        return rewritten(say)(changed(content, lambda n, c: (n, text if n == "data/contact.jsonl" else c)))

    return change


def other(name: str, content: bytes | None) -> Callable[[bytes], bytes]:
    """Return what puts another content in place of a member; None leaves it out."""
    return lambda whole: changed(whole, lambda n, c: (n, c) if n != name else (n, content) if content else None)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no zip": lambda content: b"no zip at all",
    "empty": lambda content: zipped({}),
    "cut short": lambda content: content[: len(content) // 2],
    "one bit": lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
    "no manifest": other(MANIFEST, None),
    "manifest that is no JSON": other(MANIFEST, b"{"),
    "manifest that is a list": other(MANIFEST, b"[]"),
    "other format": rewritten(lambda manifest: manifest.update(format_version=9_999)),
    "format that is no number": rewritten(lambda manifest: manifest.update(format_version=True)),
    "no company": rewritten(lambda manifest: manifest.pop("tenant")),
    "unknown include": rewritten(lambda manifest: manifest.update(include=["data", "everything"])),
    "negative series": rewritten(lambda manifest: manifest["series"].update(contact_=-1)),
    "part that is missing": other("data/contact.jsonl", None),
    "part with other records": other("data/contact.jsonl", b'{"id":"contact_1"}\n'),
    "part that nobody knows": lambda content: (
        changed(content, lambda n, c: (n, c)) and with_member(content, "more", b"x")
    ),
    "path out of the directory": lambda content: with_member(content, "../contact.jsonl", b"x"),
    "absolute path": lambda content: with_member(content, "/etc/passwd", b"x"),
    "path of Windows": lambda content: with_member(content, "c:\\x", b"x"),
    "bomb": lambda content: with_member(content, "contents/zeros", bytes(1_000_000)),
    "content of a file": lambda content: changed(content, lambda n, c: (n, b"x" if n.startswith("contents/") else c)),
    "content that is missing": rewritten(lambda manifest: manifest.update(contents=[])),
    "type of records that nobody knows": rewritten(lambda manifest: manifest["parts"][0].update(kind="session")),
    "record without an id": with_line(b'{"name":"x"}'),
    "line that is no object": with_line(b"[1]"),
    "line that is no JSON": with_line(b"{"),
    "type that leads nowhere": with_line(b'{"id":"contact_x","$types":{"date":["/a/b"]}}'),
    "value that is none of its type": with_line(b'{"id":"contact_x","a":"soon","$types":{"date":["/a"]}}'),
}


def with_member(content: bytes, name: str, member: bytes) -> bytes:
    parts: dict[str, bytes] = {}

    def note(name: str, content: bytes) -> None:
        parts[name] = content

    changed(content, note)
    return zipped({**parts, name: member})


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_archive_is_refused_before_anything_moves(acme: Founded, damage: str) -> None:
    acme.crm.contacts.create({"name": "Eva"})
    acme.crm.files.upload(("notes.txt", b"what was said"))
    content = acme.archive(acme.backup())
    error = refused(lambda: acme.take_over(DAMAGES[damage](content)))
    assert (error.status, error.code) == (422, "INVALID_ARCHIVE")
    assert acme.crm.backups.list().total == 1


def test_a_file_that_is_not_there_is_none(acme: Founded) -> None:
    assert refused(lambda: acme.crm.backups.create(file_id="file_nothere")).code == "REFERENCE_NOT_FOUND"


def test_the_file_of_a_backup_is_no_other_one(acme: Founded) -> None:
    made = acme.backup()
    error = refused(lambda: acme.crm.backups.create(file_id=made.file_id))
    assert (error.status, error.code) == (422, "INVALID_ARCHIVE")
    assert made.id in str(error) and acme.crm.backups.list().total == 1


def test_an_archive_of_much_of_the_same_is_one(acme: Founded) -> None:
    """What shrinks a lot is stored as it is: a limit against bombs must not refuse our own archives."""
    acme.crm.files.upload(("zeros.bin", bytes(300_000)))
    acme.crm.contacts.bulk_upsert([{"name": "Same", "notes": ["same " * 200]} for _ in range(300)])
    made = acme.backup()
    taken = acme.take_over(acme.archive(made))
    assert (taken.status, taken.trigger, taken.counts, taken.checksum) == (
        "succeeded", "uploaded", made.counts, made.checksum,
    )  # fmt: skip
    assert taken.verified_at is not None and taken.tenant_slug == acme.slug
