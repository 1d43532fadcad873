"""Collect the contributions of the services to the server: their marked functions, nouns and record types.

The server itself imports no service. A service marks its functions (`serves`, `runs`, `reacts`, `completes`, `shows`,
`recurs`, `falls_due`, `checks_every_write`, `knows_fields`) and declares its records by a noun or a `RecordType`; to
add a service is to add its module.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from crm_sdk.operation import Operation

from . import services
from .data.document import Document
from .jobs import Step
from .live.feeds import Feeds
from .noun import Noun
from .nouns.write_checks import WriteCheck
from .request.http import Reply
from .request.reading.views import Known
from .serving import Collections, Context, RecordType
from .timetable import Timetable

Named = TypeVar("Named", Noun, RecordType)


@dataclass(frozen=True, eq=False, slots=True)
class Contributions:
    """The contributions of the services, which all servers of a process share."""

    nouns: Mapping[str, Noun]
    rules: Mapping[Operation[..., Any], Callable[..., Any]]
    """The rule of every operation: a service's own rule takes precedence over that of its noun."""
    steps: Mapping[str, Step]
    reactions: Mapping[str, Sequence[Callable[[Context, Document], None]]]
    timetable: Timetable
    feeds: Feeds
    completions: Mapping[str, Callable[[Document, Collections, datetime], Document]]
    links: Mapping[str, Callable[..., Reply]]
    """What answers the links in messages, by their kind."""
    erasing: Sequence[Callable[[Context], int]]
    """What erases persons again whom restored data have brought back."""
    write_checks: Sequence[WriteCheck]
    """What checks the members of every write, whatever the noun."""
    view_fields: Callable[[Context, str], Known]
    """What returns the fields by which the records of an entity are found through a view."""


_NAMES = tuple(found.name for found in pkgutil.walk_packages(services.__path__, f"{services.__name__}."))
"""The modules of the services: looked up now, since a test may put another file system in the place of this one."""


@cache
def contributions() -> Contributions:
    """Return the contributions of all services."""
    modules = [importlib.import_module(name) for name in _NAMES]
    nouns = {noun.kind: noun for noun in _instances(modules, Noun)}
    served = {operation: rule for noun in nouns.values() for operation, rule in noun.rules().items()}
    return Contributions(
        nouns=nouns,
        rules={
            **served,
            **_by_key((key, rule) for keys, rule in _marked_functions(modules, "__operations__") for key in keys),
        },
        steps=_by_key(_marked_functions(modules, "__job_kind__")),
        reactions=_reactions(modules),
        timetable=Timetable(
            dict(sorted(_by_key(_marked_functions(modules, "__recurs__")).items())),
            _by_key(_marked_functions(modules, "__falls_due__")),
        ),
        feeds=Feeds(
            [(showing, make) for shown, make in _marked_functions(modules, "__shows__") for showing in shown],
            _record_types(modules, nouns),
        ),
        completions=_by_key(_marked_functions(modules, "__completes__")),
        links=_by_key(_marked_functions(modules, "__opens__")),
        erasing=[erase for _, erase in _marked_functions(modules, "__erases_again__")],
        write_checks=[check for _, check in _marked_functions(modules, "__checks_every_write__")],
        view_fields=next(rule for _, rule in _marked_functions(modules, "__knows_fields__")),
    )


def _marked_functions(modules: Sequence[ModuleType], mark: str) -> Iterator[tuple[Any, Any]]:
    """Yield the functions with a mark, each with the value of the mark, from the modules that define them."""
    for module in modules:
        for value in vars(module).values():
            said = getattr(value, mark, None)
            if said is not None and value.__module__ == module.__name__:
                yield said, value


def _by_key(marked: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in marked:
        if key in found:
            raise TypeError(f"{value.__module__}.{value.__name__}: {key} has two rules")
        found[key] = value
    return found


def _reactions(modules: Sequence[ModuleType]) -> dict[str, list[Callable[[Context, Document], None]]]:
    """Return the reactions to each event, ordered by name."""
    found: dict[str, list[Callable[[Context, Document], None]]] = {}
    for events, reaction in sorted(_marked_functions(modules, "__reacts__"), key=lambda item: item[1].__qualname__):
        for event in events:
            found.setdefault(event, []).append(reaction)
    return found


def _instances(modules: Sequence[ModuleType], kind: type[Named]) -> list[Named]:
    """Return the nouns or record types that the modules define, each once."""
    found: dict[str, Named] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, kind) and found.setdefault(value.kind, value) is not value:
                raise TypeError(f"{module.__name__}: there are two {kind.__name__}s of the kind {value.kind!r}")
    return list(found.values())


def _record_types(modules: Sequence[ModuleType], nouns: Mapping[str, Noun]) -> dict[str, RecordType]:
    """Return the record type of each kind of record in events: from its noun, or as declared."""
    of_nouns = (RecordType(noun.kind, noun.model) for noun in nouns.values() if noun.stored_as is None)
    return {found.kind: found for found in (*of_nouns, *_instances(modules, RecordType))}
