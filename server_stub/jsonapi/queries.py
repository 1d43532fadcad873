"""The parameters of JSON:API in a query: ``page[size]``, ``sort=-name``, ``fields[contact]``, ``include``, filters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.operation import Operation
from crm_sdk.route import PAGING, Route
from crm_sdk.vocabulary.codes import VIEWED
from crm_sdk.wire import camel, snake

from ..problems import Problem, invalid
from .forms import Forms, Kinds

_FAMILY = re.compile(r"([A-Za-z]+)\[([^\[\]]*)\]")
_PAGES: Mapping[str, str] = {"number": "page", "size": "limit"}


@dataclass
class Asked:
    """What a query asks for."""

    plain: dict[str, str] = field(default_factory=dict[str, str])
    """The parameters of the plain request, by their wire names."""
    sent: dict[str, str] = field(default_factory=dict[str, str])
    """The name that each of them came under."""
    include: Sequence[str] | None = None
    """The relationships whose records the document holds, too; None where none are asked for."""
    fields: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """The names of the fields that resources are reduced to, by type."""


def read(
    forms: Forms, operation: Operation[..., Any], route: Route, query: Mapping[str, str], own_type: str | None
) -> Asked:
    """Return what a query asks for; `own_type` is the type of the resources where it depends on the company.

    Raises: 400 for what JSON:API does not have or a value that came twice; 422 for an unknown field, two sort fields.
    """
    asked, kinds = Asked(), forms.answer_of(operation)
    known = _known_parameters(operation, route)
    for name, value in query.items():
        family = _FAMILY.fullmatch(name)
        if family is not None and family[1] == "filter":
            _put(asked, _filter(kinds, known, family[2]), name, value)
        elif family is not None and family[1] == "page" and family[2] in _PAGES:
            _put(asked, _PAGES[family[2]], name, value)
        elif family is not None and family[1] == "fields":
            asked.fields[family[2]] = [one for one in value.split(",") if one]
        elif name == "include":
            _include(asked, kinds, known, value)
        elif name == "sort" and "sort" in known:
            _sort(asked, kinds, query, value)
        elif name in known or not _is_reserved(name):
            _put(asked, name, name, value)
        else:
            raise _wrong(
                name, f"{operation.id} has no parameter {name}: names of small letters alone are JSON:API's own"
            )
    _check_fields(forms, asked, kinds, own_type)
    own = asked.fields.get(own_type or "") if own_type is not None else _own_fields(asked, kinds)
    if own is not None and route.method == "GET" and operation.answers_records:
        if "fields" in asked.plain:
            raise _both(asked.sent["fields"], f"fields[{own_type or kinds.forms[0].name}]")
        name = f"fields[{own_type or kinds.forms[0].name}]"
        _put(asked, "fields", name, ",".join(kinds.members.get(one, one) for one in own) or "id")
    return asked


def _known_parameters(operation: Operation[..., Any], route: Route) -> frozenset[str]:
    """Return the names of the parameters that the plain request can have."""
    arguments = operation.arguments
    names = {route.wire_name(name) for name in arguments.types if route.has(name)} | set(map(camel, arguments.members))
    if operation.is_paged:
        names |= {name for name in PAGING if name != "offset"}
    if route.method == "GET" and operation.answers_records:
        names.add("fields")
    return frozenset(names | ({"view"} if operation.id in VIEWED else set()))


def _put(asked: Asked, name: str, sent: str, value: str) -> None:
    if name in asked.plain:
        raise _both(asked.sent[name], sent)
    asked.plain[name], asked.sent[name] = value, sent


def _both(first: str, second: str) -> Problem:
    return _wrong(second, f"{first} and {second} say the same: give one of them")


def _wrong(parameter: str, message: str) -> Problem:
    return Problem("BAD_REQUEST", message, field=parameter)


def _is_reserved(name: str) -> bool:
    """Tell whether JSON:API keeps a name for itself: small letters alone, or a family called so."""
    return re.fullmatch(r"[a-z]+(\[.*)?", name) is not None


def _filter(kinds: Kinds, known: frozenset[str], name: str) -> str:
    """Return the plain parameter of a filter: ``owner`` and ``ownerId`` mean the same."""
    if name in known:
        return name
    relation = kinds.relations.get(name)
    if relation is not None and relation.wire in known:
        return relation.wire
    return kinds.members[name] if kinds.members.get(name) in known else f"filter[{name}]"


def _sort(asked: Asked, kinds: Kinds, query: Mapping[str, str], value: str) -> None:
    if "," in value:
        raise invalid("sort", "length", "a list is sorted by one field")
    falling, name = value.startswith("-"), value.removeprefix("-")
    if falling and "order" in query:
        raise _both("order", "sort")
    _put(asked, "sort", "sort", kinds.members.get(name, name) if name not in kinds.relations else name)
    if falling:
        _put(asked, "order", "sort", "desc")


def _include(asked: Asked, kinds: Kinds, known: frozenset[str], value: str) -> None:
    """Read ``include``: relationships are JSON:API's, other words those that the plain request has."""
    names = [one for one in value.split(",") if one]
    wanted = [name for name in names if name in kinds.relations]
    rest = [name for name in names if name not in wanted]
    if rest and "include" not in known:
        there = ", ".join(sorted(kinds.relations)) or "none"
        raise _wrong("include", f"there is no relationship {rest[0]!r} to include; there are: {there}")
    asked.include = wanted if wanted or not rest else None
    if rest:
        _put(asked, "include", "include", ",".join(rest))


def _own_fields(asked: Asked, kinds: Kinds) -> Sequence[str] | None:
    types = {form.name for form in kinds.forms}
    return next((names for type_, names in asked.fields.items() if type_ in types), None)


def _check_fields(forms: Forms, asked: Asked, kinds: Kinds, own_type: str | None) -> None:
    """Raise 422 for a type that there is not, and UNKNOWN_FIELD for a field that its resources do not have."""
    for type_, names in asked.fields.items():
        own = type_ == own_type or (own_type is None and type_ in {form.name for form in kinds.forms})
        models = [form.model for form in kinds.forms] if own else forms.models_of(type_)
        if not own and not forms.is_type(type_):
            raise invalid(f"fields[{type_}]", "unknown", f"no resource has the type {type_!r}")
        members = {name for model in models for name in forms.form_of(model).members}
        for name in names:
            head = name.partition(".")[0]
            if models and head not in members and snake(head) not in {n for m in models for n in m.model_fields}:
                raise Problem(
                    "UNKNOWN_FIELD", f"{type_} has no field {name!r}", field=f"fields[{type_}]", rule="choice",
                    details={"field": name},
                )  # fmt: skip
