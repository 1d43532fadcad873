"""The routes of an operation, one for each dialect that documents it, and how arguments are put into its URL.

A route is written ``"METHOD PATH [argument ...]"``. Arguments after the path are the only ones that the dialect
documents (``-``: none); without them it documents all arguments of the signature. ``lead_id:leadId`` gives an argument
another name on the wire; ``read!`` is always sent, with its declared default where it is not given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypedDict, cast
from urllib.parse import quote, urlencode

from .dialects import DIALECTS, Dialect, DialectName
from .errors import FieldError, InvalidInputError
from .wire import camel, instant, number

Session: TypeAlias = Literal["start", "renew", "end"]
Role: TypeAlias = Literal["everybody", "admin"]
Action: TypeAlias = Literal["read", "create", "update", "delete", "export", "import", "manage"]
RateGroup: TypeAlias = Literal["standard", "ai", "auth", "bulk", "none"]

PAGING = frozenset({"limit", "offset", "page"})
"""The arguments that choose a page."""


@dataclass(frozen=True, slots=True)
class Route:
    """The route of an operation in one dialect."""

    dialect: Dialect
    method: str
    path: str
    """The path as in the document, with placeholders."""
    names: Mapping[str, str] | None
    """The documented arguments and their wire names; None for all arguments of the signature."""
    always: frozenset[str] = frozenset()
    """The arguments that are sent with their default where they are not given."""

    @staticmethod
    def parse(dialect: str, line: str) -> Route:
        """Read ``"METHOD PATH [argument ...]"``."""
        method, path, *words = line.split()
        if method not in ("GET", "POST", "PUT", "PATCH", "DELETE") or not path.startswith("/"):
            raise TypeError(f'a route is "METHOD /path [argument ...]", not {line!r}')
        names: dict[str, str] | None = None
        if words:
            names = {}
            for word in words:
                if word != "-":
                    name, _, wire_name = word.rstrip("!").partition(":")
                    names[name] = wire_name or camel(name)
        always = frozenset(word.rstrip("!").partition(":")[0] for word in words if word.endswith("!"))
        return Route(DIALECTS[dialect], method, path, names, always)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The arguments in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def full_path(self) -> str:
        """The path with the prefix of the dialect, as servers receive it: ``/v1/leads/{lead_id}``."""
        return self.dialect.prefix + self.path

    def has(self, name: str) -> bool:
        """Return whether this dialect documents an argument. Of the paging arguments, one documented form is enough."""
        if self.names is None or name in self.names or f"{{{name}}}" in self.path:
            return True
        return name in PAGING and not PAGING.isdisjoint(self.names)

    def wire_name(self, name: str) -> str:
        """Return the wire name of an argument."""
        return self.names[name] if self.names is not None and name in self.names else camel(name)


@dataclass(frozen=True, slots=True)
class Plan:
    """One call before it is sent: its route and the parts of its request."""

    route: Route
    given: Mapping[str, Any] = field(repr=False)  # may have a password, as may the content
    """The given arguments, with the paging of the dialect."""
    path: str
    query: str
    headers: Mapping[str, str]
    content: bytes | None = field(repr=False)
    files: Mapping[str, Any] | None = field(repr=False)


class FlagArguments(TypedDict, total=False):
    """The keyword arguments of a declaration beside its routes, documented in `Flags`."""

    safe: bool
    status: int | None
    statuses: tuple[int, ...]
    session: Session | None
    auth: bool | Literal["optional"]
    role: Role | None
    action: Action | None
    rate: RateGroup
    destroys: bool | None
    errors: tuple[str, ...]
    media: tuple[str, ...]
    oauth: bool
    headers: Mapping[str, str]
    ticket: str | None
    texts: Mapping[str, str]
    ours: bool | DialectName


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The properties of a call that its declaration gives beside its routes."""

    safe: bool = False
    """Whether the call is a POST that only reads, and may be repeated."""
    status: int | None = None
    """The HTTP status of success, where it is not that of the method."""
    statuses: tuple[int, ...] = ()
    """Further statuses of success, such as 200 beside 201."""
    session: Session | None = None
    """Whether the call starts, renews or ends the client's session."""
    auth: bool | Literal["optional"] = True
    """Whether the call needs a bearer token; with ``optional`` its rule decides."""
    oauth: bool = False
    """Whether the call speaks the RFCs of OAuth 2.0: forms, snake_case, members and errors beside the envelope."""
    role: Role | None = None
    """The only role that may make the call, or ``everybody`` where it concerns the caller's own data; without it the
    permissions of the caller's role decide."""
    action: Action | None = None
    """The action on the resource that the caller needs a permission for; without it, it follows from the method."""
    rate: RateGroup = "standard"
    """The rate limit group that the call counts towards; one of the group ``none`` is not counted."""
    destroys: bool | None = None
    """Whether the call deletes something; without it, a DELETE does and no other method."""
    errors: tuple[str, ...] = ()
    """The call's own error codes; `codes.codes_of` adds those that follow from the kind of call."""
    media: tuple[str, ...] = ()
    """The content types of the file that the call returns; ``*/*`` where it may be any file, also a page of HTML."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The arguments that travel as headers, with the names of these: ``{"byte_range": "Range"}``."""
    ticket: str | None = None
    """The argument with which the call needs no bearer token, such as the token of a link."""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Descriptions of arguments, where neither the model of the result nor the glossary has one."""
    ours: bool | DialectName = False
    """Whether the routes are our own: the documents ask for the feature, but have no route for it. The name of a
    dialect where only its route is."""


def routes(mvp: str | None, flow: str | None, platform: str | None) -> dict[str, Route]:
    """Return the routes of an operation by dialect."""
    lines = {"mvp": mvp, "flow": flow, "platform": platform}
    return {dialect: Route.parse(dialect, line) for dialect, line in lines.items() if line is not None}


_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of a text: an id that has one shows as another."""


def segment(name: str, value: object) -> str:
    """Return an identifier as one segment of a path. Raises: InvalidInputError for one that would change the path."""
    if isinstance(value, str) and value.strip() and value not in (".", "..") and not _UNSEEN.search(value):
        try:
            return value if value.isascii() and value.isalnum() else quote(value, safe="")
        except UnicodeEncodeError:
            pass  # a lone surrogate cannot be encoded: no server has such an id
    message = f"must be the id of a record, a non-empty string, not {value!r}"
    raise InvalidInputError(f"{name} {message}", fields=[FieldError(name, message, "format")])


def query(route: Route, rest: Mapping[str, Any]) -> str:
    """Return arguments as the query of a URL."""
    if route.dialect.camel_sort and isinstance(rest.get("sort"), str):
        rest = {**rest, "sort": camel(rest["sort"])}
    return urlencode({route.wire_name(name): parameter(value) for name, value in rest.items()})


def parameter(value: Any) -> str:
    """Return a value as the text of a query parameter."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(parameter(item) for item in cast("list[Any]", value))
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        return str(number(value))
    return value if isinstance(value, str) else str(value)
