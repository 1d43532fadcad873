"""What a noun decides of its records' calls: parts and wholes, who may write, what is unique, limits, events, lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import ApiError, CrmClient
from server_stub import StubServer
from server_stub.caller import Caller
from server_stub.data.document import Document
from server_stub.data.queries.query import fold
from server_stub.problems import Problem
from server_stub.request.http import Request
from server_stub.serving import Context

TENANT = "tenant_acme"


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    """A client of somebody who changes only what is hers, or nobody's."""
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0)


@pytest.fixture
def call(stub: StubServer) -> Context:
    return Context(
        stub, Caller(TENANT, "user_ada", "user_ada", "admin", "Ada"), stub.clock.now(), dialect="platform",
        operation="contacts.list", request_id="req_1", source={"dialect": "platform"},
    )  # fmt: skip


def said(error: ApiError) -> tuple[int, str | None]:
    return error.status, error.code


def deeds(stub: StubServer, id: str) -> list[Document]:
    return [entry for entry in stub.audit() if entry["entity"]["id"] == id]


def ask(stub: StubServer, method: str, path: str, body: Any = None, who: str = "acme-admin") -> tuple[int, Any]:
    """Return the status and the body of an answer."""
    headers = {"authorization": f"Bearer {who}", "content-type": "application/json"}
    content = json.dumps(body).encode() if body is not None else b""
    path, _, query = path.partition("?")
    reply = stub.handle(Request(method, f"/v1/{path}", query, headers, content))
    return reply.status, json.loads(reply.body)


def test_a_part_is_read_by_who_reads_the_whole_and_written_by_who_writes_it(
    stub: StubServer, crm: CrmClient, sales: CrmClient
) -> None:
    def report(client: CrmClient) -> str:
        columns: Any = [{"field": "name"}]
        return client.reports.create(
            {"name": "R", "entity_type": "contact", "visibility": "tenant", "columns": columns}
        ).id

    daily: Any = {"schedule": {"frequency": "daily"}, "recipients": ["ada@example.com"]}
    theirs, mine = report(crm), report(sales)
    part = crm.reports.schedules.create(theirs, daily)
    assert [one.id for one in sales.reports.schedules.list(theirs)] == [part.id]
    for write in (
        lambda: sales.reports.schedules.create(theirs, daily),
        lambda: sales.reports.schedules.delete(theirs, part.id),
    ):
        assert said(refused(write)) == (403, "FORBIDDEN")
    own = sales.reports.schedules.create(mine, daily)
    assert [one.id for one in sales.reports.schedules.list(mine)] == [own.id]
    for id in (part.id, "schedule_none"):
        assert ask(stub, "DELETE", f"reports/{mine}/schedules/{id}")[0] == 404, "it is of another whole"
    sales.reports.schedules.delete(mine, own.id)
    assert sales.reports.schedules.list(mine).items == [] != crm.reports.schedules.list(theirs).items
    assert said(refused(lambda: crm.reports.schedules.list("report_none"))) == (404, "NOT_FOUND")


def test_a_part_of_several_wholes_is_changed_in_any_of_them(stub: StubServer, crm: CrmClient) -> None:
    one, two, other = (crm.contacts.create({"name": "C", "owner_id": owner}).id for owner in (
        "user_ada", "user_ada", "user_sam",
    ))  # fmt: skip
    part = crm.contacts.relationships.create(one, {"related_contact_id": two, "type": "colleague"})
    for whole in (one, two):
        assert crm.contacts.relationships.update(whole, part.id, {"notes": whole}).notes == whole
        changed = ask(stub, "PUT", f"contacts/{whole}/relationships/{part.id}", {"notes": "no"}, "acme-sales")
        assert changed[0] == 403
        made = {"relatedContactId": other, "type": "colleague"}
        assert ask(stub, "POST", f"contacts/{whole}/relationships", made, "acme-sales")[0] == 403
    assert ask(stub, "PUT", f"contacts/{other}/relationships/{part.id}", {"notes": "no"})[0] == 404
    made = {"relatedContactId": two, "type": "colleague"}
    assert ask(stub, "POST", f"contacts/{other}/relationships", made, "acme-sales")[0] == 201


