"""Uploads: what one may be, and that it is sent alike each time."""

from __future__ import annotations

import io
import json
import os
import tempfile
import threading
import tracemalloc
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import httpx
import pytest
from canned_answers import Canned
from hypothesis import given
from hypothesis import strategies as st
from loopback import Connection, Loopback
from patience import HANG

from crm_sdk import InvalidInputError
from crm_sdk.network.uploads import multipart

Make = Callable[..., Any]
Call = Callable[[Any], Any]

ROWS = b"name,email\nAda,ada@acme.test\n"
JOB = {"data": {"id": "job_1", "kind": "contact_import", "status": "queued", "statusUrl": "/contacts/import/job_1"}}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(ROWS)
    return path


def parts(request: httpx.Request) -> dict[str, tuple[str | None, Any]]:
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + request.content)
    return {
        str(part.get_param("name", header="content-disposition")): (part.get_filename(), part.get_payload(decode=True))
        for part in message.iter_parts()
    }


def content_of(upload: Any) -> tuple[str, bytes]:
    name, content = multipart(upload)
    return name, content if isinstance(content, bytes) else content.read()


@pytest.mark.parametrize(
    ("upload", "name"),
    [
        (lambda path: path, "rows.csv"),
        (lambda path: str(path), "rows.csv"),
        (lambda path: os.fsencode(path), "upload"),
        (lambda path: ROWS, "upload"),
        (lambda path: bytearray(ROWS), "upload"),
        (lambda path: ("my rows.csv", ROWS), "my rows.csv"),
        (lambda path: path.open("rb"), "rows.csv"),
        (lambda path: io.BytesIO(ROWS), "upload"),
    ],
    ids=["path", "str", "bytes-path", "bytes", "bytearray", "named", "file", "memory"],
)
def test_an_upload_is_a_path_bytes_a_file_or_named_bytes(
    make: Make, call: Call, server: Canned, rows: Path, upload: Callable[[Path], Any], name: str
) -> None:
    server.says(JOB, 202)
    given = upload(rows)
    content = os.fsencode(rows) if isinstance(given, bytes) and given != ROWS else ROWS  # bytes are content, not a path
    call(make().contacts.imports.create(given, mode="create", tags=["new"]))
    if hasattr(given, "close"):
        assert not given.closed, "it is the caller's file"
        given.close()
    (request,) = server.requests
    assert parts(request) == {"file": (name, content), "options": (None, b'{"mode":"create","tags":["new"]}')}
    assert request.headers["content-length"] == str(len(request.content))


def test_a_file_is_read_from_where_it_stands(rows: Path) -> None:
    with rows.open("rb") as file:
        file.readline()
        assert content_of(file) == ("rows.csv", b"Ada,ada@acme.test\n")


class PathOfBytes:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self.path)


def test_a_path_may_be_of_bytes(rows: Path) -> None:
    assert content_of(PathOfBytes(rows)) == ("rows.csv", ROWS)


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        (lambda path: path / "missing", "cannot read"),
        (lambda path: path.parent, "cannot read"),
        (lambda path: "a\x00b", "cannot read"),
        (lambda path: io.StringIO("x"), "open it with mode 'rb'"),
        (lambda path: tempfile.NamedTemporaryFile("w+"), "open it with mode 'rb'"),  # noqa: SIM115 # the test closes it
        (lambda path: ("name", "text"), r"is \(name, bytes\)"),
        (lambda path: ("name", b"x", "text/csv"), r"is \(name, bytes\)"),
        (lambda path: 5, "not int"),
        (lambda path: {"file": b"x"}, "not dict"),
    ],
)
def test_anything_else_is_refused_before_anything_is_sent(
    make: Make, call: Call, server: Canned, rows: Path, upload: Callable[[Path], Any], message: str
) -> None:
    given = upload(rows)
    with pytest.raises(InvalidInputError, match=message):
        call(make().contacts.imports.create(given))
    if hasattr(given, "close"):
        given.close()
    assert server.requests == []


def test_a_closed_file_is_refused(rows: Path) -> None:
    with rows.open("rb") as file:
        pass
    with pytest.raises(InvalidInputError, match="closed file"):
        multipart(file)


def test_a_repeated_upload_sends_the_same_bytes_under_the_same_key(
    make: Make, call: Call, server: Canned, rows: Path
) -> None:
    server.says(status=429, retry_after="0").says(status=503, retry_after="0").says(JOB, 202)
    with rows.open("rb") as file:
        job = call(make().contacts.imports.create(file))
    assert job.id == "job_1"
    assert len(server.requests) == 3
    assert len({request.content for request in server.requests}) == 1
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 1
    assert parts(server.requests[2])["file"] == ("rows.csv", ROWS)


