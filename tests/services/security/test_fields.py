"""Members that a role hides are in nothing that its users get; what it fixes nobody of them writes."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.catalogue import declared_operations
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import New, Somebody, permission

SECRET = "canary@hidden.example"
SERVICES = ("contacts", "leads", "deals", "accounts", "activities", "audit", "search", "reports", "analytics")
WHOLE = [permission(service, action) for service in SERVICES for action in ("read", "update", "create", "export")]
KNOWN = [one for one in WHOLE if not (one["resource"] in ("analytics", "search") and one["action"] != "read")]
HIDDEN: Any = [
    {"entity": "contact", "field": "email", "access": "hidden"},
    {"entity": "contact", "field": "custom_fields.tier", "access": "hidden"},
    {"entity": "contact", "field": "title", "access": "read"},
]


@pytest.fixture
def somebody(new: New) -> Somebody:
    known = [one for one in KNOWN if (one["resource"], one["action"]) not in (("audit", "create"), ("audit", "update"))]
    return new(*known, field_permissions=HIDDEN)


@pytest.fixture
def eva(admin: CrmClient) -> str:
    body: Any = {"name": "Eva", "email": SECRET, "title": "CTO", "custom_fields": {"tier": "canary-gold", "n": 1}}
    return admin.contacts.create(body).id


def test_a_hidden_member_is_in_no_answer_to_a_get(stub: StubServer, somebody: Somebody, eva: str) -> None:
    """Of every call that needs no other record's id, and of those that are about the contact."""
    key = somebody.crm.security.api_keys.create({"name": "x"}).key
    headers = {"authorization": f"Bearer {key}"}
    asked = 0
    for operation in declared_operations():
        for route in operation.routes.values():
            if route.method != "GET" or operation.kind == "stream":
                continue
            path = route.full_path.replace("{contact_id}", eva)
            if "{" in path:
                continue
            reply = stub.handle(Request("GET", path, query="q=canary&search=eva&format=csv", headers=headers))
            plain = stub.handle(Request("GET", path, headers=headers))
            for found in (reply, plain):
                body = found.body + b"".join(found.chunks or ())
                assert SECRET.encode() not in body, operation.id
                assert b"canary-gold" not in body, operation.id
                asked += found.status == 200
    assert asked > 50


def test_a_hidden_member_is_absent_and_not_null(somebody: Somebody, admin: CrmClient, eva: str) -> None:
    seen = somebody.crm.contacts.get(eva)
    assert "email" not in seen.model_fields_set
    assert (seen.title, seen.custom_fields) == ("CTO", {"n": 1})
    assert admin.contacts.get(eva).email == SECRET


@pytest.mark.parametrize(
    "ask",
    [
        lambda crm: crm.contacts.search({"filter_groups": [{"filters": [{"field": "email", "op": "is_set"}]}]}),
        lambda crm: crm.contacts.search({"fields": ["email"]}),
        lambda crm: crm.contacts.search({"sort": "email"}),
        lambda crm: crm.contacts.export(fields=["email"]),
    ],
)
def test_a_hidden_member_cannot_be_named(somebody: Somebody, ask: Any) -> None:
    assert refused(lambda: ask(somebody.crm)).code == "UNKNOWN_FIELD"


def test_search_does_not_look_into_hidden_members(somebody: Somebody, admin: CrmClient, eva: str) -> None:
    assert admin.contacts.list(search=SECRET).total == 1
    assert somebody.crm.contacts.list(search=SECRET).total == 0


@pytest.mark.parametrize("changes", [{"email": "a@b.example"}, {"title": "CEO"}, {"custom_fields": {"tier": "x"}}])
def test_what_is_fixed_is_not_written(somebody: Somebody, admin: CrmClient, eva: str, changes: Any) -> None:
    error = refused(lambda: somebody.crm.contacts.update(eva, changes))
    assert (error.code, len(error.details["fields"])) == ("FIELD_FORBIDDEN", 1)
    assert admin.contacts.get(eva).version == 1
    new: Any = {"name": "New", **changes}
    assert refused(lambda: somebody.crm.contacts.create(new)).code == "FIELD_FORBIDDEN"


def test_what_can_be_read_may_be_sent_back(somebody: Somebody, eva: str) -> None:
    assert somebody.crm.contacts.update(eva, {"title": "CTO", "company": "X"}).company == "X"


def test_a_change_of_a_hidden_member_is_in_no_trail(somebody: Somebody, admin: CrmClient, eva: str) -> None:
    admin.contacts.update(eva, {"email": "next@hidden.example", "company": "X"})
    (entry,) = somebody.crm.audit.logs.list(entity_id=eva, action="contact.updated").items
    assert [change.field for change in entry.changes] == ["company"]


def test_the_widest_of_several_roles_holds(somebody: Somebody, admin: CrmClient, eva: str) -> None:
    admin.users.roles.assign(somebody.id, "read_only")
    assert somebody.crm.contacts.get(eva).email == SECRET


def test_a_decision_names_the_denied_members(somebody: Somebody, admin: CrmClient, eva: str) -> None:
    question: Any = {"entity": {"type": "contact", "id": eva}, "fields": ["name", "email", "title"]}
    asked: Any = [{"action": one, **question} for one in ("read", "update")]
    told = somebody.crm.security.check(asked)
    assert [one.denied_fields for one in told] == [["email"], ["email", "title"]]
    assert {one.reason for one in told} == {"field_forbidden"}


