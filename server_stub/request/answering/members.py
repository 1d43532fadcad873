"""Sparse answers: the members that `fields` of a search, a list or a get selects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from crm_sdk.models.record import Model
from crm_sdk.operation import Operation
from crm_sdk.resource import Sync
from crm_sdk.route import Route
from crm_sdk.wire import camel, is_array, is_object, snake

from ...data.merging import free_members
from ...problems import Problem

Tree = dict[str, "Tree"]
"""Selected wire names, each with the selected members below it; an empty mapping selects all."""


def take_fields(operation: Operation[..., Any], route: Route, query: dict[str, str]) -> Sequence[str] | None:
    """Remove `fields` from a query and return it, if the call returns records and declares no argument `fields`."""
    if "fields" not in query or "fields" in operation.arguments.types or route.dialect.name != "platform":
        return None
    if route.method != "GET" or not operation.answers_records:
        return None
    return query.pop("fields").split(",")


def fields_of(operation: Operation[..., Any], arguments: Mapping[str, Any]) -> Sequence[str]:
    """Return the members that a SearchQuery selects: its `fields`, and the nested lists of `include`.

    In the body of a call that does not search, `fields` are something else.
    """
    query = arguments.get(operation.arguments.body or "")
    if "filter_groups" not in operation.arguments.members or not is_object(query) or not is_array(query.get("fields")):
        return ()
    return [*query["fields"], *(query.get("include") or ())]


def picking(operation: Operation[..., Any], fields: Sequence[str]) -> Callable[[Any], Any]:
    """Return a function that reduces a rendered record, or a list of records, to the fields, id and version.

    In the hits of a ranked search, fields that no hit has are those of its record; the rest of the hit stays then.

    Raises: 422 UNKNOWN_FIELD for a field that no record of the call has.
    """
    models = list(_models(_content(operation)))
    found = [model for model in models if "matched_fields" in model.model_fields]
    if not found or all(path_of(models, field) is not None for field in fields):
        return picker(models, fields)
    pick = picker([one for hit in found for one in _models(hit.model_fields["record"].annotation)], fields)
    return lambda hits: [hit | {"record": pick(hit["record"])} for hit in hits]


def picker(models: Sequence[type[Model]], fields: Sequence[str]) -> Callable[[Any], Any]:
    """Return a function that reduces a rendered record of one of the models to the fields, id and version.

    Raises: 422 UNKNOWN_FIELD for a field that none of the models has.
    """
    tree: Tree = {"id": {}, "version": {}}
    paths: list[tuple[str, ...]] = []
    for number, field in enumerate(fields):
        path = path_of(models, field)
        if path is None:
            raise Problem(
                "UNKNOWN_FIELD", f"there is no member {field!r}", field=f"fields.{number}", rule="choice",
                details={"field": field},
            )  # fmt: skip
        paths.append(tuple(path))
    for names in wholes(paths):
        at = tree
        for name in names[:-1]:
            at = at.setdefault(name, {})
        at[names[-1]] = {}
    return lambda rendered: _picked_members(rendered, tree)


def wholes(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return paths to members without those to a part of what another one of them has whole."""
    known = set(paths)
    return [path for path in paths if not any(path[:end] in known for end in range(1, len(path)))]


def _content(operation: Operation[..., Any]) -> Any:
    return operation.arguments.content(Sync)


def _models(annotation: Any) -> Iterator[type[Model]]:
    """Yield the models of a type: of the type itself, its union branches and list items."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def path_of(models: Sequence[type[Model]], field: str) -> list[str] | None:
    """Return the wire names of the path to a member such as ``address.city``; None where no model has it."""
    head, _, rest = field.partition(".")
    name = snake(head)
    for model in models:
        if name not in model.model_fields:
            continue
        if not rest:
            return [camel(name)]
        if name in free_members(model):  # its keys are defined by the company
            return [camel(name), rest]
        inner = path_of(list(_models(model.model_fields[name].annotation)), rest)
        if inner is not None:
            return [camel(name), *inner]
    return None


def _picked_members(value: Any, tree: Mapping[str, Any]) -> Any:
    if is_array(value):
        return [_picked_members(item, tree) for item in value]
    if not tree or not is_object(value):
        return value
    return {name: _picked_members(member, tree[name]) for name, member in value.items() if name in tree}
