"""Problems that rules raise: an error code with its status, and the errors of single fields."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_sdk.vocabulary.codes import STATUSES

if TYPE_CHECKING:
    from .data.document import Document

LOG = logging.getLogger("server_stub")
"""The logger for tracebacks of exceptions in rules that are not a `Problem`: bugs in the stub."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error of one member of the input."""

    field: str | None
    """The path of the member in Python names: ``email``, ``filter_groups.0.filters.1.op``."""
    rule: str | None
    """``required``, ``type``, ``format``, ``min``, ``max``, ``length``, ``choice``, ``unknown``, ``reference``,
    ``unique`` or ``read_only``."""
    message: str
    code: str = "VALIDATION_ERROR"
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])


class AsGiven(str):
    """The path of a member whose names are the caller's own: no dialect has another form of them."""

    __slots__ = ()


class Problem(Exception):  # noqa: N818 # rules raise it as an answer; RFC 9457 calls it so
    """Raised by a rule to refuse a call; the dialect renders it."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        rule: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Iterable[FieldError] = (),
    ) -> None:
        if code not in STATUSES:
            raise ValueError(
                f"{code!r} is not an error code; the codes and their statuses are in crm_sdk.vocabulary.codes"
            )
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = STATUSES[code]
        self.message = message
        self.field = field
        self.rule = rule
        self.details: Mapping[str, Any] = dict(details or {})
        self.headers: Mapping[str, str] = dict(headers or {})
        self.errors = tuple(errors)

    @property
    def entries(self) -> tuple[FieldError, ...]:
        """Return one entry per field, or one for the whole problem where no fields were given."""
        return self.errors or (FieldError(self.field, self.rule, self.message, self.code, self.details),)

    def within(self, at: str) -> Problem:
        """Return the same problem of a part of the input, whose place in the whole is `at`."""
        errors = [FieldError(f"{at}.{one.field}", one.rule, one.message, one.code, one.details) for one in self.errors]
        field = f"{at}.{self.field}" if self.field is not None else None
        return Problem(
            self.code, self.message, field=field, rule=self.rule, details=self.details, headers=self.headers,
            errors=errors,
        )  # fmt: skip

    def saying(self, message: str, errors: Iterable[FieldError]) -> Problem:
        """Return this problem in other words."""
        return Problem(
            self.code, message, field=self.field, rule=self.rule, details=self.details, headers=self.headers,
            errors=errors,
        )  # fmt: skip


class UndeclaredAnswerError(Exception):
    """A rule gave an answer that its declaration does not have; raised only in our own tests."""

    def __init__(self, operation: str, what: str, where: str) -> None:
        super().__init__(f"{operation} answered {what}, which its declaration does not name; add it to {where}")


def validation(errors: Iterable[FieldError]) -> Problem:
    """Return the 422 for a list of field errors; if all have the same code, the problem has that code."""
    entries = tuple(errors)
    if not entries:
        raise ValueError("a validation problem needs at least one field error")
    first, more = entries[0], len(entries) - 1
    return Problem(
        first.code if {entry.code for entry in entries} == {first.code} else "VALIDATION_ERROR",
        validation_message(first, f"and {more} more", more),
        field=first.field,
        rule=first.rule,
        details=first.details,
        errors=entries,
    )


def validation_message(first: FieldError, others: str, more: int) -> str:
    """Return the message for several field errors: the first one, and in `others` how many there are beside it."""
    said = f"{first.message} ({others})" if more else first.message
    return f"{first.field}: {said}" if first.field else said


def invalid(field: str, rule: str, message: str, **details: Any) -> Problem:
    """Return the 422 for one field."""
    return validation([FieldError(field, rule, message, details=details)])


def check_entities(given: Sequence[str] | None, known: Sequence[str]) -> None:
    """Raise 422 for entities that are none."""
    if wrong := [place for place, name in enumerate(given or ()) if name not in known]:
        raise validation(
            FieldError(
                f"entity_types.{place}", "choice", f"there are no records of the type {(given or ())[place]!r}",
                details={"choices": list(known)},
            )
            for place in wrong
        )  # fmt: skip


def missing(kind: str, id: str) -> Problem:
    """Return the 404 for an id that no record of a kind has which the caller may see."""
    return Problem("NOT_FOUND", f"no {kind.replace('_', ' ')} has the id {id!r}", field="id", details={"id": id})


def refuse_merged(doc: Document, id: str) -> Document:
    """Return a record that was found by an id, unless it is the survivor of the one that had it: 409 RECORD_MERGED."""
    if doc["id"] != id:
        message = f"{id} was merged into {doc['id']}: change that one"
        raise Problem("RECORD_MERGED", message, details={"survivor_id": doc["id"]})
    return doc


def refuse_any(problems: Iterable[Problem]) -> None:
    """Raise what was found to be wrong: one 422 with every wrong member, otherwise the first problem."""
    found = list(problems)
    wrong = [problem for problem in found if problem.code in ("VALIDATION_ERROR", "REFERENCE_NOT_FOUND")]
    if wrong:
        raise validation(entry for problem in wrong for entry in problem.entries)
    for problem in found:
        raise problem
