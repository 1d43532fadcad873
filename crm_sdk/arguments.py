"""The arguments of a declared call: their types, their validation, and their form in a JSON body.

The client validates arguments before it sends them, the stub the arguments it receives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Union, cast, get_args, get_origin

import pydantic
from pydantic import TypeAdapter, with_config
from pydantic import ValidationError as _Invalid
from typing_extensions import TypedDict, get_type_hints, is_typeddict

from . import models
from .errors import FieldError, InvalidInputError
from .frozen import real_dates
from .listing import common_arguments
from .models import patterns, values
from .models.marks import INPUT
from .models.record import Model
from .models.values import Upload
from .models.written import is_model, union_members, written
from .network.uploads import multipart
from .resource import Sync
from .wire import Shape, camel, encode_json, is_array, is_object, shape_of, snake

if TYPE_CHECKING:
    from .declaration import Declaration
    from .route import Route


class _Names(Mapping[str, Any]):
    """The names in a declaration's annotations, each imported when it is first needed.

    A resource imports its models for type checkers only. Importing all of them here would take longer than a call.
    """

    def __init__(self, function: Any) -> None:
        self._globals: dict[str, Any] = function.__globals__

    def __getitem__(self, name: str) -> Any:
        if name in self._globals:
            return self._globals[name]
        for module in (models, values, pydantic, import_module(__package__ or "")):  # the last has `Stream`
            found = getattr(module, name, None)
            if found is not None:
                return found
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._globals)

    def __len__(self) -> int:
        return len(self._globals)


class Arguments:
    """The types of a declaration's arguments and of its result."""

    def __init__(self, operation: Declaration[Any, Any]) -> None:
        self._operation = operation
        names = _Names(operation.function)
        self._hints = get_type_hints(operation.function, localns=names, include_extras=True)
        self.returns: Any = self._hints.pop("return")
        if self.returns is type(None):
            self.returns = None
        common = common_arguments(operation.function)
        if common is not None:
            self._hints.popitem()  # `**common`, the last of them
            self._hints |= get_type_hints(common, localns=names, include_extras=True)
        self._hints = {name: _without_records(hint) for name, hint in self._hints.items()}
        self.locks: bool = int in get_args(self._hints.get("version"))
        """Whether `version` is that of the record, which travels as ``If-Match``, and not a text such as ``1.2.0``."""
        placeholders = {name for route in operation.routes.values() for name in route.placeholders}
        self.types: dict[str, Any] = {name: hint for name, hint in self._hints.items() if name not in placeholders}
        self.upload: str | None = next(
            (name for name, hint in self.types.items() if hint in (Upload, Upload | None)), None
        )
        in_body = [name for name in operation.positional if name in self.types]
        self.body: str | None = next((name for name in in_body if _input_type(self.types[name]) is not None), None)
        if self.body is not None and any(_is_list(self.types[name]) for name in in_body[: in_body.index(self.body)]):
            self.body = None  # a list and a record: each is a member of the body, by its name

    @cached_property
    def items(self) -> str | None:
        """The argument with the items of a bulk call, its first sequence; None for other calls."""
        from .models.values import BulkResult

        is_bulk = isinstance(self.returns, type) and issubclass(self.returns, BulkResult)
        lists = (name for name, hint in self.types.items() if get_origin(hint) is Sequence)
        return next(lists, next(iter(self.types))) if is_bulk else None

    @cached_property
    def body_type(self) -> Any:
        """The `TypedDict` of the JSON body; None where keyword arguments make up the body."""
        return _input_type(self.types[self.body]) if self.body else None

    @cached_property
    def members(self) -> frozenset[str]:
        """The Python names of the body's members; empty where keyword arguments make up the body."""
        return frozenset(get_type_hints(self.body_type)) if self.body else frozenset()

    @cached_property
    def _adapter(self) -> TypeAdapter[dict[str, Any]]:
        members = {name: hint for name, hint in self.types.items() if name != self.upload}
        with real_dates():
            return TypeAdapter(with_config(INPUT)(_record(members)))

    @cached_property
    def names(self) -> frozenset[str]:
        """The Python names of all members of the arguments, at any depth."""
        found: set[str] = set(self.types)
        _collect(list(self.types.values()), found, set())
        return frozenset(found)

    def content(self, mode: type) -> Any:
        """Return the type of an answer's content: a list of records, a job in the client's mode, or the result."""
        kind = self._operation.kind
        if kind == "page":
            item: Any = get_args(self.returns)[0]
            return list[item]
        if kind == "stream":
            return get_args(self.returns)[0]
        if kind == "job" and mode is not Sync:
            from .models.jobs import AsyncJob

            result: Any = self.returns.__pydantic_generic_metadata__["args"][0]
            return AsyncJob[result]
        return self.returns

    def undocumented_members(self, given: Mapping[str, Any], route: Route) -> list[str]:
        """Return the members of a body that a dialect does not document."""
        if self.body is None or self.body not in given:
            return []
        shape = self.shape(route.dialect.name)
        members = given[self.body]
        if shape is None or not isinstance(members, Mapping):
            return []
        # A member that no dialect has is a mistake of the caller, which validation reports.
        known = {alias: name for name in self.members for alias in (name, camel(name))}
        known |= self._other_names
        given_names = {known[key] for key in cast("Mapping[str, Any]", members) if key in known}
        return sorted(given_names - shape.names.keys())

    @cached_property
    def _other_names(self) -> dict[str, str]:
        """Names of members in one document alone (``position``), each with the member's name here (``title``)."""
        return {
            wire_name: name
            for shape in getattr(self.body_type, "__shapes__", {}).values()
            for name, wire_name in shape.names.items()
            if wire_name != camel(name)
        }

    def _canonical(self, values: dict[str, Any]) -> dict[str, Any]:
        """Rename members of the body that were given by a name of one document alone (``position`` -> ``title``)."""
        members = values.get(self.body) if self.body is not None and self._other_names else None
        if not members or self._other_names.keys().isdisjoint(members):
            return values
        renamed = {self._other_names.get(name, name): value for name, value in members.items()}
        return {**values, str(self.body): renamed}

    def shape(self, dialect: str) -> Shape | None:
        """Return the members of the body that a dialect documents; None for all."""
        return shape_of(self.body_type, dialect) if self.body else None

    def written_back(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments with a record in place of a body as the members that the call takes of it.

        Its version goes with it, where the call takes one and none was given.
        """
        record = given.get(self.body or "")
        if not isinstance(record, Model):
            return given
        version = getattr(record, "version", None) if self.locks else None
        known = {} if version is None else {"version": version}
        return {**known, **given, str(self.body): written(record, self.types[str(self.body)])}

    def validate(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the arguments as Python values, and the parts of a multipart body.

        Raises: InvalidInputError, naming each member that is wrong.
        """
        rest = dict(given)
        files: dict[str, Any] | None = None
        if self.upload is not None and self.upload in rest:
            files = {self.upload: multipart(rest.pop(self.upload))}
        try:
            try:
                return (self._canonical(self._adapter.validate_python(rest)) if rest else rest), files
            except _Invalid:  # there may be records among the values
                return self._canonical(self._adapter.validate_python(self._plain(rest))), files
        except _Invalid as error:
            fields = field_errors(error, rest, drop=self.body, names=self.names)
        # Raised outside of `except`: pydantic's error as its cause would show the input, which may be a password.
        raise InvalidInputError(f"{self._operation.id}: " + "; ".join(map(str, fields)), fields=fields)

    def _plain(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: written(value, self.types.get(name, Any)) for name, value in given.items()}

    @cached_property
    def _lists(self) -> frozenset[str]:
        """The wire names of arguments that are lists; in a query their values are separated by commas."""
        return frozenset(camel(name) for name, hint in self.types.items() if _is_list(hint))

    @cached_property
    def objects(self) -> frozenset[str]:
        """The names of arguments that are objects; in a query each is its JSON text."""
        return frozenset(name for name, hint in self.types.items() if _input_type(hint) is not None)

    def in_query(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return validated arguments as a query has them: objects as their JSON text, with names of the wire."""
        found = dict(values)
        for name in self.objects & values.keys():
            dumped = self._adapter.dump_python({name: values[name]}, by_alias=True)
            found[name] = encode_json(dumped[camel(name)]).decode()
        return found

    def receive(self, members: Mapping[str, Any], *, text: bool) -> dict[str, Any]:
        """Return the arguments that a server received as Python values; raises pydantic's error.

        `members` have wire names. With `text` a list is a string, as in a query, unless it was read from JSON.
        """
        found = dict(members)
        if text:
            texts = {name: value for name, value in found.items() if name in self._lists and isinstance(value, str)}
            found |= {name: value.split(",") for name, value in texts.items()}
        return self._canonical(self._adapter.validate_python(found, by_alias=True, by_name=False))

    def dump(self, values: dict[str, Any], route: Route) -> dict[str, Any]:
        """Return validated arguments as the members of a JSON body, in a dialect's names."""
        dumped: dict[str, Any] = self._adapter.dump_python(values, by_alias=True)
        members: dict[str, Any] = {}
        for name in values:
            value = dumped[camel(name)]
            if name == self.body:
                shape = self.shape(route.dialect.name)
                members |= shape.encode(value) if shape is not None else value
            else:
                members[route.wire_name(name)] = value
        return members


def _collect(hints: Sequence[Any], names: set[str], seen: set[Any]) -> None:
    for hint in hints:
        if is_typeddict(hint) and hint not in seen:
            seen.add(hint)
            members = get_type_hints(hint, include_extras=True)
            names.update(members)
            _collect(list(members.values()), names, seen)
        _collect(get_args(hint), names, seen)


def _record(members: Mapping[str, Any]) -> Any:
    # Through Any: type checkers accept the functional form of TypedDict with literal members only.
    make: Any = TypedDict
    return make("Arguments", members, total=False)


def _without_records(hint: Any) -> Any:
    """Return the annotation of a body without the record that may be given in its place."""
    kinds = get_args(hint)
    kept: Any = tuple(kind for kind in kinds if not all(map(is_model, union_members(kind))))
    return Union[kept] if any(map(is_typeddict, kinds)) and kept != kinds else hint  # noqa: UP007 # made of a tuple


def _input_type(hint: Any) -> Any:
    """Return the TypedDict of an annotation such as ``LeadCreate`` or ``LeadCreate | None``."""
    if is_typeddict(hint):
        return hint
    return next((arg for arg in get_args(hint) if is_typeddict(arg)), None) if type(None) in get_args(hint) else None


def _is_list(hint: Any) -> bool:
    origin: Any = getattr(hint, "__origin__", hint)
    return origin in (list, Sequence) or any(_is_list(arg) for arg in get_args(hint) if arg is not hint)


_RULES = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "string_pattern_mismatch": "format",
    "is_instance_of": "type",
    "int_from_float": "type",
    "sequence_str": "type",
    "literal_error": "choice",
    "enum": "choice",
}
_RULE_PARTS = (("too_long", "length"), ("too_short", "length"), ("greater", "min"), ("less", "max"), ("_type", "type"))


def rule_of(kind: str) -> str:
    """Return the rule of a `FieldError` for pydantic's name of an error."""
    if kind in _RULES:
        return _RULES[kind]
    # A text that is no date or time has the right type; one that is no number does not.
    mistyped = kind.endswith("_parsing") and "date" not in kind and "time" not in kind
    return next((rule for part, rule in _RULE_PARTS if part in kind), "type" if mistyped else "format")


def field_errors(
    error: _Invalid, given: Any, *, drop: str | None = None, names: Collection[str] = ()
) -> list[FieldError]:
    """Return one entry for each wrong member; its path has the names as the caller wrote them, or Python `names`."""
    found: dict[str, FieldError] = {}
    for item in error.errors(include_url=False):
        path = _path(item["loc"], given, missing=item["type"] == "missing")
        path = [name if (name := snake(step)) in names and camel(name) == step else step for step in path]
        if drop is not None and path[:1] in ([drop], [camel(drop)]) and len(path) > 1:
            path = path[1:]
        name = ".".join(path)
        if name not in found or (item["type"] == "string_type" and found[name].rule == "choice"):  # no text at all
            found[name] = FieldError(name, _message(item), _rule(item))
    return list(found.values())


def _rule(error: Any) -> str:
    """Return the rule that was broken; a text of blanks breaks the rule ``length``."""
    return "length" if error.get("ctx", {}).get("pattern") == values.NOT_BLANK else rule_of(error["type"])


_BOUNDS = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
}


