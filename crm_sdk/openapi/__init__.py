"""The CRM's HTTP API as OpenAPI 3.1: one document for each dialect, made from the declarations."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .._version import __version__
from ..catalogue import Catalogue, declared_operations
from ..dialects import DIALECTS
from ..resource import parts
from . import answers
from .calls import operation_object, with_examples
from .schemas import Schemas

_TITLES: Mapping[str, str] = {
    "mvp": "CRM, as the MVP document has it",
    "flow": "CRM, as the Flow document has it",
    "platform": "CRM, as the platform document has it",
}
_BEARER = "An access token, or an API key: `Authorization: Bearer …`"
_HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Request-ID": ("string", "Identifies the request; quote it in support questions."),
    "X-RateLimit-Limit": ("integer", "The number of calls allowed in one window."),
    "X-RateLimit-Remaining": ("integer", "The number of calls left in this window."),
    "X-RateLimit-Reset": ("integer", "When the window ends, as a Unix time."),
    "Retry-After": ("integer", "Seconds to wait."),
    "Location": ("string", "The path of the created record."),
}


def document(dialect: str, server: str | None = None) -> dict[str, Any]:
    """Return the OpenAPI document of a dialect; `server` is the URL its paths follow, by default the path ``/``."""
    found = DIALECTS[dialect]
    schemas = Schemas(dialect)
    paths: dict[str, dict[str, Any]] = {}
    nouns: set[str] = set()
    for operation in declared_operations():
        route = operation.routes.get(dialect)
        if route is not None:
            nouns.add(operation.id.partition(".")[0])
            paths.setdefault(route.path, {})[route.method.lower()] = operation_object(operation, route, schemas)
    components = {**schemas.components, "Failure": answers.failure(dialect)}
    for path in paths.values():
        for method in path.values():
            with_examples(method, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": _TITLES[dialect], "version": __version__, "description": _about(dialect)},
        "servers": [{"url": server if server is not None else found.prefix or "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": noun, "description": inspect.getdoc(kind)}
            for noun, kind in parts(Catalogue).items()
            if noun in nouns
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "parameters": _parameters(),
            "headers": {
                name: {"description": text, "schema": {"type": kind}} for name, (kind, text) in _HEADERS.items()
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": _BEARER}},
        },
    }


def _about(dialect: str) -> str:
    lines = ["Routes marked `x-origin: ours` are in no document.", "`x-codes` are the error codes of a status."]
    if dialect == "platform":
        lines.append("With `Accept: application/vnd.api+json` every JSON answer is a document of JSON:API 1.1.")
    if dialect != "platform":
        lines.append("Where two dialects have the same path, the header `X-CRM-Dialect` chooses one.")
    return " ".join(lines)


def _parameters() -> dict[str, Any]:
    return {
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": 'The version the record must have, such as `"3"`; with another one nothing is changed.',
            "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
        },
        "AuditReason": {
            "name": "X-Audit-Reason",
            "in": "header",
            "description": "Why this is done, for the audit trail; percent-encoded where it is not ASCII.",
            "schema": {"type": "string", "maxLength": 500, "pattern": "^[ -~]*$"},
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of the version that is known; where it is the present one, the answer is 304.",
            "schema": {"type": "string", "pattern": "^[ -~]*$"},
        },
        "Fields": {
            "name": "fields",
            "in": "query",
            "description": "The members to answer, beside `id` and `version`; a dot reaches into an object.",
            "schema": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "explode": False,
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A repeated request with the same key within 24 hours gets the answer of the first one.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        },
    }
