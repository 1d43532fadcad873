"""The rules of who may use a file: its permissions, and its shares with users, teams and whoever has a link."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm_sdk.models.shares import Share
from crm_sdk.resources.file_parts import FilePermissionsPart
from crm_sdk.resources.files import Files

from ...data.blanks import blank
from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.select import select
from ...problems import FieldError, Problem, invalid, validation
from ...request.access.identity import hash_password
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from ..notifications import notify
from .access import LEVELS, SHARE, is_active, level_of, shares_of, subjects_of
from .records import FILES, shown_file

_ROLES = ("admin", "manager", "sales", "read_only")


def _answer(file: Document) -> dict[str, Any]:
    return {
        "file_id": file["id"],
        "visibility": file["visibility"],
        "entries": file.get("entries") or [],
        "inherited_from": file["related_to"],
    }


@serves(FilePermissionsPart.get)
def permissions(call: Context, file_id: str) -> dict[str, Any]:
    """Return who may use a file, beside its owner."""
    return _answer(FILES.find_one(call, file_id))


@serves(FilePermissionsPart.update)
def update_permissions(
    call: Context, file_id: str, visibility: str | None, entries: Sequence[Members] | None
) -> dict[str, Any]:
    """Change who may use a file."""
    file = FILES.writable(call, file_id, "manage")
    changes: dict[str, Any] = {"visibility": visibility} if visibility is not None else {}
    if entries is not None:
        kept: dict[tuple[str, str], dict[str, str]] = {}
        for number, entry in enumerate(entries):
            id = _subject(call, entry["subject_type"], entry["subject_id"], f"entries.{number}.subject_id")
            key = (entry["subject_type"], id)
            if key in kept:
                raise validation([FieldError(f"entries.{number}.subject_id", "unique", f"{id} has two entries")])
            kept[key] = {"subject_type": entry["subject_type"], "subject_id": id, "access": entry["access"]}
        changes["entries"] = list(kept.values())
    return _answer(FILES.change(call, file, changes, verb="permissions_changed"))


def _subject(call: Context, kind: str, id: str, field: str) -> str:
    """Return the id of a user, team or role. Raises: 422 REFERENCE_NOT_FOUND."""
    if kind == "role" and id in _ROLES:
        return id
    doc = call.reference(kind, id, field)
    return str(doc["id"]) if doc is not None else id


# -- shares ------------------------------------------------------------------------------------------------------------


@serves(Files.share)
def share(
    call: Context,
    file_id: str,
    user_id: str | None,
    team_id: str | None,
    email: str | None,
    link: bool,
    access: str,
    expires_at: datetime | None,
    password: str | None,
    max_downloads: int | None,
    message: str | None,
) -> dict[str, Any]:
    """Share a file with a user, a team, an address, or whoever has the link."""
    file = FILES.find_one(call, file_id)
    given = {"user": user_id, "team": team_id, "email": email, "link": "" if link else None}
    targets = [(kind, id) for kind, id in given.items() if id is not None]
    if len(targets) != 1:
        raise invalid("user_id", "required", "give exactly one of user_id, team_id, email and link")
    kind, id = targets[0]
    if kind == "link" and policy_of(call.tenant).get("allow_share_links") is False:
        raise Problem("FORBIDDEN", "the company's security policy allows no links to files")
    name = _checked_target(call, file, kind, id, access)
    if LEVELS.index(access) > level_of(call, file):
        message_ = f"nobody can give more than they have: {LEVELS[max(0, level_of(call, file))]}"
        raise Problem("SHARE_EXCEEDS_ACCESS", message_, field="access")
    _check_terms(call, kind, expires_at, password, max_downloads)
    subject_id = email.lower() if email is not None else (name[0] if kind in ("user", "team") else None)
    for known in shares_of(call, file["id"]):
        if kind != "link" and (known["subject_type"], known["subject_id"]) == (kind, subject_id):
            raise Problem("ALREADY_SHARED", f"it is shared with {name[1]} already", details={"share_id": known["id"]})
    token = secrets.token_urlsafe(32) if kind in ("link", "email") else None
    members: dict[str, Any] = {
        **blank(Share),
        "entity": {"type": "file", "id": file["id"], "name": file["name"]},
        "entity_id": file["id"],
        "giver_id": call.caller.user_id or call.caller.actor_id,
        "subject_type": kind,
        "subject_id": subject_id,
        "subject_name": name[1],
        "access": access,
        "message": message,
        "expires_at": expires_at,
        "max_downloads": max_downloads,
        "token": token,
        "url": f"{call.server.url}/v1/files/{file['id']}/download?shareToken={token}" if token is not None else None,
        "password_protected": password is not None,
        "password_hash": hash_password(password, secrets.token_hex(8)) if password is not None else None,
    }
    made = call.create(SHARE, "share_", members)
    FILES.publish(call, "shared", file, metadata={"share_id": made["id"], "subject_type": kind, "access": access})
    for receiver in _receivers(call, kind, subject_id):
        title = f"{call.caller.name or 'Somebody'} shares {file['name']}"
        notify(call, receiver, "share", title, message or title, about=("file", file["id"]))
    return _shown_share(call, made)


def _checked_target(call: Context, file: Document, kind: str, id: str, access: str) -> tuple[str, str | None]:
    """Return the id and the name of whom a file is shared with. Raises: 422."""
    if kind in ("user", "team"):
        doc = call.reference(kind, id, f"{kind}_id")
        assert doc is not None, "there is an id"
        if doc["id"] == call.caller.user_id:
            raise invalid("user_id", "choice", "one does not share with oneself")
        return doc["id"], doc["name"]
    if access != "view":
        raise invalid("access", "choice", "a link lets its receiver view the file, and do no more")
    return id, id or None


def _check_terms(
    call: Context, kind: str, expires_at: datetime | None, password: str | None, max_downloads: int | None
) -> None:
    wrong: list[FieldError] = []
    if expires_at is not None and expires_at <= call.now:
        wrong.append(FieldError("expires_at", "min", "it has passed"))
    for field, value in (("password", password), ("max_downloads", max_downloads)):
        if value is not None and kind not in ("link", "email"):
            wrong.append(FieldError(field, "choice", "only a link has one"))
    if wrong:
        raise validation(wrong)


def _receivers(call: Context, kind: str, subject_id: str | None) -> list[str]:
    if kind == "user" and subject_id is not None:
        return [subject_id]
    users = call.collection("user").find("team_ids", subject_id) if kind == "team" else []
    return [user["id"] for user in users if user["id"] != call.caller.user_id]


def _shown_share(call: Context, share: Document) -> Document:
    return share | {"active": is_active(call, share)}


@serves(Files.shared)
def shared(
    call: Context, direction: str, access: str | None, related_to: str | None, sort: str | None, order: str | None
) -> Sequence[Document]:
    """Return the files that are shared with the caller, or that the caller shares, with the shares."""
    me = call.caller.user_id or call.caller.actor_id
    mine = subjects_of(call, call.caller.user_id)
    about = _id_in(related_to)

    def fits(each: Document) -> bool:
        file = call.find_one("file", each["entity_id"]) if each["entity"]["type"] == "file" else None
        if file is None or not is_active(call, each) or (access is not None and each["access"] != access):
            return False
        whole: Members = file["related_to"] or {}
        if about is not None and whole.get("id") != about:
            return False
        to_me = (each["subject_type"], each["subject_id"]) in mine and each["giver_id"] != me
        return to_me if direction == "with_me" else each["giver_id"] == me

    found = select(call.collection(SHARE), tests=[fits], sort=sort, order=order)
    return Mapped(
        found,
        lambda each: Document(
            file=shown_file(call, call.record("file", each["entity_id"])), share=_as_seen(call, each)
        ),
    )


def _as_seen(call: Context, share: Document) -> Document:
    """Return a share; its address is for who gave it."""
    me = call.caller.user_id or call.caller.actor_id
    return _shown_share(call, share) | ({} if share["giver_id"] == me else {"url": None})


def _id_in(related_to: str | None) -> str | None:
    """Return the id of a record, which may come as a reference in JSON."""
    if related_to is None or not related_to.startswith("{"):
        return related_to
    try:
        return str(json.loads(related_to)["id"])
    except (ValueError, KeyError, TypeError):
        raise invalid("related_to", "format", "it is the id of a record, or a reference in JSON") from None