def test_the_whole_of_a_part_is_what_its_event_is_about(stub: StubServer, crm: CrmClient) -> None:
    pipeline, other = (crm.pipelines.create({"name": name}) for name in ("P", "Q"))
    stage = crm.pipelines.stages.create(pipeline.id, {"name": "Extra", "probability": 10})
    entry = deeds(stub, pipeline.id)[-1]
    assert (entry["action"], entry["entity"]["type"], entry["metadata"]) == (
        "pipeline.stage_created", "pipeline", {"stage_id": stage.id},
    )  # fmt: skip
    changed = crm.pipelines.stages.update(pipeline.id, stage.id, {"name": "Another"})
    assert [one["field"] for one in deeds(stub, pipeline.id)[-1]["changes"]] == ["name"]
    assert said(refused(lambda: crm.pipelines.stages.update(other.id, stage.id, {"name": "X"}))) == (404, "NOT_FOUND")
    crm.pipelines.stages.delete(pipeline.id, changed.id)
    assert deeds(stub, pipeline.id)[-1]["action"] == "pipeline.stage_deleted"
    assert not [one for one in crm.pipelines.get(pipeline.id).stages if one.id == stage.id]


def test_the_trail_tells_the_values_of_a_new_record_and_the_changes_of_another(
    stub: StubServer, crm: CrmClient
) -> None:
    lead = crm.leads.create({"name": "Ada", "title": "CEO", "email": "ada@byron.example"})
    (created,) = [entry for entry in deeds(stub, lead.id) if entry["action"] == "lead.created"]
    initial = {one["field"]: (one["before"], one["after"]) for one in created["initial"]}
    assert (initial["title"], initial["name"], created["changes"]) == ((None, "CEO"), (None, "Ada"), [])
    assert not {"score_reasons", "version", "id", "website"} & initial.keys(), "neither figures nor what is empty"
    crm.leads.update(lead.id, {"title": "CTO"})
    (updated,) = [entry for entry in deeds(stub, lead.id) if entry["action"] == "lead.updated"]
    changes = {one["field"]: (one["before"], one["after"]) for one in updated["changes"]}
    assert changes["title"] == ("CEO", "CTO") and "score_reasons" not in changes and updated["initial"] == []
    crm.leads.delete(lead.id)
    (deleted,) = [entry for entry in deeds(stub, lead.id) if entry["action"] == "lead.deleted"]
    assert (deleted["changes"], deleted["initial"]) == ([], [])


def test_what_is_unique_is_so_among_living_records(stub: StubServer, crm: CrmClient) -> None:
    first = crm.accounts.create({"name": "A", "domain": "a.example", "external_id": "E1"})
    for members, code in (({"externalId": "E1"}, "DUPLICATE_VALUE"), ({"domain": "A.example"}, "ACCOUNT_EXISTS")):
        body: Any = {"name": "B", **members}
        status, answer = ask(stub, "POST", "accounts", body)
        (wrong,) = answer["errors"]
        assert (status, wrong["code"], wrong["details"]["existingId"]) == (409, code, first.id)
    assert crm.accounts.create({"name": "B", "external_id": "e1"}).external_id == "e1"
    assert crm.accounts.update(first.id, {"external_id": "E1", "name": "C"}).name == "C", "its own value stays"
    crm.accounts.delete(first.id)
    assert crm.accounts.create({"name": "B", "external_id": "E1", "domain": "a.example"}).domain == "a.example"


def test_a_merged_record_is_read_as_its_survivor_and_not_written(crm: CrmClient) -> None:
    one, two = (crm.contacts.create({"name": "Twin", "email": f"t{n}@example.com"}) for n in range(2))
    group: Any = {"survivor_id": one.id, "contact_ids": [one.id, two.id], "score": 100, "reasons": []}
    crm.contacts.deduplicate(mode="merge", groups=[group])
    assert crm.contacts.get(two.id).id == one.id
    for write in (lambda: crm.contacts.update(two.id, {"title": "T"}), lambda: crm.contacts.delete(two.id)):
        error = refused(write)
        assert (*said(error), error.details["survivorId"]) == (409, "RECORD_MERGED", one.id)


def test_the_parts_of_a_merged_record_are_written_through_its_survivor(stub: StubServer, crm: CrmClient) -> None:
    one, two, other = (crm.contacts.create({"name": "Twin", "email": f"t{n}@example.com"}).id for n in range(3))
    part = crm.contacts.relationships.create(one, {"related_contact_id": other, "type": "colleague"}).id
    group: Any = {"survivor_id": one, "contact_ids": [one, two], "score": 100, "reasons": []}
    crm.contacts.deduplicate(mode="merge", groups=[group])
    made = {"relatedContactId": "contact_123", "type": "colleague"}
    for method, path, body in (("POST", "", made), ("PUT", f"/{part}", {"notes": "N"}), ("DELETE", f"/{part}", None)):
        status, answer = ask(stub, method, f"contacts/{two}/relationships{path}", body)
        assert (status, answer["errors"][0]["code"]) == (409, "RECORD_MERGED"), method
        status, answer = ask(stub, method, f"contacts/{one}/relationships{path}", body)
        assert status in (200, 201), answer


