"""Decisions about access: what is answered is what the calls do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from portions import portion
from refusals import refused

from crm_sdk import ApiError, CrmClient
from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from crm_sdk.route import Route
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.request.access import permissions
from server_stub.request.http import Request

from .conftest import PASSWORD, New, permission

KINDS = {"contacts": "contact", "leads": "lead", "deals": "deal", "accounts": "account"}
ACTIONS = ("read", "update", "delete")
STATUSES = {"granted": (200,), "no_permission": (403,), "out_of_scope": (403,), "not_found": (404,)}
GRANTS = st.lists(
    st.tuples(st.sampled_from(list(KINDS)), st.sampled_from(ACTIONS), st.sampled_from(["own", "team", "all"])),
    max_size=6,
)


def do(crm: CrmClient, resource: str, action: str, id: str) -> int:
    """Do it, and return the status of the answer."""
    calls: Any = getattr(crm, resource)
    try:
        if action == "update":
            calls.update(id, {"tags": ["seen"]})
        else:
            getattr(calls, {"read": "get"}.get(action, action))(id)
    except ApiError as error:
        return error.status
    return 200


@settings(max_examples=portion(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(grants=GRANTS, owner=st.sampled_from(["self", "user_sam", "user_ada"]), data=st.data())
def test_a_decision_is_what_the_call_answers(stub: StubServer, grants: Any, owner: str, data: Any) -> None:
    stub.reset()
    admin = stub.client(dialects="platform", max_retries=0)
    body: Any = {"key": "some", "name": "Some", "permissions": [permission(*one) for one in grants]}
    admin.security.roles.create(body)
    somebody: Any = {"email": "some@acme.test", "name": "Some", "role": "some", "password": PASSWORD}
    user = admin.users.create(somebody)
    admin.users.teams.members.add("team_acme_sales", user.id)
    crm = stub.client(api_key=None, dialects="platform", max_retries=0)
    crm.auth.login(user.email, PASSWORD)
    for resource, kind in KINDS.items():
        action = data.draw(st.sampled_from(ACTIONS))
        calls: Any = getattr(admin, resource)
        title: Any = {"title": "R", "value": 1} if resource == "deals" else {"name": "R"}
        made = calls.create({**title, "owner_id": user.id if owner == "self" else owner})
        (told,) = crm.security.check([{"action": action, "entity": {"type": kind, "id": made.id}}])
        assert do(crm, resource, action, made.id) in STATUSES[str(told.reason)], (told, resource, action)
        assert told.allowed == (told.reason == "granted")


WORDS = st.sampled_from(
    [(word, action) for word in permissions.resources() for action in permissions.every_action(word)]
)
LIMITS: Any = st.dictionaries(
    st.sampled_from(
        [(kind, name) for kind in KINDS.values() for name in ("tags", "external_id", "custom_fields.tier")]
    ),
    st.sampled_from(["hidden", "read", "write"]),
    max_size=6,
)
NEW: Any = {"tags": "a", "external_id": "b", "custom_fields.tier": "c"}


def agree_with_operations(stub: StubServer, crm: CrmClient, headers: dict[str, str], every: int) -> int:
    """Ask for decisions about operations, and compare each with the answer to a request that cannot be read."""
    wanted: dict[tuple[str, str], list[tuple[Operation[..., Any], Route]]] = {}
    for operation in list(declared_operations())[::every]:
        route = operation.routes.get("platform")
        if route is None or not operation.flags.auth or operation.flags.role is not None:
            continue
        word = permissions.resource_of(operation.id)
        if word in permissions.resources():
            action = permissions.action_of(operation, route.method)
            wanted.setdefault((word, action), []).append((operation, route))
    pairs: list[tuple[str, str]] = list(wanted)
    compared = 0
    for start in range(0, len(pairs), 100):
        asked: Any = [{"resource": word, "action": action} for word, action in pairs[start : start + 100]]
        for pair, decision in zip(pairs[start : start + 100], crm.security.check(asked), strict=True):
            for operation, route in wanted[pair]:
                query, content = ("what", b"") if route.method == "GET" else ("", b"{")
                path = re.sub(r"{\w+}", "nobody_1", route.full_path)
                reply = stub.handle(Request(route.method, path, query, headers, content))
                assert (reply.status == 403) is not decision.allowed, (operation.id, decision, reply.body)
                compared += 1
    return compared


def decide(examples: int, *, every: int = 1, anew: bool = False) -> None:
    """Compare decisions with answers for random roles."""

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=not anew,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(granted=st.sets(WORDS, max_size=40), limits=LIMITS, scope=st.sampled_from(["own", "all"]))
    def run(granted: set[tuple[str, str]], limits: dict[tuple[str, str], str], scope: str) -> None:
        stub.restore(start)
        held: Any = [{"resource": word, "action": action, "scope": scope} for word, action in sorted(granted)]
        fields: Any = [{"entity": kind, "field": name, "access": access} for (kind, name), access in limits.items()]
        admin.security.roles.create({"key": "r", "name": "R", "permissions": held, "field_permissions": fields})
        user = admin.users.create({"email": "r@acme.test", "name": "R", "role": "r", "password": PASSWORD})
        crm = stub.client(api_key=None, dialects="platform", max_retries=0)
        token = crm.auth.login("r@acme.test", PASSWORD).access_token
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        assert agree_with_operations(stub, crm, headers, every) > 350 // every
        for resource, kind in KINDS.items():
            made = getattr(admin, resource).create({("title" if kind == "deal" else "name"): "N", "owner_id": user.id})
            for name, value in NEW.items():
                question: Any = {"entity": {"type": kind, "id": made.id}, "fields": [name]}
                both: Any = [{"action": action, **question} for action in ("read", "update")]
                told = crm.security.check(both)
                head, _, rest = name.partition(".")
                body = json.dumps({camel(head): {rest: value} if rest else [value] if head == "tags" else value})
                path = f"/v1/{resource}/{made.id}"
                reply = stub.handle(Request("PUT", path, "", headers, body.encode()))
                assert (reply.status == 403) is not told[1].allowed, (told[1], reply.body)
                assert (b"FIELD_FORBIDDEN" in reply.body) is (told[1].reason == "field_forbidden")
                admin_wrote: Any = {head: {rest: value} if rest else [value] if head == "tags" else f"{value}{made.id}"}
                getattr(admin, resource).update(made.id, admin_wrote)
                reply = stub.handle(Request("GET", path, "", headers))
                if told[0].reason == "no_permission":
                    assert reply.status == 403
                    continue
                shown = json.loads(reply.body)["data"]
                there = rest in shown["customFields"] if rest else camel(head) in shown
                assert there is told[0].allowed is (told[0].denied_fields == []), (name, told[0], shown)

    with StubServer() as stub, stub.client(dialects="platform", max_retries=0) as admin:
        start = stub.snapshot()
        run()


def test_decisions_are_what_operations_answer() -> None:
    decide(3, every=7)


@pytest.mark.thorough
def test_decisions_are_what_every_operation_answers() -> None:
    decide(8)


@pytest.mark.slow
def test_many_decisions_are_what_every_operation_answers() -> None:
    decide(150, anew=True)


def test_who_asks_about_whom(admin: CrmClient, new: New) -> None:
    one = new(permission("contacts", "read"))
    eva = admin.contacts.create({"name": "Eva"})
    question: Any = [{"action": "read", "entity": {"type": "contact", "id": eva.id}}]
    assert admin.security.check(question, user_id=one.id)[0].via[0].id == one.role.id
    other: Any = [{"action": "delete", "resource": "deals"}]
    assert admin.security.check(other)[0].allowed
    told = admin.security.check(other, user_id=one.id)
    assert (told[0].allowed, told[0].reason) == (False, "no_permission") and told == one.crm.security.check(other)
    assert refused(lambda: one.crm.security.check(question, user_id="user_ada")).code == "FORBIDDEN"
    assert one.crm.security.check(question, user_id=one.id)[0].allowed
    admin.users.deactivate(one.id)
    assert admin.security.check(question, user_id=one.id)[0].reason == "user_inactive"
    assert refused(lambda: admin.security.check(question, user_id="user_none")).code == "REFERENCE_NOT_FOUND"


@pytest.mark.parametrize(
    "question", [{"action": "read"}, {"action": "read", "resource": "planets"}, {"action": "fly", "resource": "deals"}]
)
def test_questions_that_cannot_be_answered(stub: StubServer, question: Any) -> None:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    body = json.dumps({"checks": [question]}).encode()
    reply = stub.handle(Request("POST", "/v1/security/check", headers=headers, body=body))
    assert reply.status == 422
    assert b"VALIDATION_ERROR" in reply.body


def test_a_service_that_is_switched_off(stub: StubServer, admin: CrmClient) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenants.put(tenants.all()[0] | {"features": {"reports": False}})
    assert admin.security.check([{"action": "read", "resource": "reports"}])[0].reason == "feature_disabled"


def test_every_permission_is_listed_with_its_calls(stub: StubServer, admin: CrmClient) -> None:
    listed = {(one.resource, one.action): one for one in admin.security.permissions()}
    assert "contacts.list" in listed["contacts", "read"].operations
    assert listed["reports", "read"].feature == "reports"
    own = {action: set(one.operations) for (resource, action), one in listed.items() if resource == "onboarding"}
    every = {action: set(one.operations) for (resource, action), one in listed.items() if resource == "custom_objects"}
    assert own == {
        action: {call for call in calls if call.startswith("custom_objects.records.")}
        for action, calls in every.items()
    }, "a custom object's too: those of its records"
    assert own["update"] == {"custom_objects.records.update"} and own["read"] < every["read"]
    for one in listed.values():
        said = f"Opens {len(one.operations)} calls of" if one.operations else "Opens no call by itself."
        assert one.description.startswith(said), one
    assert {one.resource for one in admin.security.permissions(resource="deals")} == {"deals"}
    assert stub.client(api_key="acme-sales", dialects="platform").security.permissions()


@pytest.mark.parametrize(
    ("resource", "entity", "field"),
    [
        ("contacts", "contact", "title"), ("activities", "activity", "description"), ("deals", "deal", "tags"),
        ("files", "file", "description"), ("accounts", "account", "billing_address"),
    ],
)  # fmt: skip
def test_fields_of_a_resource_are_those_of_its_records(new: New, resource: str, entity: str, field: str) -> None:
    limited = [{"entity": entity, "field": field, "access": "read"}]
    one = new(permission(resource, "read"), permission(resource, "update"), field_permissions=limited)
    question: Any = {"resource": resource, "fields": [camel(field)]}
    questions: Any = [{**question, "action": action} for action in ("update", "read")]
    written, read = one.crm.security.check(questions)
    assert (written.reason, written.denied_fields) == ("field_forbidden", [camel(field)])
    assert read.allowed


@pytest.mark.parametrize(("access", "allowed"), [("view", {"read"}), ("edit", {"read", "update"})])
def test_a_share_is_what_gives_the_permission(admin: CrmClient, new: New, access: Any, allowed: set[str]) -> None:
    one = new(*(permission("contacts", action, "own") for action in ("read", "update", "delete")))
    eva = admin.contacts.create({"name": "Eva"}).id
    entity: Any = {"type": "contact", "id": eva}
    body: Any = {"entity": entity, "subject_type": "user", "subject_id": one.id, "access": access}
    share = admin.collaboration.shares.create(body)
    for action in ("read", "update", "delete"):
        (told,) = one.crm.security.check([{"action": action, "entity": entity}])
        assert told.allowed is (action in allowed)
        named = [(each.id, each.name) for each in told.via if each.kind == "share"]
        assert named == ([(share.id, one.user.name)] if told.allowed else [])


def test_what_a_file_permits_is_what_gives_the_permission(admin: CrmClient, new: New) -> None:
    one = new(permission("files", "read"), permission("files", "update"))
    file = admin.files.upload(("plan.txt", b"Plan")).id
    entries: Any = [{"subject_type": "user", "subject_id": id, "access": "view"} for id in (one.id, "user_sam")]
    admin.files.permissions.update(file, visibility="private", entries=entries)
    question: Any = [{"action": action, "entity": {"type": "file", "id": file}} for action in ("read", "update")]
    read, write = one.crm.security.check(question)
    assert read.allowed and [(each.id, each.name) for each in read.via if each.kind == "file_permission"] == [
        (one.id, one.user.name)
    ]
    assert not write.allowed


def test_what_is_asked_of_kinds_that_there_are_not_of_custom_objects_and_by_nobody(
    stub: StubServer, admin: CrmClient, new: New
) -> None:
    ask = admin.security.check
    for question, field, rule, said in (
        ({"entity": {"type": "planet", "id": "x"}}, "entity.type", "choice", "there is no kind of records 'planet'"),
        ({}, "resource", "required", "name a resource or an entity"),
        ({"resource": "planets"}, "resource", "choice", "there is no resource 'planets'"),
    ):
        given: Any = [{"action": "read", "resource": "deals"}, {"action": "read", **question}]
        error = refused(lambda given=given: ask(given))  # type: ignore[misc] # the value of this turn is bound
        assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [(f"checks.1.{field}", rule)])
        assert said in error.message
    limited = [{"entity": "onboarding", "field": "coach", "access": "hidden"}]
    one = new(permission("custom_objects", "read"), field_permissions=limited)
    record = next(iter(admin.custom_objects.records.list("onboarding"))).id
    for about in ({"resource": "onboarding"}, {"entity": {"type": "onboarding", "id": record}}):
        asked: Any = [{"action": "read", **about, "fields": ["coach", "name"]}]
        (told,) = one.crm.security.check(asked)
        assert (told.reason, told.denied_fields) == ("field_forbidden", ["coach"]), about
    token = admin.auth.token(grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret")
    app = stub.client(api_key=str(token.access_token), dialects="platform", max_retries=0)
    (mine,) = app.security.check([{"action": "read", "resource": "contacts"}])
    assert (mine.allowed, mine.via) == (True, []), "what is no user has no roles"
