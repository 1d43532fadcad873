"""The rules of contents that are handed out: downloads with ranges, small pictures, and previews."""

from __future__ import annotations

import base64
import hmac
import re
from typing import Any

from crm_sdk.resources.files import Files

from ...answers import Answer, FileAnswer
from ...caller import Caller
from ...data.document import Document
from ...files.pictures import UnreadableError, thumbnail
from ...files.previews import preview
from ...files.storing import VERSION, open_content
from ...problems import Problem, missing
from ...request.access.identity import password_fits
from ...request.reading.preconditions import is_known
from ...serving import Context, Members, serves
from .access import SHARE, is_active, require_unlocked
from .records import FILES

_RANGE = re.compile(r"(?:bytes\s*=)?\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
_EDGES = {"small": 64, "medium": 128, "large": 256}


@serves(Files.download)
def download(
    call: Context,
    file_id: str,
    revision: int | None,
    byte_range: str | None,
    share_token: str | None,
    password: str | None,
) -> FileAnswer | Answer:
    """Hand out the bytes of a file, or some of them, to who may see it or has a link to it."""
    share = None
    if share_token is not None:
        call, share = _by_link(call, file_id, share_token, password)
    file = FILES.find_one(call, file_id) if share is None else call.record("file", file_id)
    version: Members = file if revision is None else _version(call, file, revision)
    require_unlocked(call, file)
    tag = f'"{version["checksum"]}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}
    digest = base64.b64encode(bytes.fromhex(version["checksum"])).decode()
    headers["Repr-Digest"] = f"sha-256=:{digest}:"
    if is_known(tag, call.headers):
        return Answer(FileAnswer(file["name"], version["content_type"], (), headers), 304)
    size: int = version["size"]
    asked = byte_range if call.headers.get("if-range", tag) == tag else None
    part = _part(asked, size)
    if share is not None:
        store = share.store
        store.put(share.doc | {"download_count": share.doc["download_count"] + 1})
    FILES.publish(
        call,
        "downloaded",
        file,
        metadata={"revision": version["revision"], **({"share_id": share.doc["id"]} if share is not None else {})},
    )
    start, length = part if part is not None else (0, size)
    headers["Content-Length"] = str(length)
    pieces = call.server.contents.pieces(version["checksum"], start, length)
    if part is None:
        return FileAnswer(file["name"], version["content_type"], pieces, headers)
    headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return Answer(FileAnswer(file["name"], version["content_type"], pieces, headers), 206)


def _version(call: Context, file: Document, revision: int) -> Document:
    for version in call.collection(VERSION).find("file_id", file["id"]):
        if version["revision"] == revision:
            return version
    raise missing("version", str(revision))


def _part(asked: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the number of bytes of a range; None for the whole file.

    A range that cannot be read, and several at once, mean the whole (RFC 9110, 14.2). Raises: 416 where the file has
    none of the bytes.
    """
    match = _RANGE.fullmatch(asked) if asked is not None else None
    if match is None or (not match[1] and not match[2]):
        return None
    if match[1]:
        start, end = int(match[1]), min(int(match[2] or size), size - 1)
        if match[2] and int(match[2]) < start:
            return None
    else:
        start, end = max(0, size - int(match[2])), size - 1
    if start > end:
        message = f"the file has {size} bytes, and none from {start} on"
        raise Problem(
            "RANGE_NOT_SATISFIABLE", message, field="byte_range", headers={"Content-Range": f"bytes */{size}"}
        )
    return start, end - start + 1


class _Link:
    """A share that somebody has used the link of, and where it is stored."""

    def __init__(self, store: Any, doc: Document) -> None:
        self.store, self.doc = store, doc


def _by_link(call: Context, file_id: str, token: str, password: str | None) -> tuple[Context, _Link]:
    """Return the call as that of who has a link, and its share. Raises: 404; 403 SHARE_EXPIRED, FORBIDDEN."""
    for shares in call.server.store.across(SHARE):
        for share in shares.find("token", token):
            if share["entity_id"] != file_id or not hmac.compare_digest(share["token"].encode(), token.encode()):
                continue
            if not is_active(call, share):
                raise Problem("SHARE_EXPIRED", "the link has expired, was ended, or is used up")
            if share["password_hash"] is not None and not password_fits(password or "", share["password_hash"]):
                raise Problem("FORBIDDEN", "the link asks for a password, and this is not the one", field="password")
            if shares.tenant_id != call.caller.tenant_id:
                call = call.acting_as(Caller(shares.tenant_id, "anonymous", None, "anonymous", "a link", auth="none"))
            return call, _Link(shares, share)
    raise missing("file", file_id)


@serves(Files.thumbnail)
def small_picture(call: Context, file_id: str, size: str, format: str) -> FileAnswer | Answer:
    """Hand out a small picture of a file."""
    file = FILES.find_one(call, file_id)
    require_unlocked(call, file)
    try:
        with open_content(call, file) as content:
            picture = thumbnail(content, file["content_type"], _EDGES[size], format)
    except (UnreadableError, Problem) as error:
        raise Problem("NO_THUMBNAIL", f"there is no picture of {file['name']}: {error}") from None
    stem = file["name"].rpartition(".")[0] or file["name"]
    headers = {"Content-Length": str(len(picture)), "X-Content-Type-Options": "nosniff"}
    return FileAnswer(f"{stem}-{size}.{format}", f"image/{format}", (picture,), headers)


@serves(Files.preview)
def show(call: Context, file_id: str, page: int) -> dict[str, Any]:
    """Return what can be shown of a file."""
    file = FILES.find_one(call, file_id)
    require_unlocked(call, file)
    count: int | None = file["page_count"]
    if page > (count or 1):
        return {"file_id": file["id"], "kind": "none", "page": page, "page_count": count, "truncated": False}
    with open_content(call, file) as content:
        found = preview(content, file, page)
    picture = f"/v1/files/{file['id']}/thumbnail?size=large" if found["kind"] == "image" else None
    return {"file_id": file["id"], "page": page, "page_count": count, "image_url": picture, **found}