def test_what_is_written_beside_a_merged_record_is_refused_too(stub: StubServer, crm: CrmClient) -> None:
    one, two = (crm.contacts.create({"name": "Twin", "email": f"t{n}@example.com"}).id for n in range(2))
    group: Any = {"survivor_id": one, "contact_ids": [one, two], "score": 100, "reasons": []}
    crm.contacts.deduplicate(mode="merge", groups=[group])
    note: Any = {"type": "note", "date": "2026-01-01T00:00:00Z", "summary": "S"}
    flow = stub.client(dialects="flow", max_retries=0)
    assert said(refused(lambda: flow.contacts.communication.create(two, note))) == (409, "RECORD_MERGED")
    first, second = (crm.accounts.create({"name": "A", "domain": f"a{n}.example"}).id for n in range(2))
    crm.accounts.merge(first, [second])
    assert said(refused(lambda: crm.accounts.territory.update(second, method="rule"))) == (409, "RECORD_MERGED")


def test_what_one_may_not_see_is_in_no_list(crm: CrmClient, sales: CrmClient) -> None:
    def report(visibility: Any) -> str:
        columns: Any = [{"field": "name"}]
        return crm.reports.create(
            {"name": "R", "entity_type": "contact", "visibility": visibility, "columns": columns}
        ).id

    private, open_ = report("private"), report("tenant")
    assert {private, open_} <= {one.id for one in crm.reports.list(limit=200)}
    seen = {one.id for one in sales.reports.list(limit=200)}
    assert open_ in seen and private not in seen
    for ask_for in (lambda: sales.reports.get(private), lambda: sales.reports.delete(private)):
        assert said(refused(ask_for)) == (404, "NOT_FOUND")


def test_all_that_is_wrong_is_said_at_once(stub: StubServer, crm: CrmClient) -> None:
    wrong = {"name": "C", "ownerId": "user_none", "accountId": "account_none"}
    status, answer = ask(stub, "POST", "contacts", wrong)
    assert status == 422 and {one["field"] for one in answer["errors"]} == wrong.keys() - {"name"}
    assert {one["code"] for one in answer["errors"]} == {"REFERENCE_NOT_FOUND"}
    alone = refused(lambda: crm.contacts.create({"name": "C", "owner_id": "user_none"}))
    assert said(alone) == (422, "REFERENCE_NOT_FOUND")
    taken = refused(lambda: crm.contacts.create({"name": "C", "email": "alice@company.com"}))
    assert said(taken) == (409, "CONTACT_EXISTS")


def test_how_many_records_a_company_may_have(stub: StubServer, crm: CrmClient) -> None:
    count = len(stub.store.collection(TENANT, "contact"))
    company = some(stub.store.collection(TENANT, "tenant").get(TENANT))
    stub.store.collection(TENANT, "tenant").put(company | {"limits": {"contacts": count + 1}})
    made = crm.contacts.create({"name": "Last"})
    error = refused(lambda: crm.contacts.create({"name": "More"}))
    assert (*said(error), error.details["used"]) == (403, "LIMIT_EXCEEDED", count + 1)
    crm.contacts.delete(made.id)
    crm.contacts.create({"name": "In its place"})


def test_records_that_share_a_collection_are_apart(stub: StubServer, crm: CrmClient, call: Context) -> None:
    task = crm.activities.tasks.create({"title": "T"})
    event = next(doc["id"] for doc in stub.store.collection(TENANT, "activity").all() if doc["kind"] == "event")
    noun = stub.nouns["event"]
    assert noun.find_one(call, event)["id"] == event
    with pytest.raises(Problem, match="no event has the id"):
        noun.find_one(call, task.id)
    kinds = {doc["id"]: doc["kind"] for doc in stub.store.collection(TENANT, "activity").all()}
    for kind in ("task", "event"):
        assert {kinds[one["id"]] for one in stub.nouns[kind].select(call, {})} == {kind}
    assert [entry["action"] for entry in deeds(stub, task.id)] == ["activity.created", "task.created"]


