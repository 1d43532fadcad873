"""Role by permission by operation: every call of the platform is refused exactly where the table has no permission.

The table is that of the document (002, 0.4), written out here a second time. The requests cannot be carried out: their
query or body cannot be read, which is found after the permission is decided. So each costs next to nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from newcomers import PASSWORD
from sampling import sampled

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from crm_sdk.route import Route
from server_stub import StubServer
from server_stub.request.access import permissions
from server_stub.request.access.callers import user_caller
from server_stub.request.http import Request

ROLES = ("admin", "manager", "sales", "read_only")
TABLE = """
contacts        rcudxim rcudxim rcu@d@x@i r
leads           rcudxim rcudxim rcu@d@x@i r
deals           rcudxim rcudxim rcu@d@x@i r
accounts        rcudxim rcudxim rcu@d@x@i r
activities      rcudxim rcudxim rcu@d@x@i r
conversations   rcudxm  rcudx   rcu@d@x@  r
pipelines       rcudxm  rcudx   r         r
analytics       r       r       r         r
ai_insights     rcudm   rcud    rcu@d@    r
custom_objects  rcudxim rcudxi  rcu@d@x@i r
workflows       rcudxm  rcudx   r         r
marketplace     rcudm   r       r         r
integrations    rcudm   r       r         r
agents          rcudm   rcud    rcud      r
webhooks        rcudm   rcud    rcud      r
notifications   rcudxm  rcudx   r@c@      r@
users           rcudxm  r       r         r
tenants         rcudm   -       -         -
files           rcudxm  rcudx   rcu@d@x@  r
audit           rcuxm   r       -         -
search          rm      r       r         r
reports         rcudxm  rcudxm  rcu@d@x@  r
dashboards      rcudxm  rcudxm  rcu@d@x@  r
communication   rcudxm  rcudx   rcu@d@    r
social          rcudxm  rcudxm  rc        r
collaboration   rcudxm  rcudxm  rcu@d@    r
jobs            rum     ru@     r@u@      r@u@
privacy         m       -       -         -
configuration   rcudm   r       -         -
customization   rcudm   ru      r         r
security        rcudm   -       -         -
monitoring      r       r       -         -
backups         m       -       -         -
chatops         cm      c       c         c
presence        r       r       r         r
"""
ACTIONS = {"r": "read", "c": "create", "u": "update", "d": "delete", "x": "export", "i": "import", "m": "manage"}
DOORS = {
    "calendar": "activities",
    "analytics.dashboards": "dashboards",
    "analytics.reports": "reports",
    "configuration.territories": "accounts",
}
BY_HAND = frozenset({"auth"})
"""What is one's own, without a permission."""


def granted(role: str) -> dict[tuple[str, str], str]:
    """Return what the table permits a role: the scope by resource and action."""
    found: dict[tuple[str, str], str] = {}
    for line in TABLE.strip().splitlines():
        resource, *cells = line.split()
        for letter, own in re.findall(r"([a-z])(@?)", cells[ROLES.index(role)]):
            found[resource, ACTIONS[letter]] = "own" if own else "all"
    return found


def needed(operation: Operation[..., object], route: Route) -> tuple[str, str] | None:
    """Return the resource and the action that a call needs the permission for; None where it needs none."""
    word = operation.id.partition(".")[0]
    if not operation.flags.auth or operation.flags.role is not None or word in BY_HAND:
        return None
    resource = next((DOORS[door] for door in DOORS if f"{operation.id}.".startswith(f"{door}.")), word)
    by_method = {"GET": "read", "DELETE": "delete", "PUT": "update", "PATCH": "update"}
    by_status = "read" if operation.flags.safe else "create" if operation.status == 201 else "update"
    return resource, str(operation.flags.action or by_method.get(route.method, by_status))


EVERY = sorted(
    (resource, action) for resource in permissions.resources() for action in permissions.every_action(resource)
)
"""Every permission there is."""


def calls() -> Iterator[tuple[Operation[..., object], Route]]:
    for operation in declared_operations():
        if "platform" in operation.routes:
            yield operation, operation.routes["platform"]


