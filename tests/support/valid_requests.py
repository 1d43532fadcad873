"""A valid request to every operation of the platform, with ids of the demo data: what the tests of all calls stand on.

It has what is required and no more: of every type some valid value, of every id the first record of the kind that
its name says. What cannot be guessed is in ``contract/requests.json``, by operation, with the name of its document
before it where that is not the platform's:

path    the identifiers in the path, in their order
body    members beside or instead of those required; ``<kind>`` is the id of the first record of a kind, and
        ``<kind.member>`` one of its members
bare    true where nothing but this is sent
query   the query of the path
before  what is done before: ``METHOD /path`` with a body, and perhaps a key and a file; ``CLOCK seconds``.
        ``<before.0.member>`` is what one answered, ``<mail>`` the token of the latest mail, ``<totp before.1.secret>``
        a code of an authenticator, ``<last before.0.url>`` the last part of an address
key     the bearer token, where it is not the key of an administrator
file    name, content and type of the file of a form
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from auth_support import Authenticator
from noun_cases import Case, example, value_of

from crm_sdk.operation import Operation
from crm_sdk.route import Route
from crm_sdk.wire import camel, snake
from server_stub import StubServer
from server_stub.request.http import Request

BY_HAND: Mapping[str, Mapping[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "contract" / "requests.json").read_text()
)
COMPANY = "tenant_acme"
_KINDS: Mapping[str, str] = {
    "owner": "user", "related_contact": "contact", "parent": "account", "survivor": "contact",
    "delivery": "webhook_delivery",
}  # fmt: skip
_BOUNDARY = "valid-request"
_FORM = f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass
class Valid:
    """A request as it goes over the wire."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def request(self) -> Request:
        """Return it as the stub takes it without a port."""
        return Request(self.method, self.path, self.query, dict(self.headers), self.body)


