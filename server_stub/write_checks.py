"""Rules that check the members of every write, whatever the noun: those of custom fields, for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from .data.document import Document
from .problems import Problem
from .serving import Context, Members

if TYPE_CHECKING:
    from .noun import Noun

WriteCheck: TypeAlias = "Callable[[Context, Noun, Members, dict[str, Any], Document | None], Iterable[Problem]]"
_CHECKS: list[WriteCheck] = []


def checks_every_write(rule: WriteCheck) -> WriteCheck:
    """Have a rule check the members of every write of every noun; it yields problems, and may complete the members."""
    _CHECKS.append(rule)
    return rule


def problems_of(
    call: Context, noun: Noun, given: Members, members: dict[str, Any], before: Document | None
) -> Iterator[Problem]:
    """Yield what the rules find wrong with a write; `members` are those to be stored, `given` as they came."""
    for rule in _CHECKS:
        yield from rule(call, noun, given, members, before)
