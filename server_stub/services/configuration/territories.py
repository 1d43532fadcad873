"""The rules of territories: records of their own, and the accounts that are put into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm_sdk.models.accounts import Territory
from crm_sdk.resources.configuration import Territories

from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import Problem
from ...serving import Context, serves
from ..accounts.records import ACCOUNTS, by_rules
from ..leads.records import LEADS
from ..territories import check_rules
from ..users.teams import TEAMS
from ..users.trees import refuse_cycle

_MATTERS = ("name", "parent_id", "rules", "priority", "active")
"""The members that decide into which territory an account is put."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Refuse a parent that is below the territory, inactive users who join it, and rules that cannot be read."""
    if before is not None and members.get("parent_id") is not None:
        message = f"{before['name']} would be a part of itself"
        refuse_cycle(call, "territory", before, "parent_id", members["parent_id"], message)
    held = before["member_ids"] if before is not None else ()
    for user_id in members.get("member_ids") or ():
        user = call.record("user", user_id) if user_id not in held else None
        if user is not None and user["status"] == "inactive":
            message = f"{user['name']} is inactive: activate the user first"
            raise Problem("MEMBER_INACTIVE", message, field="member_ids", details={"user_id": user_id})
    if members.get("rules") is not None:
        check_rules(call, members["rules"])
        return {"rules": [{"value": None, "values": [], **rule} for rule in members["rules"]]}
    return {}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Put the accounts that are not locked to a territory where the rules now say."""
    if before is not None and after is not None and all(before[name] == after[name] for name in _MATTERS):
        return None
    for account in list(call.collection("account")):
        if not account.get("territory_locked"):
            place = by_rules(call, account)
            if place["territory_id"] != account.get("territory_id"):
                _put(call, account, place)
    return None


def _put(call: Context, account: Document, place: Mapping[str, Any]) -> None:
    stamp = {"territory_assigned_at": call.now, "territory_assigned_by": "system"}
    ACCOUNTS.change(call, account, {**place, **stamp}, verb="territory_changed")


def _shown_territory(call: Context, territory: Document) -> Document:
    counts = {f"{kind}_count": len(_within(call, kind, territory)) for kind in ("account", "lead")}
    return territory | counts


def _within(call: Context, kind: str, territory: Document) -> list[Document]:
    return call.collection(kind).find("territory_id", territory["id"])


TERRITORIES = Noun(
    resource=Territories,
    kind="territory",
    model=Territory,
    own=("delete",),
    searched=("name", "code"),
    sorts=("priority", "name"),
    forms={"name": required_text("name")},
    refers={"parent_id": "territory", "manager_id": "user", "member_ids": "user"},
    unique={"name": "TERRITORY_EXISTS", "code": "DUPLICATE_VALUE"},
    filters={"member_id": lambda call, user_id: lambda territory: user_id in territory["member_ids"]},
    check=_check,
    follow=_follow,
    shown=_shown_territory,
    listed=_shown_territory,
)


@serves(Territories.delete)
def delete(call: Context, territory_id: str, move_to: str | None, version: int | None) -> str:
    """Delete a territory; with `move_to`, what is in it moves there first."""
    territory = TERRITORIES.writable(call, territory_id, "manage")
    call.lock(territory, version)
    parts = _parts(call, territory)
    if move_to is None:
        counts = {entity: len(docs) for entity, (docs, _) in parts.items() if docs}
        if counts:
            said = ", ".join(f"{number} {entity}" for entity, number in counts.items())
            raise Problem("TERRITORY_IN_USE", f"{territory['name']} has {said}: name where they go", details=counts)
    else:
        target = _target(call, territory, move_to)
        for docs, move in parts.values():
            for doc in docs:
                move(doc, target["id"])
    TERRITORIES.remove(call, territory)
    return str(territory["id"])


def _target(call: Context, territory: Document, move_to: str) -> Document:
    """Return the territory that gets what is in another one. Raises: 422; 409 for one within it, or inactive."""
    target = call.reference("territory", move_to, "move_to")
    assert target is not None  # an id was given
    message = f"{target['name']} is the territory itself, or within it"
    refuse_cycle(call, "territory", territory, "parent_id", target["id"], message)
    if not target["active"]:
        raise Problem("TERRITORY_INACTIVE", f"the territory {target['name']} is not active", field="move_to")
    return target


_Parts = Mapping[str, tuple[Sequence[Document], Callable[[Document, str], object]]]


def _parts(call: Context, territory: Document) -> _Parts:
    """Return what is in a territory by kind, with what moves one of it: children, locked accounts, teams, leads."""

    def moves(noun: Noun, member: str, **more: Any) -> Callable[[Document, str], object]:
        return lambda doc, target_id: noun.change(call, doc, {member: target_id}, **more)

    accounts = [doc for doc in _within(call, "account", territory) if doc.get("territory_locked")]
    leads = [doc for doc in _within(call, "lead", territory) if doc["status"] not in ("converted", "unqualified")]
    return {
        "territories": (
            call.collection("territory").find("parent_id", territory["id"]), moves(TERRITORIES, "parent_id")
        ),
        "accounts": (accounts, moves(ACCOUNTS, "territory_id", verb="territory_changed")),
        "teams": (_within(call, "team", territory), moves(TEAMS, "territory_id")),
        "leads": (leads, moves(LEADS, "territory_id")),
    }  # fmt: skip
