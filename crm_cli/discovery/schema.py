"""``crm schema COMMAND``: the JSON Schema of what a command prints as JSON, or of its ``--data``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from crm_sdk.operation import Operation
from crm_sdk.wire import is_array, is_object

from ..failures import MisuseError
from ..settings import Options
from ..tree.near import refusal

if TYPE_CHECKING:
    from crm_sdk.openapi.schemas import Schemas

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_COMPONENTS = "#/components/schemas/"
_RICHEST_FIRST = ("platform", "flow", "mvp")


def schema(
    options: Options,
    words: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The words of a command, such as leads list.")],
    given: Annotated[bool, typer.Option("--input", help="Of what --data takes, in place of what is printed.")] = False,
) -> None:
    """Print the JSON Schema of what a command prints with `-o json`, or takes as `--data`."""
    from ..terminal.output import print_document

    operation = declared_call(words)
    found = of_input(operation) if given else of_output(operation)
    print_document(found, options)


def declared_call(words: list[str]) -> Operation[..., Any]:
    """Return the declared call of a command. Raises: MisuseError where there is none."""
    from crm_sdk.catalogue import Catalogue

    from ..tree.nouns import operations, resources

    kind: Any = Catalogue
    for number, word in enumerate(words):
        inner, calls = resources(kind), operations(kind)
        if number == len(words) - 1 and word in calls:
            return calls[word]
        if word not in inner:
            said = " ".join(("crm", *words[:number]))
            raise refusal(f"{said} has no call {word!r}", word, [*calls, *inner])
        kind = inner[word]
    there = ", ".join(operations(kind))
    raise MisuseError(f"crm {' '.join(words)} is a group; name one of its calls: {there}")


def of_output(operation: Operation[..., Any]) -> dict[str, Any]:
    """Return the schema of what a command prints as JSON. Raises: MisuseError for what prints no JSON."""
    from crm_sdk.openapi.schemas import Schemas

    if operation.kind in ("download", "stream") or operation.arguments.returns is None:
        raise MisuseError(f"crm {_words(operation)} prints no JSON document")
    schemas = Schemas(_dialect(operation))
    returns = operation.arguments.returns
    if operation.kind == "page":
        body = {"type": "array", "items": schemas.of(get_args(returns)[0])}
    elif operation.kind == "job":
        body = schemas.of(returns.__pydantic_generic_metadata__["args"][0])
    else:
        body = schemas.of(returns)
    return _document(f"What `crm {_words(operation)} -o json` prints", body, schemas)


def of_input(operation: Operation[..., Any]) -> dict[str, Any]:
    """Return the schema of ``--data``. Raises: MisuseError for a command that takes none."""
    from crm_sdk.openapi.calls import JSON, operation_object
    from crm_sdk.openapi.schemas import Schemas

    from ..tree.parameters import Form

    form, dialect = Form(operation), _dialect(operation)
    schemas = Schemas(dialect)
    content = operation_object(operation, operation.routes[dialect], schemas).get("requestBody", {}).get("content", {})
    if not form.has_data or JSON not in content:
        raise MisuseError(f"crm {form.path} takes no --data; `crm {form.path} --help` has its options")
    return _document(f"What `crm {form.path} --data` takes", content[JSON]["schema"], schemas)


def _words(operation: Operation[..., Any]) -> str:
    return operation.id.replace(".", " ").replace("_", "-")


def _dialect(operation: Operation[..., Any]) -> str:
    return next(dialect for dialect in _RICHEST_FIRST if dialect in operation.routes)


def _document(title: str, body: Mapping[str, Any], schemas: Schemas) -> dict[str, Any]:
    """Return a schema with the definitions that it refers to, and those that they refer to."""
    found: dict[str, Any] = {}
    waiting = _names(body)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = schemas.components[name]
            waiting |= _names(found[name])
    whole = {"$schema": _DRAFT, "title": title, **body}
    if found:
        whole["$defs"] = {name: found[name] for name in sorted(found)}
    rewritten: dict[str, Any] = _with_definitions(whole)
    return rewritten


def _names(value: Any) -> set[str]:
    """Return the components that a schema refers to."""
    if is_object(value):
        own = {str(value["$ref"]).removeprefix(_COMPONENTS)} if "$ref" in value else set[str]()
        return own.union(*(_names(inner) for inner in value.values()))
    return set[str]().union(*map(_names, value)) if is_array(value) else set()


def _with_definitions(value: Any) -> Any:
    """Return a schema that has its components as definitions of its own."""
    if is_object(value):
        return {
            name: str(inner).replace(_COMPONENTS, "#/$defs/")
            if name == "$ref"
            else {key: ref.replace(_COMPONENTS, "#/$defs/") for key, ref in inner.items()}
            if name == "mapping" and is_object(inner)
            else _with_definitions(inner)
            for name, inner in value.items()
        }
    return [_with_definitions(item) for item in value] if is_array(value) else value
