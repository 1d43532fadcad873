"""The conditions of ``--until``: ``type=lead.updated and data.value>5000 and data.contactId exists``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias, cast

from crm_sdk.wire import camel, instant, is_array, is_object

from ..failures import MisuseError
from ..times import read_date, read_time

_TERM = re.compile(r"""\s*([A-Za-z_][\w.]*)\s*(!=|>=|<=|[=<>])\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'=<>]\S*)(?=\s|$)""")
_EXISTS = re.compile(r"\s*([A-Za-z_][\w.]*)\s+exists(?=\s|$)")
_AND = re.compile(r"\s+and(?=\s)")
_MISSING = object()
Sign: TypeAlias = Literal["=", "!=", ">", ">=", "<", "<=", "exists"]
_HOLDS: Mapping[str, Callable[[int], bool]] = {
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
}


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. A record without the member fulfils none, ``!=`` included."""

    path: tuple[str, ...]
    sign: Sign
    value: str = ""
    also: tuple[str, ...] = ()
    """Other values that are meant as well."""

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record fulfils the comparison."""
        found = self.find_one(record)
        if self.sign == "exists":
            return found is not _MISSING and found not in (None, "", [], {})
        if found is _MISSING:
            return False
        if self.sign in ("=", "!="):
            return any(_is(found, value) for value in (self.value, *self.also)) == (self.sign == "=")
        order = _order(found, self.value)
        return order is not None and _HOLDS[self.sign](order)

    def find_one(self, record: Mapping[str, Any]) -> Any:
        """Return the value of the member."""
        found: Any = record
        for name in self.path:
            members: Mapping[str, Any] = found if is_object(found) else {}
            found = members.get(name, members.get(camel(name), _MISSING))
        return found

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}{f' {self.sign}' if self.sign == 'exists' else f'{self.sign}{self.value}'}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons that must all hold."""

    terms: tuple[Term, ...]

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Tell whether a record fulfils it."""
        return all(term.holds(record) for term in self.terms)

    def never(self, types: Collection[str]) -> str | None:
        """Return the type that the condition requires, if `types` does not have it; otherwise None."""
        wanted = [term.value for term in self.terms if term.path == ("type",) and term.sign == "="]
        return next((type for type in wanted if type not in types), None)


def condition(text: str, roots: Collection[str] = ()) -> Condition:
    """Parse a condition; its names must begin with one of `roots`, if any are given."""
    terms: list[Term] = []
    at = 0
    while True:
        found = _TERM.match(text, at) or _EXISTS.match(text, at)
        if found is None:
            raise _misuse(text, at)
        name = found[1]
        sign: Sign = cast("Sign", found[2]) if found.re is _TERM else "exists"
        value = found[3] if found.re is _TERM else "''"
        path = tuple(name.split("."))
        if "" in path or (roots and path[0] not in roots):
            raise MisuseError(f"--until: {name!r} is no member of an event: they begin with {', '.join(roots)}")
        terms.append(Term(path, sign, _unquote(value)))
        at = found.end()
        if not text[at:].strip():
            return Condition(tuple(terms))
        conjunction = _AND.match(text, at)
        if conjunction is None:
            raise _misuse(text, at)
        at = conjunction.end()


def _misuse(text: str, at: int) -> MisuseError:
    where = text[at:].strip()
    return MisuseError(
        f"--until must be NAME=VALUE, with != > >= < <= as well, or NAME exists, several joined with `and`, such as "
        f"type=lead.updated and data.status=won; "
        f"it cannot be read {f'from {where!r} on' if where else 'to its end'}"
    )


def _unquote(value: str) -> str:
    if value[0] == "'":
        return value[1:-1]
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value[0] == '"' else value


def _order(found: Any, value: str) -> int | None:
    """Return how a value compares with the typed one, below 0 where it is less; None where they have no order."""
    try:
        if isinstance(found, (int, float, Decimal)) and not isinstance(found, bool):
            return _comparison(Decimal(str(found)), Decimal(value))
        if isinstance(found, datetime):
            limit = read_time(value)
            return _comparison(found, limit) if isinstance(limit, datetime) else None
        return _comparison(found, date.fromisoformat(read_date(value))) if isinstance(found, date) else None
    except (InvalidOperation, ValueError, TypeError):
        return None


def _comparison(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _is(found: Any, value: str) -> bool:
    """Return whether a value equals the typed one; of a list, whether it contains it."""
    if is_array(found):
        return any(_is(item, value) for item in found)
    if found is None or isinstance(found, bool):
        return value == {None: "null", True: "true", False: "false"}[found]
    if isinstance(found, (int, float, Decimal)):
        try:
            return Decimal(value) == Decimal(str(found))
        except InvalidOperation:
            return False
    if isinstance(found, datetime):
        return value == instant(found)
    return isinstance(found, str) and found == value