class Maker:
    """Makes requests for a stub in the state it is in."""

    def __init__(self, stub: StubServer) -> None:
        self.stub = stub

    def of(self, operation: Operation[..., Any], route: Route) -> Valid:
        """Return a valid request; what has to be done before is done on the stub."""
        dialect = route.dialect.name
        hand = BY_HAND.get(operation.id if dialect == "platform" else f"{dialect} {operation.id}", {})
        answers: list[Any] = []
        for line, body, *more in hand.get("before", ()):
            answers.append(self._made(line, body, answers, *more))
        given = self._filled({name: value for name, value in hand.items() if name != "before"}, answers)
        made = {} if "path" in given or "body" in given else self._own(operation, route)
        ids = dict(zip(route.placeholders, given.get("path", ()), strict=False))
        path = self._path(route, ids | made.get("path", {}))
        given = {**given, **{name: value for name, value in made.items() if name == "body"}}
        headers = {"authorization": f"Bearer {given.get('key', 'acme-admin')}"}
        if not operation.flags.auth and "key" not in given:
            headers = {}
        arguments = operation.arguments
        if arguments.upload is not None:
            headers["content-type"] = _FORM
            file = given.get("file", ["notes.txt", "Some notes", "text/plain"])
            return Valid(route.method, path, "", _form(camel(arguments.upload), file, given.get("body", {})), headers)
        members, query = self._arguments(operation, route, given)
        if operation.flags.oauth and dialect == "platform" and route.method == "POST":
            headers["content-type"] = "application/x-www-form-urlencoded"
            return Valid(route.method, path, "", urlencode(members or {}).encode(), headers)
        body = json.dumps(members).encode() if members is not None else b""
        if body:
            headers["content-type"] = "application/json"
        texts = {name: ",".join(value) if isinstance(value, list) else value for name, value in query.items()}
        return Valid(route.method, path, urlencode(texts), body, headers)

    def _own(self, operation: Operation[..., Any], route: Route) -> dict[str, Any]:
        """Return what the calls of a noun are given: a new body, or a new record."""
        if route.dialect.name != "platform":
            return {}
        for noun in self.stub.nouns.values():
            for verb in ("create", "get", "update", "delete"):
                if noun.declared(verb) is operation and noun.declared("create") is not None:
                    case = Case.of(noun, self.stub)
                    if verb == "create":
                        return {"path": case.whole_ids, "body": case.body()}
                    record = case.made()
                    name = next(name for name in reversed(route.placeholders))
                    return {"path": {**case.whole_ids, name: record["id"]}}
        return {}

    def _made(self, line: str, body: Any, answers: list[Any], key: str | None = None, file: Any = None) -> Any:
        method, _, target = line.partition(" ")
        if method == "CLOCK":
            self.stub.clock.advance(float(target))
            return None
        target = self._filled(target, answers)
        path, _, query = target.partition("?")
        kind = "application/json" if file is None else _FORM
        headers = {"authorization": f"Bearer {self._filled(key or 'acme-admin', answers)}", "content-type": kind}
        content = json.dumps(self._filled(body, answers)).encode() if body is not None else b""
        content = content if file is None else _form("file", file, body)
        reply = self.stub.handle(Request(method, path, query, headers, content))
        assert reply.status < 300, (line, reply.status, reply.body)
        answer = json.loads(reply.body) if reply.body else None
        return answer["data"] if path.startswith("/v1/") and answer is not None else answer

    def _arguments(
        self, operation: Operation[..., Any], route: Route, given: Mapping[str, Any]
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        arguments = operation.arguments
        members: dict[str, Any] = {}
        query: dict[str, Any] = dict(given.get("query", {}))
        for name, parameter in operation.signature.parameters.items() if "bare" not in given else ():
            if name in route.placeholders or name == "version" or name not in arguments.types:
                continue
            if name == arguments.body:
                shown = arguments.shape(route.dialect.name)
                wanted = example(arguments.body_type) if arguments.items is None else {}
                members |= self._known({k: v for k, v in wanted.items() if shown is None or snake(k) in shown.names})
            elif parameter.default is parameter.empty and route.has(name):
                value = self._known({camel(name): value_of(arguments.types[name], name)})
                if route.method in ("GET", "DELETE") or arguments.body is not None:
                    query = value | query
                else:
                    members |= value
        members |= given.get("body", {})
        if route.method in ("PUT", "PATCH") and not members:
            members = self._change(operation, route)
        sends = bool(members) or route.method == "POST" or arguments.body is not None
        return (members if sends and route.method != "GET" else None), query

    def _change(self, operation: Operation[..., Any], route: Route) -> dict[str, Any]:
        for name in ("name", "title", "label", "description", "notes", "message", "body"):
            if name in operation.arguments.members:
                return {camel(name): "Changed"}
        return {}

    # -- ids ---------------------------------------------------------------------------------------------------

    def _path(self, route: Route, given: Mapping[str, str]) -> str:
        known: dict[str, Any] = {}
        path = f"/{route.dialect.name}{route.full_path}" if route.dialect.name != "platform" else route.full_path
        for name in reversed(route.placeholders):
            if name not in given:
                known[name] = self._id(snake(name).removesuffix("_id"), known)
        if None in known.values():
            known = {}
        for name in route.placeholders:
            value = given.get(name) or known.get(name) or "x"
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return path

    def _record(self, kind: str) -> Any:
        kind = _KINDS.get(kind, kind)
        return next(iter(self.stub.collection(COMPANY, kind).all()), None)

    def _id(self, kind: str, parts: Mapping[str, Any]) -> Any:
        """Return the id of a record; of a whole that of the part that is known already."""
        for part in parts.values():
            found = next(
                (doc for held in self.stub.store.of_company(COMPANY) if (doc := held.get(str(part))) is not None), None
            )
            if found is not None and found.get(f"{kind}_id"):
                return found[f"{kind}_id"]
        record = self._record(kind)
        return record["id"] if record is not None else None

    def _known(self, value: Any, name: str = "") -> Any:
        """Exchange made-up identifiers for those of records."""
        if isinstance(value, dict) and name == "entity":
            return {"type": "contact", "id": self._id("contact", {})}
        if isinstance(value, dict):
            return {key: self._known(inner, snake(key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._known(inner, re.sub(r"s$", "", name)) for inner in value]
        if isinstance(value, str) and name == "entity":
            return "contact"
        if isinstance(value, str) and name == "entity_type":
            return "contact"
        if isinstance(value, str) and name.endswith("_id") and name != "external_id":
            return self._id("contact" if name == "entity_id" else name.removesuffix("_id"), {}) or value
        return value

    def _filled(self, value: Any, answers: list[Any]) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(inner, answers) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner, answers) for inner in value]
        if not isinstance(value, str):
            return value

        def put(match: re.Match[str]) -> str:
            way, _, place = match[1].rpartition(" ")
            head, *rest = place.split(".")
            if head == "mail":
                return str(self.stub.mails[-1].token)
            found: Any = answers if head == "before" else self._record(head)
            for part in rest or ["id"]:
                found = found[int(part)] if part.isdigit() else found[part]
            if way == "totp":
                return Authenticator(self.stub, found).code()
            return str(found).rpartition("/")[2] if way == "last" else str(found)

        return re.sub(r"<([a-z_ ]+(?:\.\w+)*)>", put, value)


def _form(name: str, file: Sequence[str], members: Mapping[str, Any]) -> bytes:
    """Return a multipart form with a file, which is (name, content, type), and further members."""
    lines = [
        f"--{_BOUNDARY}", f'Content-Disposition: form-data; name="{name}"; filename="{file[0]}"',
        f"Content-Type: {file[2]}", "", file[1],
    ]  # fmt: skip
    for member, value in members.items():
        lines += [f"--{_BOUNDARY}", f'Content-Disposition: form-data; name="{member}"', "", str(value)]
    return "\r\n".join([*lines, f"--{_BOUNDARY}--", ""]).encode("latin-1")
