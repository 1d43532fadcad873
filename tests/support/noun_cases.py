"""A record of any noun, made through its declared calls: what the test of all nouns stands on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Annotated, Any, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.models import patterns, values
from crm_sdk.operation import Operation
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.noun import Noun
from server_stub.request.http import Reply, Request

_numbers = count(1)
_BODIES: Mapping[str, Mapping[str, Any]] = {
    "event": {"endTime": "2026-12-24T09:00:00Z", "startTime": "2026-12-24T08:00:00Z"},
    "email": {"to": [{"email": "ada@example.com"}], "sentAt": "2026-01-14T08:00:00Z"},
    "note": {"contactId": "contact_123"},
    "stage": {"probability": 10},
    "app": {"category": "data"},
    "rule": {"trigger": {"event": "deal_won"}, "actions": [{"type": "add_tag", "tag": "won"}]},
    "field": {"type": "text"},
    "object_relationship": {"relatedObject": "contact", "cardinality": "many_to_many"},
    "dashboard": {"visibility": "tenant"},
    "report": {"visibility": "tenant", "columns": [{"field": "name"}]},
    "schedule": {"schedule": {"frequency": "daily"}, "recipients": ["ada@example.com"]},
    "integration": {"authType": "none"},
    "mapping": {"entityType": "contact", "sourceField": "title", "targetField": "custom_fields.x{}"},
    "template": {"subject": "Hello"},
    "webhook": {"url": "https://app.example/hook", "events": ["*"]},
    "comment": {"entity": {"type": "lead", "id": "lead_456"}},
    "share": {"subjectType": "user", "subjectId": "user_sam"},
    "role": {"permissions": [{"resource": "contacts", "action": "read"}]},
    "export_schedule": {
        "request": {"entityTypes": ["contact"]},
        "schedule": {"frequency": "daily"},
        "name": "unique-{}",
    },
    "layout": {"entity": "contact", "kind": "list", "columns": [{"field": "name"}]},
}
"""Members of a new record that its input type does not tell, by kind; ``{}`` is another number each time."""
_UNIQUE: Mapping[str, str] = {
    "domain": "unique-{}.example", "email": "unique-{}@example.com", "api_name": "unique_{}",
}  # fmt: skip
"""What unique members look like; each record gets values of its own."""
_BY_PATTERN: Mapping[str, str] = {
    patterns.ROLE_KEY_PATTERN: "unique_{}",
    patterns.FLAG_KEY_PATTERN: "unique-{}",
    values.PERMISSION_PATTERN: "contacts:read",
    values.EVENT_PATTERN: "deal.won",
    values.SETTING_PATTERN: "api_key",
    values.OWN_ACTION_PATTERN: "custom.signed",
    values.SEMVER_PATTERN: "1.1.0",
    values.URL_PATTERN: "https://example.com",
    values.EMAIL_PATTERN: "unique-{}@example.com",
}
_CHANGES: Mapping[str, tuple[str, Any]] = {"mapping": ("active", False), "trigger": ("active", False)}
"""A member and another value of it, for kinds that have no text to change."""
_QUERIES: Mapping[str, str] = {"comment": "entityType=lead&entityId=lead_456", "share": "direction=by_me"}
"""What a list is asked for that has what was made, by kind."""
KEYS = {"admin": "acme-admin", "sales": "acme-sales", "other": "globex-admin"}


@dataclass
class Case:
    """One noun on a server, with the calls that its resource declares."""

    noun: Noun
    stub: StubServer
    whole_ids: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(noun: Noun, stub: StubServer) -> Case:
        """Return a noun's case; of a part with a whole to be in."""
        case = Case(noun, stub)
        if noun.within is not None:
            member, whole = noun.within
            case.whole_ids[member] = Case.of(whole, stub).made()["id"]
        return case

    def has(self, *verbs: str) -> bool:
        """Tell whether the resource declares calls."""
        return all(self.noun.declared(verb) is not None for verb in verbs)

    def operation(self, verb: str) -> Operation[..., Any]:
        found = self.noun.declared(verb)
        assert found is not None
        return found

    def inputs(self, verb: str) -> frozenset[str]:
        """Return the members of the body of a call that its first documented dialect has."""
        operation = self.operation(verb)
        dialect = next(name for name in ("platform", "flow", "mvp") if name in operation.routes)
        shape = operation.arguments.shape(dialect)
        return operation.arguments.members if shape is None else frozenset(shape.names)

    def call(
        self,
        verb: str,
        id: str | None = None,
        body: Any = None,
        *,
        query: str = "",
        who: str = "admin",
        version: int | None = None,
    ) -> Answer:
        """Make a call as somebody, by its first documented route."""
        operation = self.operation(verb)
        dialect = next(name for name in ("platform", "flow", "mvp") if name in operation.routes)
        route = operation.routes[dialect]
        path = route.full_path
        for name in route.placeholders:
            path = path.replace(f"{{{name}}}", self.whole_ids.get(name, id or ""))
        headers = {"authorization": f"Bearer {KEYS.get(who, who)}", "content-type": "application/json"}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        content = json.dumps(body).encode() if body is not None else b""
        reply = self.stub.handle(Request(route.method, f"/{dialect}{path}", query, headers, content))
        return Answer(reply, dialect)

    def body(self, **members: Any) -> dict[str, Any]:
        """Return a valid body of a new record, in camelCase; no two have the same name."""
        required = example(self.operation("create").arguments.body_type)
        own = {
            name: value.replace("{}", str(next(_numbers))) if isinstance(value, str) else value
            for name, value in _BODIES.get(self.noun.kind, {}).items()
        }
        if "entity" in required and "entity" not in own:
            own["entity"] = {"type": "lead", "id": Case.of(self.stub.nouns["lead"], self.stub).made()["id"]}
        body = {**required, **own, **members}
        for name, kind in self.noun.refers.items():
            if camel(name) in body and camel(name) not in members:
                body[camel(name)] = Case.of(self.stub.nouns[kind], self.stub).made()["id"]
        return body

    def made(self, who: str = "admin", **members: Any) -> dict[str, Any]:
        """Make a record and return it as the server answered it."""
        record: dict[str, Any] = self.call("create", body=self.body(**members), who=who).ok()
        return record

    def stored(self, id: str) -> Document:
        """Return a record as the server keeps it."""
        doc = self.stub.collection("tenant_acme", self.noun.collection).get(id, deleted=True)
        assert doc is not None
        return doc

    def is_own(self, id: str) -> bool:
        """Tell whether the company may write a record: of those that all companies share, its own only."""
        return not self.noun.shared or self.stored(id)["tenant_id"] == "tenant_acme"

    def changeable(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members of a record that an update may set, as they are."""
        return {
            camel(name): record[camel(name)]
            for name in self.operation("update").arguments.members
            if record.get(camel(name)) is not None
        }

    def change_of(self, record: Mapping[str, Any]) -> tuple[str, Any]:
        """Return a member of a record and another value for it."""
        if self.noun.kind in _CHANGES:
            return _CHANGES[self.noun.kind]
        members = self.operation("update").arguments.members
        name = next(
            name for name in ("name", "title", "label", "description", "notes", "message", "body") if name in members
        )
        return camel(name), f"Changed {next(_numbers)}"

    def unique_value(self, name: str) -> dict[str, Any]:
        """Return a value for a member that no two records share."""
        number = next(_numbers)
        return {camel(name): _UNIQUE.get(name, "Unique {}").format(number)}

    def page(self, query: str = "") -> list[dict[str, Any]]:
        """Return a page of the list."""
        query = "&".join(part for part in (query, _QUERIES.get(self.noun.kind)) if part)
        found: list[dict[str, Any]] = self.call("list", query=query).ok()
        return found

    def everything(self, query: str = "", limit: int = 200) -> list[dict[str, Any]]:
        """Return the whole list, page by page."""
        found: list[dict[str, Any]] = []
        for number in count(1):
            page = self.page(f"{query}&limit={limit}&page={number}".lstrip("&"))
            found += page
            if len(page) < limit:
                break
        return found

    def listed(self) -> set[str]:
        """Return the ids in the list."""
        return {record["id"] for record in self.everything()}

    def deeds(self, id: str) -> list[str]:
        """Return the actions that the trail has of a record, oldest first."""
        return [
            entry["action"] for entry in self.stub.audit() if id in json.dumps([entry["entity"], entry["metadata"]])
        ]


@dataclass
class Answer:
    """What came of a call."""

    reply: Reply
    dialect: str

    @property
    def body(self) -> Any:
        return json.loads(self.reply.body)

    def ok(self) -> Any:
        """Return the content of a success."""
        assert self.reply.status < 300, (self.reply.status, self.reply.body)
        return self.body["data"] if self.dialect == "platform" else self.body

    @property
    def code(self) -> str:
        """The code of a failure."""
        assert self.reply.status >= 400, self.reply.body
        return str(self.body["errors"][0]["code"] if self.dialect == "platform" else self.body["error"]["code"])

    @property
    def field(self) -> str | None:
        """The member that a failure is about."""
        error = self.body["errors"][0] if self.dialect == "platform" else self.body["error"]["details"]
        return str(error.get("field"))

    @property
    def details(self) -> dict[str, Any]:
        """The typed values of a failure."""
        error = self.body["errors"][0] if self.dialect == "platform" else self.body["error"]
        found: dict[str, Any] = error["details"]
        return found

    @property
    def total(self) -> int:
        pages = self.body["meta"]["pagination"] if self.dialect == "platform" else {"total": len(self.body)}
        return int(pages["total"])


def example(kind: Any) -> dict[str, Any]:
    """Return the required members of an input, each at some valid value, in camelCase."""
    hints = get_type_hints(kind, include_extras=True)
    required = {name for name, hint in hints.items() if "Required[" in str(hint)[:40]} or kind.__required_keys__
    return {camel(name): value_of(hints[name], name) for name in sorted(required)}


def value_of(hint: Any, name: str) -> Any:
    """Return some valid value of a type; a text is another one each time."""
    text = str(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if str(origin).rpartition(".")[2] in ("Required", "NotRequired"):
        return value_of(inner[0], name)
    if origin is Annotated and (is_typeddict(inner[0]) or get_origin(inner[0]) in (list, Sequence)):
        return value_of(inner[0], name)
    if is_typeddict(hint):
        return example(hint)
    if name in _UNIQUE:
        return _UNIQUE[name].format(next(_numbers))
    if origin in (list, Sequence):
        return [value_of(inner[0], name)]
    if "Literal[" in text:
        return text.partition("Literal[")[2].split("]")[0].split(",")[0].strip("'\" ")
    for pattern, sample in _BY_PATTERN.items():
        if repr(pattern) in text:
            return sample.format(next(_numbers))
    if "datetime" in text.lower():
        return (datetime(2026, 1, 20, 9, tzinfo=UTC) + timedelta(hours=next(_numbers))).isoformat()
    if "int" in text or "Decimal" in text or "float" in text:
        return 10
    return f"{name.replace('_', ' ').title()} {next(_numbers)}"
