"""The arguments and options of a declared call on the command line, and the values of typed texts.

This module does not depend on typer: completion and the commands are both built from it. Values stay texts where
possible: the SDK validates them.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import AwareDatetime
from typing_extensions import get_type_hints, is_typeddict

from crm_sdk.models.written import union_members
from crm_sdk.operation import Operation
from crm_sdk.reading import choices_of
from crm_sdk.wire import camel, is_array, is_object

from ..bulk.ids_argument import ids_of
from ..failures import MisuseError
from ..settings import GLOBALS
from ..terminal.prompts import read_secret
from ..times import read_date, read_time
from .given import read_json, texts_in_file

Kind: TypeAlias = Literal["text", "int", "number", "flag", "date", "time", "json", "any", "file", "person"]
_SECRETS = frozenset({"client_secret", "new_password", "password", "refresh_token"})
REQUEST = "request"
"""The member of a body whose own members are options, too."""
_SHORT = frozenset({("privacy.erase", "subject"), ("privacy.export", "subject")})
"""The arguments that can also be typed as an address or an id alone."""
Place: TypeAlias = Literal["argument", "option", "member"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a call, or one member of its JSON body, as it is typed."""

    name: str
    """The Python name."""
    place: Place
    flag: str
    """The option as typed: ``--min-score``; of an argument its name in the help: ``LEAD_ID``."""
    kind: Kind
    many: bool = False
    """Whether it can be repeated."""
    commas: bool = False
    """Whether its values can be separated by commas."""
    choices: tuple[str, ...] = ()
    required: bool = False
    default: Any = None
    nullable: bool = False
    """Whether an empty value clears the member."""
    within: str = ""
    """The member of the body that it is a member of: a schedule of exports has the options of an export."""
    aliases: tuple[str, ...] = ()
    """Other options of the same meaning."""

    def value(self, typed: Any) -> Any:
        """Return the value for the SDK."""
        if isinstance(typed, bool):
            return typed
        if not self.many:
            return None if typed == "" and self.nullable else self._one(typed)
        values: list[Any] = []
        for text in typed:
            if self.kind == "json":
                found = read_json(text, self.flag)
                values.extend(found if is_array(found) else [found])
            elif self.kind != "file" and (lines := texts_in_file(text, self.flag)) is not None:
                values.extend(map(self._one, lines))
            elif self.commas:
                values.extend(self._one(part.strip()) for part in text.split(",") if part.strip())
            elif text:
                values.append(self._one(text))
        return values

    def _one(self, text: str) -> Any:
        text = text.removeprefix("@") if self.many and text.startswith("@@") else text
        if self.kind == "json" or (self.kind == "any" and text[:1] in ("{", "[")):
            return read_json(text, self.flag)
        if self.choices and text not in self.choices:
            self._refuse_slip(text)
        if self.kind == "person":
            entity = {"type": text.partition("_")[0], "id": text}
            return {"email": text} if "@" in text else {"entity": entity}
        if self.kind == "time":
            return read_time(text)
        if self.kind == "date":
            return read_date(text)
        if self.kind == "file" and text == "-":
            return "stdin", sys.stdin.buffer.read()
        return text

    def _refuse_slip(self, text: str) -> None:
        """Refuse a mistyped word before it is sent. Others go to the server: it may know more than the documents do."""
        from .near import slip_of

        meant = slip_of(text, self.choices)
        if meant is not None:
            raise MisuseError(f"{self.flag}: there is no {text!r}; did you mean {meant!r}?")


