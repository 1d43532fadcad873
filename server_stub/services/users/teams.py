"""The rules of teams: users who work together, in a tree of teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.models.users import Team
from crm_sdk.resources.users import TeamMembers, UserTeams

from ...data.document import Document
from ...data.forms import required_text
from ...data.queries.filters import Test
from ...noun import Noun
from ...problems import Problem, missing
from ...serving import Context, serves
from .records import user_id_of
from .trees import refuse_cycle


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Refuse a parent that is below the team, and inactive users; return the members of the team."""
    if before is not None and members.get("parent_team_id") is not None:
        message = f"{before['name']} would be a part of itself"
        refuse_cycle(call, "team", before, "parent_team_id", members["parent_team_id"], message)
    held: list[dict[str, Any]] = list(before["members"]) if before is not None else []
    joining: list[str] = list(members.pop("member_ids", None) or ())
    manager = members.get("manager_id")
    if manager is not None:
        joining.append(manager)
    for user_id in joining:
        if all(entry["user_id"] != user_id for entry in held):
            held.append(_membership(call, user_id, "member"))
    former = before["manager_id"] if before is not None else None
    if "manager_id" in members and manager != former:
        roles = {former: "member", manager: "lead"}
        held = [{**entry, "role": roles.get(entry["user_id"], entry["role"])} for entry in held]
    return {"members": held}


def _membership(call: Context, user_id: str, role: str) -> dict[str, Any]:
    """Return a user as a new member. Raises: 409 MEMBER_INACTIVE."""
    user = call.record("user", user_id)
    if user["status"] == "inactive":
        message = f"{user['name']} is inactive: activate the user first"
        raise Problem("MEMBER_INACTIVE", message, details={"user_id": user["id"]})
    return {"user_id": user["id"], "name": user["name"], "role": role, "joined_at": call.now}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Keep the teams of each user in step; the teams below a deleted one move up."""
    had, has = (set(_ids(team["members"])) if team is not None else set[str]() for team in (before, after))
    team = after or before
    assert team is not None  # a write has a record before or after it
    users = call.collection("user")
    for user_id in sorted(had ^ has):
        user = users.get(user_id)
        if user is not None:
            others = [id for id in user["team_ids"] if id != team["id"]]
            users.put(user | {"team_ids": [*others, team["id"]] if user_id in has else others})
    if after is None:
        for child in list(call.collection("team").find("parent_team_id", team["id"])):
            TEAMS.change(call, child, {"parent_team_id": team["parent_team_id"]})
    return None


def _ids(members: Sequence[Mapping[str, Any]]) -> list[str]:
    return [entry["user_id"] for entry in members]


def _shown_team(call: Context, team: Document) -> Document:
    users = call.collection("user")
    members = [
        {**entry, "name": user["name"] if (user := users.get(entry["user_id"])) is not None else entry["name"]}
        for entry in team["members"]
    ]
    return team | {"members": members, "member_ids": _ids(members), "member_count": len(members)}


def _has_member(call: Context, user_id: str) -> Test:
    wanted = user_id_of(call, user_id)
    return lambda team: wanted in _ids(team["members"])


TEAMS = Noun(
    resource=UserTeams,
    kind="team",
    model=Team,
    searched=("name", "description"),
    sorts=("name",),
    forms={"name": required_text("name")},
    refers={"manager_id": "user", "parent_team_id": "team", "territory_id": "territory", "member_ids": "user"},
    unique={"name": "TEAM_EXISTS"},
    filters={"member_id": _has_member},
    check=_check,
    follow=_follow,
    shown=_shown_team,
    listed=_shown_team,
)


@serves(TeamMembers.add)
def add(call: Context, team_id: str, user_id: str, role: str) -> Document:
    """Add a user to a team."""
    team = TEAMS.writable(call, team_id)
    user_id = call.resolve("user", user_id_of(call, user_id), "user_id")
    if user_id in _ids(team["members"]):
        raise Problem("ALREADY_MEMBER", f"{user_id} is in {team['name']} already", field="user_id")
    members = [*team["members"], _membership(call, user_id, role)]
    said = {"user_id": user_id, "role": role}
    return TEAMS.answer(call, TEAMS.change(call, team, {"members": members}, verb="member_added", metadata=said))


@serves(TeamMembers.remove)
def remove(call: Context, team_id: str, user_id: str) -> str:
    """Take a user out of a team."""
    team, user_id = TEAMS.writable(call, team_id, "delete"), user_id_of(call, user_id)
    if user_id not in _ids(team["members"]):
        raise missing("team member", user_id)
    if user_id == team["manager_id"]:
        raise Problem("TEAM_MANAGER", f"{user_id} manages {team['name']}: name another manager first")
    _leave(call, team, user_id)
    return user_id


def _leave(call: Context, team: Document, user_id: str, **more: None) -> None:
    members = [entry for entry in team["members"] if entry["user_id"] != user_id]
    changes = {"members": members, **more}
    TEAMS.change(call, team, changes, verb="member_removed", metadata={"user_id": user_id})


def leave_all(call: Context, user: Document) -> None:
    """Take a user who is deleted out of all teams; those that the user managed have no manager then."""
    for team in list(call.collection("team")):
        if user["id"] in _ids(team["members"]) and team["manager_id"] == user["id"]:
            _leave(call, team, user["id"], manager_id=None)
        elif user["id"] in _ids(team["members"]):
            _leave(call, team, user["id"])
