"""Read the arguments of a request: parse query and body, validate them by the declaration, refuse unknown values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.arguments import Arguments, field_errors, is_required
from crm_sdk.catalogue import declared_operations
from crm_sdk.models.record import Model, record_types
from crm_sdk.operation import Operation
from crm_sdk.route import Route
from crm_sdk.wire import camel, decode_json, is_array, is_object, snake

from ...data.fixed import inputs_of
from ...files.received import Received
from ...problems import FieldError, Problem, validation
from .json_types import input_hints, is_list, numbers_for_times, wrong_types
from .values import unknown_words, unlikely_values


def arguments_of(
    operation: Operation[..., Any],
    route: Route,
    query: Mapping[str, str],
    members: dict[str, Any],
    files: Mapping[str, Received],
    texts: Mapping[str, str] | None = None,
    *,
    typed: bool = True,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the declared arguments as Python values, with defaults, without identifiers and paging arguments.

    Also return the read-only members of a record in the body, as they were sent. Of a bulk call, an item that cannot be
    read is an `UnreadableItem`, so that the others are done.

    Raises: Problem 422 that names each member that is wrong.
    """
    arguments = operation.arguments
    if arguments.upload is not None and arguments.upload in members:
        message = f"the file travels as the part {arguments.upload!r} of a body of multipart/form-data"
        raise Problem("BAD_REQUEST", message, field=arguments.upload)
    strange = [name for name in files if name != arguments.upload]
    if strange:
        raise validation(FieldError(name, "unknown", f"{operation.id} takes no file of this name") for name in strange)
    values: dict[str, Any] = dict(files)
    if texts:
        values |= _receive(operation, _form_members(operation, route, texts), text=True)
    beside = _beside(arguments, query, members)
    if query := {name: value for name, value in query.items() if name not in beside}:
        values |= _receive(operation, _with_objects(arguments, _known_parameters(operation, route, query)), text=True)
    members = _unwrapped_body(arguments, members) | beside
    if not members and arguments.body is None:
        return values, {}
    before_body = {camel(n) for n in operation.positional if n not in route.placeholders}
    taken, ignored = _members(arguments, route, members, before_body, _read_only_of(operation.id, arguments.returns))
    receive = partial(_receive, operation, text=False, typed=typed)
    return values | (_bulk(receive, taken, arguments.items) if arguments.items else receive(taken)), ignored


