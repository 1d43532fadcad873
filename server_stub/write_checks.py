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


def checks_every_write(rule: WriteCheck) -> WriteCheck:
    """Mark a rule that checks the members of every write: it yields problems, and may complete the members."""
    vars(rule)["__checks_every_write__"] = True  # read by the collector
    return rule


def problems_of(
    call: Context, noun: Noun, given: Members, members: dict[str, Any], before: Document | None
) -> Iterator[Problem]:
    """Yield what the rules find wrong with a write; `members` are those to be stored, `given` as they came."""
    for rule in call.server.write_checks:
        yield from rule(call, noun, given, members, before)
