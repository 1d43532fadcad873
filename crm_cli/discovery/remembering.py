"""Ask the server for what TAB offers, in a process of its own: nobody sees what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from .live_words import keep

if TYPE_CHECKING:
    from crm_sdk import CrmClient

    from ..settings import Options

MOST = 300
"""How many records are remembered of a list: the first of its order."""
_PAGE = 100
_SECONDS = "10"
STAGES = "stages"
"""The source that is no list: the stages of the company's pipelines."""


def remember(words: Sequence[str]) -> int:
    """Ask for a source and keep the answer; the words are the file, the source, how many ids, these, and options."""
    path, source, count, *rest = words
    ids, typed = rest[: int(count)], rest[int(count) :]
    found: list[tuple[str, str]] | None = None
    try:
        with suppress(Exception):  # whatever it is, TAB has nothing to offer
            found = _ask_server(source, ids, _options(typed))
        keep(path, found)
    finally:
        with suppress(OSError):
            os.unlink(f"{path}.asking")  # noqa: PTH108 # as in `live_words`
    return 0


def _options(typed: Sequence[str]) -> Options:
    """Return the options that were typed before the word that TAB completes."""
    from ..settings import GLOBALS, Options

    names = {flag: option.name for option in GLOBALS for flag in (option.flag, option.negative) if flag}
    found: dict[str, Any] = {"no_input": True, "timeout": _SECONDS}
    words = iter(typed)
    for word in words:
        flag, equals, value = word.partition("=")
        name = names[flag]
        found[name] = flag == "--offline" if name == "offline" else value if equals else next(words, "")
    return Options(**found)


def _ask_server(source: str, ids: Sequence[str], options: Options) -> list[tuple[str, str]]:
    from ..connection import open_client
    from ..settings import settle
    from ..terminal.prompts import asking

    asking.set(False)
    with open_client(replace(settle(options), timeout=float(_SECONDS))) as client:
        if source == STAGES:
            return list(_stages(client, ids))
        return list(_records(client, source, ids))


def _records(client: CrmClient, source: str, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    from ..lookups import Lookups, label_of
    from ..tree.nouns import declared_call
    from ..tree.parameters import Form

    call = declared_call(source)
    if call is None:
        return
    arguments: dict[str, Any] = dict(zip(call.positional, ids, strict=True))
    lookups = Lookups(Form(call), arguments)
    arguments |= lookups.ids(client, {**lookups.names, **lookups.doubtful})
    if "limit" in call.signature.parameters:
        arguments["limit"] = _PAGE
    found = attrgetter(source)(client)(**arguments)
    for record in islice(found, MOST):
        if id := getattr(record, "id", None):
            yield str(id), label_of(record) or ""


def _stages(client: CrmClient, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the stages of a pipeline by their ids; without one, those of all by the word that deals have."""
    seen = set[str]()
    for pipeline in ids or [each.id for each in islice(client.pipelines.list(), _PAGE)]:
        found = client.pipelines.get(pipeline)
        for stage in found.stages:
            word = stage.id if ids else stage.key or stage.id
            if word not in seen:
                seen.add(word)
                yield word, stage.name if ids else f"{stage.name} ({found.name})"