def test_defaults_stand_in_for_what_is_not_given(stub: StubServer, crm: CrmClient) -> None:
    bare = crm.deals.create({"title": "D", "value": 5})
    assert (bare.owner_id, bare.currency, bare.version, bare.created_by) == ("user_ada", "USD", 1, "apikey_acme_admin")
    other = crm.deals.create({"title": "D", "value": 5, "owner_id": "user_sam", "currency": "EUR"})
    assert (other.owner_id, other.currency) == ("user_sam", "EUR")
    assert crm.deals.update(other.id, {"owner_id": "user_ada"}).version == 2
    assert crm.deals.update(other.id, {"owner_id": "user_ada", "title": "D"}).version == 2, "it is the same"


def test_records_are_found_by_a_key(stub: StubServer, crm: CrmClient, call: Context) -> None:
    noun = stub.nouns["contact"]
    one = crm.contacts.create({"name": "A", "phone": "+1 555 0100 001", "email": "key@example.com"})
    two = crm.contacts.create({"name": "B", "mobile": "+1 555 0100 001", "secondary_emails": ["second@example.com"]})
    assert some(noun.matching(call, "id", one.id))["id"] == one.id
    assert noun.matching(call, "id", "contact_none") is None and noun.matching(call, "email", "x@example.com") is None
    assert some(noun.matching(call, "email", "KEY@example.com"))["id"] == one.id
    assert some(noun.matching(call, "email", "second@example.com"))["id"] == two.id
    assert one.phone is not None
    with pytest.raises(Problem) as caught:
        noun.matching(call, "phone", one.phone)
    assert (caught.value.code, caught.value.field, caught.value.rule) == ("AMBIGUOUS_MATCH", "phone", "unique")
    assert caught.value.details == {"ids": sorted([one.id, two.id])}
    assert caught.value.message.startswith(f"{', '.join(sorted([one.id, two.id]))} have the phone '")
    group: Any = {"survivor_id": one.id, "contact_ids": [one.id, two.id], "score": 100, "reasons": []}
    crm.contacts.deduplicate(mode="merge", groups=[group])
    with pytest.raises(Problem, match="was merged into"):
        noun.matching(call, "id", two.id)


def test_what_a_list_is_sorted_by_when_it_says_half_of_it(stub: StubServer, crm: CrmClient) -> None:
    everything = [(one.created_at, one.id) for one in crm.contacts.list(order="asc", limit=200)]
    assert everything == sorted(everything) and len(everything) > 5
    assert [(one.created_at, one.id) for one in crm.contacts.list(limit=200)] == everything[::-1]
    names = [fold(one.name) for one in crm.contacts.list(sort="name", limit=200)]
    assert names == sorted(names)


def test_nested_lists_are_there_when_they_are_asked_for(crm: CrmClient) -> None:
    whole = next(
        one for one in crm.contacts.list(limit=200, include=["communication_history"]) if one.communication_history
    )
    bare = next(one for one in crm.contacts.list(limit=200) if one.id == whole.id)
    assert not bare.communication_history


def test_what_is_fixed_at_creation_may_be_sent_back(stub: StubServer, crm: CrmClient) -> None:
    comment = crm.collaboration.comments.create({"entity": {"type": "lead", "id": "lead_456"}, "body": "Hi"})
    path = f"collaboration/comments/{comment.id}"
    same = {"body": "Ho", "entity": {"type": "lead", "id": "lead_456"}}
    status, answer = ask(stub, "PUT", path, same)
    assert (status, answer["data"]["body"]) == (200, "Ho")
    status, answer = ask(stub, "PUT", path, {"body": "Hu", "entity": {"type": "lead", "id": "lead_123"}})
    (wrong,) = answer["errors"]
    assert (status, wrong["field"], wrong["rule"]) == (422, "entity", "read_only")


def test_rules_for_every_write_are_asked_of_every_noun(stub: StubServer, crm: CrmClient) -> None:
    """A custom field of a type takes a value of another in no kind of record."""
    assert stub.write_checks and all(vars(rule)["__checks_every_write__"] for rule in stub.write_checks)
    status, answer = ask(
        stub, "POST", "customization/contact/fields", {"apiName": "size", "label": "S", "type": "date"}
    )
    assert status == 201, answer
    status, answer = ask(stub, "POST", "contacts", {"name": "C", "customFields": {"size": "large"}})
    assert (status, answer["errors"][0]["field"]) == (422, "customFields.size")
