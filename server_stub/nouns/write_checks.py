"""Rules that check the members of every write, whatever the noun: those of custom fields, for one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from crm_sdk.wire import camel, encode_json

from ..data.document import Document
from ..data.fixed import came_back
from ..problems import FieldError, Problem, validation
from ..request.answering.rendering import renderer
from ..serving import Context, Members

if TYPE_CHECKING:
    from ..noun import Noun

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
