"""What nobody should send is refused: numbers without measure, tags that are none, bodies that are missing or too deep.

Each holds for every call, and none of them is a mistake of the server's own.
"""

from __future__ import annotations

import json
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from number_places import Place, places, places_of, takes_time
from pydantic import AwareDatetime

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from crm_sdk.route import Route
from server_stub import StubServer
from server_stub.request.http import Reply, Request

STUB = StubServer()
SERVED = {operation.id: operation for operation in declared_operations() if STUB.has_rule(operation)}
ROUTES = [(operation, route) for operation in SERVED.values() for route in operation.routes.values()]


def ask(method: str, target: str, query: str = "", body: bytes = b"", **headers: str) -> Reply:
    sent = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return STUB.handle(Request(method, target, query, sent, body))


def target_of(route: Route) -> str:
    path = f"/{route.dialect.name}{route.full_path}"
    for name in route.placeholders:
        path = path.replace(f"{{{name}}}", "contact" if name == "entity" else "x_1")
    return path


def those(*methods: str) -> list[Any]:
    return [
        pytest.param(operation, route, id=f"{operation.id}-{route.dialect.name}")
        for operation, route in ROUTES
        if route.method in methods
    ]


@pytest.mark.thorough
def test_there_are_numbers_and_times() -> None:
    times = {str(place) for operation in SERVED.values() for place in places_of(operation, takes_time)}
    assert {
        "activities.tasks.create due_at",
        "leads.list ?created_after",
        "calendar.smart_scheduling preferred_times",
    } <= times
    found = {str(place) for place in places()}
    assert {"leads.create value", "leads.create custom_fields", "accounts.merge values.annual_revenue"} <= found
    assert {"leads.convert deal.value", "contacts.search filter_groups.filters.value", "leads.list ?limit"} <= found


@pytest.mark.parametrize("operation", SERVED.values(), ids=SERVED)
def test_a_number_without_measure_is_named_and_refused(operation: Operation[..., Any]) -> None:
    for place in places_of(operation):
        _refuse(place, "1e26", "-1e26", "1e999999", "-1e999999", "NaN", "Infinity", "-Infinity", "1" + "0" * 400)


@pytest.mark.parametrize("operation", SERVED.values(), ids=SERVED)
def test_a_number_is_no_time(operation: Operation[..., Any]) -> None:
    for place in places_of(operation, takes_time):
        _refuse(place, *(("5", "0.5") if place.query else ("5", "0.5", '"5"', '"-1768900000.5"')))


def _refuse(place: Place, *literals: str) -> None:
    for literal in literals:
        query, body = place.request(literal)
        reply = ask(place.route.method, place.target, query, body)
        where = str(place), literal, reply.body
        if place.operation.arguments.items == place.path[0]:  # of a bulk call, the item alone is refused
            (item,) = json.loads(reply.body)["data"]["items"]
            assert (item["status"], item["error"]["code"]) == ("failed", "VALIDATION_ERROR"), where
            if len(place.path) == 1:  # a record of any entity, whose members have no names here
                continue
        else:
            assert reply.status == 422, (where, reply.status)
        name = place.route.wire_name(place.path[-1]) if place.query else place.path[-1]
        assert name.replace("_", "").lower() in reply.body.decode().replace("_", "").lower(), where


# -- the version that a caller knows -----------------------------------------------------------------------------------

VERSIONED = [
    pytest.param(operation, route, id=f"{operation.id}-{route.dialect.name}")
    for operation, route in ROUTES
    if operation.arguments.locks and route.has("version")
]


TAGS = ("", " ", "²", "٣٣", "9" * 5_000, '""', '"', "W/", "1.0", "-1", "1e3", "0x1", "1_0", "é", '"1", "2"')


@pytest.mark.parametrize(("operation", "route"), VERSIONED)
def test_a_tag_that_is_no_version_is_refused(operation: Operation[..., Any], route: Route) -> None:
    for tag in TAGS:
        reply = ask(route.method, target_of(route), body=b"{}", if_match=tag)
        assert (reply.status, error_of(reply)["field"]) == (422, "version"), (tag, reply.body)
    for tag in ("1", '"1"', 'W/"1"', " 1 ", "*"):
        assert error_of(ask(route.method, target_of(route), body=b"{}", if_match=tag)).get("field") != "version", tag


