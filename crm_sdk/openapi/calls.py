"""One declared call as an operation of OpenAPI: its parameters, body, answers and errors in one dialect."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ..errors import error_class
from ..models.record import record_types
from ..operation import Operation
from ..route import PAGING, Route
from ..vocabulary import texts
from ..vocabulary.codes import codes_of
from ..wire import camel
from . import answers
from .examples import Examples
from .schemas import Schema, Schemas, one_or_many, types_of

JSON = "application/json"
_HEADERS = ("X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_SEES_COMMAS = {"style": "form", "explode": False}


def operation_object(operation: Operation[Any, Any], route: Route, schemas: Schemas) -> dict[str, Any]:
    """Return the operation object of a call, without examples: they need all components, see `with_examples`."""
    call = _Call(operation, route, schemas)
    flags = operation.flags
    found: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.id.partition(".")[0]],
        "summary": _http_words(operation, operation.doc.partition("\n")[0].rstrip(".")),
        "description": _http_words(operation, operation.doc),
        "parameters": list(call.parameters()),
        "responses": call.responses(),
        "x-rate-class": flags.rate,
    }
    body = call.body()
    if body is not None:
        found["requestBody"] = body
    if not flags.auth:
        found["security"] = []
    elif flags.ticket is not None:
        found["security"] = [{"bearer": []}, {}]
    if operation.destroys:
        found["x-destroys"] = True
    if flags.role is not None:
        found["x-role"] = flags.role
    if operation.is_ours(route.dialect.name):
        found["x-origin"] = "ours"
    return found


class _Call:
    """One call in one dialect."""

    def __init__(self, operation: Operation[Any, Any], route: Route, schemas: Schemas) -> None:
        self._operation = operation
        self._route = route
        self._schemas = schemas
        lock = "version" if operation.arguments.locks else None
        names = [
            name
            for name in operation.arguments.types
            if route.has(name) and name != lock and name not in operation.flags.headers
        ]
        # There are three paging arguments, of which each dialect has two.
        paging = route.dialect.page_arguments({"limit": 1, "offset": 1}).keys()
        self._names = [name for name in names if name not in PAGING or name in paging]
        self._in_query = route.method == "GET" or (
            route.method == "DELETE" and not any(name in self._names for name in operation.positional)
        )

    # -- what is sent ------------------------------------------------------------------------------------------

    @property
    def _beside(self) -> list[str]:
        """The keywords beside a body that is a record: they travel in the query."""
        body = self._operation.arguments.body
        return [name for name in self._names if name != body] if body in self._names else []

    def parameters(self) -> Iterator[dict[str, Any]]:
        """Yield the parameters in the path, in the query and in headers."""
        for name in self._route.placeholders:
            text = texts.of_argument(self._operation, name)
            schema = {"type": "string", "minLength": 1}
            yield {"name": name, "in": "path", "required": True, "description": text, "schema": schema}
        yield from (self._query_parameter(name) for name in (self._names if self._in_query else self._beside))
        for name, header in self._operation.flags.headers.items():
            yield {**self._query_parameter(name), "name": header, "in": "header"}
        if self._operation.arguments.locks and self._route.has("version"):
            yield {"$ref": "#/components/parameters/IfMatch"}
        if self._route.method != "GET" and not self._operation.flags.safe:
            yield {"$ref": "#/components/parameters/AuditReason"}
        if self._route.method == "POST":
            yield {"$ref": "#/components/parameters/IdempotencyKey"}
        reads = self._route.dialect.name == "platform" and self._route.method == "GET"
        if reads and self._operation.answers_records and "fields" not in self._operation.arguments.types:
            yield {"$ref": "#/components/parameters/Fields"}
        if self._has_tag:
            yield {"$ref": "#/components/parameters/IfNoneMatch"}

    @property
    def _has_tag(self) -> bool:
        """Whether the answer is one record of the platform, whose version the caller may know already."""
        one = bool(record_types(self._operation.arguments.returns))
        return one and self._route.dialect.name == "platform" and self._route.method == "GET"

    def _query_parameter(self, name: str) -> dict[str, Any]:
        schema = self._schemas.of(self._argument(name), written=True)
        if name == "sort" and self._route.dialect.camel_sort and "enum" in schema:
            schema = {**schema, "enum": [word and camel(word) for word in schema["enum"]]}
        found: dict[str, Any] = {
            "name": self._route.wire_name(name),
            "in": "query",
            "required": self._is_needed(name),
            "description": texts.of_argument(self._operation, name),
        }
        if name in self._operation.arguments.objects:  # its JSON text: the default spreads its members over the query
            return found | {"content": {JSON: {"schema": _without_null(schema)}}}
        return found | {"schema": _without_null(schema)} | (_SEES_COMMAS if schema.get("type") == "array" else {})

    def _argument(self, name: str) -> Any:
        return self._operation.arguments.types[name]

    def _is_needed(self, name: str) -> bool:
        default = self._operation.signature.parameters[name].default
        return default is inspect.Parameter.empty or name in self._route.always

    def body(self) -> dict[str, Any] | None:
        """Return the request body; None where there is none."""
        if self._in_query or not self._names:
            return None
        arguments = self._operation.arguments
        names = [name for name in self._names if name not in self._beside]
        # A change without a body is refused, rather than taken for one of nothing.
        needed = self._route.method in ("PUT", "PATCH") or any(self._is_needed(name) for name in names)
        plain = [name for name in names if name != arguments.upload]
        content: dict[str, Any] = {}
        if plain:
            content[JSON] = {"schema": self._members(plain)}
        if arguments.upload is not None:
            parts: dict[str, Any] = {camel(arguments.upload): {"type": "string", "format": "binary"}}
            if plain:
                parts["options"] = content[JSON]["schema"]
            required = [camel(arguments.upload)]
            form = {"type": "object", "properties": parts, "required": required, "additionalProperties": False}
            content["multipart/form-data"] = {"schema": form}
        return {"required": needed, "content": content}

    def _members(self, names: list[str]) -> Schema:
        """Return the schema of a JSON body that arguments make up."""
        body = self._operation.arguments.body
        if names == [body]:
            return self._schemas.of(self._operation.arguments.body_type, written=True)
        properties: dict[str, Schema] = {}
        needed: list[str] = []
        for name in names:
            schema = self._schemas.of(self._argument(name), written=True)
            default = self._operation.signature.parameters[name].default
            properties[self._route.wire_name(name)] = {
                **schema,
                "description": texts.of_argument(self._operation, name),
                **({"default": default} if isinstance(default, (str, int)) else {}),
            }
            if self._is_needed(name):
                needed.append(self._route.wire_name(name))
        found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return found | ({"required": needed} if needed else {})

    # -- what is answered --------------------------------------------------------------------------------------

    def responses(self) -> dict[str, Any]:
        """Return the responses by status: successes, then errors with their codes."""
        found: dict[str, Any] = {
            str(status): self._success(status)
            for status in sorted({self._operation.status, *self._operation.flags.statuses})
        }
        if self._has_tag:
            found["304"] = {"description": "The caller has this version.", "headers": _headers(*_HEADERS)}
        by_status: dict[int, list[str]] = {}
        for code, status in codes_of(self._operation, self._route).items():
            by_status.setdefault(status, []).append(code)
        for status, codes in by_status.items():
            found[str(status)] = {
                "description": "\n".join(
                    (f"{HTTPStatus(status).phrase}.\n", *(f"- `{code}`: {texts.of_code(code)}" for code in codes))
                ),
                "headers": _headers(*_HEADERS, *(("Retry-After",) if status == 429 else ())),
                "content": {JSON: {"schema": {"$ref": "#/components/schemas/Failure"}}},
                "x-codes": codes,
            }
        return found

    def _success(self, status: int) -> dict[str, Any]:
        named = (*_HEADERS, *(("Location",) if status == 201 else ()))
        found: dict[str, Any] = {"description": HTTPStatus(status).phrase, "headers": _headers(*named)}
        if self._operation.kind == "download":
            media = self._operation.flags.media or ("application/octet-stream",)
            found["content"] = {name: {"schema": {"type": "string", "format": "binary"}} for name in media}
        elif self._operation.kind == "stream":
            found["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
        else:
            found["content"] = {JSON: {"schema": answers.success(self._operation, self._route, self._schemas)}}
        return found


def with_examples(found: Mapping[str, Any], components: Mapping[str, Any]) -> None:
    """Add an example to each JSON body of an operation, what is sent and what is answered on success, and to what is
    needed in the path and the query; where nothing is, to the first argument that has a vocabulary.
    """
    examples = Examples(components, found["tags"][0])
    named = [parameter for parameter in found["parameters"] if "name" in parameter]
    needed = [parameter for parameter in named if parameter["required"]]
    for parameter in needed or [parameter for parameter in named if _has_vocabulary(parameter.get("schema", {}))][:1]:
        parameter["example"] = examples.of(parameter["schema"], parameter["name"], whole=False)
    body = found.get("requestBody", {}).get("content", {}).get(JSON)
    if body is not None:
        body["example"] = examples.of(body["schema"], whole=False)
    for status, response in found["responses"].items():
        media = response.get("content", {}).get(JSON)
        if media is not None and status < "300":
            media["example"] = examples.of(media["schema"])


def _has_vocabulary(schema: Schema) -> bool:
    return "enum" in schema or any("enum" in choice for choice in schema.get("anyOf", ()))


def _without_null(schema: Schema) -> Schema:
    """Return the schema of a value in a query, where there is no null."""
    kinds = types_of(schema)
    if "null" in kinds:
        schema = {**schema, "type": one_or_many([kind for kind in kinds if kind != "null"])}
    if "enum" in schema:
        schema = {**schema, "enum": [word for word in schema["enum"] if word is not None]}
    if "anyOf" in schema:
        choices = [_without_null(choice) for choice in schema["anyOf"] if choice != {"type": "null"}]
        return choices[0] if len(choices) == 1 else {**schema, "anyOf": choices}
    return schema


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


_ERRORS = re.compile(r"\b([A-Z]\w+Error)\b")


def _http_words(operation: Operation[Any, Any], doc: str) -> str:
    """Return a docstring for a reader who has no Python: members as on the wire, errors as statuses."""
    names = {*operation.signature.parameters, *operation.arguments.names, *texts.members_of_answer(operation)}
    doc = re.sub(r"`+(\w+)=(True|False)`+", lambda m: f"`{camel(m[1])}` {m[2].lower()}", doc)
    doc = re.sub(r"`+(\w+)`+", lambda m: f"`{camel(m[1]) if m[1] in names else m[1]}`", doc)
    doc = _ERRORS.sub(lambda m: _STATUSES.get(m[1], m[1]), doc)
    return doc.replace("Raises:", "Fails:")


_STATUSES = {error_class(status, "").__name__: str(status) for status in (400, 401, 403, 404, 409, 422, 429)} | {
    "AiServiceError": "500"
}
