"""What holds for every noun of the data: one test for each promise, run for each noun that the services define."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from noun_cases import Case

from crm_sdk.wire import camel, snake
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.data.merging import list_members
from server_stub.data.queries.query import sort_key
from server_stub.noun import Noun

NOUNS: Mapping[str, Noun] = StubServer(demo=False).nouns


def having(*verbs: str) -> pytest.MarkDecorator:
    """Run a test for each noun whose resource declares these calls."""
    declared = {kind: {operation.name for operation in noun.rules()} for kind, noun in NOUNS.items()}
    return pytest.mark.parametrize("kind", sorted(kind for kind, names in declared.items() if names >= set(verbs)))


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


@pytest.fixture
def case(kind: str, stub: StubServer) -> Case:
    return Case.of(NOUNS[kind], stub)


def test_there_are_nouns() -> None:
    assert {"account"} <= NOUNS.keys()


@having("create", "get")
def test_what_is_created_can_be_fetched_and_is_in_the_trail(case: Case) -> None:
    made = case.made()
    stored = case.stored(made["id"])
    assert made["id"].startswith(case.noun.prefix or f"{case.noun.kind}_")
    assert stored["version"] == 1 and stored["created_at"] == stored["updated_at"]
    assert case.call("get", made["id"]).ok() == {**made, **({"secret": None} if "secret" in made else {})}
    words = ("created", case.noun.verbs.get("created", "created"))
    (created,) = [deed for deed in case.deeds(made["id"]) if deed.endswith(words)][-1:]
    assert created.startswith(case.noun.events or f"{case.noun.kind}.")


@having("create", "update")
def test_a_write_without_a_difference_is_none(case: Case) -> None:
    made = case.made()
    deeds, log = case.deeds(made["id"]), len(case.stub.store.collection("tenant_acme", "event"))
    for body in ({}, case.changeable(made), made):
        assert case.call("update", made["id"], body).ok() == made, body
        assert case.stored(made["id"])["version"] == 1, body
    assert case.deeds(made["id"]) == deeds
    assert len(case.stub.store.collection("tenant_acme", "event")) == log


@having("create", "update")
def test_a_change_is_one_version_later_and_in_the_trail_once(case: Case) -> None:
    made = case.made()
    name, value = case.change_of(made)
    new = case.call("update", made["id"], {name: value}).ok()
    assert new[name] == value and case.stored(made["id"])["version"] == 2
    verbs = [deed.rpartition(".")[2].rpartition("_")[2] for deed in case.deeds(made["id"])]
    words = [case.noun.verbs.get(verb, verb).rpartition("_")[2] for verb in ("created", "updated")]
    told = words * (2 if case.noun.stored_as else 1)
    assert {verb: verbs.count(verb) for verb in told} == {verb: told.count(verb) for verb in told}


@having("create", "update")
def test_null_is_no_value_of_a_list_or_of_own_fields(case: Case) -> None:
    body = case.body()
    empty: dict[str, Any] = {name: [] for name in list_members(case.noun.model)} | {"custom_fields": {}}
    needed = {*map(snake, body), "stages"}  # a pipeline cannot be without
    offered = {
        verb: {camel(name): value for name, value in empty.items() if name in case.inputs(verb) - needed}
        for verb in ("create", "update")
    }
    made = case.call("create", body={**body, **dict.fromkeys(offered["create"])}).ok()
    for name, value in offered["create"].items():
        assert name in ("attendees", "reminders") or made.get(name, value) == value, name  # an event has some
    for name, value in offered["update"].items():
        changed = case.call("update", made["id"], {name: None}).ok()
        assert changed.get(name, value) == value, name


@having("create", "update")
def test_a_stale_version_is_refused_though_nothing_would_change(case: Case) -> None:
    made = case.made()
    if "version" not in case.operation("update").signature.parameters:
        pytest.skip("its document has no lock")
    name, value = case.change_of(made)
    for body in ({}, {name: value}):
        answer = case.call("update", made["id"], body, version=7)
        assert (answer.reply.status, answer.code) == (409, "VERSION_CONFLICT")


@having("create", "get", "delete")
def test_what_is_deleted_is_gone_and_its_trail_stays(case: Case) -> None:
    made = case.made()
    case.call("delete", made["id"]).ok()
    for verb in ("get", "update", "delete"):
        if case.has(verb):
            answer = case.call(verb, made["id"], {} if verb == "update" else None)
            assert (answer.reply.status, answer.code) == (404, "NOT_FOUND"), verb
    if case.has("list"):
        assert made["id"] not in case.listed()
    assert any(deed.endswith("deleted") for deed in case.deeds(made["id"]))


@having("create", "get")
def test_another_company_sees_nothing_of_it(case: Case) -> None:
    made = case.made()
    name, value = case.change_of(made) if case.has("update") else ("", None)
    for verb, body in (("get", None), ("update", {name: value}), ("delete", None)):
        if case.has(verb):
            assert case.call(verb, made["id"], body, who="other").reply.status == 404, verb
    assert case.call("get", made["id"]).ok() == made


@having("create", "update")
def test_sales_changes_its_own_records_only(case: Case) -> None:
    if "owner_id" not in case.noun.model.model_fields:
        pytest.skip("nobody owns such a record")
    theirs = case.made()  # the admin's
    name, value = case.change_of(theirs)
    for verb, body in (("update", {name: value}), ("delete", None)):
        if case.has(verb):
            answer = case.call(verb, theirs["id"], body, who="sales")
            hidden = case.noun.kind == "export_schedule"  # others do not even see it
            assert (answer.reply.status, answer.code) == ((404, "NOT_FOUND") if hidden else (403, "FORBIDDEN")), verb
    if case.has("get"):
        assert case.call("get", theirs["id"]).ok() == theirs
    own = case.made(who="sales")
    assert case.call("update", own["id"], {name: value}, who="sales").reply.status in (200, 422)


@having("create")
def test_an_unknown_reference_is_named(case: Case) -> None:
    inputs = case.operation("create").arguments.members
    for name in [name for name in case.noun.refers if name in inputs]:
        many = "list" in str(case.noun.model.model_fields[name].annotation)
        answer = case.call("create", body=case.body(**{camel(name): ["nobody_1"] if many else "nobody_1"}))
        assert (answer.reply.status, answer.code) == (422, "REFERENCE_NOT_FOUND")
        assert answer.field == (f"{camel(name)}.0" if many else camel(name))


@having("create", "delete")
def test_what_is_unique_is_taken_until_its_record_is_deleted(case: Case) -> None:
    inputs = case.inputs("create")
    codes = {**({"external_id": "DUPLICATE_VALUE"} if "external_id" in inputs else {}), **case.noun.unique}
    for name, code in codes.items():
        if name not in inputs:
            continue
        first = case.made(**case.unique_value(name))
        twin = case.body(**{camel(name): first[camel(name)]})
        answer = case.call("create", body=twin)
        assert (answer.reply.status, answer.code) == (409, code), answer.body
        assert answer.details["existingId"] == first["id"]
        case.call("delete", first["id"]).ok()
        case.call("create", body=twin).ok()


@having("create")
def test_an_empty_external_id_is_none(case: Case) -> None:
    if "external_id" not in case.inputs("create"):
        pytest.skip("it has none")
    assert [case.made(externalId="")["externalId"] for _ in range(2)] == [None, None]


@having("create", "list")
def test_every_sort_goes_both_ways_and_equals_are_sorted_by_id(case: Case) -> None:
    for _ in range(3):
        case.made()
    stored_as_sorted = [member for member in case.noun.sorts if member not in case.noun.sorted_by]
    for member in ("id", "created_at", "updated_at", *stored_as_sorted):
        for order in ("asc", "desc"):
            records = case.everything(f"sort={member}&order={order}")
            stored = {doc["id"]: doc for doc in case.stub.collection("tenant_acme", case.noun.collection)}
            keyed = [(sort_key(stored[record["id"]].get(member)), record["id"]) for record in records]
            known = [key for key in keyed if key[0] is not None]
            assert known + [key for key in keyed if key[0] is None] == keyed, "records without a value come last"
            for one, next_ in pairwise(known):
                assert one <= next_ if order == "asc" else one >= next_, (member, order)
    assert case.call("list", query="sort=no_such_member").reply.status == 422


@having("create", "list")
def test_a_filter_by_a_member_and_the_rest_are_the_whole(case: Case) -> None:
    case.made()
    everything = case.everything()
    model = case.noun.model.model_fields
    for name in case.operation("list").signature.parameters:
        if name not in model or name in (*case.noun.filters, *case.whole_ids, "tags"):
            continue
        values = {json.dumps(record.get(camel(name))) for record in everything} - {"null"}
        for value in sorted(values)[:3]:
            text = json.loads(value)
            if not isinstance(text, (str, int)):
                continue
            said = str(text).lower() if isinstance(text, bool) else str(text)
            found = {record["id"] for record in case.everything(f"{camel(name)}={said}")}
            assert found == {record["id"] for record in everything if record.get(camel(name)) == text}, (name, text)


@having("create", "list")
def test_nothing_is_missing_or_twice_on_the_pages(case: Case) -> None:
    for _ in range(3):
        case.made()
    everything = [record["id"] for record in case.everything()]
    paged = [record["id"] for record in case.everything(limit=7)]
    assert paged == everything and len(set(paged)) == len(paged)


def _forget(stub: StubServer, kind: str, id: str) -> None:
    """Delete a record without what its service does on that, as a delete of long ago, or of another service, may."""
    records = stub.store.collection("tenant_acme", stub.nouns[kind].collection if kind in stub.nouns else kind)
    doc = records.get(id)
    assert doc is not None
    records.put(doc | {"deleted_at": stub.clock.now()})


def _referred(case: Case, kind: str) -> str:
    """Return the id of a new record of a kind, with or without a service of its own."""
    if kind in case.stub.nouns and case.stub.nouns[kind].declared("create") is not None:
        return str(Case.of(case.stub.nouns[kind], case.stub).made()["id"])
    records = case.stub.store.collection("tenant_acme", kind)
    like = next(iter(records), Document(name="Any", version=1))
    return str(records.put(like | {"id": case.stub.store.new_id(f"{kind}_"), "email": None})["id"])


@having("create", "update")
def test_a_reference_to_what_was_deleted_may_be_sent_back(case: Case) -> None:
    inputs = case.operation("create").arguments.members
    for name, kind in {**{f"{kind}_id": kind for kind in case.stub.nouns}, **case.noun.refers}.items():
        if name not in inputs or name == "pipeline_id":  # a deal leaves a pipeline that is deleted
            continue
        many = "list" in str(case.noun.model.model_fields[name].annotation)
        ids = [_referred(case, kind) for _ in range(2)]
        given: dict[str, Any] = {camel(name): ids if many else ids[0]}
        made = case.made(**given)
        if camel(name) not in made:  # the document of this dialect has no such member
            continue
        for id in ids:
            _forget(case.stub, kind, id)
        member, value = case.change_of(made)
        for body, version in ((made, 1), ({camel(name): made[camel(name)]}, 1), ({**made, member: value}, 2)):
            answer = case.call("update", made["id"], body)
            assert answer.reply.status == 200, (name, answer.body)
            assert case.stored(made["id"])["version"] == version
            assert answer.ok()[camel(name)] == made[camel(name)]
        other = _referred(case, kind)
        _forget(case.stub, kind, other)
        answer = case.call("update", made["id"], {camel(name): [*ids, other] if many else other})
        assert answer.reply.status == 422, (name, answer.body)


@having("create", "update", "list")
def test_what_a_list_gave_can_be_sent_back(case: Case) -> None:
    case.made()
    records = [record for record in case.everything() if case.is_own(record["id"])]
    assert records
    for record in records:
        version, log = case.stored(record["id"])["version"], len(case.stub.audit())
        answer = case.call("update", record["id"], record)
        assert answer.reply.status == 200, (record["id"], answer.body)
        assert case.stored(record["id"])["version"] == version, record
        assert len(case.stub.audit()) == log