class Form:
    """The arguments and options of one call on the command line."""

    def __init__(self, operation: Operation[..., Any]) -> None:
        self.operation = operation
        methods = {route.method for route in operation.routes.values()}
        self.is_job = operation.kind == "job"
        self.waits = self.is_job and "GET" not in methods
        """Whether the call starts a job, rather than fetching its state."""
        self.has_data = self._sends_json(methods)
        self.own: dict[str, str | bool | None] = {"--columns": None}
        """The options that follow from the kind of the call, with their values in the form of completion."""
        if self.has_data:
            self.own["--data"] = None
        if operation.kind == "page":
            self.own["--all"] = False
            if "limit" not in operation.signature.parameters:
                self.own["--limit"] = None
        if operation.kind == "page" or (operation.name == "get" and not self.writes and not self.is_job):
            self.own["--watch"] = False
        if self.destroys:
            self.own["--yes"] = False
        if operation.kind == "download" or self.makes_file:
            self.own["--to"] = "file"
        if self.is_job or self.makes_file:
            self.own |= {"--wait": False, "--no-wait": False}
        self.asked = tuple(name for name in operation.signature.parameters if name in _SECRETS and self._needs(name))
        """The arguments that are asked for, since others see what is typed for a command; --data may have the rest."""
        self._taken = {"--help", *self.own}
        self.parameters = tuple(self._all())
        self.ids = ids_of(operation, self.parameters) if "--jobs" not in self._taken else None
        """The first argument where it is an id, or several: `-` reads them from stdin."""
        if self.ids is not None:
            self.own["--jobs"] = None
        self.globals = tuple(option for option in GLOBALS if option.flag not in self._taken)
        """The options of every command, except those that the call has itself."""

    def _sends_json(self, methods: set[str]) -> bool:
        arguments = self.operation.arguments
        sent = arguments.types.keys() - {"version" if arguments.locks else None, arguments.upload}
        positional = any(name in sent for name in self.operation.positional)
        return bool(sent) and (bool(methods & {"POST", "PUT", "PATCH"}) or ("DELETE" in methods and positional))

    @property
    def is_run(self) -> bool:
        """Whether the call begins a record of work that ends later."""
        if self.operation.status != 202 or self.is_job:
            return False
        from crm_sdk.models.runs import Run

        returns = self.operation.arguments.returns
        return isinstance(returns, type) and issubclass(returns, Run)

    @property
    def makes_file(self) -> bool:
        """Whether the call starts work that makes a file: a job whose result names it, or a run."""
        if self.is_run:
            return "file_id" in self.operation.arguments.returns.model_fields
        if not self.waits:
            return False
        result = self.operation.arguments.returns.__pydantic_generic_metadata__["args"][0]
        return "file_id" in getattr(result, "model_fields", ())

    @property
    def destroys(self) -> bool:
        """Whether the call deletes something, so that the command asks first."""
        return self.operation.destroys

    @property
    def writes(self) -> bool:
        """Whether the call may change something."""
        methods = {route.method for route in self.operation.routes.values()}
        return not self.operation.flags.safe and methods != {"GET"}

    @property
    def path(self) -> str:
        """The words of the command: ``contacts relationships create``."""
        return " ".join(map(kebab, self.operation.id.split(".")))

    def _all(self) -> Iterable[Parameter]:
        operation, arguments = self.operation, self.operation.arguments
        options: list[Parameter] = []
        for name, declared in operation.signature.parameters.items():
            if name == arguments.body or name in _SECRETS:
                continue
            empty = declared.default is inspect.Parameter.empty
            if name == arguments.upload:
                yield Parameter(name, "argument", name.upper(), "file", required=empty)
                continue
            kind = _Kind.of(arguments.types.get(name, str))
            if name == "version" and arguments.locks:
                options.append(Parameter(name, "option", "--if-version", kind.kind, aliases=("--version",)))
                continue
            if (operation.id, name) in _SHORT:
                yield Parameter(name, "argument", "PERSON", "person")
            if name in operation.positional and kind.kind != "json":
                # A member that --data may have cannot be required as an option.
                demanded = empty and (name not in arguments.types or not self.has_data)
                demanded = demanded and not kind.many  # which may come as options
                yield Parameter(
                    name, "argument", name.upper(), kind.kind, kind.many, kind.commas, kind.choices, demanded
                )
                if kind.many:
                    options.append(self._option(name, "option", kind, required=False, default=None))
            else:
                default = None if empty else declared.default
                options.append(self._option(name, "option", kind, required=empty, default=default))
        members = self._members()
        yield from sorted(members, key=lambda member: not member.required)
        yield from options

    def _members(self) -> list[Parameter]:
        body: Any = self.operation.arguments.body_type
        if body is None:
            return []
        from crm_sdk.arguments import is_required  # imported by then, since the call has a body

        hints = get_type_hints(body, include_extras=True)
        found = [
            self._option(name, "member", _Kind.of(hint), required=is_required(body, name, hint), default=None)
            for name, hint in hints.items()
            if name not in _SECRETS  # these are given in --data, which can be a file or stdin
        ]
        inner = part_of(body, REQUEST)
        for name, hint in get_type_hints(inner, include_extras=True).items() if inner is not None else ():
            if name not in hints:
                option = self._option(name, "member", _Kind.of(hint), required=False, default=None)
                found.append(replace(option, within=REQUEST, nullable=False))
        return found

    def _option(self, name: str, place: Place, kind: _Kind, *, required: bool, default: Any) -> Parameter:
        flag = f"--{kebab(name)}"
        negative = f"--no-{flag[2:]}"
        if flag in self._taken or (kind.kind == "flag" and negative in self._taken):
            flag, negative = f"--set-{flag[2:]}", f"--no-set-{flag[2:]}"
        self._taken |= {flag, negative} if kind.kind == "flag" else {flag}
        nullable = kind.nullable and place == "member"
        return Parameter(
            name, place, flag, kind.kind, kind.many, kind.commas, kind.choices, required, default, nullable
        )

    @cached_property
    def flags(self) -> Mapping[str, str]:
        """The option of each member, by its Python name and by its wire name."""
        found: dict[str, str] = {}
        for p in self.parameters:
            for name in (p.name, camel(p.name)):
                if not (p.many and name in found):  # a list that is an argument is an option as well
                    found[name] = p.flag
        return found

    def arguments(self, typed: Mapping[Parameter, Any], data: str | None) -> dict[str, Any]:
        """Return the arguments of the call. Options take precedence over ``--data``."""
        found, body = self._data(data)
        given: dict[str, Any] = {}
        for parameter, text in typed.items():
            if text is not None and text != []:
                place = body if parameter.place == "member" else found
                if parameter.within:
                    place = body[parameter.within] = dict(body.get(parameter.within) or {})
                    place.pop(camel(parameter.name), None)  # the option takes precedence
                value = parameter.value(text)
                before = given.get(parameter.name) if parameter.many else None  # the argument of an option of its name
                place[parameter.name] = given[parameter.name] = [*before, *value] if before else value
        name = self.operation.arguments.body
        if name is not None and (body or self._needs(name)):
            found[name] = body
        if name is not None and self.operation.name == "update" and not body and data is None:
            members = [p.flag for p in self.parameters if p.place == "member"]
            such = f", such as {members[0]}" if members else ""
            raise MisuseError(f"nothing to change: give a member{such}, or --data")
        missing = [
            self.flags[name]
            for name in self.operation.signature.parameters
            if self._needs(name) and name not in found and name not in self.asked
        ]
        if missing:
            raise MisuseError(f"missing: {', '.join(missing)}")
        for name in self.asked:
            if name not in found:
                found[name] = read_secret(name.replace("_", " "))
        return found

    def _needs(self, name: str) -> bool:
        return self.operation.signature.parameters[name].default is inspect.Parameter.empty

    def _data(self, text: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments and the members of the body in ``--data``."""
        if text is None:
            return {}, {}
        read = read_json(text, "--data")
        listed = next((p for p in self.parameters if p.kind == "json" and p.many and p.required), None)
        if is_array(read) and listed is not None:
            return {listed.name: read}, {}
        if not is_object(read):
            raise MisuseError("--data must be a JSON object")
        place = "option" if self.operation.arguments.body is None else "member"
        names: dict[str, str] = {
            alias: p.name
            for p in self.parameters
            if p.place == place and not p.within
            for alias in (p.name, camel(p.name))
        }
        if place == "option":
            typed = self.operation.arguments.types
            names |= {alias: name for name in typed for alias in (name, camel(name))}
            unknown = [key for key in read if key not in names]
            if unknown:
                raise MisuseError(f"--data: no such member: {', '.join(unknown)}")
        members = {names.get(key, key): value for key, value in read.items()}
        return (members, {}) if place == "option" else ({}, members)


def part_of(body: Any, name: str) -> Any:
    """Return the type of a member of a body that is an object itself; None for any other, or where there is none."""
    hint = get_type_hints(body, include_extras=True).get(name)
    return next((kind for kind in union_members(hint) if is_typeddict(kind)), None) if hint is not None else None


@dataclass(frozen=True, slots=True)
class _Kind:
    """The kind of values that an annotation takes on the command line."""

    kind: Kind
    many: bool = False
    commas: bool = False
    choices: tuple[str, ...] = ()
    nullable: bool = False

    @staticmethod
    def of(annotation: Any) -> _Kind:
        found = list(union_members(annotation))
        alternatives = [each for each in found if each is not type(None)]
        nullable = len(alternatives) < len(found)
        lists = [each for each in alternatives if get_origin(each) in (list, Sequence)]
        if lists and all(each is str for each in alternatives if each not in lists):
            item = _Kind.of(get_args(lists[0])[0])
            # A list that can also be given as one string has texts: a comma in them is no separator.
            commas = item.kind not in ("json", "any") and str not in alternatives
            return _Kind(item.kind, True, commas, item.choices, nullable)
        return _Kind(_scalar(alternatives), choices=choices_of(annotation), nullable=nullable)


def _scalar(alternatives: list[Any]) -> Kind:
    kinds: set[Kind] = {_kind_of(each) for each in alternatives}
    if kinds == {"int", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else "any"


def _kind_of(kind: Any) -> Kind:
    if kind is str or get_origin(kind) is Literal:
        return "text"
    if is_typeddict(kind) or get_origin(kind) in (dict, Mapping):
        return "json"
    if kind is datetime or kind is AwareDatetime:
        return "time"
    simple: dict[Any, Kind] = {bool: "flag", int: "int", float: "number", Decimal: "number", date: "date"}
    return simple.get(kind, "any")


def bounds(annotation: Any) -> Iterable[Any]:
    """Yield the bounds that the members of a union are annotated with, at any depth."""
    for mark in getattr(annotation, "__metadata__", ()):
        yield from getattr(mark, "metadata", [mark])
    if get_origin(annotation) in (Annotated, Union, types.UnionType):
        for each in get_args(annotation):
            yield from bounds(each)


def kebab(name: str) -> str:
    """Return a Python name in the form of the command line: ``bulk_upsert`` -> ``bulk-upsert``."""
    return name.strip("_").replace("_", "-")
