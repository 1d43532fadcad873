"""Commands that read: list, count, add up, show, summarize. They ask the same lists as everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_sdk.resources.activities import Activities
from crm_sdk.wire import instant, number

from ...data.document import Document
from ...data.queries.filter_groups import compile_filters
from ...data.queries.query import member
from ...problems import Problem
from ...request.access import permissions
from ...request.access.hiding import seen_types
from .. import company
from ..analytics.comparing import metric
from .commands import usable
from .subjects import RECORDS, Subject
from .tokens import Token
from .turns import LARGEST, Reply, Turn, intent, invoke
from .words import Unclear, Wanted, field_named, read

_CENT = Decimal("0.01")
_LATEST = 3


def wanted_records(turn: Turn, subject: Subject, wanted: Wanted) -> list[Document]:
    """Return the records that words ask for. Raises: 403 where the caller may not read any of their kind."""
    permissions.check(turn.call.caller, subject.word, "read")
    given = {name: value for name, value in wanted.arguments.items() if name != "limit"}
    types = seen_types(turn.call.caller, subject.entity, subject.fields)
    if types.get(str(given.get("sort"))) == "hidden":
        raise Unclear("no_field", word=str(given["sort"]), entity=subject.key)
    try:
        keep = compile_filters(
            wanted.filter_groups, types, now=turn.call.now, zone=company.zone(turn.call), resolve=member
        )
        found = [doc for doc in turn.records_of(subject, given) if keep(doc)]
    except Problem as problem:
        if problem.field != "sort" and problem.code != "UNKNOWN_FIELD":
            raise
        word = str(given["sort"]) if problem.field == "sort" else problem.details["field"]
        raise Unclear("no_field", word=word, entity=subject.key) from None
    return found[: wanted.arguments.get("limit")]


def list_reply(
    turn: Turn, subject: Subject, words: Sequence[Token], *, only_count: bool = False, confidence: int = 100
) -> Reply:
    """Answer with the records that words ask for, or with how many there are."""
    wanted = understood_words(turn, subject, words)
    docs = wanted_records(turn, subject, wanted)
    name, total = "count" if only_count else "list", len(docs)
    said = intent(name, subject, confidence=confidence, filter_groups=wanted.filter_groups, arguments=wanted.arguments)
    if only_count:
        figures = [
            {"label": turn.say("counted", total=total, entity=subject.key), "value": metric("count", total, None)}
        ]
        return Reply(turn.say("counted", total=total, entity=subject.key), said, total=total, figures=figures)
    records = [turn.reference(subject, doc) for doc in docs[:LARGEST]]
    phrase = "listed" if records else "counted"
    text = turn.say(phrase, total=total, entity=subject.key, names=_names(turn, records, total))
    return Reply(text, said, records, total, suggestions=[f"/show {record['id']}" for record in records[:3]])


def understood_words(turn: Turn, subject: Subject, words: Sequence[Token]) -> Wanted:
    """Return what the words of a command ask for. Raises: Unclear for one that says nothing."""
    wanted = read(turn.call, subject, words)
    if wanted.left:
        places = [at for at, token in enumerate(wanted.left[:-1]) if token.word in ("in", "of", "from")]
        if places:
            raise Unclear("no_value", word=wanted.left[places[0] + 1].text, entity=subject.key)
        raise Unclear("no_word", word=wanted.left[0].text, entity=subject.key)
    return wanted


def _names(turn: Turn, records: Sequence[Mapping[str, Any]], total: int) -> str:
    names = ", ".join(str(record["name"]) for record in records)
    return turn.say("more", names=names, rest=total - len(records)) if total > len(records) else names


def added_up(
    turn: Turn, subject: Subject, field: str, words: Sequence[Token], *, mean: bool = False, confidence: int = 100
) -> Reply:
    """Answer with the sum or the mean of a member; amounts in several currencies are converted to the company's."""
    name = field_named(subject, field)
    if seen_types(turn.call.caller, subject.entity, subject.fields).get(name) != "number":
        raise Unclear("no_number", word=field, entity=subject.key)
    wanted = understood_words(turn, subject, words)
    docs = [doc for doc in wanted_records(turn, subject, wanted) if doc.get(name) is not None]
    money = "Decimal" in str(subject.model.model_fields[name].annotation) and "currency" in subject.fields
    base = str(turn.call.tenant["base_currency"])
    currencies = sorted({str(doc.get("currency") or base) for doc in docs}) if money else []
    mixed = len(currencies) > 1
    worth = company.worth_in(turn.call.tenant)
    values = [worth(doc | {"value": doc[name]}) if mixed else Decimal(str(doc[name])) for doc in docs]
    total = sum(values, Decimal())
    value = (total / len(values)).quantize(_CENT, "ROUND_HALF_UP") if mean and values else total
    unit = (base if mixed or not currencies else currencies[0]) if money else ""
    verb = "average" if mean else "sum"
    said = intent(
        verb, subject, confidence=confidence, filter_groups=wanted.filter_groups,
        arguments={**wanted.arguments, "field": name},
    )  # fmt: skip
    text = turn.say(
        verb, field=name, total=len(docs), entity=subject.key, value=f"{number(value):,}", unit=unit
    ).rstrip()
    if mixed:
        text = turn.say("converted", told=text, currency=base)
    figure = {"label": f"{name} {unit}".rstrip(), "value": metric("currency" if money else "count", value, None)}
    records = [turn.reference(subject, doc) for doc in docs[:LARGEST]]
    return Reply(text, said, records, len(docs), [figure])


def show_reply(turn: Turn, words: Sequence[Token], *, summary: bool = False) -> Reply:
    """Answer with what there is to say of records, in a summary with what happened as well."""
    found = turn.find_named(words, RECORDS)
    verb = "summarize" if summary else "show"
    texts = [
        turn.say("summary", name=turn.title(subject, doc), facts=_facts(subject, doc))
        + (f". {_happened_text(turn, subject, doc)}" if summary else "")
        for subject, doc in found
    ]
    records = [turn.reference(subject, doc) for subject, doc in found]
    return Reply("\n".join(texts), intent(verb, found[0][0], arguments={"id": records[0]["id"]}), records, len(records))


def _facts(subject: Subject, doc: Mapping[str, Any]) -> str:
    values = ((name, doc.get(name)) for name in subject.shown if name != subject.title)
    return ", ".join(f"{name} {_text(value)}" for name, value in values if value not in (None, "", [])) or str(
        doc["id"]
    )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(number(value)) if isinstance(value, Decimal) else str(value)


def _happened_text(turn: Turn, subject: Subject, doc: Mapping[str, Any]) -> str:
    argument = f"{subject.entity}_id"
    if argument not in Activities.list.operation.signature.parameters:
        return turn.say("quiet")
    if not permissions.permits(turn.call.caller, "activities", "read"):
        return turn.say("quiet")
    docs: Sequence[Document] = invoke(turn.call, Activities.list.operation, {argument: doc["id"]})
    latest = sorted(docs, key=lambda one: one.get("occurred_at") or one["created_at"], reverse=True)[:_LATEST]
    names = ", ".join(str(one.get("title") or one.get("subject") or one.get("body") or one["kind"]) for one in latest)
    return turn.say("happened", count=len(docs), names=names) if latest else turn.say("quiet")


def help_reply(turn: Turn) -> Reply:
    """Answer with the commands that the caller may use."""
    found = usable(turn.call)
    names = ", ".join(f"/{command.name}" for command in found)
    return Reply(turn.say("help", names=names), intent("help"), suggestions=[str(one.examples[0]) for one in found[:3]])
