"""Nobody writes what they may not: drawn at random over every route that is no GET, with others' ids in path and body.

The role `sales` writes what it owns or nobody owns, `read_only` nothing; in single calls, in bulk, by merges, imports,
assignments and conversions alike.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noun_cases import value_of
from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.noun import Noun
from server_stub.request.http import Reply, Request

OWNED = ("lead", "contact", "account", "deal", "activity")
WRITES = [
    (operation, route)
    for operation in declared_operations()
    for route in operation.routes.values()
    if route.method != "GET" and not operation.flags.safe and not operation.id.startswith(("auth.", "webhooks."))
]
TENANT = "tenant_acme"
WHO = {"sales": ("acme-sales", "user_sam"), "read_only": ("rita", "user_rita")}


@lru_cache(maxsize=1)
def server() -> StubServer:
    """Return a server on which every kind of record is owned by somebody else than the callers."""
    made = StubServer()
    for kind in OWNED:
        records = made.store.collection(TENANT, kind)
        for doc in records.all():
            records.put(doc | {"owner_id": "user_ada"})
    made.store.collection(TENANT, "api_key").put(
        Document(next(iter(made.store.collection(TENANT, "api_key"))))
        | {"id": "apikey_rita", "key": "rita", "role": "read_only", "user_id": "user_rita", "name": "Rita"}
    )
    return made


@lru_cache(maxsize=1)
def ids_by_kind() -> dict[str, list[str]]:
    kinds = (
        *OWNED,
        "conversation",
        "message",
        "agent",
        "user",
        "team",
        "pipeline",
        "stage",
        "integration",
        "territory",
        "workflow",
        "trigger",
        "action",
        "execution",
    )
    found = {kind: [doc["id"] for doc in server().store.collection(TENANT, kind)] for kind in kinds}
    return found | {"event": [id for id in found["activity"] if id.startswith("event_")]}


def kind_of(name: str, operation: Operation[..., Any]) -> str:
    """Return the kind of record that a member's name, or else the call's resource, says an id is of."""
    stem = re.sub(r"_ids?$", "", name).removeprefix("related_").removeprefix("survivor").removeprefix("duplicate")
    stem = {"owner": "user", "parent": "account", "child": "account", "lead_ids": "lead"}.get(stem, stem)
    resource = operation.id.partition(".")[0].removesuffix("s")
    found = ids_by_kind()
    return stem if found.get(stem) else resource if found.get(resource) else "contact"


@st.composite
def requests(draw: st.DrawFn) -> tuple[Operation[..., Any], Request]:
    operation, route = draw(st.sampled_from(WRITES))

    def id_for(name: str) -> str:
        return draw(st.sampled_from(ids_by_kind()[kind_of(name, operation)]))

    def filled(kind: Any) -> dict[str, Any]:
        hints = get_type_hints(kind, include_extras=True)
        required = {name for name, hint in hints.items() if "Required[" in str(hint)[:40]} or kind.__required_keys__
        rest = sorted(set(hints) - set(required))
        chosen = {*required, *(draw(st.sets(st.sampled_from(rest), max_size=3)) if rest else ())}
        return {camel(name): member(name, hints[name]) for name in sorted(chosen)}

    def member(name: str, hint: Any) -> Any:
        inner = next((arg for arg in (hint, *getattr(hint, "__args__", ())) if is_typeddict(arg)), None)
        listed = re.search(r"\b(list|List|Sequence)\[", str(hint)) is not None
        if name in ("id", "ids") or name.endswith(("_id", "_ids")):
            value: Any = id_for(name)
        elif listed:
            item = re.sub(r"ies$", "y", name) if name.endswith("ies") else name.removesuffix("s")
            kinds = [arg for arg in _arguments(hint) if is_typeddict(arg)]
            value = filled(kinds[0]) if kinds else value_of(str, item)
        else:
            value = filled(inner) if inner is not None else value_of(hint, name)
        return [value] if listed else value

    arguments = operation.arguments
    path = re.sub(r"{(\w+)}", lambda match: id_for(match[1]), route.full_path)
    body = filled(arguments.body_type) if arguments.body is not None else {}
    for name, parameter in operation.signature.parameters.items():
        lock = "version" if arguments.locks else None
        if name in route.placeholders or name in (arguments.body, lock, arguments.upload) or not route.has(name):
            continue
        if parameter.default is parameter.empty or draw(st.booleans()):
            body[route.wire_name(name)] = member(name, arguments.types[name])
    content = json.dumps(body).encode()
    headers = {"content-type": "application/json", "x-crm-dialect": route.dialect.name}
    return operation, Request(route.method, f"/{route.dialect.name}{path}", "", headers, content)


def _arguments(hint: Any) -> list[Any]:
    found = [hint]
    for arg in getattr(hint, "__args__", ()):
        found += _arguments(arg)
    return found


_BY_ITSELF = {"lifecycle_stage", "type", "duplicate_ids", "probability_override"}
"""What moves on by itself, such as a contact's stage when a deal with it is won."""


def others_records() -> dict[str, dict[str, Any]]:
    """Return what could be written by hand of every record that somebody else owns, and whose it is."""
    settable = {
        kind: frozenset(noun.model.model_fields) & frozenset(inputs(noun)) - _BY_ITSELF
        for kind, noun in server().nouns.items()
        if kind in (*OWNED, "event")
    }
    return {
        doc["id"]: {"owner_id": doc["owner_id"]} | {name: doc.get(name) for name in settable.get(kind, ())}
        for kind in OWNED
        for doc in server().store.collection(TENANT, kind)
        if doc["owner_id"] == "user_ada" or doc["id"] in ids_by_kind()[kind]
    }


def inputs(noun: Noun) -> set[str]:
    """Return the members that an update of a noun may set."""
    update = noun.declared("update")
    return set(update.arguments.members) if update is not None else set()


def sent(request: Request, role: str) -> Reply:
    headers = {**request.headers, "authorization": f"Bearer {WHO[role][0]}"}
    return server().handle(Request(request.method, request.path, request.query, headers, request.body))


@pytest.mark.parametrize("role", WHO)
@given(st.lists(requests(), min_size=1, max_size=4))
def test_nothing_of_others_changes(role: str, made: list[tuple[Operation[..., Any], Request]]) -> None:
    start, before = server().snapshot(), others_records()
    try:
        for operation, request in made:
            reply = sent(request, role)
            server().clock.advance(60)  # jobs run on the clock
            after = others_records()
            changed = {id for id, state in before.items() if after.get(id) != state}
            assert not changed, (operation.id, request.path, request.body, reply.status, changed)
            assert reply.status < 500, (operation.id, request.body, reply.body)
    finally:
        server().restore(start)


@pytest.mark.thorough
def test_the_requests_are_ones_that_an_admin_may_make() -> None:
    """Show that the property is not empty: most of the requests do something when somebody else makes them."""
    WHO["admin"] = ("acme-admin", "user_ada")
    done: dict[str, int] = {}

    @settings(max_examples=100, derandomize=True, database=None)
    @given(st.lists(requests(), min_size=4, max_size=4))
    def try_all(made: list[tuple[Operation[..., Any], Request]]) -> None:
        for operation, request in made:
            start = server().snapshot()
            reply = sent(request, "admin")
            done[operation.id] = done.get(operation.id, 0) + (reply.status < 300)
            server().restore(start)

    try:
        try_all()
    finally:
        del WHO["admin"]
    assert sum(1 for count in done.values() if count) >= 20, {id for id, n in done.items() if not n}
