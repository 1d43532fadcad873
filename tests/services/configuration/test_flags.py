"""Feature flags: which rule decides for whom, and what a flag may be."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, cast

import httpx
import pytest

from crm_sdk import ApiError, CrmClient
from crm_sdk.models import FlagEvaluation
from server_stub import StubServer
from server_stub.clock import TICK

from .conftest import New


def value(crm: CrmClient, key: str, **more: Any) -> FlagEvaluation:
    (found,) = crm.configuration.flags.evaluate([key], **more)
    return found


def rule(value: Any = True, *filters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"value": value, "filters": list(filters), **more}


def test_a_share_goes_by_key_and_user_and_only_grows(admin: CrmClient) -> None:
    flags = admin.configuration.flags
    flags.create({"key": "share", "name": "Share"})
    users = [user.id for user in admin.users.list()]
    places = {id: int(sha256(f"share:{id}".encode()).hexdigest()[:8], 16) / 2**32 for id in users}
    for percentage in (0, 20, 50, 80, 100):
        flags.update("share", {"rules": [{"value": True, "percentage": percentage}]})
        found = {id: value(admin, "share", user_id=id) for id in users}
        assert {id for id, one in found.items() if one.value} == {id for id in users if places[id] < percentage / 100}
        reasons = {one.reason for one in found.values() if one.value}
        assert reasons <= ({"rule"} if percentage == 100 else {"split"})


CONDITIONS: list[Any] = [
    ({"field": "attributes.plan", "op": "eq", "value": "gold"}, {"plan": "gold"}, True),
    ({"field": "attributes.plan", "op": "eq", "value": "gold"}, None, False),
    ({"field": "attributes.plan", "op": "neq", "value": "gold"}, None, False),
    ({"field": "attributes.plan", "op": "neq", "value": "gold"}, {"plan": "tin"}, True),
    ({"field": "attributes.plan", "op": "is_not_set"}, None, True),
    ({"field": "attributes.seats", "op": "gte", "value": 10}, {"seats": 10}, True),
    ({"field": "attributes.seats", "op": "gte", "value": 10}, {"seats": "many"}, False),
    ({"field": "attributes.beta", "op": "eq", "value": True}, {"beta": True}, True),
    ({"field": "user.role", "op": "in", "values": ["sales", "admin"]}, None, True),
    ({"field": "user.email", "op": "contains", "value": "@nowhere"}, None, False),
    ({"field": "tenant.plan", "op": "eq", "value": "enterprise"}, None, True),
]  # fmt: skip


def test_each_condition(admin: CrmClient) -> None:
    for condition, attributes, holds in CONDITIONS:
        admin.configuration.flags.create({"key": "if", "name": "If", "rules": [rule(True, condition)]})  # type: ignore[list-item] # a plain dict
        assert value(admin, "if", attributes=attributes).value is holds, condition
        admin.configuration.flags.delete("if")


def test_teams_count(admin: CrmClient, new: New) -> None:
    user_id, crm = new()
    team = admin.users.teams.create({"name": "Betas", "member_ids": [user_id]})
    condition = {"field": "user.teamIds", "op": "contains", "value": team.id}
    admin.configuration.flags.create({"key": "team", "name": "T", "rules": [rule(True, condition)]})  # type: ignore[list-item] # a plain dict
    assert value(crm, "team").value is True and value(admin, "team").value is False


REFUSED: list[Any] = [
    ({"key": "new-board"}, "FLAG_EXISTS"),
    ({"key": "contacts"}, "RESERVED_NAME"),
    ({"type": "integer", "default": True}, "VALIDATION_ERROR"),
    ({"type": "text"}, "VALIDATION_ERROR"),
    ({"rules": [{"value": "text"}]}, "VALIDATION_ERROR"),
    ({"rules": [rule(True, {"field": "user.shoe_size", "op": "eq", "value": "9"})]}, "UNKNOWN_FIELD"),
    ({"rules": [rule(True, {"field": "user.id", "op": "gt", "value": "9"})]}, "INVALID_OPERATOR"),
]  # fmt: skip


def test_flags_that_cannot_be_are_refused(admin: CrmClient) -> None:
    for members, code in REFUSED:
        with pytest.raises(ApiError) as refused:
            admin.configuration.flags.create(cast("Any", {"key": "other", "name": "Other", **members}))
        assert refused.value.code == code


def test_an_update_keeps_to_the_type(admin: CrmClient) -> None:
    flags = admin.configuration.flags
    made = flags.create({"key": "number", "name": "N", "type": "integer", "default": 1})
    with pytest.raises(ApiError):
        flags.update(made.key, {"default": "1"})
    assert flags.update(made.key, {"default": 2}, version=1).version == 2
    with pytest.raises(ApiError) as refused:
        flags.update(made.key, {"default": 3}, version=1)
    assert refused.value.code == "VERSION_CONFLICT"
    assert value(admin, "number").value == 2


def test_what_has_ended_has_its_default_and_what_is_gone_is_an_error(admin: CrmClient) -> None:
    flags = admin.configuration.flags
    assert (value(admin, "autumn-fair").value, value(admin, "autumn-fair").reason) == (False, "expired")
    assert [flag.key for flag in flags.list(expired=True)] == ["autumn-fair"]
    count = next(flag for flag in flags.list(search="autumn")).evaluation_count
    flags.update("autumn-fair", {"enabled": False})
    assert value(admin, "autumn-fair").reason == "disabled"
    flag = next(flag for flag in flags.list(search="autumn"))
    assert (flag.evaluation_count, flag.version) == ((count or 0) + 1, 2), "a count is no change"
    flags.delete("autumn-fair")
    gone = value(admin, "autumn-fair", defaults={"autumn-fair": 7})
    assert (gone.value, gone.reason, gone.version) == (7, "error", None)
    assert [one.key for one in flags.evaluate()] == ["new-board", "quote-approval"]


def test_only_admins_make_flags_and_only_readers_ask_for_others(admin: CrmClient, other: CrmClient, new: New) -> None:
    user_id, seller = new()
    _, manager = new("manager")
    assert value(manager, "new-board", user_id=user_id).reason in ("split", "default")
    refusals: list[Any] = [
        lambda: seller.configuration.flags.list(),
        lambda: manager.configuration.flags.create({"key": "mine", "name": "Mine"}),
        lambda: manager.configuration.flags.delete("new-board"),
        lambda: value(seller, "new-board", user_id="user_ada"),
    ]
    for call in refusals:
        with pytest.raises(ApiError) as refused:
            call()
        assert refused.value.code == "FORBIDDEN"
    with pytest.raises(ApiError) as refused:
        value(admin, "new-board", user_id="user_nowhere")
    assert refused.value.code == "REFERENCE_NOT_FOUND"
    admin.configuration.flags.create({"key": "ours", "name": "Ours"})
    assert value(other, "ours").reason == "error"


def test_a_new_flag_is_where_its_location_says(stub: StubServer) -> None:
    base = "http://stub.test"
    with httpx.Client(transport=stub.transport(), base_url=base, headers={"Authorization": "Bearer acme-admin"}) as raw:
        made = raw.post("/platform/v1/configuration/flags", json={"key": "located", "name": "Located"})
        assert raw.put(made.headers["Location"], json={"name": "Found"}).json()["data"]["name"] == "Found"


def test_each_kind_of_condition_asks_for_what_it_is_compared_with(admin: CrmClient, stub: StubServer) -> None:
    flags: Any = admin.configuration.flags
    for op, operand, given, holds in (
        ("eq", "a", "a", True), ("eq", "a", "A", True), ("eq", 5, 5, True), ("eq", 5, 6, False),
        ("eq", True, True, True), ("eq", True, False, False),
        ("gt", 5, 5.5, True), ("gt", 5, 5, False), ("in", ["a", "b"], "b", True),
        ("in", [1, 2], 2, True), ("in", [1, 2], 3, False), ("not_in", ["a"], "b", True), ("not_in", ["a"], "a", False),
        ("contains", "b", "abc", True), ("contains", "d", "abc", False),
    ):  # fmt: skip
        name = "values" if op in ("in", "not_in") else "value"
        condition = {"field": "attributes.x", "op": op, name: operand}
        flags.create({"key": "if", "name": "If", "rules": [{"value": True, "filters": [condition]}]})
        assert value(admin, "if", attributes={"x": given}).value is holds, condition
        assert value(admin, "if", attributes={"y": given}).value is False, condition
        flags.delete("if")
    for operand in (5, ["a"]):
        condition = {"field": "attributes.x", "op": "contains", "value": operand}
        with pytest.raises(ApiError) as refused:
            flags.create({"key": "if", "name": "If", "rules": [{"value": True, "filters": [condition]}]})
        assert refused.value.status == 422
    made = flags.create({"key": "if", "name": "If", "rules": [
        {"value": True, "percentage": 50, "filters": [{"field": "user.id", "op": "eq", "value": "nobody"}]},
        {"value": True},
    ]})  # fmt: skip
    assert [(one.name, one.percentage, one.filters) for one in made.rules][1] == (None, 100, [])
    found = value(admin, "if")
    assert (found.value, found.reason, found.rule_index, found.version) == (True, "rule", 1, 1)
    ends = stub.clock.now() + 10 * TICK
    flags.update("if", {"expires_at": ends})
    for left, reason in ((2 * TICK, "rule"), (TICK, "expired")):
        stub.clock.advance((ends - left - stub.clock.now()).total_seconds())
        assert value(admin, "if").reason == reason
    assert {"if"} <= {flag.key for flag in flags.list(expired=True)}


def test_what_a_flag_asks_of_who_is_no_user(stub: StubServer, admin: CrmClient) -> None:
    token = admin.auth.token(grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret")
    app = stub.client(api_key=str(token.access_token), dialects="platform", max_retries=0)
    for number, (condition, holds) in enumerate((
        ({"field": "user.role", "op": "eq", "value": "app"}, True), ({"field": "user.id", "op": "is_set"}, False),
        ({"field": "tenant.id", "op": "eq", "value": "tenant_acme"}, True),
        ({"field": "attributes.plan", "op": "eq", "value": "gold"}, True),
    )):  # fmt: skip
        key = f"if-{number}"
        admin.configuration.flags.create({"key": key, "name": "If", "rules": [rule(True, condition)]})  # type: ignore[list-item] # a plain dict
        assert value(app, key, attributes={"plan": "gold", "none": None}).value is holds, condition
    with pytest.raises(ApiError) as refused:
        app.configuration.settings.update({"ui.navigation": ["deal"]}, scope="user")
    assert (refused.value.status, refused.value.code) == (403, "NO_USER")