def _unwrapped_body(arguments: Arguments, members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a body that came under the name of its argument: ``{"features": {…}}`` (002, 0.7).

    The call's keywords may stand beside it: ``{"event": {…}, "force": true}``.
    """
    name = camel(arguments.body) if arguments.body is not None else ""
    inner, beside = members.get(name), {key: value for key, value in members.items() if key != name}
    keywords = {camel(keyword) for keyword in arguments.types}
    if not is_object(inner) or arguments.body in arguments.members or not beside.keys() <= keywords:
        return members
    return {**inner, **beside}


def _beside(arguments: Arguments, query: Mapping[str, str], members: Mapping[str, Any]) -> dict[str, str]:
    """Return the members of a body that came in the query, where the body lacks them."""
    return {
        name: value
        for name, value in query.items()
        if snake(name) in arguments.members and snake(name) not in arguments.types and name not in members
    }


@dataclass(frozen=True, slots=True)
class UnreadableItem:
    """An item of a bulk call that is not what the declaration says."""

    id: str | None
    """The id it has, where it has one."""
    problem: Problem


def _bulk(receive: Callable[[dict[str, Any]], dict[str, Any]], members: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the arguments of a bulk call with these items. Raises: Problem 422 where anything but items is wrong."""
    try:
        return receive(members)
    except Problem as problem:
        given, wrong = members.get(camel(name)), dict[int, list[FieldError]]()
        for entry in problem.entries:
            argument, index, member = [*(entry.field or "").split(".", 2), "", ""][:3]
            if not (argument == name and index.isdigit() and is_array(given)):
                raise
            wrong.setdefault(int(index), []).append(replace(entry, field=member or None))
    items = cast("list[Any]", given)
    values = receive(members | {camel(name): [item for n, item in enumerate(items) if n not in wrong]})
    readable = iter(values[name])
    return values | {
        name: [
            UnreadableItem(_id_of(item), validation(wrong[n])) if n in wrong else next(readable)
            for n, item in enumerate(items)
        ]
    }


def _id_of(item: Any) -> str | None:
    """Return the id in an item of a bulk call; None where there is none."""
    id = next((item[name] for name in ("id", "leadId") if name in item), None) if is_object(item) else item
    return id if isinstance(id, str) else None


def _known_parameters(operation: Operation[..., Any], route: Route, query: Mapping[str, str]) -> dict[str, str]:
    """Return the known query parameters under their camelCase names.

    mvp and flow ignore unknown parameters; the platform refuses them, so that a typing error is noticed.
    """
    back = {route.wire_name(name): camel(name) for name in operation.arguments.types if route.has(name)}
    known = {back[name]: value for name, value in query.items() if name in back}
    strange = [name for name in query if name not in back]
    if strange and route.dialect.name == "platform":
        raise validation(
            FieldError(name, "unknown", f"{operation.id} has no parameter of this name") for name in strange
        )
    return known


def _with_objects(arguments: Arguments, query: Mapping[str, str]) -> dict[str, Any]:
    """Return query parameters with those that are objects read from their JSON text. Raises: 400 for another text."""
    found: dict[str, Any] = dict(query)
    for name in {camel(name) for name in arguments.objects} & query.keys():
        try:
            found[name] = decode_json(query[name].encode())
        except ValueError:
            raise Problem("BAD_REQUEST", f"the parameter {name} is no JSON text: {query[name][:100]!r}") from None
        if not is_object(found[name]):
            raise Problem(
                "BAD_REQUEST", f"the parameter {name} is the JSON text of an object, not {query[name][:100]!r}"
            )
    return found


def _form_members(operation: Operation[..., Any], route: Route, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the texts of a form as the members of a body: an object is its JSON, and so may a list be."""
    types = operation.arguments.types
    back = {route.wire_name(name): name for name in types if route.has(name)}
    members: dict[str, Any] = {}
    for wire_name, text in texts.items():
        name = back.get(wire_name)
        members[camel(name) if name is not None else wire_name] = text
        if name is not None and (_is_object(types[name]) or (_holds_list(types[name]) and text[:1] == "[")):
            try:
                members[camel(name)] = decode_json(text.encode())
            except ValueError as error:
                raise Problem("BAD_REQUEST", f"the part {wire_name!r} is not JSON: {error}", field=name) from None
    return members


def _holds_list(hint: Any) -> bool:
    return any(is_list(kind) for kind in (hint, *get_args(hint)))


def _is_object(hint: Any) -> bool:
    kinds = (hint, *get_args(hint))
    return any(is_typeddict(kind) or get_origin(kind) in (dict, Mapping) for kind in kinds)


def _members(
    arguments: Arguments, route: Route, members: dict[str, Any], before_body: set[str], shown: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the members of a body under the names of the declaration, and the ignored read-only members.

    `shown` are the members of the record, of which those that the call does not take are read-only. An argument before
    the body (the names in `before_body`) is not read-only, though the record has it, too.
    """
    if arguments.body is None:
        back = {route.wire_name(name): camel(name) for name in arguments.types}
        return {back.get(name, name): value for name, value in members.items()}, {}
    shape = arguments.shape(route.dialect.name)
    record = _with_name(arguments, shape.decode(members) if shape is not None else members)
    writable = {camel(name) for name in arguments.members}
    read_only = shown - writable - before_body
    own = {name: _without_stamps(arguments, name, value) for name, value in record.items() if name not in read_only}
    beside = {camel(name) for name in arguments.types if name != arguments.body} - writable
    ignored = {snake(name): value for name, value in record.items() if name in read_only}
    return {camel(arguments.body): {name: value for name, value in own.items() if name not in beside}} | {
        name: value for name, value in own.items() if name in beside
    }, ignored


def _without_stamps(arguments: Arguments, name: str, value: Any) -> Any:
    """Return a list of a body without what only the server writes in records that are parts of its record."""
    fields: Mapping[str, Any] = getattr(arguments.returns, "model_fields", {})
    field, hint = fields.get(snake(name)), input_hints(arguments.body_type).get(snake(name))
    is_list = field is not None and hint is not None and get_origin(field.annotation) is list and is_array(value)
    kinds = record_types(get_args(field.annotation)[0]) if field is not None and is_list else ()
    if not kinds:
        return value
    writable = {camel(member) for kind in inputs_of(hint) for member in get_type_hints(kind)}
    passed_over = frozenset[str]().union(*(_read_only(kind) for kind in kinds)) - writable
    return [
        {key: part for key, part in item.items() if key not in passed_over} if is_object(item) else item
        for item in value
    ]


def _with_empty_lists(kind: Any, value: Any) -> Any:
    """Return an input in which lists that are null hold nothing: null clears a member, and a list is then empty."""
    if is_array(value):
        return [_with_empty_lists(kind, item) for item in value]
    if not is_object(value) or None not in value.values():
        return value
    empty: dict[str, Any] = {name: [] for name in value if snake(name) in _lists_of(kind) and value[name] is None}
    return {**value, **empty}


@lru_cache(maxsize=512)
def _lists_of(kind: Any) -> frozenset[str]:
    """Return the members of an input that are lists and are never null, those that it needs excepted."""
    found = {name: (one, hint) for one in inputs_of(kind) for name, hint in input_hints(one).items() if is_list(hint)}
    return frozenset(name for name, (one, hint) in found.items() if not is_required(one, name, hint))


def _with_name(arguments: Arguments, record: dict[str, Any]) -> dict[str, Any]:
    """Return a body with a `name` made from first and last name, where only these are given (002, "Contacts")."""
    parts = [text for name in ("firstName", "lastName") if isinstance(text := record.get(name), str)]
    if not parts or "name" in record or "name" not in arguments.members or arguments.body == "changes":
        return record
    return {**record, "name": " ".join(" ".join(parts).split())}


@lru_cache(maxsize=512)
def _read_only(model: Any) -> frozenset[str]:
    """Return the wire names of a model's members: a fetched record may be sent back, what we set is passed over."""
    plain = isinstance(model, type) and issubclass(model, Model)
    models: tuple[type[Model], ...] = (cast("type[Model]", model),) if plain else record_types(cast("Any", model))
    fields = [entry for found in models for entry in found.model_fields.items()]
    return frozenset(info.serialization_alias or camel(name) for name, info in fields)


@lru_cache(maxsize=1024)
def _read_only_of(operation_id: str, returns: Any) -> frozenset[str]:
    """Return the wire names of the members of what a call changes: of its answer, and of that of the creation."""
    noun, _, action = operation_id.rpartition(".")
    made = [one.arguments.returns for one in declared_operations() if one.id == f"{noun}.create"]
    return _read_only(returns).union(*(map(_read_only, made) if action == "update" else ()))


@lru_cache(maxsize=512)
def _only_at_creation(operation_id: str) -> frozenset[str]:
    """Return the members that the creation of what a call changes takes, and the call itself does not."""
    noun, _, action = operation_id.rpartition(".")
    if action != "update":
        return frozenset()
    found = {one.id: one.arguments for one in declared_operations() if one.id in (operation_id, f"{noun}.create")}
    if len(found) < 2 or any(arguments.body is None for arguments in found.values()):
        return frozenset()
    return frozenset(found[f"{noun}.create"].members) - frozenset(found[operation_id].members)


def receive_changes(operation: Operation[..., Any], changes: Mapping[str, Any], *, typed: bool) -> dict[str, Any]:
    """Return members of a call's body as Python values, as if they had come in a body of its own.

    `changes` are under their wire names. `typed` refuses what has another JSON type than is declared, so that only
    what has come as JSON is asked for it.

    Raises: Problem 422 that names each member that is wrong.
    """
    body = operation.arguments.body or ""
    received: dict[str, Any] = _receive(operation, {camel(body): dict(changes)}, text=False, typed=typed)[body]
    return received


def _receive(
    operation: Operation[..., Any], members: dict[str, Any], *, text: bool, typed: bool = False
) -> dict[str, Any]:
    arguments = operation.arguments
    if not text and arguments.body is not None and (body := camel(arguments.body)) in members:
        members = {**members, body: _with_empty_lists(arguments.body_type, members[body])}
    strange = _wrong_types(arguments, members) if typed else numbers_for_times(arguments.types, members) if text else ()
    mistyped = list(strange)
    try:
        values = arguments.receive(members, text=text)
    except ValidationError as error:
        wrong = [
            FieldError(name, "read_only", "can be given only when the record is created")
            if item.rule == "unknown" and (name := _pythonic(item.field)) in _only_at_creation(operation.id)
            else FieldError(_pythonic(item.field), item.rule, item.message)
            for item in field_errors(error, members, drop=arguments.body)
        ]
        named = {item.field for item in wrong}
        wrong += [item for item in mistyped if item.field not in named]
        beside = list(_words_beside(arguments, members))
        told = {item.field for item in beside}  # with the words that there are, which the others do not name
        raise validation([*(item for item in wrong if item.field not in told), *beside]) from None
    if mistyped:
        raise validation(mistyped)
    if values.get("sort") is not None:  # mvp and flow use the wire name of the member
        values["sort"] = snake(values["sort"])
    errors: list[FieldError] = []
    for name, value in values.items():
        path = "" if name == arguments.body else name
        if name != "sort":  # the rule of the list checks `sort` itself
            unknown_words(arguments.types[name], value, path, errors)
        unlikely_values(value, path, errors)
    if errors:
        raise validation(errors)
    return values


def read_input(kind: Any, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return members, by their Python names, as an input of a type: one of those that a body may be.

    Raises: Problem 422 that names each member that is wrong.
    """
    try:
        values: dict[str, Any] = _adapter(kind).validate_python(dict(members))
    except ValidationError as error:
        found = field_errors(error, members)
        raise validation(FieldError(_pythonic(item.field), item.rule, item.message) for item in found) from None
    errors: list[FieldError] = []
    unknown_words(kind, values, "", errors)
    if errors:
        raise validation(errors)
    return values


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[dict[str, Any]]:
    return TypeAdapter(kind)


def _wrong_types(arguments: Arguments, members: Mapping[str, Any]) -> Iterator[FieldError]:
    body = arguments.body
    for name, value in members.items():
        if body is not None and name == camel(body):
            if is_object(value):
                yield from wrong_types(input_hints(arguments.body_type), value)
        else:
            yield from wrong_types(arguments.types, {name: value})


def _words_beside(arguments: Arguments, members: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield the unknown words of an input that is wrong, so that one answer has all errors."""
    given = members.get(camel(arguments.body)) if arguments.body is not None else members
    if not is_object(given):
        return
    hints = get_type_hints(arguments.body_type, include_extras=True) if arguments.body is not None else arguments.types
    for name, value in given.items():
        errors: list[FieldError] = []
        if snake(name) in hints and snake(name) != "sort":
            unknown_words(hints[snake(name)], value, snake(name), errors)
        yield from errors


def _pythonic(path: str) -> str:
    return ".".join(snake(part) for part in path.split("."))
