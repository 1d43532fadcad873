"""With a client that was given no dialects, a record has the same members whatever call it came from."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crm_sdk import NotFoundError, UnsupportedOperationError
from crm_sdk.catalogue import declared_operations
from crm_sdk.dialects import RICHEST_FIRST
from crm_sdk.operation import Operation
from server_stub import StubServer

Call = Callable[[Any], Any]
CRUD = ("create", "get", "list", "update", "delete")
NOUNS = sorted({operation.owner.path() for operation in declared_operations() if operation.name in CRUD})
ONLY_HERE = {("notifications", "status"): "mvp", ("notifications", "type"): "mvp"}
"""Arguments that no richer document has yet: the platform's notifications are to come."""


def ways(operation: Operation[..., Any]) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """Bind a call with what it needs, and with each argument and each member of its body besides."""
    body = operation.arguments.body
    needed: dict[str, Any] = {
        name: {} if name == body else "x"
        for name, parameter in operation.signature.parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    yield None, needed
    yield from ((name, needed | {name: object()}) for name in operation.signature.parameters if name not in needed)
    if body is not None:
        yield from ((member, needed | {body: {member: "x"}}) for member in operation.arguments.members)


@pytest.mark.parametrize("noun", NOUNS)
def test_the_calls_of_a_noun_take_one_dialect_whatever_they_are_given(noun: str) -> None:
    taken: dict[str, set[str | None]] = defaultdict(set)
    for operation in declared_operations():
        if operation.owner.path() != noun or operation.name not in CRUD:
            continue
        for argument, given in ways(operation):
            try:
                dialect = operation.choose(given, RICHEST_FIRST).dialect.name
            except UnsupportedOperationError:
                continue  # a member that only a document to come has
            if ONLY_HERE.get((noun, str(argument))) != dialect:
                taken[dialect].add(argument)
    assert len(taken) == 1, taken


SCENES: dict[str, tuple[Callable[[Any], Any], dict[str, Any], dict[str, Any], list[dict[str, Any]]]] = {
    "leads": (
        lambda crm: crm.leads,
        {"name": "Zoe Zander", "email": "zoe@zander.test", "tags": ["vip"], "notes": "first"},
        {"status": "contacted"},
        [{}, {"status": "contacted"}, {"search": "Zander"}, {"tags": ["vip"]}, {"source": "other"}, {"limit": 200}],
    ),
    "contacts": (
        lambda crm: crm.contacts,
        {"name": "Zoe Zander", "email": "zoe@zander.test", "tags": ["vip"], "notes": ["first", "second\nthird"]},
        {"title": "CTO"},
        [{}, {"search": "Zander"}, {"tags": ["vip"]}, {"filter": "all"}, {"sort": "name"}, {"status": "active"}],
    ),
    "deals": (
        lambda crm: crm.deals,
        {"title": "Zander", "contact_id": "contact_123", "value": 10, "tags": ["vip"]},
        {"stage": "proposal"},
        [{}, {"search": "Zander"}, {"filter": "all"}],
    ),
    "accounts": (
        lambda crm: crm.accounts,
        {"name": "Zander", "domain": "zander.test", "tags": ["vip"]},
        {"industry": "toys"},
        [{}, {"search": "Zander"}, {"tags": ["vip"]}, {"sort": "name"}],
    ),
}


@pytest.mark.parametrize(
    ("noun", "mount"),
    [
        *((noun, "") for noun in SCENES),
        *(("leads", mount) for mount in ("/mvp", "/platform")),
        *(("contacts", mount) for mount in ("/flow", "/platform")),
        ("deals", "/flow"),
        ("accounts", "/platform"),
    ],
)
def test_every_call_answers_the_same_members(stub: StubServer, mode: str, call: Call, noun: str, mount: str) -> None:
    resource, fresh, changes, filters = SCENES[noun]
    make = stub.client if mode == "sync" else stub.async_client
    crm: Any = make(base_url=f"http://stub.test{mount}", strict=True)
    if mount:  # one document alone has less
        filters = filters[:2]
        fresh = {name: value for name, value in fresh.items() if name != "tags" or mount != "/mvp"}
    made = call(resource(crm).create(fresh))
    changed = call(resource(crm).update(made.id, changes))
    records = [made, changed, call(resource(crm).get(made.id))]
    for given in filters:
        records += [record for record in call(resource(crm).list(**given)) if record.id == made.id]
    assert len(records) > 3
    assert len({frozenset(record.model_fields_set) for record in records}) == 1
    assert {type(record) for record in records} == {type(made)}


@pytest.mark.parametrize("noun", SCENES)
def test_what_is_read_appended_to_and_written_back_keeps_what_was_there(
    stub: StubServer, mode: str, call: Call, noun: str
) -> None:
    resource, fresh, _, filters = SCENES[noun]
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(strict=True)
    made = call(resource(crm).create(fresh))
    expected = ["vip"]
    for given in [None, *filters]:
        for record in [call(resource(crm).get(made.id))] if given is None else call(resource(crm).list(**given)):
            if record.id == made.id:
                assert (record.tags, record.__dict__.get("notes")) == (expected, made.__dict__.get("notes"))
                expected = [*expected, f"tag {len(expected)}"]
                call(resource(crm).update(made.id, {"tags": [*record.tags, expected[-1]]}))
    assert call(resource(crm).get(made.id)).tags == expected
    assert len(expected) > 3


@pytest.mark.parametrize(
    ("mount", "dialects", "missing"),
    [
        ("/mvp", ("mvp",), lambda crm: crm.calendar.events.list()),
        ("/flow", ("flow",), lambda crm: crm.leads.list()),
        ("/platform", ("platform", "mvp"), lambda crm: crm.calendar.events.list()),
    ],
)
def test_a_mount_of_the_stub_is_a_server_of_one_dialect(
    stub: StubServer, mode: str, call: Call, mount: str, dialects: tuple[str, ...], missing: Callable[[Any], Any]
) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(base_url=f"http://stub.test{mount}", strict=True)
    assert call(crm.auth.login("ada@acme.test", "demo-password")).access_token
    with pytest.raises(NotFoundError, match="ROUTE_NOT_FOUND"):
        call(missing(crm))
    with pytest.raises(UnsupportedOperationError):
        call(missing(crm))
    assert crm.dialects == dialects
