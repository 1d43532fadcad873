"""Find the declared operation for a method and a path: one trie per dialect, built from the declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from crm_sdk.route import Route

from .answering.faces import FACES


class Endpoint:
    """One route of one operation."""

    __slots__ = ("operation", "route")

    def __init__(self, operation: Operation[..., Any], route: Route) -> None:
        self.operation = operation
        self.route = route


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict[str, Any])
    parameter: _Node | None = None
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])


@dataclass(frozen=True, slots=True)
class Match:
    """A found route: the endpoint, and the values of its placeholders."""

    endpoint: Endpoint
    identifiers: Mapping[str, str]


class Router:
    """The routes of one dialect."""

    def __init__(self, dialect: str) -> None:
        self._root = _Node()
        for operation in declared_operations():
            if dialect in operation.routes:
                route = operation.routes[dialect]
                self._add(Endpoint(operation, route))

    def _add(self, endpoint: Endpoint) -> None:
        node = self._root
        for segment in endpoint.route.full_path.strip("/").split("/"):
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        method = endpoint.route.method
        if method in node.endpoints:
            raise ValueError(f"{method} {endpoint.route.full_path} is declared twice")
        node.endpoints[method] = endpoint

    def find(self, method: str, path: str) -> Match | None:
        """Return the route of a request, or None. A literal segment takes precedence over a placeholder."""
        found: list[str] = []
        node = self._walk(self._root, path.strip("/").split("/"), 0, method, found)
        if node is None:
            return None
        endpoint = node.endpoints[method]
        names = endpoint.route.placeholders
        return Match(endpoint, dict(zip(names, map(unquote, found), strict=True)))

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that a path has."""
        every = ("GET", "POST", "PUT", "PATCH", "DELETE")
        return tuple(method for method in every if self.find(method, path) is not None)

    def _walk(self, node: _Node, segments: list[str], at: int, method: str, found: list[str]) -> _Node | None:
        if at == len(segments):
            return node if method in node.endpoints else None
        segment = segments[at]
        literal = node.literals.get(segment)
        if literal is not None:
            end = self._walk(literal, segments, at + 1, method, found)
            if end is not None:
                return end
        if node.parameter is not None and segment:
            found.append(segment)
            end = self._walk(node.parameter, segments, at + 1, method, found)
            if end is not None:
                return end
            found.pop()
        return None


@cache
def routers() -> Mapping[str, Router]:
    """Return the routers of the dialects, which all servers of a process share."""
    return {dialect: Router(dialect) for dialect in FACES}


def longer_path(of: Mapping[str, Router], path: str) -> str | None:
    """Return the path of a document that a path is all of but the beginning, None where there is none."""
    longer = (f"{begin}{path}" for begin in ("/v1", "/api"))
    return next((each for each in longer if any(router.methods(each) for router in of.values())), None)
