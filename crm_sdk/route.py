"""Where an operation is documented: one route per dialect, and how arguments get into its URL.

A route is written ``"METHOD PATH [argument ...]"``. Arguments after the path are the only ones that dialect documents
(``-``: none); without them it documents all of the signature. ``lead_id:leadId`` gives an argument another name on the
wire; ``read!`` is sent also where it was not given, with its declared default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypedDict, cast
from urllib.parse import quote, urlencode

from .dialects import DIALECTS, Dialect
from .errors import FieldError, InvalidInputError
from .wire import camel, instant, number

Session: TypeAlias = Literal["start", "renew", "end"]
Role: TypeAlias = Literal["everybody", "admin"]
Action: TypeAlias = Literal["read", "create", "update", "delete", "export", "import", "manage"]
RateGroup: TypeAlias = Literal["standard", "ai", "auth", "bulk"]

PAGING = frozenset({"limit", "offset", "page"})
"""The arguments that choose a page."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where one dialect documents an operation."""

    dialect: Dialect
    method: str
    path: str
    """As the document writes it, with placeholders."""
    names: Mapping[str, str] | None
    """The documented arguments and their wire names; None: all of the signature."""
    always: frozenset[str] = frozenset()
    """The arguments that are sent even if only their default says what they are."""

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
        """The arguments that stand in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def full_path(self) -> str:
        """The path with the dialect's prefix, as a server sees it: ``/v1/leads/{lead_id}``."""
        return self.dialect.prefix + self.path

    def has(self, name: str) -> bool:
        """Tell whether this dialect documents an argument. Paging is translated, so any form of it counts."""
        if self.names is None or name in self.names or f"{{{name}}}" in self.path:
            return True
        return name in PAGING and not PAGING.isdisjoint(self.names)

    def wire_name(self, name: str) -> str:
        """Return what an argument is called on the wire."""
        return self.names[name] if self.names is not None and name in self.names else camel(name)


class FlagArguments(TypedDict, total=False):
    """What a declaration may say beside its routes; what each means is said in `Flags`."""

    safe: bool
    status: int | None
    statuses: tuple[int, ...]
    session: Session | None
    auth: bool
    role: Role | None
    action: Action | None
    rate: RateGroup
    destroys: bool | None
    errors: tuple[str, ...]
    media: tuple[str, ...]
    texts: Mapping[str, str]
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What a declaration says beside its routes."""

    safe: bool = False
    """A POST that only reads: it may be repeated."""
    status: int | None = None
    """The status of success, where the verb does not tell."""
    statuses: tuple[int, ...] = ()
    """Other statuses of success: 200 beside 201."""
    session: Session | None = None
    """It starts, renews or ends the client's session."""
    auth: bool = True
    """It needs a bearer token."""
    role: Role | None = None
    """The only role that may call it, or ``everybody`` for what is the caller's own; without it the permissions of the
    caller's role decide."""
    action: Action | None = None
    """What the caller must have the right to do with the resource; without it method and status tell."""
    rate: RateGroup = "standard"
    """What it counts as, as far as rate limits go."""
    destroys: bool | None = None
    """Something is gone after it; without it a DELETE destroys and nothing else does."""
    errors: tuple[str, ...] = ()
    """The error codes of its own; those that follow from the kind of call are added by `codes.codes_of`."""
    media: tuple[str, ...] = ()
    """The content types of the file it answers."""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its arguments are, where neither the answer's model nor the glossary says so."""
    ours: bool = False
    """No document has it: the documents speak of the thing, and leave its routes to us."""


def routes(mvp: str | None, flow: str | None, platform: str | None) -> dict[str, Route]:
    """Return the routes of an operation by dialect."""
    lines = {"mvp": mvp, "flow": flow, "platform": platform}
    return {dialect: Route.parse(dialect, line) for dialect, line in lines.items() if line is not None}


def segment(name: str, value: object) -> str:
    """Return an identifier as one segment of a path; refuse what would lead elsewhere."""
    if isinstance(value, str) and value.strip() and value not in (".", ".."):
        try:
            return value if value.isascii() and value.isalnum() else quote(value, safe="")
        except UnicodeEncodeError:
            pass  # half a character: no server has that
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
