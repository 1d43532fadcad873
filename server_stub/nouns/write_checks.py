"""Rules that check the members of every write, whatever the noun: those of custom fields, for one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from crm_sdk.arguments import is_required
from crm_sdk.wire import camel, encode_json, is_object

from ..data.document import Document
from ..data.fixed import came_back, inputs_of
from ..problems import FieldError, Problem, invalid, validation
from ..request.answering.rendering import renderer
from ..request.reading.json_types import input_hints
from ..serving import Context, Members

if TYPE_CHECKING:
    from ..noun import Noun

WriteCheck: TypeAlias = "Callable[[Context, Noun, Members, dict[str, Any], Document | None], Iterable[Problem]]"


def checks_every_write(rule: WriteCheck) -> WriteCheck:
    """Mark a rule that checks the members of every write: it yields problems, and may complete the members."""
    vars(rule)["__checks_every_write__"] = True  # read by the collector
    return rule


def unfinished(given: Members, members: Members, hints: Members) -> list[tuple[str, Problem]]:
    """Return the objects that lack what a new record needs in them, once they are merged into what was stored."""
    return [
        (name, invalid(f"{name}.{part}", "required", "field required"))
        for name, value in given.items()
        if is_object(value) and is_object(whole := members[name]) and name in hints
        for part in _needed_parts(hints[name])
        if whole.get(part) is None
    ]


def _needed_parts(hint: Any) -> list[str]:
    kinds = list(inputs_of(hint))  # of several, which one is meant is not known
    return [
        part
        for kind in (kinds if len(kinds) == 1 else ())
        for part, one in input_hints(kind).items()
        if is_required(kind, part, one)
    ]


def problems_of(
    call: Context, noun: Noun, given: Members, members: dict[str, Any], before: Document | None
) -> Iterator[Problem]:
    """Yield what the rules find wrong with a write; `members` are those to be stored, `given` as they came."""
    for rule in call.server.write_checks:
        yield from rule(call, noun, given, members, before)


def refuse_fixed(call: Context, noun: Noun, before: Document) -> None:
    """Refuse another value for a member that cannot be changed; its present one may be sent back.

    A list shows nested lists empty, so that an empty one is what is there, too.
    """
    sent = {name: call.ignored[name] for name in noun.fixed if name in call.ignored}
    if sent:
        show = renderer(noun.model, "platform")
        in_list = noun.listed(call, before) if noun.listed is not None else before
        whole, listed = (json.loads(encode_json(show(doc))) for doc in (noun.answer(call, before), in_list))
        for name in noun.refers.keys() & sent.keys():  # a merged id means the survivor here too
            doc = call.find_one(noun.refers[name], sent[name]) if isinstance(sent[name], str) else None
            sent[name] = doc["id"] if doc is not None else sent[name]
        wrong = [
            name for name, value in sent.items()
            if not came_back(noun.create_hints[name], value, whole.get(camel(name)), listed.get(camel(name)))
        ]  # fmt: skip
        if wrong:
            raise validation(
                FieldError(name, "read_only", "can be given only when the record is created") for name in wrong
            )