class Once(io.RawIOBase):
    """A file that can be read once, as a pipe can."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._content.readinto(buffer)


class Bare:
    """A file that has `read` and nothing else."""

    def __init__(self, content: bytes) -> None:
        self.read = io.BytesIO(content).read


@pytest.mark.parametrize("of", [Once, Bare], ids=["pipe", "bare"])
def test_what_can_be_read_once_is_sent_again_alike(make: Make, call: Call, server: Canned, of: Any) -> None:
    server.says(status=429, retry_after="0").says(JOB, 202)
    call(make().contacts.imports.create(of(ROWS)))
    assert [parts(request)["file"] for request in server.requests] == [("upload", ROWS)] * 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_that_was_opened_for_an_upload_is_closed_and_one_that_was_given_is_not(tmp_path: Path) -> None:
    pipe, opened = tmp_path / "pipe", list[Any]()
    os.mkfifo(pipe)
    real: Any = open

    def noted(*given: Any, **named: Any) -> Any:
        opened.append(real(*given, **named))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.open", noted)
        writing = threading.Thread(target=lambda: pipe.write_bytes(ROWS))
        writing.start()
        assert content_of(pipe) == ("pipe", ROWS)
        writing.join(HANG)
    assert [file.closed for file in opened] == [True]
    given = Once(ROWS)
    assert content_of(given) == ("upload", ROWS) and not given.closed


class Shrinking(io.BytesIO):
    """A file from which bytes are cut off after it was measured."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size:
            self.truncate(10)
        return super().read(size)


class Failing(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if size:
            raise OSError("the disk is gone")
        return b""


class Awaited:
    async def read(self, size: int = -1) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (lambda: Shrinking(ROWS), f"ended after 10 of {len(ROWS)} bytes"),
        (lambda: Failing(ROWS), "the disk is gone"),
        (Awaited, "upload.file"),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_is_the_callers_mistake(
    make: Make, call: Call, net: Loopback, file: Any, message: str
) -> None:
    client = make(net.url, http_client=None, dialects="platform")
    with pytest.raises(InvalidInputError, match=message):
        call(client.contacts.imports.create(file()))
    call(client.close())


@pytest.mark.parametrize("own", [False, True], ids=["default", "http_client"])
def test_a_large_file_takes_little_memory_and_is_closed(
    make: Make, mode: str, call: Call, net: Loopback, tmp_path: Path, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(30 << 20)
    files: list[Any] = []
    real: Any = open

    def noted(*given: Any, **named: Any) -> Any:
        files.append(real(*given, **named))
        return files[-1]

    monkeypatch.setattr("builtins.open", noted)

    def answer(connection: Connection) -> None:
        if len(net.seen) == 1:
            connection.answer(b"{}", 503, Retry_After="0")
        else:
            connection.answer(json.dumps(JOB).encode(), 202)

    net.rules["import"] = answer
    http_client: Any = (httpx.Client() if mode == "sync" else httpx.AsyncClient()) if own else None
    client = make(net.url, http_client=http_client, dialects="platform", clock=None)
    tracemalloc.start()
    try:
        assert call(client.contacts.imports.create(path)).id == "job_1"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        call(client.close())
        if http_client is not None:
            call(http_client.close() if mode == "sync" else http_client.aclose())
    assert peak < 5 << 20, f"{peak >> 20} MB"
    assert [file.closed for file in files if file.name == str(path)] == [True]
    assert len(net.sizes) == 2 and net.sizes[0] == net.sizes[1] > 30 << 20


@given(st.text(min_size=1), st.binary())
def test_any_name_and_content_arrive(name: str, content: bytes) -> None:
    assert content_of((name, content)) == (name, content)


def test_a_name_cannot_break_out_of_its_header(make: Make, call: Call, server: Canned) -> None:
    server.says(JOB, 202)
    call(make().contacts.imports.create(('a"\r\nX-Evil: 1\r\n\r\n.csv', ROWS)))
    assert b"\r\nX-Evil" not in server.requests[0].content
    assert list(parts(server.requests[0])) == ["file"]


def test_without_a_file_the_arguments_are_json(make: Make, call: Call, server: Canned) -> None:
    server.says(JOB, 202)
    call(make().contacts.imports.create(file_id="file_1", dry_run=True))
    assert server.requests[0].headers["content-type"] == "application/json"
    assert server.body() == {"fileId": "file_1", "dryRun": True}
