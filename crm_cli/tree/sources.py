"""Where the values of an argument or an option are listed: what TAB asks the server for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ..lookups import lists_of
from ..plurals import singular
from .nouns import nouns, operations, resources

if TYPE_CHECKING:
    from .parameters import Form, Parameter

_PEOPLE = frozenset(
    {"owner_id", "manager_id", "assignee_id", "assigned_to", "author_id", "actor_id", "created_by", "organizer_id"}
)
"""What is a user, though it is not called one."""
_SAME_NOUN = frozenset({"parent_id", "child_id", "survivor_id", "duplicate_id"})
"""What is a record of the noun itself."""
_SHORT = {"pipeline": "pipeline_id", "owner": "owner_id"}
"""What views call it."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A list of the catalogue, and what the ids of its records are called where they are typed."""

    source: str
    argument: str
    owners: tuple[str, ...]
    """The arguments of the list: whose records it lists."""
    named: bool
    """Whether another call fetches one of its records: without that a record may belong to another noun."""

    @property
    def mark(self) -> str:
        """The source as completion reads it: with how many of the typed ids its records belong to."""
        return f"@{self.source}{f'/{len(self.owners)}' if self.owners else ''}"


def source_of(form: Form, parameter: Parameter) -> str | None:
    """Return the source of a parameter's values, ``@deals.list``; None where no list has them.

    ``/1`` after it says that the records are those of the first id that is typed, ``+`` that a unique name can be typed
    as well.
    """
    if parameter.kind != "text":
        return None
    name = singular(parameter.name) if parameter.name.endswith("_ids") else parameter.name
    special = _special(form.operation.id, name)
    if special is not None:
        return special
    if name in _SAME_NOUN:
        return _mark_source(_own(form.operation.id.split(".")[0]), form, parameter)
    typed = tuple(form.operation.positional)
    before = typed[: typed.index(parameter.name)] if parameter.name in typed else typed
    fitting = [
        each
        for each in _lists()
        if each.argument == name
        and each.owners == before[: len(each.owners)]
        and (not each.owners or parameter.place == "argument")
    ]
    near = {each: _common_words(each.source, form.operation.id) for each in fitting}
    best = [each for each in fitting if near[each] == max(near.values())]
    if len(best) > 1:
        best = [each for each in best if not each.owners and each.named]
    return _mark_source(best[0] if len(best) == 1 else None, form, parameter)


def _mark_source(found: _Listed | None, form: Form, parameter: Parameter) -> str | None:
    if found is None:
        return None
    named = parameter.place == "argument" and parameter.name in lists_of(form)
    return f"{found.mark}{'+' if named else ''}"


def source_of_view(noun: str, name: str, *, argument: bool) -> str | None:
    """Return the source of a value that a view of a noun takes; None where no list has it."""
    special = _special(noun, _SHORT.get(name, name))
    if special is not None:
        return special
    found: _Listed | None = None
    if argument and name in ("id", singular(noun.split(".")[-1])):
        found = _own(noun)
    else:
        named = [each for each in _lists() if each.argument == _SHORT.get(name, name) and not each.owners]
        found = named[0] if len(named) == 1 else None
    if found is None:
        return None
    return f"{found.mark}{'+' if argument and name != found.argument else ''}"


def nouns_with_ids() -> list[str]:
    """Return the nouns whose records a call fetches by one id."""
    found = (each.source.removesuffix(".list") for each in _lists() if each.named and not each.owners)
    return sorted(noun.replace("_", "-") for noun in found if "." not in noun)


def _special(call: str, name: str) -> str | None:
    if name == "stage":
        return "@stages"
    if name == "stage_id" and call.startswith("pipelines.stages."):
        return "@stages/1"
    return "@users.list" if name in _PEOPLE else None


def _own(noun: str) -> _Listed | None:
    return next((each for each in _lists() if each.source == f"{noun}.list" and each.named and not each.owners), None)


def _common_words(source: str, call: str) -> int:
    """Return how many words a list has in common with a call, from the start: the nearer, the more."""
    words = list(zip(source.split(".")[:-1], call.split("."), strict=False))
    return next((n for n, (a, b) in enumerate(words) if a != b), len(words))


@cache
def _lists() -> tuple[_Listed, ...]:
    found = [each for kind in nouns().values() for each in _lists_of(kind)]
    top = {each.argument for each in found if each.source.count(".") == 1 and each.named}
    return tuple(each for each in found if each.named or each.argument not in top)


def _lists_of(kind: Any) -> Iterator[_Listed]:
    declared = operations(kind)
    listed, get = declared.get("list"), declared.get("get")
    if listed is not None and listed.kind == "page":
        owners = tuple(listed.positional)
        single = f"{singular(listed.id.split('.')[-2])}_id"
        named = get is not None and tuple(get.positional[:-1]) == owners and bool(get.positional)
        yield _Listed(listed.id, get.positional[-1] if get is not None and named else single, owners, named)
    for inner in resources(kind).values():
        yield from _lists_of(inner)
