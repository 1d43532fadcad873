"""Files as records: names in folders, versions, metadata, moving, copying, deleting, and what is made of them."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader
from refusals import refused

from crm_sdk import CrmClient, NotFoundError
from crm_sdk.models import File
from server_stub import StubServer

from .conftest import picture, put


def read(crm: CrmClient, file: File | str, **said: Any) -> bytes:
    with crm.files.download(file if isinstance(file, str) else file.id, **said) as got:
        return got.read()


def events(stub: StubServer, id: str) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == id]


def test_one_name_in_one_folder(stub: StubServer, acme: CrmClient) -> None:
    first = put(acme, "a.txt", b"one", folder="/same")
    second = put(acme, "a.txt", b"two", folder="/same")
    third = put(acme, "a.txt", b"2", folder="/same")
    assert [second.name, third.name] == ["a (1).txt", "a (2).txt"]
    refusal = refused(lambda: put(acme, "a.txt", b"three", folder="/same", on_conflict="reject"))
    assert (refusal.code, refusal.details) == ("FILE_EXISTS", {"existingId": first.id})
    newer = put(acme, "a.txt", b"four", folder="/same", on_conflict="new_version")
    assert (newer.id, newer.revision, newer.version) == (first.id, 2, 2)
    assert put(acme, "a.txt", b"four", folder="/same", on_conflict="new_version").version == 2
    assert (read(acme, first), read(acme, first, revision=1)) == (b"four", b"one")
    with pytest.raises(NotFoundError):
        read(acme, first, revision=3)
    other = put(acme, "a.txt", b"five", folder="/same", on_conflict="replace")
    assert other.id != first.id and other.name == "a.txt" and read(acme, other) == b"five"
    with pytest.raises(NotFoundError):
        acme.files.get(first.id)
    assert put(acme, "a.txt", b"six", folder="/Same").name == "a.txt"
    assert sorted(file.name for file in acme.files.list(folder="/same")) == ["a (1).txt", "a (2).txt", "a.txt"]
    assert events(stub, first.id)[-2:] == ["file.downloaded", "file.deleted"]


def test_lists_and_their_filters(acme: CrmClient) -> None:
    put(acme, "x.txt", folder="/deep", related_to={"type": "contact", "id": "contact_123"})
    put(acme, "y.csv", b"a,b\n1,2\n", folder="/deep/down")
    put(acme, "z.txt", b"123456", folder="/deeper")

    def names(**said: Any) -> list[str]:
        return sorted(file.name for file in acme.files.list(**said) if file.folder and file.folder.startswith("/deep"))

    assert names() == ["x.txt", "y.csv", "z.txt"]
    assert names(folder="/deep") == ["x.txt"]
    assert names(folder="/deep/", recursive=True) == ["x.txt", "y.csv"]
    assert names(content_type="text/csv") == ["y.csv"]
    assert names(related_type="contact", related_id="contact_123") == ["x.txt"]
    assert names(related_type="lead", related_id="contact_123") == []
    assert names(search="z.t") == ["z.txt"] and names(owner_id="user_nobody") == []
    assert names(scan_status="infected") == []
    sizes = [file.size or 0 for file in acme.files.list(sort="size")]
    assert sizes == sorted(sizes)
    assert refused(lambda: acme.files.list(folder="deep")).code == "INVALID_FILE_NAME"


def test_versions(stub: StubServer, acme: CrmClient) -> None:
    file = put(acme, "notes.txt", b"one")
    second = acme.files.versions.create(file.id, b"two", comment="better", name="Notes.txt")
    assert (second.file_id, second.revision, second.is_current, second.comment) == (file.id, 2, True, "better")
    assert second.id.startswith("filever_")
    found = list(acme.files.versions.list(file.id))
    assert [(one.revision, one.is_current, one.size) for one in found] == [(2, True, 3), (1, False, 3)]
    assert [one.revision for one in acme.files.versions.list(file.id, order="asc")] == [1, 2]
    assert [one.revision for one in acme.files.versions.list(file.id, sort="created_at", order="desc")] == [2, 1]
    assert refused(lambda: acme.files.versions.list(file.id, sort="size")).status == 422
    now = acme.files.get(file.id)
    assert (now.name, now.revision, now.version, now.checksum) == ("Notes.txt", 2, 2, second.checksum)
    assert refused(lambda: acme.files.versions.create(file.id, b"two")).code == "VERSION_UNCHANGED"
    assert refused(lambda: acme.files.versions.create(file.id, picture())).code == "CONTENT_TYPE_CHANGED"
    put(acme, "taken.txt")
    assert refused(lambda: acme.files.versions.create(file.id, b"3", name="taken.txt")).code == "FILE_EXISTS"
    assert events(stub, file.id) == ["file.uploaded", "file.version_created"]


def test_metadata_and_the_file_are_one(stub: StubServer, acme: CrmClient) -> None:
    file = put(acme, "a.png", picture(30, 10))
    first = acme.files.metadata.get(file.id).technical
    assert first is not None and (first.width, first.height, first.has_thumbnail, first.has_preview) == (
        30,
        10,
        True,
        True,
    )
    changes: Any = {"title": "T", "description": "D", "tags": ["x"], "language": "de", "metadata": {"a": {"b": 1}}}
    new = acme.files.metadata.update(file.id, changes, version=1)
    assert (new.title, new.description, new.tags, new.language, new.metadata) == (
        "T",
        "D",
        ["x"],
        "de",
        {"a": {"b": 1}},
    )
    record = acme.files.get(file.id)
    assert (record.description, record.tags, record.version, record.revision) == ("D", ["x"], 2, 1)
    assert refused(lambda: acme.files.metadata.update(file.id, {"title": "U"}, version=1)).code == "VERSION_CONFLICT"
    merged = acme.files.metadata.update(file.id, {"metadata": {"a": {"c": 2}}})
    assert (merged.metadata, merged.title) == ({"a": {"b": 1, "c": 2}}, "T")
    acme.files.metadata.update(file.id, {"title": "T"})
    assert acme.files.get(file.id).version == 3, "nothing differs: nothing is written"
    assert events(stub, file.id) == ["file.uploaded", "file.updated", "file.updated"]


def test_move_and_copy(stub: StubServer, acme: CrmClient, sales: CrmClient) -> None:
    file = put(acme, "a.txt", b"bytes", folder="/from", tags=["t"])
    acme.files.permissions.update(
        file.id, entries=[{"subject_type": "user", "subject_id": "user_mia", "access": "edit"}]
    )
    put(acme, "taken.txt", folder="/to")
    assert refused(lambda: acme.files.move(file.id, folder="/to", name="taken.txt")).code == "FILE_EXISTS"
    moved = acme.files.move(file.id, folder="/to/", name="b.txt")
    assert (moved.folder, moved.name, moved.id) == ("/to", "b.txt", file.id)
    assert acme.files.move(file.id, folder="/to").version == moved.version
    made = sales.files.copy(file.id, name="taken.txt", related_to={"type": "contact", "id": "contact_123"})
    assert (made.name, made.folder, made.owner_id, made.revision) == ("taken (1).txt", "/to", "user_sam", 1)
    assert made.tags == ["t"] and made.related_to is not None and made.related_to.name == "Alice Johnson"
    assert read(sales, made) == b"bytes" and sales.files.permissions.get(made.id).entries == []
    assert events(stub, file.id)[-1] == "file.moved" and events(stub, made.id)[0] == "file.copied"
    wrong: Any = {"type": "contact", "id": "contact_nobody"}
    assert refused(lambda: acme.files.copy(file.id, related_to=wrong)).code == "REFERENCE_NOT_FOUND"


def test_delete(stub: StubServer, acme: CrmClient) -> None:
    file = put(acme)
    share = acme.files.share(file.id, link=True)
    acme.files.delete(file.id)
    for attempt in (
        lambda: acme.files.get(file.id),
        lambda: read(acme, file),
        lambda: acme.files.versions.list(file.id),
    ):
        with pytest.raises(NotFoundError):
            attempt()
    assert share.id not in [one.share.id for one in acme.files.shared(direction="by_me")]
    assert events(stub, file.id)[-1] == "file.deleted"


def test_a_legal_hold_keeps_files(acme: CrmClient) -> None:
    held, free = put(acme, tags=["held"]), put(acme)
    condition = [{"filters": [{"field": "tags", "op": "contains", "value": "held"}]}]
    hold: Any = {"entity_type": "file", "retain_days": 1, "legal_hold": True, "filter_groups": condition}
    other: Any = {"entity_type": "contact", "retain_days": 1, "legal_hold": True}
    about, made = acme.audit.retention_policies.update([other, hold])
    assert refused(lambda: acme.files.delete(held.id)).code == "LEGAL_HOLD"
    acme.files.delete(free.id)
    acme.audit.retention_policies.update([
        other | {"id": about.id}, hold | {"id": made.id, "legal_hold": False},
    ])  # fmt: skip
    acme.files.delete(held.id)


def test_a_snapshot_has_the_contents(stub: StubServer, acme: CrmClient) -> None:
    large = b"x" * (3 << 20)
    file, big = put(acme, "a.txt", b"kept"), put(acme, "b.bin", large)
    other = StubServer()
    other.restore(stub.snapshot())
    held = pickle.loads(pickle.dumps(stub.contents.snapshot()))
    assert held[str(big.checksum)].open().read() == large
    crm = other.client(dialects="platform")
    assert (read(crm, file), read(crm, big)) == (b"kept", large)


# -- pictures and documents --------------------------------------------------------------------------------------------


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as found:
        return found.size


@pytest.mark.parametrize(("edge", "named"), [(64, "small"), (128, "medium"), (256, "large")])
def test_thumbnails(acme: CrmClient, edge: int, named: str) -> None:
    file = put(acme, "a.png", picture(800, 400))
    with acme.files.thumbnail(file.id, size=named) as got:
        assert (got.content_type, size(got.read())) == ("image/png", (edge, edge // 2))
    with acme.files.thumbnail(file.id, size=named, format="jpeg") as got:
        assert got.read()[:3] == b"\xff\xd8\xff"
    text = put(acme)
    assert refused(lambda: acme.files.thumbnail(text.id).read()).code == "NO_THUMBNAIL"


def test_pictures_are_processed(stub: StubServer, acme: CrmClient) -> None:
    cases: list[tuple[str, Any, Any]] = [
        ("resize", {"width": 100, "height": 100}, (100, 50)),
        ("resize", {"width": 100, "height": 100, "fit": "cover"}, (100, 100)),
        ("resize", {"width": 100, "height": 30, "fit": "fill"}, (100, 30)),
        ("resize", {"width": 100, "fit": "fill"}, (100, 50)),
        ("resize", {"height": 20}, (40, 20)),
        ("resize", {"height": 20, "fit": "cover"}, (40, 20)),
        ("rotate", {"rotate": 90}, (100, 200)),
        ("rotate", {"rotate": 180}, (200, 100)),
        ("compress", {"format": "jpeg", "quality": 10}, (200, 100)),
        ("convert", {"format": "webp"}, (200, 100)),
        ("convert", {"format": "gif"}, (200, 100)),
    ]
    for number, (operation, options, made) in enumerate(cases):
        folder = f"/pictures/{number}"
        file = put(acme, "a.png", picture(200, 100), folder=folder)
        new = acme.files.process(file.id, operation, options=options)
        assert new.id != file.id and (new.width, new.height) == made and size(read(acme, new)) == made
        assert new.folder == folder and events(stub, new.id)[0] == "file.processed"
        assert new.name == {"jpeg": "a.jpg", None: "a (1).png"}.get(options.get("format"), f"a.{options.get('format')}")
        if options.get("format") is None:
            changed = acme.files.process(file.id, operation, options=options, save_as="version")
            assert (changed.id, changed.revision, (changed.width, changed.height)) == (file.id, 2, made)


def document(crm: CrmClient) -> File:
    return next(file for file in crm.files.list(content_type="application/pdf") if file.page_count)


def test_documents_are_processed(acme: CrmClient) -> None:
    file = document(acme)
    assert file.page_count == 2
    text = acme.files.process(file.id, "extract_text")
    assert (text.content_type, read(acme, text)) == ("text/plain", b"Offer\n\nTerms and conditions")
    second = acme.files.process(file.id, "convert", options={"format": "pdf", "pages": "2"})
    pages = PdfReader(io.BytesIO(read(acme, second))).pages
    assert [page.extract_text() for page in pages] == ["Terms and conditions"] and second.page_count == 1
    turned = acme.files.process(file.id, "rotate", options={"rotate": 90})
    assert PdfReader(io.BytesIO(read(acme, turned))).pages[0].rotation == 90
    made = acme.files.process(put(acme, "a.png", picture()).id, "convert", options={"format": "pdf"})
    assert (made.content_type, made.page_count) == ("application/pdf", 1)
    assert refused(lambda: acme.files.process(file.id, "convert", options={"pages": "2-9"})).status == 422


@pytest.mark.parametrize(
    ("operation", "options", "code"),
    [
        ("resize", {"width": 5}, "UNSUPPORTED_OPERATION"),
        ("rotate", {"rotate": 90}, "UNSUPPORTED_OPERATION"),
        ("convert", {"format": "png"}, "UNSUPPORTED_OPERATION"),
    ],
)
def test_what_a_kind_of_file_does_not_have_is_refused(acme: CrmClient, operation: str, options: Any, code: str) -> None:
    text = put(acme)
    assert refused(lambda: acme.files.process(text.id, operation, options=options)).code == code


def test_a_version_stays_of_its_kind(acme: CrmClient) -> None:
    file = put(acme, "a.png", picture())
    attempt: Any = lambda: acme.files.process(file.id, "convert", options={"format": "pdf"}, save_as="version")  # noqa: E731 # said several times
    assert refused(attempt).code == "CONTENT_TYPE_CHANGED"
    broken = put(acme, "b.png", b"\x89PNG\r\n\x1a\n and nothing more")
    assert broken.width is None
    assert (
        refused(lambda: acme.files.process(broken.id, "rotate", options={"rotate": 90})).code == "UNSUPPORTED_OPERATION"
    )
    for options in ({}, {"fit": "cover"}):
        assert refused(lambda: acme.files.process(file.id, "resize", options=options)).status == 422  # type: ignore[arg-type] # noqa: B023 # a plain dict


def test_previews(acme: CrmClient) -> None:
    def show(name: str, content: bytes) -> Any:
        return acme.files.preview(put(acme, name, content).id)

    text = show("a.txt", "hëllo\nworld".encode())
    assert (text.kind, text.text, text.truncated) == ("text", "hëllo\nworld", False)
    long = show("b.txt", ("ä" * 40_000).encode())
    assert long.truncated is True and len(long.text.encode()) == 65_536
    for size in (65_535, 65_536, 65_537):
        shown = show("s.txt", b"a" * size)
        assert (len(shown.text), shown.truncated) == (min(size, 65_536), size > 65_536)
    table = show("c.csv", b'a,b\n1,"x, y"\n' + b"2,z\n" * 150)
    assert (table.kind, table.rows[:2], len(table.rows)) == ("table", [["a", "b"], ["1", "x, y"]], 100)
    assert table.truncated is True and show("d.csv", b"a;b\n1;2\n").rows == [["a", "b"], ["1", "2"]]
    image = show("e.png", picture())
    assert (image.kind, image.text) == ("image", None) and "/thumbnail" in image.image_url
    assert show("f", bytes(range(256))).kind == "none" and show("g.pdf", b"%PDF-1.4 broken").kind == "none"
    page = acme.files.preview(document(acme).id, page=2)
    assert (page.kind, page.text, page.page, page.page_count) == ("pdf", "Terms and conditions", 2, 2)
    beyond = acme.files.preview(document(acme).id, page=3)
    assert (beyond.kind, beyond.text, beyond.page_count) == ("none", None, 2)


BROKEN = {
    "a.png": b"\x89PNG\r\n\x1a\n and nothing more",
    "b.pdf": b"%PDF-1.4 and nothing more",
    "c.png": picture()[:50],
}


@pytest.mark.parametrize("name", BROKEN)
def test_nothing_is_promised_of_a_content_that_cannot_be_read(acme: CrmClient, name: str) -> None:
    file = put(acme, name, BROKEN[name])
    shown = acme.files.preview(file.id)
    assert (shown.kind, shown.image_url) == ("none", None)
    technical = acme.files.metadata.get(file.id).technical
    told = file.width is not None  # its head is whole
    assert technical is not None and (technical.has_thumbnail, technical.has_preview) == (told, told)


def test_the_text_of_a_file_is_read_in_its_encoding(acme: CrmClient) -> None:
    cases: list[tuple[str, str]] = [
        ("utf-8", "grün 名"),
        ("utf-8-sig", "grün 名"),
        ("windows-1252", "grün"),
        ("utf-16", "grün 名"),
    ]
    for encoding, text in cases:
        file = put(acme, "a.txt", text.encode(encoding))
        for operation in ("extract_text", "convert"):
            assert read(acme, acme.files.process(file.id, operation)).decode() == text


@pytest.mark.parametrize("fit", ["contain", "cover", "fill"])
def test_a_picture_is_not_made_too_large(acme: CrmClient, fit: Any) -> None:
    square = put(acme, "a.png", picture(20, 20))
    options: Any = {"width": 8_192, "height": 8_192, "fit": fit}
    assert refused(lambda: acme.files.process(square.id, "resize", options=options)).code == "IMAGE_TOO_LARGE"
