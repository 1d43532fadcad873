"""What is read off the models, and what a body may refer to: one resource, several, of one type or of any."""

from __future__ import annotations

from typing import Any

from jsonapi_rules import ask, resource

from crm_sdk.catalogue import declared_operations
from crm_sdk.models.collaboration import Comment
from crm_sdk.models.contacts import ContactRelationship
from crm_sdk.models.custom_records import CustomRecord
from crm_sdk.models.deals import Deal
from crm_sdk.models.files import File
from crm_sdk.models.social_engagement import Engagement
from crm_sdk.models.users import Team
from server_stub import StubServer
from server_stub.jsonapi.forms import Form, forms, is_custom, is_reference

OPERATIONS = {operation.id: operation for operation in declared_operations()}


def relation(form: Form, name: str) -> tuple[str, str, str | None, bool]:
    found = form.relations[name]
    return found.member, found.wire, found.target, found.many


def answer(id: str) -> tuple[list[str], bool]:
    kinds = forms().answer_of(OPERATIONS[id])
    return sorted({form.name for form in kinds.forms}), kinds.many


def test_a_reference_is_a_relationship_whether_it_must_be_there_or_not() -> None:
    known = forms()
    assert relation(known.form_of(Comment), "entity") == ("entity", "entity", None, False)
    assert relation(known.form_of(File), "relatedTo") == ("related_to", "relatedTo", None, False)
    assert relation(known.form_of(CustomRecord), "related") == ("related", "related", None, True)
    assert relation(known.form_of(Deal), "owner") == ("owner_id", "ownerId", "user", False)
    found = [relation(known.form_of(model), name)[2] for model, name in (
        (Team, "parentTeam"), (ContactRelationship, "relatedContact"), (Engagement, "account"))]  # fmt: skip
    assert found == ["team", "contact", "social_account"], "what the rules of each know of its members"
    deal = known.form_of(Deal)
    assert not {"tags", "externalId", "external", "title", "id", "value"} & deal.relations.keys()
    assert deal.by_wire["ownerId"].name == "owner" and deal.members["title"] == "title"
    assert (deal.members["owner"], deal.members["ownerId"]) == ("ownerId", "ownerId")


def test_an_attribute_that_a_relationship_is_called_like_has_another_name() -> None:
    known = forms()
    assert known.form_of(Deal).renamed == {"stage": "stageName", "type": "dealType"}
    assert known.form_of(CustomRecord).renamed == {"object": "objectName"}
    kinds = known.answer_of(OPERATIONS["deals.get"])
    names = {"stage": "stageName", "stageId": "stage", "ownerId": "owner", "type": "dealType", "title": "title"}
    assert {wire: kinds.name_of(wire) for wire in names} == names
    assert kinds.members["stageName"] == "stage" and kinds.members["stage"] == "stageId"
    assert (is_custom(known.form_of(CustomRecord)), is_custom(known.form_of(Deal))) == (True, False)


def test_an_answer_holds_one_resource_or_several_or_something_else() -> None:
    cases: dict[str, tuple[list[str], bool]] = {
        "deals.get": (["deal"], False), "deals.list": (["deal"], True), "activities.get": (["activity"], False),
        "activities.list": (["activity"], True), "jobs.get": (["job"], False), "backups.restore": (["job"], False),
        "ai_insights.predictions.get": (["prediction"], False), "contacts.deduplicate": ([], False),
        "contacts.bulk_upsert": ([], False), "leads.convert": ([], False),
        "custom_objects.records.get": (["record"], False),
        "files.get": (["file"], False), "contacts.delete": ([], False), "audit.logs.list": (["audit_log"], True),
    }  # fmt: skip
    assert {id: answer(id) for id in cases} == cases


def test_which_form_one_of_several_has() -> None:
    kinds = forms().answer_of(OPERATIONS["activities.get"])
    found = [kinds.form_of({"kind": kind}).model.__name__ for kind in ("task", "call", "note", "email")]
    assert found == ["Task", "Call", "Note", "Email"]
    (only,) = forms().answer_of(OPERATIONS["deals.get"]).forms
    assert forms().answer_of(OPERATIONS["deals.get"]).form_of({}) is only
    assert {"dueAt", "body"} <= kinds.members.keys(), "the members of all of them"


