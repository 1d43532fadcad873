"""Problems: which code, message and fields an answer has for one error or several; and which route a path is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from server_stub.data.document import Document
from server_stub.problems import (
    FieldError,
    Problem,
    check_entities,
    invalid,
    missing,
    refuse_any,
    refuse_merged,
    validation,
    validation_message,
)  # fmt: skip
from server_stub.request.router import Endpoint, Match, Router, longer_path, routers

NAME = FieldError("name", "required", "field required")
OWNER = FieldError("owner_id", "reference", "no user has the id 'x'", "REFERENCE_NOT_FOUND", {"id": "x"})
WHOLE = FieldError(None, None, "too much", "LIMIT_EXCEEDED")


def parts(problem: Problem) -> tuple[Any, ...]:
    return (problem.code, problem.status, problem.message, problem.field, problem.rule, problem.details)


def test_one_error_or_several_are_one_answer() -> None:
    assert parts(validation([NAME])) == ("VALIDATION_ERROR", 422, "name: field required", "name", "required", {})
    assert parts(validation([OWNER, OWNER])) == (
        "REFERENCE_NOT_FOUND", 422, "owner_id: no user has the id 'x' (and 1 more)", "owner_id", "reference",
        {"id": "x"},
    )  # fmt: skip
    several = validation(iter([OWNER, NAME, NAME]))
    assert several.code == "VALIDATION_ERROR" and several.message.endswith(" (and 2 more)")
    assert several.entries == several.errors == (OWNER, NAME, NAME)
    with pytest.raises(ValueError, match="at least one"):
        validation([])
    assert validation_message(WHOLE, "more", 0) == "too much"
    assert validation_message(NAME, "more", 1) == "name: field required (more)"
    assert parts(invalid("size", "max", "too large", most=5))[2:] == ("size: too large", "size", "max", {"most": 5})


def test_a_problem_without_fields_is_one_entry() -> None:
    alone = Problem("LIMIT_EXCEEDED", "too much", field="size", rule="max", details={"most": 5})
    assert alone.entries == (FieldError("size", "max", "too much", "LIMIT_EXCEEDED", {"most": 5}),)
    assert (str(alone), alone.status, alone.headers) == ("LIMIT_EXCEEDED: too much", 403, {})
    with pytest.raises(ValueError, match="'NO_SUCH_CODE' is not an error code"):
        Problem("NO_SUCH_CODE", "x")


def test_a_problem_of_a_part_is_told_by_its_place() -> None:
    some = Problem("VALIDATION_ERROR", "m", field="a", rule="max", details={"d": 1}, headers={"H": "1"}, errors=[NAME])
    within = some.within("items.0")
    assert parts(within) == ("VALIDATION_ERROR", 422, "m", "items.0.a", "max", {"d": 1})
    assert within.headers == {"H": "1"}
    assert within.errors == (FieldError("items.0.name", "required", "field required"),)
    whole = Problem("LIMIT_EXCEEDED", "too much").within("items.0")
    assert (whole.field, whole.errors) == (None, ())
    other = some.saying("in other words", [OWNER])
    assert parts(other) == ("VALIDATION_ERROR", 422, "in other words", "a", "max", {"d": 1})
    assert (other.headers, other.errors) == ({"H": "1"}, (OWNER,))


def test_all_wrong_members_come_before_the_first_conflict() -> None:
    conflict, second = Problem("DUPLICATE_VALUE", "taken", field="a"), Problem("CONTACT_EXISTS", "there", field="b")
    refuse_any([])
    for problems, fields in (
        ([conflict, invalid("c", "max", "m"), second, validation([OWNER, NAME])], ["c", "owner_id", "name"]),
        ([validation([OWNER])], ["owner_id"]),
        ([conflict, second], ["a"]),
        ([second, conflict], ["b"]),
    ):
        with pytest.raises(Problem) as caught:
            refuse_any(iter(problems))
        assert [entry.field for entry in caught.value.entries] == fields


def test_records_and_entities_that_there_are_not() -> None:
    assert parts(missing("custom_object", "x")) == (
        "NOT_FOUND", 404, "no custom object has the id 'x'", "id", None, {"id": "x"},
    )  # fmt: skip
    doc = Document(id="lead_1")
    assert refuse_merged(doc, "lead_1") is doc
    with pytest.raises(Problem) as caught:
        refuse_merged(doc, "lead_2")
    assert parts(caught.value)[:3] == ("RECORD_MERGED", 409, "lead_2 was merged into lead_1: change that one")
    assert caught.value.details == {"survivor_id": "lead_1"}
    known = ["lead", "deal"]
    for given in (None, [], ["deal", "lead"]):
        check_entities(given, known)
    with pytest.raises(Problem) as caught:
        check_entities(["lead", "planet", "deal", "moon"], known)
    assert [(entry.field, entry.rule, entry.details) for entry in caught.value.entries] == [
        ("entity_types.1", "choice", {"choices": known}), ("entity_types.3", "choice", {"choices": known}),
    ]  # fmt: skip
    assert caught.value.entries[0].message == "there are no records of the type 'planet'"


# -- routes ------------------------------------------------------------------------------------------------------------

ROUTES: dict[tuple[str, str, str], tuple[str, dict[str, str]] | None] = {
    ("platform", "GET", "/v1/leads"): ("leads.list", {}),
    ("platform", "GET", "/v1/leads/"): ("leads.list", {}),
    ("platform", "POST", "/v1/leads"): ("leads.create", {}),
    ("platform", "GET", "/v1/leads/a%2Fb%20c"): ("leads.get", {"lead_id": "a/b c"}),
    ("platform", "GET", "/v1/contacts/deduplicate"): ("contacts.get", {"contact_id": "deduplicate"}),
    ("platform", "POST", "/v1/contacts/deduplicate"): ("contacts.deduplicate", {}),
    ("platform", "DELETE", "/v1/contacts/c/relationships/r"): (
        "contacts.relationships.delete", {"contact_id": "c", "relationship_id": "r"},
    ),
    ("platform", "PATCH", "/v1/leads/x"): None,
    ("platform", "GET", "/v1/leads//activities"): None,
    ("platform", "GET", "/v1/planets"): None,
    ("platform", "GET", "/v1"): None,
    ("platform", "GET", "/"): None,
    ("mvp", "GET", "/v1/leads"): None,
    ("mvp", "GET", "/api/leads"): ("leads.list", {}),
}  # fmt: skip


def test_which_call_a_path_is() -> None:
    def told(match: Match | None) -> tuple[str, dict[str, str]] | None:
        return (match.endpoint.operation.id, dict(match.identifiers)) if match is not None else None

    found = {key: told(routers()[key[0]].find(key[1], key[2])) for key in ROUTES}
    assert found == ROUTES
    methods = {path: routers()["platform"].methods(path) for path in ("/v1/leads", "/v1/leads/x", "/v1/planets")}
    assert methods == {"/v1/leads": ("GET", "POST"), "/v1/leads/x": ("GET", "PUT", "DELETE"), "/v1/planets": ()}
    longer = {path: longer_path(routers(), path) for path in ("/leads", "/leads/x", "/planets", "/v1/leads")}
    assert longer == {"/leads": "/v1/leads", "/leads/x": "/v1/leads/x", "/planets": None, "/v1/leads": None}


def test_a_call_is_declared_once() -> None:
    router = routers()["platform"]
    match = router.find("GET", "/v1/leads")
    assert match is not None
    with pytest.raises(ValueError, match="GET /v1/leads is declared twice"):
        router._add(match.endpoint)


def test_a_way_that_ends_nowhere_leaves_nothing_behind() -> None:
    """A literal segment is tried first; what was found on its way is forgotten where that leads to no call."""
    router = Router("none")
    for path in ("/a/b/{one}/c", "/a/{two}/{three}"):
        names = tuple(part[1:-1] for part in path.split("/") if part.startswith("{"))
        route: Any = SimpleNamespace(full_path=path, method="GET", placeholders=names)
        router._add(Endpoint(cast("Any", path), route))
    found = router.find("GET", "/a/b/x")
    assert found is not None and found.identifiers == {"two": "b", "three": "x"}
    nested = router.find("GET", "/a/b/x/c")
    assert nested is not None and nested.identifiers == {"one": "x"}
