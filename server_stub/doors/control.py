"""Control routes of a port in test mode, for tests in any language: ``POST /_test/clock {"advance": 3600}``.

They are beside the documents' paths, need no credential, and are served only with ``--test-mode``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from crm_sdk.wire import camel, encode_json, is_object, snake

from ..faults.requests import Fault
from ..request.http import Reply, Request

if TYPE_CHECKING:
    from ..core import Snapshot, StubServer

PREFIX = "/_test/"
_REMOTES = "remotes/"
_MEMBERS = frozenset(field.name for field in dataclasses.fields(Fault))
_FURTHEST = 10 * 366 * 86_400
"""The most seconds that the clock is moved at once."""


class Control:
    """The control routes of one server, and the states that were kept through them."""

    def __init__(self, server: StubServer) -> None:
        self._server = server
        self._states: dict[str, Snapshot] = {}
        self._routes: Mapping[str, Callable[[dict[str, Any]], Any]] = {
            "POST faults": self._add_fault,
            "GET faults": lambda given: [_shown_fault(fault) for fault in server.faults.pending],
            "DELETE faults": lambda given: server.faults.clear(),
            "GET clock": lambda given: {"now": server.clock.now()},
            "POST clock": self._advance,
            "POST reset": lambda given: server.reset(),
            "POST snapshot": self._keep,
            "POST restore": self._restore,
            "GET journal": lambda given: [_wire(dataclasses.asdict(entry)) for entry in server.journal],
        }

    def handle(self, request: Request) -> Reply:
        """Answer a request to a control route; 404 for another path, 422 for input that it does not take."""
        name = request.path.removeprefix(PREFIX)
        route = self._routes.get(f"{request.method} {name}")
        if name.startswith(_REMOTES):
            route = partial(self._remote, request.method, name.removeprefix(_REMOTES))
        if route is None:
            known = ", ".join(f"{method} {PREFIX}{path}" for method, path in map(str.split, self._routes))
            return _answer(404, {"error": f"there is no {request.method} {request.path}; there are {known}"})
        try:
            given = json.loads(request.body or b"{}")
            if not is_object(given):
                raise ValueError("send a JSON object")
            with self._server.lock:
                return _answer(200, route({snake(member): value for member, value in given.items()}))
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            return _answer(422, {"error": str(error)})

    def _add_fault(self, given: dict[str, Any]) -> Any:
        unknown = given.keys() - _MEMBERS
        if unknown or "kind" not in given:
            raise ValueError(f"a fault has {', '.join(sorted(map(camel, _MEMBERS)))}, and needs a kind")
        return _shown_fault(self._server.faults.add(**given))

    def _advance(self, given: dict[str, Any]) -> Any:
        seconds = given.get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= _FURTHEST:
            raise ValueError(f"advance is a number of seconds from 0 to {_FURTHEST:,}")
        self._server.clock.advance(seconds)
        return {"now": self._server.clock.now()}

    def _keep(self, given: dict[str, Any]) -> Any:
        self._states[_name(given)] = self._server.snapshot()
        return {"name": _name(given)}

    def _restore(self, given: dict[str, Any]) -> None:
        if _name(given) not in self._states:
            raise ValueError(f"no state was kept as {_name(given)!r}; POST {PREFIX}snapshot keeps one")
        self._server.restore(self._states[_name(given)])

    def _remote(self, method: str, place: str, given: dict[str, Any]) -> Any:
        """Read and write the system of an integration: ``/_test/remotes/demo_crm/contact``, or without a kind whether
        it answers: ``{"answers": false, "after": 3}``. `tenant` names another company.
        """
        provider, _, kind = place.partition("/")
        remote = self._server.remotes.of(given.pop("tenant", "tenant_acme"))[provider]
        if not kind:
            if given.get("answers", True):
                remote.restore_connection()
            else:
                remote.lose_connection(after=given.get("after", 0))
            return {"answers": remote.answers}
        if method == "GET":
            return [_wire(record) for record in remote.all(kind)]
        if method == "DELETE":
            return remote.remove(kind, given["id"])
        record = {
            name: Decimal(str(value)) if isinstance(value, float) else value
            for name, value in given.items() if name != "updated_at"
        }  # fmt: skip
        return _wire(remote.put(kind, record))


def _name(given: Mapping[str, Any]) -> str:
    name = given.get("name", "kept")
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise ValueError("name is a text of 1 to 100 characters")
    return name


def _shown_fault(fault: Fault) -> dict[str, Any]:
    return _wire(dataclasses.asdict(fault))


def _wire(members: Mapping[str, Any]) -> dict[str, Any]:
    return {camel(name): value for name, value in members.items()}


def _answer(status: int, value: Any) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, encode_json(value))
