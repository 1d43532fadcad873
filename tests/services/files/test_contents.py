"""Contents: what is uploaded comes back byte by byte, in parts, and only where it is what it says."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from refusals import refused

from crm_sdk import CrmClient, NotFoundError
from server_stub import StubServer

from .conftest import ACME, VIRUS, encoded, picture, put, zipped

BYTES = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(BYTES).hexdigest()


def test_what_is_uploaded_comes_back(stub: StubServer, mode: str, call: Any, tmp_path: Path) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    path = tmp_path / 'Übersicht "Q3".bin'
    path.write_bytes(BYTES)
    made = call(crm.files.upload(path, folder="/in//box/", description="d", tags=["a"], metadata={"k": 1}))
    assert (made.name, made.folder, made.size, made.checksum) == (path.name, "/in/box", len(BYTES), DIGEST)
    assert (made.revision, made.version, made.scan_status, made.visibility) == (1, 1, "clean", "tenant")
    assert (made.owner_id, made.description, made.tags, made.metadata) == ("user_ada", "d", ["a"], {"k": 1})
    assert made.url == f"/v1/files/{made.id}/download"
    got = call(crm.files.download(made.id))
    assert (got.filename, got.size, got.checksum) == (path.name, len(BYTES), DIGEST)
    call(got.save(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == BYTES
    deeds = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert deeds == ["file.uploaded", "file.downloaded"]


def test_a_page_of_html_is_a_file_too(acme: CrmClient) -> None:
    made = put(acme, "a.html", b"<!doctype html><p>hi")
    with acme.files.download(made.id) as got:
        assert (got.content_type, got.read()) == ("text/html", b"<!doctype html><p>hi")


def test_a_range_is_a_part(acme: CrmClient) -> None:
    cases: list[tuple[str, bytes]] = [
        ("bytes=0-9", BYTES[:10]),
        ("bytes=100-", BYTES[100:]),
        ("bytes=-7", BYTES[-7:]),
        ("5-5", BYTES[5:6]),
        ("bytes=0-99999999", BYTES),
    ]
    for asked, part in cases:
        made = put(acme, "a.bin", BYTES)
        with acme.files.download(made.id, byte_range=asked) as got:
            assert got.read() == part and got.size == len(part)


def raw(stub: StubServer, path: str, key: str | None = "acme-admin", **headers: str) -> httpx.Response:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    bearer = {"Authorization": f"Bearer {key}"} if key is not None else {}
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test") as http:
        return http.get(f"/platform{path}", headers={**bearer, **said})


def test_headers_say_what_a_download_is(stub: StubServer, acme: CrmClient) -> None:
    url = str(put(acme, "a.bin", BYTES).url)
    whole = raw(stub, url)
    tag = whole.headers["etag"]
    digest = base64.b64encode(bytes.fromhex(DIGEST)).decode()
    assert (tag, whole.headers["repr-digest"]) == (f'"{DIGEST}"', f"sha-256=:{digest}:")
    assert raw(stub, url, If_None_Match=tag).status_code == 304
    assert raw(stub, url, If_None_Match='"other"').status_code == 200
    part = raw(stub, url, Range="bytes=10-19")
    assert (part.status_code, part.headers["content-range"]) == (206, f"bytes 10-19/{len(BYTES)}")
    assert raw(stub, url, Range="bytes=10-19", If_Range='"other"').content == BYTES
    for unreadable in ("bytes=9-1", "lines=1-2", "bytes=0-1,5-6", "bytes=-"):
        assert raw(stub, url, Range=unreadable).status_code == 200
    beyond = raw(stub, url, Range=f"bytes={len(BYTES)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(BYTES)}")


def upload_raw(
    stub: StubServer, content: bytes, headers: dict[str, str], part: dict[str, str] | None = None
) -> httpx.Response:
    bearer = {"Authorization": "Bearer acme-admin"}
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test") as http:
        files: Any = {"file": ("c.txt", content, "text/plain", part or {})}
        return http.post("/platform/v1/files/upload", files=files, headers={**bearer, **headers})


@pytest.mark.parametrize("of_the_part", [True, False])
def test_a_digest_must_be_that_of_the_content(stub: StubServer, of_the_part: bool) -> None:
    for said, status in ((b"content", 201), (b"other", 422)):
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(said).digest()).decode()}:"
        given = {"Content-Digest": digest}
        answer = upload_raw(stub, b"content", {}, given) if of_the_part else upload_raw(stub, b"content", given)
        assert answer.status_code == status
        assert status == 201 or answer.json()["errors"][0]["code"] == "CHECKSUM_MISMATCH"
    for digest, status in (("sha-256=:abc:", 422), ("md5=:YWJj:", 201), ("sha-256=abc", 201)):
        given = {"Content-Digest": digest}
        answer = upload_raw(stub, b"content", {}, given) if of_the_part else upload_raw(stub, b"content", given)
        assert answer.status_code == status, digest


HOSTILE = (
    "../x.txt", "a/b.txt", "a\\b.txt", "..", ".", " ", "nul\0byte.txt", "line\nbreak.txt", "bell\x07.txt", "CON",
    "nul.txt", "Com1.log", "lpt³", "invoice\u202etxt.exe", "a\u2066b", "\u200fx", "../../etc/passwd",
)  # fmt: skip


def test_a_hostile_name_is_refused_wherever_a_name_is_given(acme: CrmClient) -> None:
    file, files = put(acme), acme.files
    for name in HOSTILE:
        attempts: list[Any] = [
            partial(files.upload, b"x", name=name),
            partial(files.upload, (name, b"x")),
            partial(files.move, file.id, folder="/", name=name),
            partial(files.copy, file.id, name=name),
            partial(files.versions.create, file.id, b"new", name=name),
        ]
        if "/" not in name:
            attempts += [
                partial(files.upload, ("ok.txt", b"x"), folder=f"/a/{name}/b"),
                partial(files.move, file.id, folder=f"/{name}"),
                partial(files.list, folder=f"/{name}"),
            ]
        assert {refused(attempt).code for attempt in attempts} == {"INVALID_FILE_NAME"}, name
        assert [each.name for each in acme.files.list(search="etc")] == []


def test_a_fair_name_stays(acme: CrmClient) -> None:
    cases: list[str] = ["Bericht März – 2026 (final).txt", "отчёт.txt", "a'b;c=d.txt", 'say "hi".txt', "x" * 255]
    for name in cases:
        made = acme.files.upload((name, b"x"), folder="/fair")
        assert made.name == name
        with acme.files.download(made.id) as got:
            assert got.filename == name


def test_an_infected_content_is_found_and_not_kept(stub: StubServer, acme: CrmClient) -> None:
    cases: list[bytes] = [VIRUS, VIRUS + b"\r\n", zipped(a=VIRUS), zipped(a=b"fine", b=zipped(c=VIRUS))]
    for content in cases:
        file = put(acme)
        before = set(stub.contents.snapshot())
        for attempt in (partial(put, acme, "v.dat", content), partial(acme.files.versions.create, file.id, content)):
            assert refused(attempt).code == "FILE_INFECTED"
        found = acme.files.scan(("v.dat", content))
        assert (found.status, found.file_id, found.size) == ("infected", None, len(content))
        assert found.threats == ["EICAR-Test-File"] and found.checksum == hashlib.sha256(content).hexdigest()
        assert set(stub.contents.snapshot()) == before and acme.files.get(file.id).revision == 1


def test_what_only_looks_like_it_is_clean(acme: CrmClient) -> None:
    cases: list[bytes] = [VIRUS[:40], b"see " + VIRUS, VIRUS + b"x", b"PK\x03\x04 broken", b"\x1f\x8b broken"]
    for content in cases:
        found = acme.files.scan(content)
        assert (found.status, found.threats) == ("clean", [])


def test_an_archive_that_swells_is_refused(acme: CrmClient) -> None:
    assert refused(lambda: put(acme, "b.zip", zipped(a=b"\0" * (40 << 20)))).code == "FILE_INFECTED"


def test_an_infected_stored_file_is_locked(stub: StubServer, acme: CrmClient) -> None:
    made = put(acme, "old.zip", zipped(a=b"fine"))
    assert acme.files.scan(file_id=made.id).status == "clean"
    bad = stub.contents.keep_bytes(zipped(a=VIRUS))  # it was there before anybody knew this virus
    files = stub.store.collection(ACME, "file")
    files.put({**(files.get(made.id) or {}), "checksum": bad})
    found = acme.files.scan(file_id=made.id)
    assert (found.status, found.file_id) == ("infected", made.id)
    assert acme.files.get(made.id).scan_status == "infected"
    attempts: list[Any] = [
        lambda: acme.files.download(made.id).read(),
        lambda: acme.files.copy(made.id),
        lambda: acme.files.preview(made.id),
        lambda: acme.files.thumbnail(made.id).read(),
        lambda: acme.files.process(made.id, "convert"),
    ]
    assert {refused(attempt).code for attempt in attempts} == {"FILE_LOCKED"}
    deeds = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert deeds == ["file.uploaded", "file.scanned", "file.scanned", "file.infected"]


def test_exactly_one_thing_is_scanned(acme: CrmClient) -> None:
    file = put(acme)
    assert refused(lambda: acme.files.scan()).status == 422
    assert refused(lambda: acme.files.scan(b"x", file_id=file.id)).status == 422
    assert refused(lambda: acme.files.scan(file_id="file_nobody")).code == "REFERENCE_NOT_FOUND"


def test_what_is_no_form_with_a_file_is_refused(stub: StubServer, acme: CrmClient) -> None:
    right = {"tags": "a,b", "metadata": '{"k": 1}', "relatedTo": '{"type":"contact","id":"contact_123"}'}
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test/platform/v1") as http:
        http.headers["Authorization"] = "Bearer acme-admin"
        assert http.post("/files/upload", json={"file": "a"}).status_code == 400
        form = {"Content-Type": "multipart/form-data; boundary=edge"}
        assert http.post("/files/upload", content=b"--edge\r\nbroken", headers=form).status_code == 400
        assert (
            http.post("/files/upload", content=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 400
        )
        for files, texts, status in (
            ({"other": b"a"}, {}, 422),
            ({"file": b"a"}, {"colour": "red"}, 422),
            ({"file": b"a"}, {"onConflict": "maybe"}, 422),
            ({"file": b"a"}, {"relatedTo": "{"}, 400),
            ({"file": b"a"}, right, 201),
        ):
            answer = http.post("/files/upload", files=files, data=texts)
            assert answer.status_code == status, answer.text
    made = acme.files.get(answer.json()["data"]["id"])
    assert (made.tags, made.metadata, made.related_to and made.related_to.id) == (["a", "b"], {"k": 1}, "contact_123")


def test_a_repeated_upload_is_made_once(stub: StubServer) -> None:
    headers = {"Idempotency-Key": "once"}
    first, again = (upload_raw(stub, b"same", headers) for _ in range(2))
    assert first.json()["data"]["id"] == again.json()["data"]["id"] and again.headers["idempotency-replayed"] == "true"
    assert upload_raw(stub, b"other", headers).json()["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"


def form(boundary: str, *parts: tuple[str, bytes]) -> dict[str, Any]:
    """Return a request with a form whose boundary is given; a part is what stands behind form-data, and its content."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Idempotency-Key": "one"}
    return {"content": body + f"--{boundary}--\r\n".encode(), "headers": kind}


