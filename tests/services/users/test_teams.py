"""Teams: a tree, their members and managers, and the teams of each user in step with them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, NotFoundError
from server_stub import StubServer

from .conftest import deeds


def test_a_team_is_made_led_and_left(stub: StubServer, mode: str, call: Any) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    body: Any = {"name": " Mid-Market ", "manager_id": "user_mia", "member_ids": ["user_sam", "user_mia"]}
    made = call(crm.users.teams.create(body))
    assert (made.name, made.manager_id, made.member_ids, made.member_count) == (
        "Mid-Market", "user_mia", ["user_sam", "user_mia"], 2,
    )  # fmt: skip
    assert {one.user_id: (one.role, one.name) for one in made.members} == {
        "user_sam": ("member", "Sam Okonkwo"), "user_mia": ("lead", "Mia Ferrández"),
    }  # fmt: skip
    assert made.id in call(crm.users.get("user_sam")).team_ids
    joined = call(crm.users.teams.members.add(made.id, "user_rita", role="lead"))
    assert (joined.member_count, joined.version) == (3, 2)
    assert refused(lambda: call(crm.users.teams.members.add(made.id, "user_rita"))).code == "ALREADY_MEMBER"
    assert refused(lambda: call(crm.users.teams.members.add(made.id, "user_gina"))).code == "REFERENCE_NOT_FOUND"
    assert call(crm.users.teams.members.remove(made.id, "user_sam")) is None
    assert made.id not in call(crm.users.get("user_sam")).team_ids
    with pytest.raises(NotFoundError):
        call(crm.users.teams.members.remove(made.id, "user_sam"))
    assert refused(lambda: call(crm.users.teams.members.remove(made.id, "user_mia"))).code == "TEAM_MANAGER"
    changed = call(crm.users.teams.update(made.id, {"manager_id": "user_ada", "description": "M"}, version=3))
    roles = {one.user_id: one.role for one in changed.members}
    assert roles == {"user_mia": "member", "user_rita": "lead", "user_ada": "lead"}
    call(crm.users.teams.members.remove(made.id, "user_mia"))
    call(crm.users.teams.delete(made.id))
    assert made.id not in call(crm.users.get("user_ada")).team_ids
    added, removed = "team.member_added", "team.member_removed"
    assert deeds(stub, made.id) == ["team.created", added, removed, "team.updated", removed, "team.deleted"]
    assert next(one for one in stub.audit() if one["action"] == added)["metadata"] == {
        "user_id": "user_rita", "role": "lead",
    }  # fmt: skip


def test_teams_form_a_tree_that_closes_over_a_deleted_one(admin: CrmClient) -> None:
    teams = admin.users.teams
    top = teams.create({"name": "Top"})
    middle = teams.create({"name": "Middle", "parent_team_id": top.id})
    low = teams.create({"name": "Low", "parent_team_id": middle.id})
    for parent in (low, middle, top):
        refusal = refused(partial(teams.update, top.id, {"parent_team_id": parent.id}))
        assert refusal.code == "HIERARCHY_CYCLE"
    teams.delete(middle.id)
    assert [team.id for team in teams.list(parent_team_id=top.id)] == [low.id]
    assert teams.get(low.id).parent_team_id == top.id
    assert refused(lambda: teams.create({"name": "tOP"})).code == "TEAM_EXISTS"
    assert teams.create({"name": "Middle"}).id != middle.id  # the name is free


def test_members_are_changed_by_their_routes_and_may_be_sent_back(admin: CrmClient) -> None:
    team = admin.users.teams.create({"name": "A", "member_ids": ["user_sam"]})
    path = f"/v1/users/teams/{team.id}"
    (error,) = admin.request("PUT", path, json={"memberIds": []}).json()["errors"]
    assert (error["field"], error["rule"]) == ("memberIds", "read_only")
    assert admin.request("PUT", path, json={"memberIds": ["user_sam"], "name": "B"}).status == 200
    assert (admin.users.teams.get(team.id).name, admin.users.teams.get(team.id).version) == ("B", 2)


def test_an_inactive_user_does_not_join(admin: CrmClient) -> None:
    admin.users.deactivate("user_sam")
    team = admin.users.teams.create({"name": "A"})
    for join in (
        lambda: admin.users.teams.members.add(team.id, "user_sam"),
        lambda: admin.users.teams.create({"name": "B", "member_ids": ["user_sam"]}),
        lambda: admin.users.teams.update(team.id, {"manager_id": "user_sam"}),
    ):
        assert refused(join).code == "MEMBER_INACTIVE"


def test_teams_are_found_by_member_manager_and_name(admin: CrmClient) -> None:
    teams = admin.users.teams
    assert {team.name for team in teams.list(member_id="user_sam")} == {"Sales"}
    teams.update("team_acme_revenue", {"manager_id": "user_mia"})
    assert {team.name for team in teams.list(member_id="user_mia")} == {"Sales", "Revenue"}
    assert {team.name for team in teams.list(member_id="me")} == {"Sales"}
    assert {team.name for team in teams.list(manager_id="user_mia", search="all teams")} == {"Revenue"}
    assert [team.name for team in teams.list(sort="name", order="desc")] == ["Sales", "Revenue"]
    admin.users.update("user_sam", {"name": "Samuel Okonkwo"})
    assert "Samuel Okonkwo" in {one.name for one in teams.get("team_acme_sales").members}


def test_who_is_deleted_leaves_every_team(stub: StubServer, admin: CrmClient) -> None:
    made: Any = {"email": "gone@acme.test", "name": "Gone", "role": "sales"}
    gone = admin.users.create(made).id
    teams = admin.users.teams
    led = teams.create({"name": "Led", "manager_id": gone, "member_ids": [gone, "user_sam"]})
    joined = teams.create({"name": "Joined", "manager_id": "user_ada", "member_ids": [gone, "user_sam"]})
    other = teams.create({"name": "Other", "member_ids": ["user_sam"]})
    count = len(stub.audit())
    admin.users.delete(gone)
    told = [
        (one["entity"]["id"], one["metadata"]) for one in stub.audit()[count:] if one["action"] == "team.member_removed"
    ]
    assert sorted(told) == sorted((id, {"user_id": gone}) for id in (led.id, joined.id))
    assert (teams.get(led.id).manager_id, teams.get(led.id).member_ids) == (None, ["user_sam"])
    assert teams.get(joined.id).manager_id == "user_ada" and set(teams.get(joined.id).member_ids) == {
        "user_ada",
        "user_sam",
    }
    assert teams.get(other.id) == other