def error_of(reply: Reply) -> dict[str, Any]:
    """Return the first entry of a failure, which has the same members in every dialect; nothing of a success."""
    body = json.loads(reply.body)
    if body.get("success"):
        return {}
    found: dict[str, Any] = body["errors"][0] if "errors" in body else {**body["error"], **body["error"]["details"]}
    return found


# -- the body ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operation", "route"), those("PUT", "PATCH"))
def test_a_change_without_a_body_is_none(operation: Operation[..., Any], route: Route) -> None:
    reply = ask(route.method, target_of(route))
    takes = any(route.has(name) for name in operation.arguments.types if name != "version")
    assert (reply.status == 400 and error_of(reply)["code"] == "BAD_REQUEST") is takes, reply.body


DEEP = {
    "arrays": b'{"name": %s}' % (b"[" * 900 + b"]" * 900),
    "as a whole": b"[" * 900 + b"]" * 900,
    "objects": b'{"customFields": %s1%s}' % (b'{"a":' * 900, b"}" * 900),
    "both": b'{"name": %s1%s}' % (b'[{"a":' * 450, b"}]" * 450),
    "beyond any reader": b'{"name": %s}' % (b"[" * 200_000),
}


@pytest.mark.parametrize(("operation", "route"), those("POST", "PUT", "PATCH", "DELETE"))
def test_a_body_that_cannot_be_read_is_refused(operation: Operation[..., Any], route: Route) -> None:
    half = ('{"name": "\\ud800"}', '{"\\udfff": 1}', '{"a": {"b": ["\\ud83d"]}}')
    odd = {**DEEP, **{text: text.encode() for text in half}, "bytes": b'{"name": "\xed\xa0\x80"}', "none": b"null"}
    for what, body in odd.items():
        reply = ask(route.method, target_of(route), body=body)
        assert reply.status == 400, (what, reply.status, reply.body)


@pytest.mark.parametrize(("operation", "route"), those("GET"))
def test_a_query_that_cannot_be_read_is_refused(operation: Operation[..., Any], route: Route) -> None:
    assert ask("GET", target_of(route), "search=%ED%A0%80").status == 400


# -- the method --------------------------------------------------------------------------------------------------------

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PATHS = {target_of(route): route for _, route in ROUTES}
BESIDE = ("/openapi.json", "/v1/openapi.json", "/ws", "/mvp/ws", "/ws/websocket", "/flow/api/events/stream")


@pytest.mark.parametrize("target", [*PATHS, *BESIDE])
def test_a_wrong_method_names_the_right_ones(target: str) -> None:
    replies = {method: ask(method, target, body=b"{}") for method in (*METHODS, "TRACE", "BREW")}
    refused = {method: reply for method, reply in replies.items() if reply.status == 405}
    assert {"TRACE", "BREW"} <= refused.keys()
    for reply in refused.values():
        assert error_of(reply)["code"] == "METHOD_NOT_ALLOWED"
        assert reply.headers["Allow"] == ", ".join(sorted({*METHODS} - refused.keys()))


BULK = sorted(name for name, operation in SERVED.items() if operation.arguments.items is not None)


NOBODY: dict[str, Any] = {
    "conversions": {"leadId": "nobody_1"},
    "recipients": {"to": "contact_nobody_1"},
    "keys": "nobody_1",
}
"""An item about a record that is not there, where its id is not in `id`."""
BESIDE_ITEMS = {"notifications.send_bulk": {"channel": "email", "subject": "Hello", "content": "Good morning."}}
"""What a call needs beside its items."""


