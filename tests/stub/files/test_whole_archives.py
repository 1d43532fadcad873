"""Archives as files: what is written is read again, and every part of one that is not as it was written is refused."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.archives.archive import Archive, Part, archive_of, facts, parts_of, read, write
from server_stub.archives.parts import Scope
from server_stub.data.document import Document
from server_stub.problems import Problem

GONE = datetime(2026, 1, 2, tzinfo=UTC)
LEADS = [Document(id="lead_1", name="Ada"), Document(id="lead_2", name="Bob")]
BOATS = [Document(id="record_1", object="boat", fields={"name": "Ark"})]
TEXT = b"what was said"
SUM = hashlib.sha256(TEXT).hexdigest()
LINES = "data/lead.jsonl"


def whole() -> Archive:
    """Return an archive that has something of everything."""
    return Archive(
        tenant={"id": "tenant_1", "slug": "acme", "name": "Acme"},
        position="17",
        scope=Scope(["data", "configuration"], None),
        parts=[Part("lead", "lead", LINES, LEADS), Part("boat", "record", "data/records/boat.jsonl", BOATS)],
        deleted={"lead": [Document(id="lead_3", name="Gone", deleted_at=GONE)],
                 "deal": [Document(id="deal_1", deleted_at=GONE)]},
        series={"lead_": 3, "record_": 0, "deal_": 2**53 - 1},
        company=Document(id="company", locale="es"),
        contents={SUM: TEXT},
    )  # fmt: skip


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def why_not(content: bytes) -> str:
    """Return why something is no archive; empty for one that is."""
    found: Problem | None = None
    try:
        read(content)
    except Problem as problem:
        found = problem
    if found is None:
        return ""
    assert (found.code, found.field, found.entries[0].rule) == ("INVALID_ARCHIVE", "file_id", "format")
    return found.message.removeprefix("this is no archive of a backup: ")


def said(change: Callable[[dict[str, Any]], object], members: Mapping[str, bytes] | None = None) -> bytes:
    """Return the archive with another manifest, and with other members."""
    every = members_of(write(whole(), {})) | dict(members or {})
    manifest = json.loads(every["manifest.json"])
    change(manifest)
    return zipped({**every, "manifest.json": json.dumps(manifest).encode()})


def with_part(text: bytes, **entry: Any) -> bytes:
    """Return the archive with other lines of its leads, of which the manifest tells."""
    told = {"rows": len(text.splitlines()), "sha256": hashlib.sha256(text).hexdigest(), **entry}
    return said(lambda manifest: manifest["parts"][0].update(told), {LINES: text})


def test_what_is_written_is_read_again() -> None:
    made = whole()
    content = write(made, {"made_by": "a test"})
    again = read(content)
    for name in ("tenant", "position", "parts", "deleted", "series", "company", "contents"):
        assert getattr(again, name) == getattr(made, name), name
    assert (list(again.scope.include), again.scope.entity_types) == (["data", "configuration"], None)
    assert again.counts == {"lead": 2, "boat": 1}
    assert [doc["id"] for doc in again.all_of_kind("lead")] == ["lead_1", "lead_2", "lead_3"]
    assert [doc["id"] for doc in again.of_kind("record")] == ["record_1"]
    manifest = json.loads(members_of(content)["manifest.json"])
    assert (manifest["made_by"], manifest["format_version"], manifest["contents"]) == ("a test", 1, [SUM])
    assert [(part["path"], part["kind"], part["name"], part["rows"]) for part in manifest["parts"]] == [
        (LINES, "lead", "lead", 2), ("data/records/boat.jsonl", "record", "boat", 1),
        ("configuration/company.jsonl", None, "company", 1), ("data/deleted.jsonl", None, "deleted", 2),
    ]  # fmt: skip
    assert write(read(content), {"made_by": "a test"}) == content
    told = facts(made, content)
    assert (told["size"], told["checksum"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert (told["status"], told["counts"], told["format_version"]) == ("succeeded", {"lead": 2, "boat": 1}, 1)
    assert (told["position"], told["tenant_slug"]) == ("17", "acme")


def test_what_is_not_there_is_not_written() -> None:
    bare = Archive(whole().tenant, "1", Scope(["data"], ["lead"]), [])
    names = members_of(write(bare, {}))
    assert list(names) == ["manifest.json"] and json.loads(names["manifest.json"])["entity_types"] == ["lead"]
    again = read(write(bare, {}))
    assert (again.company, again.deleted, again.contents, again.scope.entity_types) == (None, {}, {}, ["lead"])


def test_an_archive_has_the_numbers_and_the_contents_of_its_records() -> None:
    parts = [Part("lead", "lead", LINES, LEADS), Part("file_version", "file_version", "f", [
        Document(id="filever_1", checksum=SUM), Document(id="filever_2", checksum="lost")])]  # fmt: skip
    deleted = {
        "deal": [Document(id="deal_1", deleted_at=GONE)],
        "file_version": [Document(id="filever_3", checksum="x")],
    }
    counts = {"lead_": 5, "deal_": 0, "filever_": 7}
    store: Any = SimpleNamespace(last_count=counts.__getitem__)
    tenant = {"id": "t", "slug": "s", "name": "n", "locale": "es", "secret": "x"}

    def content(checksum: str) -> bytes:
        return {SUM: TEXT}[checksum] if checksum != "lost" else _lost()

    for include, has_company in ((["data", "files"], False), (["data", "configuration"], True)):
        made = archive_of(parts, deleted, Scope(include, None), "9", tenant, store, content)
        assert (made.series, made.contents) == ({"filever_": 7, "lead_": 5}, {SUM: TEXT})
        assert (made.tenant, made.position) == ({"id": "t", "slug": "s", "name": "n"}, "9")
        assert (made.company is not None) is has_company
    assert made.company is not None and (made.company["id"], made.company["locale"]) == ("company", "es")
    assert "secret" not in made.company


def _lost() -> bytes:
    raise FileNotFoundError("lost")


def test_what_belongs_to_a_company_gets_its_id() -> None:
    user = Document(id="user_1", tenant_id="")
    made = Archive({}, "1", Scope(["users"], None), [Part("user", "user", "u", [user])], {"user": [user]})
    home = made.at_home("tenant_9")
    assert [doc["tenant_id"] for doc in home.all_of_kind("user")] == ["tenant_9"] * 2


def test_a_manifest_says_what_there_is() -> None:
    cases: list[tuple[Callable[[dict[str, Any]], object], str]] = [
        (lambda manifest: None, ""),
        (lambda manifest: manifest.update(format_version=2), "its format is 2, and 1 is the one that is known"),
        (lambda manifest: manifest.update(format_version=0), "its format is 0, and 1 is the one that is known"),
        (lambda manifest: manifest.update(format_version=1.0), "its format is 1.0, and 1 is the one"),
        (lambda manifest: manifest.update(format_version=True), "its format is True, and 1 is the one"),
        (lambda manifest: manifest.update(include=[]), "its manifest does not say what it has"),
        (lambda manifest: manifest.update(include="data"), "its manifest does not say what it has"),
        (lambda manifest: manifest.update(include=["data", 5]), "its manifest does not say what it has"),
        (lambda manifest: manifest.update(include=["data", "odd"]), "its manifest does not say what it has"),
        (lambda manifest: manifest.update(entity_types=[]), "its manifest does not say what it has"),
        (lambda manifest: manifest.update(entity_types=[5]), "its manifest does not say what it has"),
        (lambda manifest: manifest.update(entity_types=["lead", "deal", "boat"], include=["data"]), ""),
        (lambda manifest: manifest.update(include=["audit", "data", "files", "configuration", "users"]), ""),
        (lambda manifest: manifest.update(include=["configuration"]), "deal is not in what it says it has"),
        (lambda manifest: manifest.update(entity_types=["lead"]), "deal is not in what it says it has"),
        (lambda manifest: manifest["series"].update(lead_=2**53), f"it cannot be read (ValueError: {2**53} is"),
        (lambda manifest: manifest["series"].update(lead_=-1), "it cannot be read (ValueError: -1 is no number"),
        (lambda manifest: manifest["series"].update(lead_=True), "it cannot be read (ValueError: True is no number"),
        (lambda manifest: manifest["series"].update(lead_=0), ""),
        (lambda manifest: manifest["tenant"].pop("slug"), "it cannot be read (KeyError: 'slug')"),
        (lambda manifest: manifest.update(contents=[]), f"contents/{SUM} is not in its manifest"),
        (lambda manifest: manifest.update(contents=[SUM, SUM]), f"contents/{SUM} is missing"),
        (lambda manifest: manifest["parts"].pop(0), f"{LINES} is not in its manifest"),
        (lambda manifest: manifest["parts"].append(manifest["parts"][0]), f"{LINES} is missing"),
        (lambda manifest: manifest["parts"][0].update(kind="odd"), "'odd' is no type of records that is known"),
        (lambda manifest: manifest["parts"][0].update(kind=None), f"{LINES} is no part that is known"),
        (lambda manifest: manifest["parts"][0].update(kind=None, name="company"), f"{LINES} is no part that is known"),
        (lambda manifest: manifest["parts"][0].update(rows=3), f"{LINES} does not have its 3 records"),
        (lambda manifest: manifest["parts"][0].update(rows=1), f"{LINES} does not have its 1 records"),
        (lambda manifest: manifest["parts"][0].update(sha256=SUM), f"{LINES} is damaged: it has another checksum"),
        (lambda manifest: manifest["parts"][1].update(name="ship"), "a record is of another custom object"),
        (lambda manifest: manifest["parts"][2].update(name="firm"), "configuration/company.jsonl is"),
        (lambda manifest: manifest["parts"][3].update(name="lost"), "data/deleted.jsonl is no"),
    ]  # fmt: skip
    for number, (change, why) in enumerate(cases):
        found = why_not(said(change))
        assert (found == why) if not why else found.startswith(why), (number, found)
    assert why_not(said(lambda manifest: None, {"manifest.json": b"[]"})) != "", "a list is no manifest"
    members = members_of(write(whole(), {}))
    assert why_not(zipped({**members, "manifest.json": b"5"})) == "its format is None, and 1 is the one that is known"
    assert why_not(zipped({**members, f"contents/{SUM}": b"x"})) == f"the content {SUM} is damaged"
    assert why_not(zipped({**members, "data/more.jsonl": b""})) == "data/more.jsonl is not in its manifest"
    assert why_not(zipped({})) == "manifest.json is missing"
    assert why_not(b"no zip").startswith("it cannot be unpacked (")


def test_the_lines_of_a_part_are_whole_and_each_once() -> None:
    one, two, three = b'{"id":"lead_1"}\n', b'{"id":"lead_2"}\n', b'{"id":"lead_3"}\n'
    assert why_not(with_part(one + two)) == "" == why_not(with_part(one + b"\n" + two, rows=2))
    assert why_not(with_part(one + one)) == f"{LINES} does not have its 2 records"
    assert why_not(with_part(one + three)) == "a record of the type lead is in it twice", "once deleted, once not"
    assert why_not(with_part(b"{}\n")).startswith("it cannot be read (")
    living = b'{"$kind":"lead","deleted_at":null,"id":"lead_9"}\n'
    told = {"rows": 1, "sha256": hashlib.sha256(living).hexdigest()}
    found = why_not(said(lambda manifest: manifest["parts"][3].update(told), {"data/deleted.jsonl": living}))
    assert found.startswith("it cannot be read (AttributeError"), "what is deleted says when"


def test_no_part_leads_out_of_its_directory() -> None:
    for name in ("/a", "a\\b", "c:x", "../a", "a/../b", "a//b", "a/", "./a", "a/."):
        assert why_not(zipped({name: b"x"})) == f"{name!r} is no path of a part", name
    for name in ("a", "a/b.c", "..a", "a..b/c"):
        assert why_not(zipped({name: b"x"})) == "manifest.json is missing", name


def test_a_part_is_in_an_archive_once_and_for_all_to_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for text in (b"x", b"y"):
            with pytest.warns(UserWarning, match="Duplicate") if text == b"y" else nullcontext():
                archive.writestr("a", text)
    assert why_not(out.getvalue()) == "a part is in it twice"
    content = bytearray(zipped({"a": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert why_not(bytes(content)) == "a is encrypted"


def test_nothing_unpacks_to_more_than_a_hundred_times_its_size() -> None:
    for stored, told, refused in ((10, 1_000, False), (10, 1_001, True), (0, 100, False), (0, 101, True)):
        content = bytearray(zipped({"a": b"x" * stored}))
        at = content.index(b"PK\x01\x02") + 24  # the size that the directory tells
        content[at : at + 4] = told.to_bytes(4, "little")
        expected = "a unpacks to more than 100 times its size" if refused else "manifest.json is missing"
        assert why_not(bytes(content)) == expected, (stored, told)


def test_parts_that_share_their_bytes_unpack_to_no_more_either() -> None:
    """Each of them is within its limit, and there are many of them in the same place."""

    def overlapping(count: int) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            text = random.Random(1).randbytes(2_000)
            archive.writestr("part-000", text + bytes(180_000))
            for number in range(1, count):
                info = copy.copy(archive.filelist[0])
                info.filename = info.orig_filename = f"part-{number:03}"
                archive.filelist.append(info)
        return out.getvalue()

    small, large = overlapping(1), overlapping(3)
    assert len(small) * 100 > 182_000 and len(large) * 100 < 3 * 182_000
    assert (why_not(small), why_not(large)) == (
        "manifest.json is missing", "it unpacks to more than 100 times its size",
    )  # fmt: skip


def test_what_shrinks_by_more_than_fifty_times_is_stored_as_it_is() -> None:
    def packed(text: bytes) -> bool:
        made = Archive(whole().tenant, "1", Scope(["data"], None), [], contents={"x": text})
        with zipfile.ZipFile(io.BytesIO(write(made, {}))) as archive:
            return archive.getinfo("contents/x").compress_type == zipfile.ZIP_DEFLATED

    head = random.Random(1).randbytes(100)
    text = next(
        text for length in range(5_000, 12_000)
        if len(zlib.compress(text := head + bytes(length), 6)) * 50 == len(text)
    )  # fmt: skip
    assert packed(text)
    more = next(
        text for length in range(5_000, 12_000)
        if len(zlib.compress(text := head + bytes(length), 6)) * 50 < len(text)
    )  # fmt: skip
    assert not packed(more) and not packed(bytes(100_000))
    assert packed(random.Random(2).randbytes(1_000)) and packed(b"")


def test_the_parts_of_a_company_are_what_is_there_and_what_is_deleted(stub: StubServer) -> None:
    crm = stub.client(dialects="platform")
    there, gone = (crm.leads.create({"name": name}).id for name in ("Ada", "Gone"))
    crm.leads.delete(gone)
    parts, deleted = parts_of(
        lambda kind: stub.store.collection("tenant_acme", kind), Scope(["data"], ["lead", "onboarding"])
    )
    leads = next(part for part in parts if part.name == "lead")
    assert (leads.kind, leads.path) == ("lead", "data/lead.jsonl")
    assert there in [doc["id"] for doc in leads.docs] and gone not in [doc["id"] for doc in leads.docs]
    assert gone in [doc["id"] for doc in deleted["lead"]] and there not in [doc["id"] for doc in deleted["lead"]]
    records = [(part.name, part.path) for part in parts if part.kind == "record"]
    assert records == [("onboarding", "data/records/onboarding.jsonl")]