def test_types_have_models_and_words() -> None:
    known = forms()
    assert known.models_of("deal") == (Deal,) and known.models_of("deals") == ()
    assert len(known.models_of("activity")) == len(set(known.models_of("activity"))) > 4
    assert [known.is_type(word) for word in ("deal", "activity", "task", "nothing")] == [True, True, False, False]


def test_the_path_of_a_record_is_the_one_with_the_fewest_parts() -> None:
    known = forms()
    deal, record = known.form_of(Deal), known.form_of(CustomRecord)
    assert known.path_of(deal, {"id": "deal_1"}, {}) == "/v1/deals/deal_1"
    whole = {"id": "record_1", "objectId": "object_1"}
    assert known.path_of(record, whole, {"object_id": "boat"}) == "/v1/custom-objects/object_1/records/record_1"
    assert (
        known.path_of(record, {"id": "record_1"}, {"object_id": "boat"}) == "/v1/custom-objects/boat/records/record_1"
    )
    assert known.path_of(record, {"id": "record_1"}, {}) is None
    hit = known.answer_of(OPERATIONS["search.advanced"]).forms[0]
    assert known.path_of(hit, {"id": "x"}, {}) is None, "nobody fetches one"


def test_what_a_reference_is() -> None:
    cases: list[tuple[Any, bool]] = [
        ({"type": "a", "id": "b"}, True), ({"type": "a", "id": "b", "name": None}, True), ({"type": "a"}, False),
        ({"id": "b"}, False), ({"type": 1, "id": "b"}, False), ({"type": "a", "id": 1}, False), ([], False),
        (None, False),
    ]  # fmt: skip
    assert [is_reference(value) for value, _ in cases] == [is_one for _, is_one in cases]


# -- bodies ---------------------------------------------------------------------------------------------------------


def test_a_body_refers_to_a_record_of_any_type(stub: StubServer) -> None:
    about = {"type": "contact", "id": "contact_123"}
    made = ask(stub, "POST", "/v1/collaboration/comments", resource("comment", {"body": "Hello"}, entity=about))
    assert (made.status, made.data["relationships"]["entity"]["data"]) == (201, about)
    for entity, status, pointer in (
        ({"type": "contact", "id": "contact_none"}, 422, "/data/relationships/entity/data/id"),
        ({"type": "contact"}, 422, "/data/relationships/entity/data"),
        ([about], 422, "/data/relationships/entity/data"),
    ):
        refused = ask(stub, "POST", "/v1/collaboration/comments", resource("comment", {"body": "x"}, entity=entity))
        assert (refused.status, refused.error["source"]["pointer"]) == (status, pointer), entity


def test_an_attribute_is_written_by_the_name_that_it_has_here(stub: StubServer) -> None:
    made = ask(stub, "POST", "/v1/deals", resource("deal", {"title": "D", "dealType": "renewal"})).data
    assert made["attributes"]["dealType"] == "renewal"
    done = ask(stub, "PATCH", made["links"]["self"], resource("deal", {"dealType": "new_business"}, made["id"])).data
    assert (done["attributes"]["dealType"], done["meta"]) == ("new_business", {"version": 2})


def test_what_makes_a_record_needs_one_and_what_does_something_with_it_does_not(stub: StubServer) -> None:
    refused = ask(stub, "POST", "/v1/leads", {"meta": {"name": "Ada"}})
    assert (refused.status, refused.error["meta"]["rule"]) == (422, "required")
    lead = ask(stub, "POST", "/v1/leads", resource("lead", {"name": "Ada"})).data
    for body in (
        {"meta": {"qualified": True}},
        resource("lead", {"qualified": True}),
        resource("lead", {"qualified": True}, lead["id"]),
    ):
        done = ask(stub, "POST", f"{lead['links']['self']}/qualify", body)
        assert (done.status, done.data["id"]) == (200, lead["id"]), body
    other = ask(stub, "POST", f"{lead['links']['self']}/qualify", resource("lead", {"qualified": True}, "lead_456"))
    assert (other.status, other.error["code"]) == (409, "TYPE_CONFLICT")


