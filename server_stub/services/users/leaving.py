"""The rules of who joins again and who leaves: sessions, API keys, teams and the records that a user owns."""

from __future__ import annotations

from collections.abc import Iterator

from crm_sdk.resources.users import Users

from ...data.document import Document
from ...mail import void_tokens
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Context, serves
from ..auth.passwords import VERIFICATION
from ..auth.registration import INVITATION
from ..auth.tokens import end_sessions
from . import avatars, teams
from .records import USERS, check_seats, is_own
from .roles import keep_an_administrator


@serves(Users.activate)
def activate(call: Context, user_id: str) -> Document:
    """Let a user work."""
    user = USERS.writable(call, user_id)
    if user["status"] == "inactive":
        check_seats(call)
    void_tokens(call, user["id"], INVITATION)
    return USERS.answer(call, USERS.change(call, user, {"status": "active"}, verb="activated"))


@serves(Users.deactivate)
def deactivate(call: Context, user_id: str, transfer_to: str | None) -> Document:
    """Keep a user from working; another one may get the records."""
    user = USERS.writable(call, user_id)
    if is_own(call, user):
        raise Problem("CANNOT_DEACTIVATE_SELF", "another administrator can deactivate you")
    keep_an_administrator(call, user)
    heir = _heir(call, user, transfer_to)
    if heir is not None:
        _hand_over(call, user, heir)
    end_sessions(call, user["id"])
    void_tokens(call, user["id"], INVITATION)
    return USERS.answer(call, USERS.change(call, user, {"status": "inactive"}, verb="deactivated"))


@serves(Users.delete)
def delete(call: Context, user_id: str, transfer_to: str | None) -> str:
    """Delete a user, whose records another one gets."""
    user = USERS.writable(call, user_id, "delete")
    if is_own(call, user):
        raise Problem("CANNOT_DELETE_SELF", "another administrator can delete you")
    keep_an_administrator(call, user)
    heir = _heir(call, user, transfer_to)
    if heir is not None:
        _hand_over(call, user, heir)
    else:
        _refuse_owner(call, user)
    end_sessions(call, user["id"])
    keys = call.collection("api_key")
    for key in keys.find("user_id", user["id"]):
        if key.get("revoked_at") is None:
            keys.put(key | {"revoked_at": call.now})
    for report in list(call.collection("user").find("manager_id", user["id"])):
        USERS.change(call, report, {"manager_id": user["manager_id"]})
    teams.leave_all(call, user)
    avatars.forget(call, user)
    for purpose in (INVITATION, VERIFICATION, "reset"):
        void_tokens(call, user["id"], purpose)
    USERS.remove(call, user)
    return str(user["id"])


def _heir(call: Context, user: Document, transfer_to: str | None) -> Document | None:
    """Return who gets the records of a user. Raises: 422 for nobody, the user, and who is not active."""
    heir = call.reference("user", transfer_to, "transfer_to")
    if heir is not None and (heir["id"] == user["id"] or heir["status"] == "inactive"):
        why = "is the user who leaves" if heir["id"] == user["id"] else "is inactive"
        raise invalid("transfer_to", "reference", f"{heir['name']} {why}: name somebody else")
    return heir


def _owned_records(call: Context, user_id: str) -> Iterator[tuple[Noun, Document]]:
    """Yield every record that a user owns, with its noun."""
    nouns = call.server.nouns.values()
    collections = {noun.stored_as for noun in nouns}
    for noun in nouns:
        if "owner_id" in noun.model.model_fields and not noun.shared and noun.kind not in collections:
            for doc in list(noun.records(call).find("owner_id", user_id)):
                if noun.stored_as is None or doc.get("kind") == noun.kind:
                    yield noun, doc


def _refuse_owner(call: Context, user: Document) -> None:
    counts: dict[str, int] = {}
    for noun, _ in _owned_records(call, user["id"]):
        counts[noun.kind] = counts.get(noun.kind, 0) + 1
    if counts:
        owned = ", ".join(f"{count} of the kind {kind}" for kind, count in sorted(counts.items()))
        message = f"{user['name']} owns records ({owned}): name in transfer_to who gets them"
        raise Problem("USER_OWNS_RECORDS", message, details=counts)


def _hand_over(call: Context, user: Document, heir: Document) -> None:
    for noun, doc in list(_owned_records(call, user["id"])):
        noun.change(call, doc, {"owner_id": heir["id"]}, metadata={"transferred_from": user["id"]})
