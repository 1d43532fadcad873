"""Downloads: a file is there whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from canned_answers import Canned
from hypothesis import given
from hypothesis import strategies as st
from patience import HANG

from crm_sdk import ConnectionFailedError, CrmError, InvalidResponseError
from crm_sdk.network.downloads import Download

Make = Callable[..., Any]
Call = Callable[[Any], Any]


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives in pieces, and may break off."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def export(make: Make, call: Call, server: Canned, *pieces: bytes | Exception, **headers: str) -> tuple[Any, Pieces]:
    body = Pieces(*pieces)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    server.does(lambda request: httpx.Response(200, headers=named, stream=body))
    return call(make().contacts.export(format="csv")), body


def test_a_download_is_saved_and_says_what_it_is(make: Make, call: Call, server: Canned, tmp_path: Path) -> None:
    download, body = export(
        make, call, server, b"name\n", b"Ada\n", content_type="text/csv; charset=utf-8", content_length="9",
        content_disposition='attachment; filename="contacts.csv"', etag='"abc"', x_total_count="1",
    )  # fmt: skip
    assert (download.filename, download.content_type, download.size) == ("contacts.csv", "text/csv", 9)
    assert (download.checksum, download.total) == ("abc", 1)
    assert repr(download).endswith("Download contacts.csv text/csv>")
    target = tmp_path / "out.csv"
    target.write_bytes(b"an older one")
    assert call(download.save(target)) == 9
    assert target.read_bytes() == b"name\nAda\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert body.closed
    with pytest.raises(CrmError, match="read or closed before"):
        call(download.read())
    assert server.requests[0].headers["accept"] == "*/*"


def test_a_download_that_breaks_off_leaves_nothing(make: Make, call: Call, server: Canned, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_bytes(b"an older one")
    download, body = export(make, call, server, b"half", httpx.ReadError("reset"))
    with pytest.raises(ConnectionFailedError):
        call(download.save(target))
    assert body.closed
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.csv", b"an older one")]


@pytest.mark.parametrize("size", ["3", "5"])
def test_a_download_of_the_wrong_size_is_an_error(
    make: Make, call: Call, server: Canned, tmp_path: Path, size: str
) -> None:
    download, _ = export(make, call, server, b"four", content_length=size)
    with pytest.raises(InvalidResponseError, match=f"after 4 of {size} bytes"):
        call(download.save(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_a_download_to_nowhere_can_be_saved_elsewhere(make: Make, call: Call, server: Canned, tmp_path: Path) -> None:
    download, _ = export(make, call, server, b"x")
    with pytest.raises(FileNotFoundError):
        call(download.save(tmp_path / "missing" / "out"))
    assert call(download.save(os.fsencode(tmp_path / "out"))) == 1
    assert (tmp_path / "out").read_bytes() == b"x"


def test_a_target_that_cannot_be_replaced_leaves_nothing_beside_it(
    make: Make, call: Call, server: Canned, tmp_path: Path
) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)
    download, _ = export(make, call, server, b"x")
    with pytest.raises(OSError, match="folder"):
        call(download.save(tmp_path / "folder"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("breaks", [False, True])
def test_what_is_no_file_is_written_to_as_it_is(
    make: Make, call: Call, server: Canned, tmp_path: Path, breaks: bool
) -> None:
    pipe, received = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    download, _ = export(make, call, server, b"half", *([httpx.ReadError("reset")] if breaks else [b" more"]))
    if breaks:
        with pytest.raises(ConnectionFailedError):
            call(download.save(pipe))
    else:
        assert call(download.save(pipe)) == 9
    reader.join(HANG)
    assert received == [b"half" if breaks else b"half more"]
    assert [path.is_fifo() for path in tmp_path.iterdir()] == [True]


@pytest.mark.parametrize(
    ("headers", "size", "total"),
    [
        ({"content_length": "4", "x_total_count": "7"}, 4, 7),
        ({"content_length": "-4", "x_total_count": "-7"}, None, None),
        ({"content_length": "", "x_total_count": "many"}, None, None), ({}, None, None),
    ],
)  # fmt: skip
def test_a_download_tells_what_its_headers_do(
    make: Make, call: Call, server: Canned, headers: dict[str, str], size: int | None, total: int | None
) -> None:
    download, _ = export(make, call, server, b"a", b"bcd", **headers)
    assert (download.size, download.total, download.checksum) == (size, total, None)
    assert repr(download).endswith("Download ? application/octet-stream>") and call(download.read()) == b"abcd"


def test_a_download_that_is_left_is_closed(make: Make, call: Call, server: Canned, mode: str) -> None:
    download, body = export(make, call, server, b"a", b"b")
    call(download.close() if mode == "sync" else download.aclose())
    assert body.closed
    assert (download.filename, download.size, download.checksum, download.total) == (None, None, None, None)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a b.csv"', "a b.csv"),
        ("attachment; filename=a.csv", "a.csv"),
        ('ATTACHMENT; FileName = "a.csv"', "a.csv"),
        ("attachment; filename*=UTF-8''%C3%BC%20x.csv; filename=u.csv", "ü x.csv"),
        ("attachment; filename=u.csv; filename*=utf-8'de'%C3%BC.csv", "ü.csv"),
        (r'attachment; filename="say \"hi\".csv"', 'say "hi".csv'),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ('attachment; filename="C:\\\\temp\\\\x.csv"', "x.csv"),
        ('attachment; filename=".."', None),
        ('attachment; filename="x/.."', None),
        ("attachment; filename*=UTF-8''%2F", None),
        ("attachment; filename*=UTF-8''a%00b%1B%5B2J%0A.csv", "ab[2J.csv"),
        ("attachment; filename*=UTF-8''gpj%E2%80%AE.exe", "gpj.exe"),
        ('attachment; filename=""', None),
        ("attachment", None),
        ("", None),
    ],
)
def test_a_file_name_is_never_a_path(disposition: str, name: str | None) -> None:
    assert Download({"content-disposition": disposition}, None).filename == name


@given(st.text(alphabet=st.characters(max_codepoint=0x2100)))
def test_no_disposition_gives_a_path(text: str) -> None:
    for disposition in (
        f'attachment; filename="{text}"',
        f"attachment; filename={text}",
        f"x; filename*=UTF-8''{text}",
    ):
        name = Download({"content-disposition": disposition}, None).filename
        assert name is None or (name.isprintable() and not set(name) & set("/\\") and name not in ("", ".", ".."))


def test_the_size_of_what_is_encoded_is_not_known() -> None:
    assert Download({"content-length": "5", "content-encoding": "gzip"}, None).size is None
    assert Download({"content-length": "many"}, None).size is None
    assert Download({}, None).content_type == "application/octet-stream"