def _message(error: Any) -> str:
    """Return the message of an error, without pydantic's terms."""
    context: dict[str, Any] = error.get("ctx", {})
    if error["type"] in _BOUNDS:
        shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in context.items()}
        return _BOUNDS[error["type"]].format(**shown)
    message = patterns.FORMS.get(context.get("pattern", ""), str(error["msg"]))
    return message[:1].lower() + message[1:]


def _path(loc: Sequence[str | int], given: Any, *, missing: bool) -> list[str]:
    """Return the path of a member, without the names that pydantic inserts for the branches of a union."""
    out: list[str] = []
    here: Any = given
    for n, step in enumerate(loc):
        if is_object(here) and (step in here or (missing and n == len(loc) - 1)):
            out.append(str(step))
            here = here.get(str(step))
        elif is_array(here) and isinstance(step, int) and step < len(here):
            out.append(str(step))
            here = here[step]
    return out or [str(loc[0])] if loc else ["the input"]


def is_required(kind: Any, name: str, hint: Any) -> bool:
    """Tell whether an input needs a member: its mark says so, else whether the input is total."""
    # `__required_keys__` does not see the marks of annotations that are strings, as all of ours are.
    mark = str(get_origin(hint)).rpartition(".")[2]
    return mark == "Required" or (mark != "NotRequired" and name in kind.__required_keys__)