@pytest.fixture(scope="module")
def server() -> StubServer:
    return StubServer()


def refused(server: StubServer, route: Route, token: str) -> bool:
    """Tell whether a call is FORBIDDEN; what it would do is not done, since nobody could read what was sent."""
    query, content = ("what", b"") if route.method == "GET" else ("", b"{")
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    path = re.sub(r"{\w+}", "nobody_1", route.full_path)
    reply = server.handle(Request(route.method, path, query, headers, content))
    (error,) = json.loads(reply.body)["errors"]
    assert error["code"] in ("FORBIDDEN", "BAD_REQUEST"), (route.path, error)
    return bool(error["code"] == "FORBIDDEN")


@pytest.mark.parametrize("role", ROLES)
def test_a_call_is_refused_exactly_where_the_role_has_no_permission(server: StubServer, role: str) -> None:
    user = next(user for user in server.store.collection("tenant_acme", "user") if user["role"] == role)
    session = server.store.collection("tenant_acme", "session").put(
        type(user)(id=f"session_{role}", user_id=user["id"], revoked_at=None, last_seen_at=server.clock.now())
    )
    token = server.tokens.issue(user, session["id"])
    permitted = granted(role)
    known = {resource for resource, _ in granted("admin")}
    wrong: list[str] = []
    for operation, route in calls():
        need = needed(operation, route)
        if need is None or need[0] not in known:
            continue
        if refused(server, route, token) is (need in permitted):
            wrong.append(f"{operation.id} needs {':'.join(need)}")
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_user_is_told_to_be_permitted_is_the_table(server: StubServer, role: str) -> None:
    crm = server.client(dialects="platform")
    user = next(user for user in crm.users.list(role=role))
    told = crm.users.permissions(user.id)
    assert {(one.resource, one.action): one.scope for one in told.permissions} == granted(role)
    assert told.is_admin is (role == "admin")
    (listed,) = crm.users.roles.list(user.id)
    assert (listed.key, listed.is_system, listed.permissions) == (role, True, told.permissions)
    caller = user_caller(
        server.store, server.store.collection("tenant_acme", "user").get(user.id) or {}, server.clock.now()
    )
    for one in told.permissions:
        assert permissions.scope_for(caller, one.resource, one.action) == one.scope  # type: ignore[arg-type] # an open enumeration


def holder(server: StubServer, without: tuple[str, str]) -> str:
    """Return the token of somebody who has every permission but one."""
    admin = server.client(dialects="platform", max_retries=0)
    held: Any = [{"resource": word, "action": action} for word, action in EVERY if (word, action) != without]
    admin.security.roles.create({"key": "nearly", "name": "Nearly", "permissions": held})
    admin.users.create({"email": "nearly@acme.test", "name": "Nearly", "role": "nearly", "password": PASSWORD})
    signed_in = server.client(api_key=None, dialects="platform", max_retries=0)
    return str(signed_in.auth.login("nearly@acme.test", PASSWORD).access_token)


@pytest.mark.thorough
@pytest.mark.parametrize(("resource", "action"), sampled(EVERY, every=12))
def test_one_permission_less_is_the_calls_that_need_it_less(server: StubServer, resource: str, action: str) -> None:
    """A role of one's own with all but one permission: the calls that need that one are refused, and no other."""
    start = server.snapshot()
    try:
        token = holder(server, (resource, action))
        crm = server.client(api_key=token, dialects="platform", max_retries=0)
        asked: Any = [{"resource": word, "action": one} for word, one in EVERY]
        told = [decision for at in range(0, len(asked), 100) for decision in crm.security.check(asked[at : at + 100])]
        assert [pair for pair, decision in zip(EVERY, told, strict=True) if not decision.allowed] == [
            (resource, action)
        ]
        wrong = [
            f"{operation.id} needs {':'.join(need)}"
            for operation, route in calls()
            if (need := needed(operation, route)) in EVERY
            and refused(server, route, token) is not (need == (resource, action))
        ]
        assert wrong == []
    finally:
        server.restore(start)
