"""The rules of contents that are uploaded: new files, new versions, and the search for viruses."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from crm_sdk.resources.file_parts import FileVersions
from crm_sdk.resources.files import Files

from ...answers import Answer
from ...data.document import Document
from ...data.mapped import Mapped
from ...data.merging import differences
from ...data.queries.select import select
from ...files.kinds import family
from ...files.names import checked_folder, checked_name, free_name
from ...files.received import Received
from ...files.scanning import ENGINE, threats_in
from ...files.storing import FILE, VERSION, facts, open_content, put_version, store
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from .limits import require_room
from .records import FILES, exists, in_folder, related_record, shown_file

_DIGEST = re.compile(r"sha-256\s*=\s*:([A-Za-z0-9+/=]*):", re.IGNORECASE)


@serves(Files.upload)
def upload(
    call: Context,
    file: Received,
    name: str | None,
    folder: str,
    related_to: Members | None,
    visibility: str,
    description: str | None,
    tags: list[str] | None,
    metadata: dict[str, Any] | None,
    on_conflict: str,
) -> Answer:
    """Store an uploaded file, or a new version of the one whose name it has."""
    name = checked_name(name if name is not None else file.name)
    folder = checked_folder(folder)
    members = FILES.stored_form(
        call,
        {
            "folder": folder,
            "visibility": visibility,
            "description": description,
            "tags": tags or [],
            "metadata": metadata,
            "related_to": related_record(call, related_to),
        },
    )
    names = in_folder(call, folder)
    there = names.get(name)
    if there is not None and on_conflict == "reject":
        raise exists(call, there)
    check_content(call, file)
    if there is not None and on_conflict in ("new_version", "replace"):
        if not FILES.visible or not FILES.visible(call, there):  # what cannot be seen cannot be written over
            raise exists(call, there)
        if on_conflict == "new_version":
            current = FILES.writable(call, there["id"])
            if current["checksum"] == file.checksum:
                return Answer(shown_file(call, current), 200)
            changed, _ = add_version(call, current, file, None, {})
            return Answer(shown_file(call, changed), 200)
        FILES.remove(call, FILES.writable(call, there["id"], "delete"))
    require_room(call, file.size)
    if on_conflict == "rename":
        name = free_name(name, names)
    made = store(call, name, file, members)
    FILES.publish(call, "uploaded", made)
    return Answer(shown_file(call, made))


def add_version(
    call: Context,
    current: Document,
    file: Received,
    comment: str | None,
    changes: Members,
    verb: str = "version_created",
) -> tuple[Document, Document]:
    """Store a content as the new version of a file, and return the file and the version.

    Raises: 409 VERSION_UNCHANGED for the bytes that it has; 422 CONTENT_TYPE_CHANGED for another kind of file.
    """
    if current["checksum"] == file.checksum:
        raise Problem("VERSION_UNCHANGED", f"{current['name']} has these bytes already")
    told = facts(file, current["name"])
    if family(told["content_type"]) != family(current["content_type"]):
        message = f"{current['name']} is {current['content_type']}, and this is {told['content_type']}"
        raise Problem("CONTENT_TYPE_CHANGED", message, field="file")
    require_room(call, file.size)
    call.server.contents.keep(file)
    new = call.update(FILE, current, {**changes, **told, "revision": current["revision"] + 1})
    version = put_version(call, new, comment)
    FILES.publish(call, verb, new, before=current, metadata={"version_id": version["id"]})
    return new, version


@serves(FileVersions.create)
def create_version(
    call: Context, file_id: str, file: Received, comment: str | None, name: str | None
) -> dict[str, Any]:
    """Store a new version of a file."""
    current = FILES.writable(call, file_id)
    changes: dict[str, Any] = {}
    if name is not None and name != current["name"]:
        there = in_folder(call, current["folder"]).get(checked_name(name))
        if there is not None:
            raise exists(call, there)
        changes["name"] = name
    check_content(call, file)
    _, version = add_version(call, current, file, comment, changes)
    return version | {"is_current": True}


@serves(FileVersions.list)
def versions(call: Context, file_id: str, sort: str | None, order: str | None) -> Sequence[Document]:
    """Return the versions of a file, the newest first."""
    file = FILES.find_one(call, file_id)
    if sort is None:
        sort, order = "revision", order or "desc"
    found = select(call.collection(VERSION), equal={"file_id": file["id"]}, sort=sort, order=order, sorts=("revision",))
    return Mapped(found, lambda version: version | {"is_current": version["revision"] == file["revision"]})


# -- contents ----------------------------------------------------------------------------------------------------------


def check_content(call: Context, file: Received) -> None:
    """Raise 422 for a content that is not what its sender says, is too large, or infected."""
    _check_digest(file.digest, (file.checksum,))
    _check_digest(call.headers.get("content-digest"), (file.checksum, file.body_digest))
    require_room_for_one(call, file.size)
    threats = threats_in(file.open(), file.size)
    if threats:
        message = f"the content is infected ({', '.join(threats)}); nothing of it was kept"
        raise Problem("FILE_INFECTED", message, field="file", details={"threats": threats})


def _check_digest(said: str | None, fitting: tuple[str, ...]) -> None:
    """Raise 422 CHECKSUM_MISMATCH where a Content-Digest (RFC 9530) is that of other bytes."""
    match = _DIGEST.search(said) if said is not None else None
    if match is None:
        return
    try:
        digest = base64.b64decode(match[1], validate=True).hex()
    except binascii.Error:
        digest = ""
    if digest not in fitting:
        raise Problem("CHECKSUM_MISMATCH", "the SHA-256 of the content is not that of Content-Digest", field="file")


def require_room_for_one(call: Context, size: int) -> None:
    """Raise 422 FILE_TOO_LARGE for a file that is too large by itself, before anything is done with it."""
    require_room(call, size, freed=size)


@serves(Files.scan)
def scan(call: Context, file: Received | None, file_id: str | None) -> dict[str, Any]:
    """Search a content for viruses; a stored file that is infected is locked."""
    if (file is None) == (file_id is None):
        raise invalid("file_id", "required", "give exactly one of file and file_id")
    found: dict[str, Any] = {"engine": ENGINE, "scanned_at": call.now}
    if file is not None:
        require_room_for_one(call, file.size)
        threats = threats_in(file.open(), file.size)
        said = {"file_id": None, "size": file.size, "checksum": file.checksum}
        return found | said | {"status": _status(threats), "threats": threats}
    stored = call.find_one(FILE, file_id or "")
    if stored is None or not FILES.visible or not FILES.visible(call, stored):
        raise Problem("REFERENCE_NOT_FOUND", f"no file has the id {file_id!r}", field="file_id", rule="reference")
    with open_content(call, stored) as content:
        threats = threats_in(content, stored["size"])
    changes = differences(stored, {"scan_status": _status(threats)})
    new = call.update(FILE, stored, changes) if changes else stored
    FILES.publish(call, "scanned", new, before=stored, metadata={"threats": threats})
    if threats:
        FILES.publish(call, "infected", new, metadata={"threats": threats})
    said = {"file_id": new["id"], "size": new["size"], "checksum": new["checksum"]}
    return found | said | {"status": _status(threats), "threats": threats}


def _status(threats: list[str]) -> str:
    return "infected" if threats else "clean"
