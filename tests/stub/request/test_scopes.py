"""What decides a permission: roles, what a credential was granted, custom objects, owners, teams and shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from crm_sdk.route import Action
from server_stub.caller import Caller
from server_stub.data.document import Document
from server_stub.data.store import Store
from server_stub.problems import Problem
from server_stub.request.access import permissions, plans, shares

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def caller(role: str = "none", *more: str, **members: Any) -> Caller:
    sets: dict[str, Any] = {name: frozenset(one) if isinstance(one, set) else one for name, one in members.items()}
    return Caller("t", "user_me", "user_me", role, "Me", more_roles=frozenset(more), **sets)


SCOPES: list[tuple[str, str | None]] = [
    # one of a built-in role, by the table
    ("sales leads update", "own"),
    ("sales leads read", "all"),
    ("sales leads manage", None),
    ("manager conversations manage", None),
    ("admin leads manage", "all"),
    ("read_only notifications read", "own"),
    ("read_only tenants read", None),
    ("system privacy manage", "all"),
    ("app tenants update", "all"),
    ("nobody leads read", None),
    # a part of a service has the permissions of what it leads to, all else those of its first word
    ("sales calendar.events update", "own"),
    ("manager messages read", "all"),
    ("manager calendars read", "all"),
    ("manager analytics.reports.runs manage", "all"),
    ("manager analytics.forecast manage", None),
    ("sales leads.capture.web_form update", "own"),
    # a resource that the table does not list
    ("read_only planets read", "all"),
    ("read_only planets create", None),
    ("sales planets create", "all"),
    ("sales planets update", "own"),
    ("sales planets delete", "own"),
    ("manager planets delete", "all"),
    ("admin planets update", "all"),
]


def test_scopes_of_built_in_roles() -> None:
    def scope(words: str) -> str | None:
        role, resource, action = words.split()
        return permissions.scope_for(caller(role), resource, cast("Action", action))

    assert [(words, scope(words)) for words, _ in SCOPES] == SCOPES


CALLERS: list[tuple[Caller, str, Action, str | None]] = [
    # the widest of several roles, and of what the company's own roles permit
    (caller("read_only", "sales"), "leads", "update", "own"),
    (caller("sales", "manager"), "leads", "update", "all"),
    (caller(permissions={"leads:update@team", "leads:update@own"}), "leads", "update", "team"),
    (caller(permissions={"leads:update@team"}), "leads", "read", None),
    (caller("sales", permissions={"leads:update@team"}), "leads", "update", "team"),
    # the company shows its sales role less
    (caller("sales", sales_reads="team"), "leads", "read", "team"),
    (caller("sales", sales_reads="own"), "activities", "read", "own"),
    (caller("sales", sales_reads="own"), "leads", "create", "all"),
    (caller("sales", sales_reads="own"), "files", "read", "all"),
    (caller("sales", "read_only", sales_reads="own"), "leads", "read", "all"),
    (caller("manager", sales_reads="own"), "leads", "read", "all"),
    # the credential is limited: to an action, or to the narrower of its scope and that of the roles
    (caller("admin", granted={"leads:update"}), "leads", "update", "all"),
    (caller("admin", granted={"leads:update"}), "leads", "read", None),
    (caller("admin", granted={"leads:update@own", "leads:update@team"}), "leads", "update", "team"),
    (caller("sales", granted={"leads:update@team"}), "leads", "update", "own"),
    (caller("sales", granted={"leads:manage"}), "leads", "manage", None),
    (caller("admin", granted={"activities:read"}), "calendar.events", "read", "all"),
    # custom objects with permissions of their own, one of them, those without and any of them
    (caller("admin", objects={"o1", "o1:read@own"}), "custom_objects.o1", "read", "own"),
    (caller("admin", objects={"o1", "o1:read@own"}), "custom_objects.o1", "update", None),
    (caller("admin", objects={"o1", "o1:read@own"}), "custom_objects.o2", "read", "all"),
    (caller("sales", objects={"o1", "o1:update@all"}), "custom_objects.o2", "update", "own"),
    (caller("sales", objects={"o1", "o1:update@all"}), "custom_objects", "update", "all"),
    (caller(objects={"o1", "o1:read@own", "o2", "o2:read@team"}), "custom_objects", "read", "team"),
    (caller(objects={"o1", "o1:read@own", "o1:read@team"}), "custom_objects.o1", "read", "team"),
    (caller("sales", objects={"o1"}), "leads", "update", "own"),
]


def test_scopes_of_callers() -> None:
    found = [(who, word, action, permissions.scope_for(who, word, action)) for who, word, action, _ in CALLERS]
    assert found == CALLERS
    assert permissions.widest(["own", None, "team"]) == "team" and permissions.widest([None]) is None
    others: tuple[permissions.Scope | None, ...] = ("all", "team", "own", None)
    narrower = [permissions.narrower("team", other) for other in others]
    assert narrower == ["team", "team", "own", None]


RECORDS: list[tuple[str, str | None, set[str], Action, bool]] = [
    # scope of the caller, owner, what is shared, action, whether it is permitted
    ("all", "user_you", set(), "update", True),
    ("own", "user_me", set(), "update", True),
    ("own", None, set(), "update", True),
    ("own", "user_mate", set(), "update", False),
    ("team", "user_mate", set(), "update", True),
    ("team", "user_you", set(), "update", False),
    ("own", "user_you", {"edit r1"}, "update", True),
    ("own", "user_you", {"manage r1"}, "update", True),
    ("own", "user_you", {"comment r1"}, "update", False),
    ("own", "user_you", {"edit r2"}, "update", False),
    ("own", "user_you", {"edit *r1"}, "update", False),
    ("own", "user_you", {"edit *d1"}, "update", True),
    ("own", "user_you", {"edit d1"}, "update", False),
    ("own", "user_you", {"view r1", "edit *d1"}, "update", True),
    ("own", "user_you", {"view r1"}, "read", True),
    ("own", "user_you", {"view r1"}, "export", True),
    ("own", "user_you", {"edit r1"}, "delete", False),
    ("own", "user_you", {"manage r1"}, "delete", True),
    ("own", "user_you", {"manage r1"}, "manage", True),
    ("own", "user_you", {"manage r1"}, "create", False),
    ("own", "user_you", {"manage r1"}, "import", False),
    ("none", "user_me", {"manage r1"}, "update", False),
]


def test_what_a_scope_holds_and_how_a_share_widens_it() -> None:
    def permitted(scope: str, owner: str | None, shared: set[str], action: Action) -> bool:
        held = {f"leads:{action}@{scope}"} if scope != "none" else set[str]()
        who = caller(permissions=held, team={"user_me", "user_mate"}, shared=shared)
        record = {"id": "r1", "owner_id": owner, "related_to": {"type": "deal", "id": "d1"}}
        seen = all(sees(record) for sees in permissions.sight(who, "leads"))
        assert action != "read" or seen is permissions.permits(who, "leads", action, record)
        return permissions.permits(who, "leads", action, record)

    assert [(*case[:4], permitted(*case[:4])) for case in RECORDS] == RECORDS
    assert permissions.sight(caller("admin"), "leads") == [], "of all records none is asked"
    assert permissions.sight(caller("nobody"), "leads") == [], "where the call is refused none is asked either"
    objects = caller("admin", objects={"o1", "o1:read@own"})
    (sees,) = permissions.sight(objects, "custom_objects")
    mine = [{"id": "x", "object_id": id, "owner_id": owner} for id in ("o1", "o2") for owner in ("user_me", "user_you")]
    assert [sees(one) for one in mine] == [True, False, True, True]
    assert not sees({"id": "o1", "owner_id": "user_you"}), "the object itself, too"
    assert permissions.sight(objects, "leads") == []


LEVELS: list[tuple[set[str], dict[str, Any], int]] = [
    (set(), {"id": "r1"}, -1),
    ({"view r2"}, {"id": "r1"}, -1),
    ({"view r1"}, {"id": "r1"}, 0),
    ({"view r1", "manage r1", "comment r1"}, {"id": "r1"}, 3),
    ({"edit *d1"}, {"id": "r1", "related_to": {"id": "d1"}}, 2),
    ({"edit *d1"}, {"id": "r1", "related_to": None}, -1),
]


def test_the_access_that_shares_give_to_a_record() -> None:
    assert [(shared, record, shares.level_of(shared, record)) for shared, record, _ in LEVELS] == LEVELS
    enough = {(access, action) for access in shares.LEVELS for action in permissions.ACTIONS
              if shares.is_enough(access, action)}  # fmt: skip
    reading: set[tuple[str, str]] = {(access, action) for access in shares.LEVELS for action in ("read", "export")}
    assert enough == reading | {
        ("edit", "update"), ("manage", "update"), ("manage", "delete"), ("manage", "manage"),
    }  # fmt: skip


LASTING: dict[str, Any] = {"expires_at": None, "max_downloads": None, "download_count": 0}


@pytest.mark.parametrize(
    ("members", "active"),
    [
        ({}, True),
        ({"expires_at": NOW + SECOND}, True), ({"expires_at": NOW}, False),
        ({"max_downloads": 2, "download_count": 1}, True), ({"max_downloads": 2, "download_count": 2}, False),
        ({"ended_at": NOW}, False), ({"deleted_at": NOW}, False),
    ],
)  # fmt: skip
def test_until_when_a_share_gives_access(members: dict[str, Any], active: bool) -> None:
    assert shares.is_active({**LASTING, **members}, NOW) is active


def test_whom_a_share_reaches_and_what_goes_with_it() -> None:
    store = Store()
    store.collection("t", "deal").put({"id": "d1", "contact_id": "c1", "account_id": None})
    user = {"id": "user_me", "tenant_id": "t", "team_ids": ["team_1"], "roles": [{"id": "role_1"}]}

    def share(number: int, subject: str, id: str, *, related: bool = False, access: str = "edit") -> Document:
        entity = {"type": "deal", "id": f"d{number}"}
        members = {"subject_type": subject, "subject_id": id, "entity": entity, "include_related": related}
        made = {**LASTING, **members, "id": f"share_{number}", "access": access}
        return store.collection("t", "share").put(made)

    assert shares.shared_with(store, user, NOW) == frozenset(), "nothing is shared yet"
    share(1, "user", "user_me", related=True)
    share(2, "team", "team_1")
    share(3, "role", "role_1", access="view")
    share(4, "user", "user_you")
    share(5, "team", "user_me")
    share(6, "role", "role_2")
    expired = share(7, "user", "user_me")
    store.collection("t", "share").put(expired | {"expires_at": NOW})
    assert [one["id"] for one in shares.shares_with(store, user)] == ["share_3", "share_2", "share_1", "share_7"]
    assert shares.shared_with(store, user, NOW) == {"edit d1", "edit *d1", "edit c1", "edit d2", "view d3"}
    share(9, "user", "user_me", related=True)
    assert {"edit d9", "edit *d9"} <= shares.shared_with(store, user, NOW), "of a record that is gone, too"


def refusal(who: Caller, resource: str, action: Action, *more: Any) -> tuple[str, Any]:
    with pytest.raises(Problem) as caught:
        permissions.check(who, resource, action, *more)
    assert (caught.value.code, caught.value.status) == ("FORBIDDEN", 403)
    return caught.value.message, caught.value.details


def test_why_a_call_is_refused() -> None:
    record = {"id": "lead_1", "owner_id": "user_you", "object_id": "o1"}
    about = {"id": "lead_1"}
    granted = caller("admin", granted=set())
    assert refusal(caller("sales"), "custom_objects", "manage") == ("the role sales may not manage custom objects", {})
    assert refusal(caller("sales", "read_only"), "leads", "manage")[0] == (
        "the roles read_only, sales may not manage leads"
    )
    assert refusal(granted, "calendar", "read")[0] == "Me, which was not granted this, may not read activities"
    assert refusal(caller("admin"), "leads", "update", record, False) == (
        "what lead_1 permits Me is not to update it", about,
    )  # fmt: skip
    nameless = replace(caller("admin"), name="")
    assert refusal(nameless, "leads", "read", record, False)[0] == "what lead_1 permits user_me is not to read it"
    assert refusal(caller("sales"), "leads", "update", record) == (
        "lead_1 belongs to another user; the role sales may update only its own records", about,
    )  # fmt: skip
    team = caller("custom", permissions={"leads:update@team"})
    assert refusal(team, "leads", "update", record)[0].endswith("the role custom may update only records of its team")
    objects = caller("sales", objects={"o1", "o2", "o2:update@all"})
    assert refusal(objects, "custom_objects", "update", record) == ("the role sales may not update custom objects", {})
    permissions.check(caller("sales"), "leads", "manage", record, True)
    permissions.check(caller("sales"), "leads", "update", {**record, "owner_id": None})
    permissions.check(caller("sales"), "leads", "update")


def test_permissions_as_texts() -> None:
    assert permissions.read_permission("deals:update") == ("deals", "update")
    assert permissions.read_permission("deals:update@all") == ("deals", "update")
    for text in ("deals:update@own", "planets:read", "deals:fly", "deals", ""):
        assert permissions.read_permission(text) is None
    for known, words in ((True, "deals update team"), (False, "planets read all"), (False, "deals fly all")):
        assert permissions.is_known(*words.split()) is known
    assert not permissions.is_known("deals", "read", "some")
    assert permissions.every_action("search") == ["read", "manage"]
    held = caller(permissions={"leads:update@team", "leads:read@own"})
    wanted = [
        {"resource": "leads", "action": action, "scope": scope}
        for action in ("update", "read", "delete") for scope in ("own", "team", "all")
    ]  # fmt: skip
    assert permissions.beyond(held, wanted) == [
        "leads:update@all", "leads:read@team", "leads:read@all",
        "leads:delete@own", "leads:delete@team", "leads:delete@all",
    ]  # fmt: skip
    assert permissions.beyond(held, wanted[:2], lambda name: "files") == ["leads:update@own", "leads:update@team"]
    listed = list(
        permissions.permissions_of(lambda word, action: "own" if (word, action) == ("jobs", "read") else None)
    )
    assert listed == [{"resource": "jobs", "action": "read", "scope": "own"}]


LIMITS: list[tuple[str, dict[str, int], str, int | None]] = [
    ("free", {}, "users", 3),
    ("pro", {}, "users", 50),
    ("enterprise", {}, "users", None),
    ("enterprise", {"users": 7}, "users", 7),
    ("pro", {"users": 7}, "users", 7),
    ("pro", {"users": 60}, "users", 50),
    ("pro", {"users": 0}, "users", 0),
    ("pro", {"contacts": 7}, "users", 50),
]


def test_what_plans_allow() -> None:
    found = [(plan, own, key, plans.limit_of({"plan": plan, "limits": own}, key)) for plan, own, key, _ in LIMITS]
    assert found == LIMITS
    assert plans.limit_of({"plan": "free"}, "custom_objects") == 0
    for used, more, fits in ((2, 1, True), (3, 1, False), (1, 2, True), (2, 2, False), (3, 0, True)):
        if fits:
            plans.check_limit({"plan": "free"}, "users", used, more)
            continue
        with pytest.raises(Problem) as caught:
            plans.check_limit({"plan": "free"}, "users", used, more)
        assert (caught.value.code, caught.value.status) == ("LIMIT_EXCEEDED", 403)
        assert caught.value.details == {"key": "users", "limit": 3, "used": used}
    with pytest.raises(Problem, match=r"1,000 contacts are allowed, and 1,000 are used"):
        plans.check_limit({"plan": "free"}, "contacts", 1_000)


def test_the_limits_of_each_plan() -> None:
    every = {key: [plans.plan_limit(plan, key) for plan in plans.PLANS] for key in plans.LIMITS}
    assert every == {
        "users": [3, 50, None], "contacts": [1_000, 100_000, None], "deals": [500, 50_000, None],
        "storage_bytes": [10**9, 10**11, 10**12], "file_size_bytes": [10**7, 10**8, 5 * 10**8],
        "api_requests_per_hour": [1_000, 10_000, 100_000], "bulk_requests_per_hour": [100] * 3,
        "websocket_connections": [5, 25, 100], "agent_calls_per_day": [100, 1_000, 10_000],
        "custom_objects": [0, 10, 100], "custom_fields_per_object": [0, 100, 500], "workflows": [0, 50, 500],
        "emails_per_day": [100, 5_000, 50_000], "flags": [5, 100, 1_000], "layouts": [10, 200, 2_000],
        "api_keys": [2, 20, 200], "chat_messages_per_day": [50, 1_000, 10_000], "export_schedules": [0, 50, 500],
        "backups": [1, 7, 30],
    }  # fmt: skip
    plans.check_limit({"plan": "free"}, "users", 2)


def test_what_plans_include() -> None:
    paid = {"custom_objects", "workflows", "marketplace", "social", "audit", "customization", "backups"}
    for feature in (*paid, "contacts", "search", "reports"):
        assert plans.minimum_plan(feature) == ("pro" if feature in paid else "free")
        assert [plans.includes(plan, feature) for plan in plans.PLANS] == [feature not in paid, True, True]
    for plan, switches, has in (
        ("pro", {}, True), ("pro", {"social": True}, True), ("pro", {"social": False}, False),
        ("free", {"social": True}, False), ("pro", None, True), ("pro", {"audit": False}, True),
    ):  # fmt: skip
        assert plans.has_feature({"plan": plan, "features": switches}, "social") is has