def test_events_leave_out_what_is_hidden(stub: StubServer, somebody: Somebody, admin: CrmClient, eva: str) -> None:
    seen: list[str] = []
    listener = stub.client(api_key=somebody.crm.security.api_keys.create({"name": "x"}).key)
    with listener.events.listen(types=["contact.updated"]) as events:
        admin.contacts.update(eva, {"email": "next@hidden.example", "company": "X"})
        for event in events:
            seen.append(str(event))
            if event.type == "contact.updated":
                break
    assert "hidden.example" not in "".join(seen)


REPORTS: list[dict[str, Any]] = [
    {"columns": [{"field": "email"}]},
    {"columns": [{"field": "name"}, {"field": "custom_fields.tier"}]},
    {"columns": [{"field": "name"}], "filter_groups": [{"filters": [{"field": "email", "op": "is_set"}]}]},
    {"columns": [{"field": "email"}], "sort": [{"key": "email", "order": "asc"}]},
]


@pytest.mark.parametrize("members", REPORTS)
def test_a_report_cannot_name_hidden_members(somebody: Somebody, admin: CrmClient, eva: str, members: Any) -> None:
    body: Any = {"name": "Secrets", "entity_type": "contact", "visibility": "tenant", **members}
    report = admin.reports.create(body)
    assert refused(lambda: somebody.crm.reports.create(body)).code == "UNKNOWN_FIELD"
    assert refused(lambda: somebody.crm.reports.data(report.id)).code == "REPORT_BROKEN"
    assert admin.reports.data(report.id).columns


@pytest.mark.parametrize("bound", ["min_value", "max_value"])
def test_a_list_is_not_bounded_by_a_hidden_member(new: New, bound: str) -> None:
    hidden: Any = [{"entity": "deal", "field": "value", "access": "hidden"}]
    crm = new(permission("deals", "read"), field_permissions=hidden).crm
    given: Any = {bound: 1}
    assert crm.deals.list(limit=1).items
    assert refused(lambda: crm.deals.list(**given).items).code == "UNKNOWN_FIELD"


CSV = b"name,email\nAda,ada@keys.example\n"


@pytest.mark.parametrize(
    "ask",
    [
        lambda crm: crm.objects.batch_get("contact", [SECRET], match_on="email"),
        lambda crm: crm.objects.upsert("contact", [{"email": SECRET}], match_on="email"),
        lambda crm: crm.objects.transaction(
            [{"action": "upsert", "entity": "contact", "match_on": "email", "values": {"email": SECRET}}]
        ),
        lambda crm: crm.imports.create("contact", ("a.csv", CSV), match_on="email", mode="upsert"),
    ],
    ids=["batch_get", "upsert", "transaction", "import"],
)
def test_a_record_is_not_found_by_a_hidden_member(new: New, eva: str, ask: Any) -> None:
    actions = ("read", "create", "update", "import")
    somebody = new(*(permission("contacts", action) for action in actions), field_permissions=HIDDEN)
    error = refused(lambda: ask(somebody.crm))
    codes = error.code, *(entry.code for entry in error.fields)  # of a transaction, its operations say it
    assert "NOT_A_KEY" in codes


def test_a_description_says_that_a_member_is_fixed(somebody: Somebody) -> None:
    fields = {one.name: one for one in somebody.crm.objects.describe("contact").fields}
    assert (fields["title"].access, fields["title"].read_only) == ("read", True)
    assert fields["department"].access == "write" and "email" not in fields


def test_an_export_of_contacts_has_all_columns_but_those_of_hidden_members(
    somebody: Somebody, admin: CrmClient, eva: str
) -> None:
    def columns(crm: CrmClient, **asked: Any) -> list[str]:
        return crm.contacts.export(format="csv", **asked).read().decode("utf-8-sig").splitlines()[0].split(",")

    whole = columns(admin)
    hidden = {"email", "customFields.tier"}
    assert hidden < set(whole) and columns(somebody.crm) == [name for name in whole if name not in hidden]
    assert columns(somebody.crm, fields=["name", "title"]) == ["name", "title"]
    for name in ("email", "custom_fields.tier"):
        assert columns(admin, fields=["name", name])[0] == "name"
        assert refused(lambda: columns(somebody.crm, fields=["name", name])).code == "UNKNOWN_FIELD"  # noqa: B023 # it is called at once


def test_a_field_of_the_company_that_is_only_read_or_hidden_is_not_written(admin: CrmClient, new: New) -> None:
    id = admin.contacts.create({"name": "N", "custom_fields": {"tier": "gold", "size": 1}}).id
    for access in ("read", "hidden"):
        limited = [{"entity": "contact", "field": "custom_fields.tier", "access": access}]
        one = new(permission("contacts", "read"), permission("contacts", "update"), field_permissions=limited)
        for wanted in ({"tier": "iron"}, {"tier": None}, {"tier": "iron", "size": 2}, None):
            error = refused(lambda wanted=wanted, one=one: one.crm.contacts.update(id, {"custom_fields": wanted}))  # type: ignore[misc] # the values of this turn are bound
            assert (error.code, error.details) == ("FIELD_FORBIDDEN", {"fields": ["custom_fields.tier"]}), wanted
        one.crm.contacts.update(id, {"custom_fields": {"size": access}})
        assert admin.contacts.get(id).custom_fields == {"tier": "gold", "size": access}
        if access == "read":
            back = one.crm.contacts.update(id, {"custom_fields": {"tier": "gold", "size": 2}})
            assert back.custom_fields == {"tier": "gold", "size": 2}, "what was read is sent back"
            bare = admin.contacts.create({"name": "Bare", "custom_fields": {"size": 1}}).id
            assert one.crm.contacts.update(bare, {"custom_fields": None}).custom_fields == {}, "there is none to clear"
