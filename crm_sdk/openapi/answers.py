"""The schemas of whole answers in each dialect: the envelope of a success, the body of an error."""

from __future__ import annotations

from typing import Any

from ..operation import Operation
from ..resource import Sync
from ..route import Route
from .schemas import Schema, Schemas

_INTEGER: Schema = {"type": "integer"}
_TEXT: Schema = {"type": "string"}
_DETAILS: Schema = {"type": "object", "description": "Typed values, such as `existingId` or `currentVersion`."}
_WINDOW = {"limit": _INTEGER, "offset": _INTEGER, "hasMore": {"type": "boolean"}}
_PAGE = {
    "page": _INTEGER,
    "limit": _INTEGER,
    "total": _INTEGER,
    "hasNext": {"type": "boolean"},
    "hasPrev": {"type": "boolean"},
}
_META = {"timestamp": {"type": "string", "format": "date-time"}, "version": _TEXT, "requestId": _TEXT}


def success(operation: Operation[Any, Any], route: Route, schemas: Schemas) -> Schema:
    """Return the schema of the whole answer of a successful call."""
    if operation.arguments.returns is None:
        return _nothing(route)
    content = schemas.of(operation.arguments.content(Sync))
    listed = operation.kind == "page"
    if route.dialect.name == "platform":
        return _envelope(content, {"pagination": _object(_PAGE)} if listed else {})
    if route.dialect.name == "mvp" and listed:
        noun = [segment for segment in route.path.split("/") if segment and "{" not in segment][-1]
        window = {"pagination": _object(_WINDOW)} if route.has("limit") and operation.is_paged else {}
        return _object({noun: content, "total": _INTEGER, **window})
    return content


def _nothing(route: Route) -> Schema:
    """Return the schema of the answer of a call without a result."""
    if route.dialect.name != "platform":
        return _object({"success": {"type": "boolean"}})
    deleted = _object({"id": _TEXT, "deleted": {"type": "boolean"}})
    return _envelope(deleted if route.method == "DELETE" and route.placeholders else {"type": "null"}, {})


def failure(dialect: str) -> Schema:
    """Return the schema of the body of an error."""
    entry = {"code": _TEXT, "message": _TEXT, "details": _DETAILS}
    if dialect != "platform":
        return _object({"error": _object(entry)}, "What went wrong.")
    field = {"description": "The member that is wrong, with its path.", **_TEXT}
    rule = {"description": "The rule that it breaks.", **_TEXT}
    errors = {"type": "array", "items": _object(entry | {"field": field, "rule": rule}, needed=("code", "message"))}
    return _object(
        {"success": {"const": False}, "data": {"type": "null"}, "meta": _object(_META), "errors": errors},
        "What went wrong: one entry for each member, or one for the whole.",
    )


def _envelope(content: Schema, more: Schema) -> Schema:
    errors = {"type": "array", "items": {"type": "object"}, "maxItems": 0}
    return _object({"success": {"const": True}, "data": content, "meta": _object(_META | more), "errors": errors})


def _object(members: Schema, text: str = "", *, needed: tuple[str, ...] | None = None) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(members)}
    return schema | {"required": list(members if needed is None else needed)} | ({"description": text} if text else {})
