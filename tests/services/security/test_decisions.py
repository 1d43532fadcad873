"""Decisions about access: what is answered is what the calls do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusals import refused

from crm_sdk import ApiError, CrmClient
from server_stub import StubServer
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


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
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


def test_who_asks_about_whom(admin: CrmClient, new: New) -> None:
    one = new(permission("contacts", "read"))
    eva = admin.contacts.create({"name": "Eva"})
    question: Any = [{"action": "read", "entity": {"type": "contact", "id": eva.id}}]
    assert admin.security.check(question, user_id=one.id)[0].via[0].id == one.role.id
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
    assert ("onboarding", "update") in listed, "a custom object's too"
    assert {one.resource for one in admin.security.permissions(resource="deals")} == {"deals"}
    assert stub.client(api_key="acme-sales", dialects="platform").security.permissions()