def test_a_key_is_for_what_a_form_says_whatever_its_boundary(stub: StubServer) -> None:
    file, tags = ('name="file"; filename="a.txt"', b"content"), ('name="tags"', b"a,b")
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test/platform/v1") as http:
        http.headers["Authorization"] = "Bearer acme-admin"
        first, again = (http.post("/files/upload", **form(boundary, file, tags)) for boundary in ("edge", "another"))
        assert (first.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        for other in (
            [(file[0], b"contents"), tags],
            [('name="file"; filename="b.txt"', b"content"), tags],
            [file, ('name="tags"', b"a,c")],
            [file, ('name="description"', b"a,b")],
            [file],
        ):
            refusal = http.post("/files/upload", **form("edge", *other)).json()["errors"][0]
            assert refusal["code"] == "IDEMPOTENCY_KEY_REUSED", other


def test_limits_of_size_and_storage(stub: StubServer, acme: CrmClient) -> None:
    tenants = stub.store.collection(ACME, "tenant")
    used = sum(version["size"] for version in stub.store.collection(ACME, "file_version"))
    limits = {"file_size_bytes": 1_000, "storage_bytes": used + 1_500}
    tenants.put({**(tenants.get(ACME) or {}), "limits": limits})
    assert refused(lambda: put(acme, content=b"x" * 1_001)).code == "FILE_TOO_LARGE"
    made = put(acme, content=b"x" * 1_000)
    assert refused(lambda: put(acme, content=b"y" * 501)).code == "LIMIT_EXCEEDED"
    acme.files.versions.create(made.id, b"z" * 500)
    shown = {limit.key: limit.used for limit in acme.tenants.limits.get("current").limits}
    assert shown["storage_bytes"] == used + 1_500, "every version counts"
    attempts: list[Any] = [lambda: acme.files.versions.create(made.id, b"z"), lambda: acme.files.copy(made.id)]
    assert {refused(attempt).code for attempt in attempts} == {"LIMIT_EXCEEDED"}
    acme.files.delete(made.id)
    put(acme, content=b"x" * 1_000)


@pytest.mark.thorough
def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    """100 MB, up and down, through a port: neither side ever has the whole."""
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        for number in range(100):
            file.write(bytes([number]) * (1 << 20))
    stub = StubServer(db=str(tmp_path / "state.db"))
    with stub, stub.serve() as port, CrmClient(port.url, "acme-admin", dialects="platform") as crm:
        crm.files.list()
        tracemalloc.start()
        made = crm.files.upload(path)
        with crm.files.download(made.id) as got:
            got.save(tmp_path / "copy.bin")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 30 << 20, f"{peak >> 20} MB"
    assert (made.size, made.checksum) == (100 << 20, hashlib.sha256((tmp_path / "copy.bin").read_bytes()).hexdigest())


def test_bombs_are_not_decoded(acme: CrmClient) -> None:
    side = 20_000
    bomb = put(acme, "bomb.png", encoded(side, side, 1, (b"\0" + b"\0" * (side // 8)) * side))
    assert (bomb.width, bomb.height, bomb.content_type) == (side, side, "image/png")
    assert refused(lambda: acme.files.process(bomb.id, "resize", options={"width": 10})).code == "IMAGE_TOO_LARGE"
    assert refused(lambda: acme.files.thumbnail(bomb.id).read()).code == "NO_THUMBNAIL"
    narrow = put(acme, "narrow.png", picture(2, 4_000))
    assert refused(lambda: acme.files.process(narrow.id, "resize", options={"width": 8_000})).code == "IMAGE_TOO_LARGE"
    dense = put(acme, "dense.png", encoded(6_000, 6_000, 1, (b"\0" + b"\0" * 750) * 6_000))
    assert refused(lambda: acme.files.process(dense.id, "rotate", options={"rotate": 90})).code == "IMAGE_TOO_LARGE"


def test_another_company_finds_nothing(acme: CrmClient, globex: CrmClient) -> None:
    made = put(acme, "a.png", picture())
    attempts: list[Any] = [
        lambda: globex.files.get(made.id),
        lambda: globex.files.download(made.id).read(),
        lambda: globex.files.thumbnail(made.id).read(),
        lambda: globex.files.preview(made.id),
        lambda: globex.files.versions.list(made.id),
        lambda: globex.files.permissions.get(made.id),
        lambda: globex.files.metadata.update(made.id, {"title": "x"}),
        lambda: globex.files.delete(made.id),
    ]
    for attempt in attempts:
        with pytest.raises(NotFoundError):
            attempt()


WRITER = """
import sys
from crm_sdk import CrmClient
from server_stub import StubServer

with StubServer(db=sys.argv[1]) as stub:
    crm = stub.client(dialects="platform")
    number = 0
    while True:
        number += 1
        made = crm.files.upload(("a.bin", bytes([number % 256]) * 100_000 + str(number).encode()))
        print(made.id, made.checksum, flush=True)
"""


@pytest.mark.thorough
def test_a_killed_server_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    db = tmp_path / "state.db"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(db)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline().split() for _ in range(20)]
        writer.kill()
        told += [line.split() for line in writer.stdout if line.endswith("\n") and len(line.split()) == 2]
    folder = Path(f"{db}.files")
    (folder / "incoming").mkdir(exist_ok=True)
    (folder / "incoming" / "half").write_bytes(b"half")
    with StubServer(db=str(db)) as stub:
        crm = stub.client(dialects="platform")
        for id, checksum in told:
            assert hashlib.sha256(crm.files.download(id).read()).hexdigest() == checksum
        named = {version["checksum"] for each in stub.store.across("file_version") for version in each}
    assert {path.name for path in folder.glob("*/*")} == named
    assert {path.stat().st_mode & 0o077 for path in folder.glob("**/*")} == {0}
