"""Where a call takes a number or a time: every member of every body, however deep, and every parameter of a query."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin

from noun_cases import example, value_of
from pydantic import AwareDatetime
from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from crm_sdk.route import Route
from crm_sdk.wire import camel

HERE = "\ue000"
"""Stands for the value until it is put in as it is to be written."""
_DEEPEST = 5
_Takes = Callable[[Any], bool]


@dataclass(frozen=True)
class Place:
    """A member or parameter that takes such a value, and a request in which everything else is as it has to be."""

    operation: Operation[..., Any]
    route: Route
    path: tuple[str, ...]
    members: dict[str, Any]
    query: bool

    def __str__(self) -> str:
        return f"{self.operation.id} {'?' if self.query else ''}{'.'.join(self.path)}"

    @property
    def target(self) -> str:
        """The path, with ids that nothing has: what is wrong with a number does not depend on them."""
        path = f"/{self.route.dialect.name}{self.route.full_path}"
        for name in self.route.placeholders:
            path = path.replace(f"{{{name}}}", "contact" if name == "entity" else "x_1")
        return path

    def request(self, literal: str) -> tuple[str, bytes]:
        """Return query and body with a value as it is written."""
        if self.query:
            body = b"{}" if self.operation.arguments.body is not None and self.route.method != "GET" else b""
            return f"{self.route.wire_name(self.path[0])}={literal}", body
        return "", json.dumps(self.members).replace(json.dumps(HERE), literal).encode()


def places() -> Iterator[Place]:
    """Give every place of every operation."""
    for operation in declared_operations():
        yield from places_of(operation)


def places_of(operation: Operation[..., Any], takes: _Takes | None = None) -> Iterator[Place]:
    """Give every place of an operation that takes a number, or what `takes` says, by its first route."""
    takes = takes or takes_number
    route = operation.routes[next(name for name in ("platform", "flow", "mvp") if name in operation.routes)]
    arguments = operation.arguments
    if arguments.upload is not None:
        return
    shape = arguments.shape(route.dialect.name)
    for name, hint in arguments.types.items():
        if name == "version":
            continue
        if name == arguments.body:
            for path, value in _within(arguments.body_type, 0, takes):
                if shape is None or path[0] in shape.names:
                    yield Place(operation, route, path, shape.encode(value) if shape is not None else value, False)
        elif not route.has(name):
            continue
        elif route.method in ("GET", "DELETE") or arguments.body is not None:
            if takes(hint):
                yield Place(operation, route, (name,), {}, True)
        else:
            for path, value in _of(hint, (name,), 0, takes):
                yield Place(operation, route, path, {**_required(operation, name), camel(name): value}, False)


def _required(operation: Operation[..., Any], but: str) -> dict[str, Any]:
    return {
        camel(name): value_of(operation.arguments.types[name], name)
        for name, parameter in operation.signature.parameters.items()
        if parameter.default is parameter.empty and name in operation.arguments.types and name != but
    }


def _within(kind: Any, depth: int, takes: _Takes) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if depth > _DEEPEST:
        return
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for path, value in _of(hint, (name,), depth, takes):
            yield path, {**example(kind), camel(name): value}


def _of(hint: Any, path: tuple[str, ...], depth: int, takes: _Takes) -> Iterator[tuple[tuple[str, ...], Any]]:
    if takes(hint):
        yield path, HERE
    for part in _parts(hint):
        origin, args = get_origin(part), get_args(part)
        if is_typeddict(part):
            for inner, value in _within(part, depth + 1, takes):
                yield (*path, *inner), value
        elif origin in (list, Sequence) and args:
            for inner, value in _of(args[0], path, depth + 1, takes):
                yield inner, [value]
        elif origin is dict and args:
            for inner, value in _of(args[1], path, depth + 1, takes):
                yield inner, {"key": value}


def _parts(hint: Any) -> Iterator[Any]:
    """Give the types of a union, without their marks."""
    args = get_args(hint)
    if get_origin(hint) is Annotated or str(get_origin(hint)).rpartition(".")[2] in ("Required", "NotRequired"):
        yield from _parts(args[0])
    elif args and get_origin(hint) not in (list, Sequence, dict) and "Literal" not in str(get_origin(hint)):
        for arg in args:
            yield from _parts(arg)
    else:
        yield hint


def takes_number(hint: Any) -> bool:
    """Tell whether a type takes a number."""
    return any(part in (int, float, Decimal, Any) for part in _parts(hint))


def takes_time(hint: Any) -> bool:
    """Tell whether a type takes a date or a time, and no number."""
    return any(part in (date, datetime, AwareDatetime) for part in _parts(hint)) and not takes_number(hint)
