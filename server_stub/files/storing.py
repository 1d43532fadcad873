"""Files as records: what every rule that makes a file stores, its first version and its content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import IO, TYPE_CHECKING, Any

from crm_sdk.models.files import File

from ..data.blanks import blank
from ..data.document import Document
from ..problems import Problem
from .kinds import kind_of
from .made import ANYTHING, made_of
from .pictures import measure
from .received import Received

if TYPE_CHECKING:
    from ..serving import Context

FILE, VERSION = "file", "file_version"
_OF_THE_CONTENT = ("width", "height", "page_count", "duration_seconds")


def facts(file: Received, name: str) -> dict[str, Any]:
    """Return what the content of a file tells: its type, size and checksum, the size of a picture."""
    content_type, encoding = kind_of(file.open(), name)
    measured = {**dict.fromkeys(_OF_THE_CONTENT), **measure(file.open(), content_type)}
    return {
        "content_type": content_type,
        "encoding": encoding,
        "size": file.size,
        "checksum": file.checksum,
        "scan_status": "clean",
        **measured,
    }


def store(call: Context, name: str, file: Received, members: Mapping[str, Any]) -> Document:
    """Store a file with its first version, whose content is kept before a record names it."""
    whole: dict[str, Any] = {
        **blank(File),
        "owner_id": call.caller.user_id,
        "entries": list[Any](),
        **members,
        "name": name,
        **facts(file, name),
    }
    call.server.contents.keep(file)
    made = call.create(FILE, "file_", whole)
    made = call.collection(FILE).put(made | {"url": f"/v1/files/{made['id']}/download"})
    put_version(call, made, None)
    return made


def store_bytes(
    call: Context,
    name: str,
    content: bytes,
    *,
    shows: Sequence[str] = ANYTHING,
    hidden: Iterable[str] | None = None,
    **members: Any,
) -> Document:
    """Store a file that a rule has made, which its owner sees and nobody else; for the rest see `made_of`."""
    with closing(Received.of(name, content)) as file:
        return store(call, name, file, {"visibility": "private", **made_of(call, shows, hidden), **members})


def put_version(call: Context, file: Document, comment: str | None) -> Document:
    """Store the current version of a file."""
    return call.collection(VERSION).put(
        Document(
            id=call.new_id("filever_"),
            file_id=file["id"],
            comment=comment,
            created_at=call.now,
            created_by=call.caller.actor_id,
            **{name: file.get(name) for name in ("revision", "size", "checksum", "content_type", "name", "encoding")},
        )
    )


def open_content(call: Context, file: Mapping[str, Any]) -> IO[bytes]:
    """Return the content of a file or of one of its versions."""
    return call.server.contents.open(file["checksum"])


def referenced_file(call: Context, id: str, field: str) -> Document:
    """Return the file that a body names. Raises: 422 for one that there is not, or that the caller may not see."""
    file = call.reference(FILE, id, field)
    sees = call.server.nouns[FILE].visible
    if file is None or (sees is not None and not sees(call, file)):
        raise Problem("REFERENCE_NOT_FOUND", f"no file has the id {id!r}", field=field, rule="reference")
    return file


def content_of(call: Context, file: Mapping[str, Any]) -> bytes:
    """Return the whole content of a file."""
    return call.server.contents.read(file["checksum"])
