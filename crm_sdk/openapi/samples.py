"""A call's example as Python and a command line give it: the values that its request has in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..operation import Operation
from ..route import Route
from ..wire import member_name, shape_of
from . import answers
from .calls import JSON, operation_object, with_examples
from .schemas import Schemas

_RICHEST_FIRST = ("platform", "flow", "mvp")


def sample(operation: Operation[Any, Any]) -> dict[str, Any]:
    """Return an example of a call's arguments by name; those of a body are in a mapping, by their Python names.

    The values are as JSON has them: a time is a text. A file is its name.
    """
    route = next(operation.routes[dialect] for dialect in _RICHEST_FIRST if dialect in operation.routes)
    schemas = Schemas(route.dialect.name)
    call = operation_object(operation, route, schemas)
    with_examples(call, {**schemas.components, "Failure": answers.failure(route.dialect.name)})
    found = dict(_of_parameters(operation, route, call))
    body = operation.arguments.body
    members = _of_members(operation, route)
    for wire_name, value in _request_example(call).items():
        name, in_body = members[wire_name]
        if in_body:
            found.setdefault(str(body), {})[name] = value
        else:
            found[name] = value
    if operation.arguments.upload is not None:
        found[operation.arguments.upload] = "people.csv"
    return found


def _request_example(call: Mapping[str, Any]) -> Mapping[str, Any]:
    content = call.get("requestBody", {}).get("content", {})
    sent: Mapping[str, Any] = content[JSON]["example"] if JSON in content else {}
    return sent


def _of_parameters(operation: Operation[Any, Any], route: Route, call: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the arguments in the path and in the query that have an example."""
    examples = {parameter["name"]: parameter["example"] for parameter in call["parameters"] if "example" in parameter}
    for name in operation.signature.parameters:
        key = name if name in route.placeholders else route.wire_name(name)
        if key in examples:
            yield name, examples[key]


def _of_members(operation: Operation[Any, Any], route: Route) -> Mapping[str, tuple[str, bool]]:
    """Return the Python name of each member of a body, by its wire name, and whether it is one of a named body."""
    arguments = operation.arguments
    found = {route.wire_name(name): (name, False) for name in arguments.types if name != arguments.body}
    if arguments.body is not None:
        shape = shape_of(arguments.body_type, route.dialect.name)
        for name in arguments.members:
            wire_name = member_name(arguments.body_type, name) if shape is None else shape.names.get(name)
            if wire_name is not None:
                found[wire_name] = (name, True)
    return found
