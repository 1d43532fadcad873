"""The entries of the audit trail: what they say, who reads which, and that nobody changes one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import AsyncCrmClient, CrmClient
from crm_sdk.models import AuditLog
from server_stub import StubServer
from server_stub.history.audit import MASK, category_of

Give = Callable[..., AuditLog]


@pytest.fixture
def give(platform: CrmClient) -> Give:
    """Write an entry of another system about a new lead, or about a record."""

    def write(entity: Any = None, **members: Any) -> AuditLog:
        entity = entity or {"type": "lead", "id": platform.leads.create({"name": "Signer"}).id}
        given: Any = {"action": "custom.signed", "entity": entity, **members}
        return platform.audit.logs.create(given)

    return write


def deeds(client: CrmClient, id: str) -> list[AuditLog]:
    return list(client.audit.logs.list(entity_id=id))


def test_an_entry_says_who_did_what_when_with_which_request(stub: StubServer, platform: CrmClient) -> None:
    lead = platform.leads.create({"name": "Ada", "status": "new"})
    signed_in = stub.client(dialects="platform", api_key=token_of(stub))
    signed_in.with_options(reason="asked by phone").leads.update(lead.id, {"status": "contacted", "company": "Initech"})
    request_id = stub.audit()[-1]["source"]["request_id"]
    platform.leads.update(lead.id, {"status": "contacted"})  # no difference
    wrong: Any = {"status": "nonsense"}
    assert refused(lambda: platform.leads.update(lead.id, wrong)).status == 422
    platform.leads.delete(lead.id)
    made, changed, deleted = deeds(platform, lead.id)
    assert [one.action for one in (made, changed, deleted)] == ["lead.created", "lead.updated", "lead.deleted"]
    said = {one.field: (one.before, one.after) for one in changed.changes}
    assert (said["status"], said["company"]) == (("new", "contacted"), (None, "Initech"))
    assert (made.reason, changed.reason, deleted.reason) == (None, "asked by phone", None)
    assert (changed.entity.type, changed.entity.name, changed.category) == ("lead", "Ada", "data")
    assert (changed.actor.type, changed.actor.email) == ("user", "ada@acme.test") and changed.actor.session_id
    assert (made.actor.type, made.actor.id.partition("_")[0]) == ("api_key", "apikey")
    source = changed.source
    assert (source.dialect, source.method, source.status, source.request_id) == ("platform", "PUT", 200, request_id)
    assert (source.operation, made.source.status) == ("leads.update", 201) and str(source.path).endswith(lead.id)
    assert changed.actor.user_agent and changed.actor.user_agent.startswith("crm-sdk/")
    assert platform.audit.logs.get(changed.id) == changed
    assert list(platform.audit.logs.list(request_id=request_id)) == [changed]


def token_of(stub: StubServer) -> str:
    return str(stub.client(dialects="flow").auth.login("ada@acme.test", "demo-password").access_token)


def test_names_of_members_are_those_of_the_wire(platform: CrmClient) -> None:
    made = platform.contacts.create({"name": "Ada", "email": "ada@x.example"})
    platform.contacts.update(made.id, {"secondary_emails": ["a@x.example"], "address": {"postal_code": "12345"}})
    changed = deeds(platform, made.id)[-1]
    assert {one.field for one in changed.changes} >= {"secondaryEmails", "address"}
    (address,) = [one.after for one in changed.changes if one.field == "address"]
    assert isinstance(address, dict) and address["postalCode"] == "12345"


def test_names_that_a_company_or_a_caller_has_given_stay_as_they_are(stub: StubServer, platform: CrmClient) -> None:
    made = platform.leads.create({"name": "Ada"})
    entry = deeds(platform, made.id)[0]
    given = {"page_count": {"a_b": 1}, "list_of": [{"c_d": 2}]}
    fields = {
        "custom_fields": given, "custom_fields.some_thing": given, "fields": given, "metadata.x": given,
        "config": given, "configuration": given, "address": {"pageCount": {"a_b": 1}, "listOf": [{"c_d": 2}]},
        "postal_code": {"pageCount": {"a_b": 1}, "listOf": [{"c_d": 2}]},
    }  # fmt: skip
    changes = [{"field": name, "before": None, "after": given} for name in fields]
    lists = [{"field": name, "before": [given], "after": "a_b"} for name in ("tags", "config")]
    stored(stub, "audit", entry.id, changes=[*changes, *lists], category="data")
    data = platform.request("GET", f"/v1/audit/logs/{entry.id}").json()["data"]
    shown = data["changes"]
    assert [one["after"] for one in shown[:8]] == list(fields.values())
    assert [one["field"] for one in shown[:8]] == [
        "customFields", "customFields.some_thing", "fields", "metadata.x", "config", "configuration", "address",
        "postalCode",
    ]  # fmt: skip
    assert [one["before"] for one in shown[8:]] == [[fields["address"]], [given]]
    assert [one["after"] for one in shown[8:]] == ["a_b", "a_b"]


def test_another_system_writes_its_own_entries(give: Give, platform: CrmClient) -> None:
    made = give(severity="warning", reason="r", metadata={"page_count": 3})
    assert (made.category, made.severity, made.reason, made.metadata) == ("custom", "warning", "r", {"page_count": 3})
    assert str(made.source.path).endswith("/audit/logs") and made.entity.name == "Signer"
    forged = {"actor": {"type": "system", "id": "forged"}, "occurredAt": "2001-01-01T00:00:00Z", "sequence": 1}
    body = {"action": "custom.signed", "entity": {"type": "lead", "id": made.entity.id}, **forged}
    assert platform.request("POST", "/v1/audit/logs", json=body).status == 201
    last = list(platform.audit.logs.list(action="custom.signed"))[-1]
    assert (last.actor, last.sequence) == (made.actor, made.sequence + 1) and last.occurred_at >= made.occurred_at
    again = give()
    assert (again.severity, again.sequence - last.sequence) == ("info", 2)
    assert platform.audit.logs.get(made.id) == made


def test_an_entry_of_another_system_is_checked(platform: CrmClient) -> None:
    def check(members: Any, field: str) -> None:
        lead = platform.leads.create({"name": "Signer"})
        body = {"action": "custom.signed", "entity": {"type": "lead", "id": lead.id}, **members}
        reply = platform.request("POST", "/v1/audit/logs", json=body)
        assert reply.status == 422 and f'"field":"{field}"'.encode() in reply.content

    cases: list[tuple[Any, str]] = [
        ({"action": "lead.updated"}, "action"),
        ({"action": "custom."}, "action"),
        ({"severity": "mild"}, "severity"),
        ({"entity": {"type": "lead", "id": "lead_nobody"}}, "entity.id"),
        ({"entity": {"type": "lead"}}, "entity.id"),
        ({"reason": "x" * 501}, "reason"),
    ]
    for case in cases:
        check(*case)


def test_an_entry_about_a_record_of_a_custom_object(give: Give, platform: CrmClient) -> None:
    thing = platform.custom_objects.list(limit=1).items[0]
    record = platform.custom_objects.records.list(thing.id, limit=1).items[0]
    assert give({"type": thing.api_name, "id": record.id}).entity.id == record.id


def test_another_system_tells_what_it_changed(stub: StubServer, give: Give, platform: CrmClient) -> None:
    told = [{"field": "page_count", "before": 1, "after": {"a_b": [2]}}, {"field": "password", "after": "secret"}]
    made = give(changes=told)
    lead = {"type": "lead", "id": made.entity.id, "name": "as it was read"}
    assert give(lead, changes=[]).entity.name == "Signer"
    shown = [(one.field, one.before, one.after) for one in platform.audit.logs.get(made.id).changes]
    assert shown == [("page_count", 1, {"a_b": [2]}), ("password", None, "********")]
    rows = platform.audit.reports.changes(entity_id=made.entity.id).items
    assert [(row.field, row.action) for row in rows] == [("page_count", "custom.signed"), ("password", "custom.signed")]
    assert platform.audit.logs.list(verify=True).meta["chainValid"] is True
    refused: list[Any] = [[{}], [{"field": ""}], [{"field": "x", "by": 1}], {}]
    for wrong in refused:
        reply = platform.request(
            "POST", "/v1/audit/logs", json={"action": "custom.x", "entity": lead, "changes": wrong}
        )
        assert reply.status == 422 and b"changes" in reply.content


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_entry_can_be_changed(give: Give, platform: CrmClient, method: str) -> None:
    made = give()
    reply = platform.request(method, f"/v1/audit/logs/{made.id}", json={"reason": "better"})
    assert reply.status == 405 and platform.audit.logs.get(made.id) == made


def test_filters_of_the_list(give: Give, platform: CrmClient, stub: StubServer) -> None:
    one = give(action="custom.f")
    stub.clock.advance(60)
    contact = platform.contacts.create({"name": "Ada", "email": "ada@x.example"})
    two = give({"type": "contact", "id": contact.id}, action="custom.f", severity="critical")

    def found(**given: Any) -> list[str]:
        return [entry.id for entry in platform.audit.logs.list(**{"action": "custom.f", **given})]

    both = [one.id, two.id]
    assert found() == found(category="custom") == found(source="platform") == found(actor_id=one.actor.id) == both
    assert found(order="desc") == found(sort="occurred_at", order="desc") == both[::-1]
    assert found(entity_type="contact") == found(severity="critical") == found(entity_id=contact.id) == [two.id]
    assert found(since=two.occurred_at) == [two.id] and found(until=two.occurred_at) == [one.id]
    assert found(category="data") == found(actor_id="user_nobody") == found(source="flow") == []
    assert found(request_id=two.source.request_id) == [two.id]
    page = platform.audit.logs.list(action="custom.f", limit=1, page=2)
    assert (page.total, page.has_next, page.has_prev, page.meta) == (2, False, True, {})


def test_the_search_looks_into_changes_actors_and_metadata(give: Give, platform: CrmClient) -> None:
    lead = platform.leads.create({"name": "Searched", "status": "new"})
    platform.leads.update(lead.id, {"status": "contacted", "company": "Initech Zwei"})
    signed = give(metadata={"pageCount": 3}, reason="Vertrag unterschrieben")

    def found(*filters: tuple[str, str, Any], **query: Any) -> list[str]:
        groups: Any = [{"filters": [{"field": f, "op": o, "value": v} for f, o, v in filters]}] if filters else []
        asked: Any = {"filter_groups": groups, **query}
        return [entry.id for entry in platform.audit.logs.search(asked)]

    (changed,) = found(("changes.field", "eq", "company"), ("changes.after", "contains", "initech zw"))
    assert platform.audit.logs.get(changed).action == "lead.updated"
    assert found(q="vertrag") == found(("metadata.pageCount", "eq", "3")) == [signed.id]
    assert found(("actor.user_agent", "starts_with", "crm-sdk"), ("sequence", "gte", signed.sequence)) == [signed.id]
    by_number = found(sort="sequence", order="asc")
    assert by_number == found()[::-1] and by_number[-1] == signed.id  # the newest first
    assert refused(lambda: found(("colour", "eq", "x"))).code == "UNKNOWN_FIELD"
    assert refused(lambda: found(("sequence", "contains", "x"))).code == "INVALID_OPERATOR"


def test_only_admins_read_who_signed_in(stub: StubServer, platform: CrmClient, manager: CrmClient, give: Give) -> None:
    doors = stub.client(dialects="flow")
    doors.auth.login("ada@acme.test", "demo-password")
    assert refused(lambda: doors.auth.login("ada@acme.test", "Wrong-Horse-7!")).status == 401
    login, failed = list(platform.audit.logs.list(category="auth"))
    assert (login.action, login.source.status, login.actor.type) == ("auth.login", 200, "user")
    assert (failed.action, failed.source.status, failed.actor.type) == ("auth.login_failed", 401, "anonymous")
    assert "Wrong-Horse" not in repr(stub.audit()) + repr(failed)
    lead = give()
    assert lead.id in [entry.id for entry in manager.audit.logs.list()]
    assert manager.audit.logs.list(category="auth").total == manager.audit.logs.search({"q": "auth.login"}).total == 0
    assert refused(lambda: manager.audit.logs.get(login.id)).status == 404
    assert manager.audit.logs.get(lead.id) == lead
    assert refused(
        lambda: manager.audit.logs.create({"action": "custom.x", "entity": {"type": "lead", "id": "x"}})
    ).code == ("FORBIDDEN")


def test_the_trail_is_closed_to_sales_and_to_other_companies(give: Give, sam: CrmClient, globex: CrmClient) -> None:
    made = give()
    assert refused(lambda: sam.audit.logs.list()).code == refused(lambda: sam.audit.logs.search({})).code == "FORBIDDEN"
    assert refused(lambda: globex.audit.logs.get(made.id)).status == 404
    assert made.id not in [entry.id for entry in globex.audit.logs.list()]


def test_a_free_plan_keeps_its_trail_without_showing_it(stub: StubServer, platform: CrmClient) -> None:
    stored(stub, "tenant", "tenant_acme", plan="free", features={})
    lead = platform.leads.create({"name": "Ada"})
    assert refused(lambda: platform.audit.logs.list()).code == "FEATURE_DISABLED"
    assert stub.audit()[-1]["entity"]["id"] == lead.id


def test_the_check_of_the_trail_is_of_all_of_it(stub: StubServer, platform: CrmClient, give: Give) -> None:
    entries = [give() for _ in range(3)]
    assert platform.audit.logs.list(verify=True, limit=1).meta == {"chainValid": True}
    stored(stub, "audit", entries[1].id, severity="critical")
    assert platform.audit.logs.list(verify=True, action="nothing.such").meta == {"chainValid": False}


def test_an_entry_has_the_status_of_the_answer(stub: StubServer, platform: CrmClient) -> None:
    for _ in range(2):  # the first upsert creates, the second changes
        platform.request("POST", "/v1/leads/capture", json={"email": "cap@x.example", "name": "Cap", "channel": "web"})
    assert {entry["source"]["status"] for entry in stub.audit()} <= {200, 201, 202}
    assert platform.audit.logs.list(verify=True).meta == {"chainValid": True}


def test_secrets_are_masked(stub: StubServer, platform: CrmClient, give: Give) -> None:
    made = give(metadata={"api_key": "sk-1", "list": [{"refresh_token": "rt-1", "page": 1}], "token": None})
    assert made.metadata == {"api_key": MASK, "list": [{"refresh_token": MASK, "page": 1}], "token": None}


def test_the_category_follows_from_the_event() -> None:
    def check(event: str, category: str) -> None:
        assert category_of(event) == category

    cases: list[tuple[str, str]] = [
        ("lead.created", "data"), ("auth.login", "auth"), ("contact.read", "access"), ("data.exported", "access"),
        ("file.downloaded", "access"), ("retention.updated", "config"), ("tenant.config_updated", "config"),
        ("data.purged", "admin"), ("user.role_assigned", "admin"), ("integration.error", "integration"),
        ("custom.signed", "custom"),
    ]  # fmt: skip
    for case in cases:
        check(*case)


def test_the_async_client_reads_the_same(stub: StubServer, platform: CrmClient, give: Give) -> None:
    made = give()

    async def read() -> tuple[AuditLog, list[AuditLog]]:
        async with stub.async_client(dialects="platform", strict=True) as client:
            assert isinstance(client, AsyncCrmClient)
            return await client.audit.logs.get(made.id), [
                one async for one in client.audit.logs.list(action=made.action)
            ]

    assert asyncio.run(read()) == (made, [made])