def test_who_deletes_a_record_may_send_it_along(stub: StubServer) -> None:
    made = ask(stub, "POST", "/v1/leads", resource("lead", {"name": "Ada"})).data
    whole = resource("lead", {"name": "Ada", "odd": 1}, made["id"], owner={"type": "user", "id": "user_ada"})
    gone = ask(stub, "DELETE", made["links"]["self"], whole)
    assert (gone.status, gone.json["meta"]) == (200, {"id": made["id"], "deleted": True})


def test_what_is_missing_is_missed_in_what_would_hold_it(stub: StubServer) -> None:
    refused = ask(stub, "POST", "/v1/collaboration/comments", resource("comment", {"body": "x"}))
    assert (refused.status, refused.error["source"]["pointer"]) == (422, "/data"), "there are no relationships"
    about = {"type": "contact", "id": "contact_123"}
    refused = ask(stub, "POST", "/v1/collaboration/comments", resource("comment", {}, entity=about))
    assert refused.status == 422 and refused.error["source"]["pointer"] in ("/data", "/data/attributes")


def test_a_call_is_given_a_record_by_what_its_argument_is_called_without_id(stub: StubServer) -> None:
    """There is an argument `file`, too: what has an id is `file_id`."""
    crm = stub.client(dialects="platform")
    file = crm.files.upload(("leads.csv", b"name,email\nAda,ada@import.example\n"))
    about = {"type": "file", "id": file.id}
    begun = ask(stub, "POST", "/v1/imports", resource("job", {"entity": "lead"}, file=about))
    assert begun.status == 202 and begun.data["type"] == "job"
    stub.clock.advance(5)
    assert [lead.name for lead in crm.leads.list(search="ada@import.example")] == ["Ada"]
    refused = ask(stub, "POST", "/v1/imports", resource("job", {"entity": "lead"}, file={"type": "file", "id": "none"}))
    assert refused.error["source"] == {"pointer": "/data/relationships/file/data/id"}


def test_a_member_that_is_no_reference_is_none_as_a_relationship(stub: StubServer) -> None:
    one = {"type": "user", "id": "user_ada"}
    cases: list[tuple[str, Any, str]] = [
        ("tags", [one], "/data/relationships/tags/data/0"),
        ("tags", one, "/data/relationships/tags/data"),
        ("tags", [one, {"type": "user"}], "/data/relationships/tags/data/1"),
        ("title", one, "/data/relationships/title/data"),
        ("title", [one], "/data/relationships/title/data"),
        ("nothing", one, "/data/relationships/nothing/data/id"),
    ]
    for name, data, pointer in cases:
        refused = ask(stub, "POST", "/v1/contacts", resource("contact", {"name": "Ada"}, **{name: data}))
        assert (refused.status, refused.error["source"]["pointer"]) == (422, pointer), (name, data)
        if (name, isinstance(data, list)) in (("tags", False), ("title", True)):
            several = "several resources" if name == "tags" else "one"
            assert refused.error["detail"].endswith(f"{name} refers to {several}")


def test_arguments_of_a_call_that_writes_no_record_come_as_meta(stub: StubServer) -> None:
    found = ask(stub, "POST", "/v1/contacts/search", {"meta": {"q": "ada", "limit": 1}})
    assert found.status == 200
    for body, pointer in (
        ({"meta": {"limit": "x"}}, "/meta/limit"), ({"meta": {"a/b~": 1}}, "/meta/a~1b~0"), ({"meta": 5}, ""), ({}, ""),
        ({"data": []}, "/data"),
    ):  # fmt: skip
        refused = ask(stub, "POST", "/v1/contacts/search", body)
        assert (refused.status, refused.error["source"]["pointer"]) == (422, pointer), body
