"""The rules of files as records: find, list, move, copy and delete them, and their metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.models.files import File
from crm_sdk.resources.file_parts import FileMetadataPart
from crm_sdk.resources.files import Files

from ...data.document import Document
from ...data.merging import differences
from ...files.names import checked_folder, checked_name, free_name
from ...files.pictures import has_picture
from ...files.previews import kind_of_preview
from ...files.storing import FILE, VERSION, put_version
from ...noun import Noun
from ...problems import Problem
from ...serving import Context, Members, reacts, serves
from ...timetable import apart, recurs
from ..audit.purging import conditions
from ..audit.retention import policies_of
from . import limits
from .access import SHARE, is_visible, may, require_unlocked, shares_of

_SAID = ("title", "description", "author", "language", "tags", "copyright", "taken_at", "metadata")
_TECHNICAL = ("content_type", "size", "checksum", "encoding", "width", "height", "page_count", "duration_seconds")


def _may_delete(call: Context, file: Document) -> None:
    for policy in policies_of(call):
        held = policy["legal_hold"] and policy["entity_type"] == FILE
        if held and conditions(call, FILE, policy["filter_groups"])(file):
            raise Problem("LEGAL_HOLD", f"{file['name']} is on legal hold", details={"policy_id": policy["id"]})


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """End the shares of a deleted file."""
    if after is None and before is not None:
        for share in shares_of(call, before["id"]):
            call.update(SHARE, share, {"ended_at": call.now})
    return None


def shown_file(call: Context, file: Document) -> Document:
    """Return a file with whether it is shared with somebody now."""
    return file | {"shared": bool(file.get("entries") or shares_of(call, file["id"]))}


def _in_folder(call: Context, given: tuple[str, bool]) -> Callable[[Document], bool]:
    folder, recursive = given
    below = folder if folder == "/" else f"{folder}/"
    return lambda file: file["folder"] == folder or (recursive and file["folder"].startswith(below))


def _related_filter(member: str) -> Callable[[Context, str], Callable[[Document], bool]]:
    def make(call: Context, value: str) -> Callable[[Document], bool]:
        def fits(file: Document) -> bool:
            about: Members = file["related_to"] or {}
            return bool(about.get(member) == value)

        return fits

    return make


FILES = Noun(
    resource=Files,
    kind=FILE,
    model=File,
    searched=("name", "description", "tags"),
    sorts=("name", "size"),
    filters={
        "folder": _in_folder,
        "recursive": lambda call, value: lambda file: True,  # `folder` has looked at it
        "related_type": _related_filter("type"),
        "related_id": _related_filter("id"),
    },
    visible=is_visible,
    permits=may,
    follow=_follow,
    may_delete=_may_delete,
    shown=shown_file,
    listed=shown_file,
)


@serves(Files.list)
def list_(call: Context, **given: Any) -> Sequence[Document]:
    """Return the files that the caller sees, of all folders or of one."""
    if given.get("folder") is not None:
        given["folder"] = (checked_folder(given["folder"]), given["recursive"])
    return FILES.select(call, given)


@reacts("data.purged")
def purge_versions(call: Context, entry: Document) -> None:
    """Purge the versions of files that are gone for good; their contents go once this is saved."""
    files, versions = call.collection(FILE), call.collection(VERSION)
    for version in versions.all():
        if files.get(version["file_id"], deleted=True) is None:
            versions.remove(version["id"])
            call.server.contents.doubtful = True


@recurs("expired files", every=timedelta(days=1))
def delete_expired(call: Context) -> None:
    """Delete the files whose time has come."""
    for file in call.collection(FILE).all():
        if file.get("expires_at") is not None and file["expires_at"] <= call.now:
            with apart(call, file):
                FILES.remove(call, file)


# -- names and places --------------------------------------------------------------------------------------------------


def in_folder(call: Context, folder: str) -> dict[str, Document]:
    """Return the files of a folder by their names, also those that the caller does not see."""
    found = call.collection(FILE).find("folder", folder)  # without regard to case
    return {file["name"]: file for file in found if file["folder"] == folder}


def exists(call: Context, file: Document) -> Problem:
    """Return the problem of a name that is taken."""
    known = {"existing_id": file["id"]} if is_visible(call, file) else {}
    message = f"the folder {file['folder']} has a file named {file['name']!r}"
    return Problem("FILE_EXISTS", message, field="name", rule="unique", details=known)


def related_record(call: Context, reference: Members | None) -> dict[str, Any] | None:
    """Return the record that a file belongs to as it is stored. Raises: 422 for one that the caller does not see."""
    if reference is None:
        return None
    kind, id = reference["type"], reference["id"]
    noun = call.server.nouns.get(kind)
    own = next((one for one in call.collection("custom_object") if one["api_name"] == kind), None)
    doc = None
    if noun is not None or own is not None:
        doc = call.reference(noun.collection if noun is not None else "record", id, "related_to.id")
    hidden = doc is not None and noun is not None and noun.visible is not None and not noun.visible(call, doc)
    if doc is None or hidden or (own is not None and noun is None and doc.get("object_id") != own["id"]):
        message = f"no {kind} has the id {id!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="related_to.id", rule="reference")
    return {"type": kind, "id": doc["id"], "name": doc.get("name") or doc.get("title")}


@serves(Files.move)
def move(call: Context, file_id: str, folder: str, name: str | None) -> Document:
    """Put a file into another folder, under its name or another one."""
    file = FILES.writable(call, file_id)
    place = {"folder": checked_folder(folder), "name": checked_name(name) if name is not None else file["name"]}
    there = in_folder(call, place["folder"]).get(place["name"])
    if there is not None and there["id"] != file["id"]:
        raise exists(call, there)
    return shown_file(call, FILES.change(call, file, place, verb="moved"))


@serves(Files.copy)
def copy(call: Context, file_id: str, folder: str | None, name: str | None, related_to: Members | None) -> Document:
    """Copy the current version of a file, without its permissions."""
    file = FILES.find_one(call, file_id)
    place = checked_folder(folder) if folder is not None else file["folder"]
    wanted = checked_name(name) if name is not None else file["name"]
    about = related_record(call, related_to) if related_to is not None else file["related_to"]
    require_unlocked(call, file)
    limits.require_room(call, file["size"])
    members: dict[str, Any] = {
        **{key: value for key, value in file.items() if key not in ("deleted_at", "expires_at")},
        "name": free_name(wanted, in_folder(call, place)),
        "folder": place,
        "related_to": about,
        "owner_id": call.caller.user_id,
        "entries": [],
        "revision": 1,
    }
    made = call.create(FILE, "file_", members)
    made = call.collection(FILE).put(made | {"url": f"/v1/files/{made['id']}/download"})
    put_version(call, made, None)
    FILES.publish(call, "copied", made, metadata={"copied_from": file["id"]})
    return shown_file(call, made)


# -- metadata ----------------------------------------------------------------------------------------------------------


def _metadata(file: Document) -> dict[str, Any]:
    technical = {name: file.get(name) for name in _TECHNICAL}
    open_ = file["scan_status"] != "infected"
    technical |= {
        "has_thumbnail": open_ and has_picture(file),
        "has_preview": open_ and kind_of_preview(file) != "none",
    }
    said: Mapping[str, Any] = {name: file.get(name) for name in _SAID}
    return {"file_id": file["id"], **said, "tags": file["tags"] or [], "technical": technical}


@serves(FileMetadataPart.get)
def metadata(call: Context, file_id: str) -> dict[str, Any]:
    """Return what is said about a file, and what its content tells."""
    return _metadata(FILES.find_one(call, file_id))


@serves(FileMetadataPart.update)
def update_metadata(call: Context, file_id: str, changes: Members, version: int | None) -> dict[str, Any]:
    """Change what is said about a file."""
    file = FILES.writable(call, file_id)
    call.lock(file, version)
    return _metadata(FILES.change(call, file, differences(file, FILES.stored_form(call, changes, file))))