@pytest.mark.parametrize("name", [name for name in BULK if name != "objects.batch_get"])  # its keys are refused at once
def test_an_item_that_cannot_be_read_fails_alone(name: str) -> None:
    operation = SERVED[name]
    (route,) = operation.routes.values()
    items = operation.arguments.items or ""
    unreadable: list[Any] = [5, None, [], {"id": 7, "leadId": 7}]
    nobody = NOBODY.get(items, "nobody_1" if items.endswith("ids") else {"id": "nobody_1"})
    body = {**BESIDE_ITEMS.get(name, {}), route.wire_name(items): [*unreadable[:2], nobody, *unreadable[2:]]}
    reply = ask(route.method, target_of(route), body=json.dumps(body).encode())
    assert reply.status == 200, reply.body
    result = json.loads(reply.body)["data"]
    assert (result["total"], result["failed"]) == (5, 5)
    codes = [item["error"]["code"] for item in result["items"]]
    lacking = "REFERENCE_NOT_FOUND" if items == "recipients" else "NOT_FOUND"
    assert codes == ["VALIDATION_ERROR", "VALIDATION_ERROR", lacking, "VALIDATION_ERROR", "VALIDATION_ERROR"]
    assert [item["index"] for item in result["items"]] == [0, 1, 2, 3, 4]
    if "atomic" in operation.arguments.types:
        reply = ask(route.method, target_of(route), body=json.dumps({**body, "atomic": True}).encode())
        assert reply.status == 422
        fields = [error["field"] for error in json.loads(reply.body)["errors"]]
        assert {f"{route.wire_name(items)}.{n}" for n in (0, 1)} <= {*fields}


DAYS = [
    pytest.param(operation, route, name, id=f"{operation.id}-{route.dialect.name} {name}")
    for operation, route in ROUTES
    if route.method == "GET" and not operation.id.startswith("monitoring.")  # each request moves its figures
    for name, hint in operation.arguments.types.items()
    if route.has(name) and AwareDatetime in get_args(hint)
]


@pytest.mark.parametrize(("operation", "route", "name"), DAYS)
def test_a_day_for_a_time_is_its_midnight_where_the_caller_is(
    operation: Operation[..., Any], route: Route, name: str
) -> None:
    def answer(time: str) -> tuple[int, Any]:
        ends = {"start", "end"} & operation.arguments.types.keys()
        times: dict[str, str] = dict.fromkeys(ends, "2026-04-10T04:00:00Z")
        times = {route.wire_name(other): at for other, at in {**times, name: time}.items()}
        reply = ask("GET", target_of(route), urlencode(times))
        if reply.chunks is not None:
            return reply.status, b"".join(reply.chunks)
        body = json.loads(reply.body)
        return reply.status, body["data"] if reply.status == 200 and "data" in body else reply.status

    assert answer("2026-03-02") == answer("2026-03-02T05:00:00Z"), "the caller is in New York"
    assert answer("2026-03-09") == answer("2026-03-09T04:00:00Z"), "summer has begun there"
    assert answer("2026-02-30")[0] in (404, 422)


def test_a_day_begins_where_the_caller_is() -> None:
    """One that is not refused: what begins before midnight in New York is not of the day."""
    stub = StubServer()
    event = {"title": "Late", "startTime": "2026-03-02T04:30:00Z", "endTime": "2026-03-02T05:00:00Z"}
    sent = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    path = "/flow/api/calendar/events"
    assert stub.handle(Request("POST", path, "", sent, json.dumps(event).encode())).status in (200, 201)
    for days, is_there in (("start=2026-03-01&end=2026-03-02", True), ("start=2026-03-02&end=2026-03-03", False)):
        events = json.loads(stub.handle(Request("GET", path, days, sent, b"")).body)
        assert ("Late" in [one["title"] for one in events]) is is_there


LONG = "".join(part * (10_000 // len(part)) for part in ("a ", "x", "I am not (happy ", "a.a", " ", "a@"))
"""60,000 characters on which a careless pattern takes minutes."""


@pytest.mark.parametrize("name", sorted(SERVED))
def test_long_texts_are_answered(name: str) -> None:
    start, operation = STUB.snapshot(), SERVED[name]
    for route in operation.routes.values():
        if route.method in ("GET", "DELETE"):
            for argument in filter(route.has, operation.arguments.types):
                asked = urlencode({route.wire_name(argument): LONG})
                assert ask(route.method, target_of(route), asked).status < 500, argument
        else:
            for member in operation.arguments.members or filter(route.has, operation.arguments.types):
                body = json.dumps({route.wire_name(member): LONG}).encode()
                assert ask(route.method, target_of(route), body=body).status < 500, member
    STUB.restore(start)
