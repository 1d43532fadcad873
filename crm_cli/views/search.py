"""``crm search acme``: show the found records, by kind."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sdk.models.search import SearchType
from crm_sdk.reading import choices_of
from crm_sdk.wire import is_array

from ..connection import open_client
from ..failures import complain
from ..plurals import singular
from ..settings import Options, settle
from ..terminal.limits import count
from ..terminal.output import plain
from .drawing import amount, heading, line, percent, show, title_of
from .zone import Zone, zone_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import Account, CalendarEvent, Contact, Deal, Lead, Message
    from crm_sdk.models.search import SearchHit, SearchResults

_MATCH = "bold underline yellow"
_AROUND = 30
"""The number of characters of a long text that are shown before a match."""
_LONGEST = 160


def search(
    options: Options,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="All of them have to occur.")],
    type: Annotated[
        str | None, typer.Option("--type", metavar="|".join(choices_of(SearchType)), help="Only what is of this kind.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="INT", parser=count, help="So many of each kind are drawn, or all.")
    ] = 10,
) -> None:
    """Show the records in which all the words occur, the best first.

    What the server's dialect finds: contacts, deals, messages and calendar events, on the platform records of every
    kind. `--output json` has all that were found.
    """
    settings = settle(options)
    with open_client(settings) as client:
        found = client.search.query(" ".join(words), type=type)
        zone = zone_of(client) if settings.output == "table" else Zone()
    terms = [_fold(word) for word in " ".join(words).split()]
    show(settings.output, found, _records(found), lambda screen: _draw(screen, found, terms, limit, zone))


def _kinds(found: SearchResults) -> dict[str, Sequence[Any]]:
    others = [activity for activity in found.activities if activity.kind != "event"]
    by_kind: dict[str, Sequence[Any]] = {
        "contacts": found.contacts, "leads": found.leads, "deals": found.deals, "accounts": found.accounts,
        "messages": found.messages, "events": found.events, "activities": others,
    }  # fmt: skip
    for hit in found.others:
        by_kind[hit.type] = [*by_kind.get(hit.type, ()), hit]
    return by_kind


def _records(found: SearchResults) -> Iterator[dict[str, Any]]:
    for kind, records in _kinds(found).items():
        yield from ({"kind": singular(kind), **plain(getattr(record, "record", record))} for record in records)


def _draw(screen: Console, found: SearchResults, terms: Sequence[str], limit: int, zone: Zone) -> None:
    from rich.padding import Padding

    kinds = {kind: records for kind, records in _kinds(found).items() if records}
    for number, (kind, records) in enumerate(kinds.items()):
        if number:
            screen.print()
        screen.print(heading(title_of(kind), str(len(records))))
        for record in records[:limit]:
            first, *others = (_highlight(text, terms) for text in _ABOUT.get(kind, _cells_of_hit)(record, zone))
            if not any(_marks(text, terms) for text in (first.plain, *(other.plain for other in others))):
                others += [_highlight(text, terms) for text in _elsewhere(record, terms)]
            screen.print(Padding(line(first, (record.id, "dim"), between="  "), (0, 0, 0, 2), expand=False))
            for other in others:
                screen.print(Padding(other, (0, 0, 0, 4), expand=False))
        if len(records) > limit:
            screen.print(line((f"  + {len(records) - limit} more", "dim")))
    if not kinds:
        complain("nothing found")
    if found.did_you_mean:
        complain(f"did you mean: {found.did_you_mean}")


def _contact(record: Contact | Lead, _: Zone) -> list[Text]:
    return [
        line((record.name, "bold"), _join(record.title, record.company), between="  "),
        line((_join(record.email, record.phone), "dim")),
    ]


def _deal(record: Deal, _: Zone) -> list[Text]:
    figures = (title_of(record.stage), amount(record.value), percent(record.probability))
    return [
        line((record.title, "bold"), *figures, between="  "),
        line((_join(record.contact_name, record.company), "dim")),
    ]


def _message(record: Message, zone: Zone) -> list[Text]:
    when = zone.text_of(record.timestamp)
    return [line((record.sender_name or "", "bold"), (when, "dim"), record.subject, between="  "), line(record.content)]


def _event(record: CalendarEvent, zone: Zone) -> list[Text]:
    when = zone.text_of(record.start_time)
    who = _join(record.contact_name, record.contact_company)
    return [line((record.title or "", "bold"), (when, "dim"), record.status, between="  "), line((who, "dim"))]


def _account(record: Account, _: Zone) -> list[Text]:
    return [line((record.name, "bold"), _join(record.industry, record.domain), between="  ")]


def _activity(record: Any, _: Zone) -> list[Text]:
    title = record.title or getattr(record, "subject", None) or getattr(record, "body", None) or ""
    return [line((title, "bold"), (record.kind, "dim"), getattr(record, "status", None), between="  ")]


def _cells_of_hit(record: SearchHit[Any], _: Zone) -> list[Text]:
    return [line((record.title, "bold"), record.subtitle, between="  ")]


_ABOUT: Mapping[str, Any] = {
    "contacts": _contact, "leads": _contact, "deals": _deal, "accounts": _account, "messages": _message,
    "events": _event, "activities": _activity,
}  # fmt: skip


def _join(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _elsewhere(record: Any, terms: Sequence[str]) -> list[Text]:
    """Return the member of a record that matches, if no member that is shown does."""
    for name, value in plain(record).items():
        for text in value if is_array(value) else [value]:
            if isinstance(text, str) and name != "id" and _marks(text, terms):
                return [line((f"{name}: {text}", "dim"))]
    return []


def _highlight(text: Text, terms: Sequence[str]) -> Text:
    """Highlight the matches; a long text is cut to the part around the first match."""
    marks = _marks(text.plain, terms)
    for begin, end in marks:
        text.stylize(_MATCH, begin, end)
    if len(text) <= _LONGEST:
        return text
    begin = max(min(begin for begin, _ in marks) - _AROUND, 0) if marks else 0
    cut = text[begin : begin + _LONGEST]
    return line("…" if begin else None, cut, "…" if begin + _LONGEST < len(text) else None)


def _marks(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Return the beginnings and ends of the terms in a text, without regard to case and accents."""
    seen, marks = _fold(text), list[tuple[int, int]]()
    for term in terms:
        begin = seen.find(term)
        while begin >= 0:
            marks.append((begin, begin + len(term)))
            begin = seen.find(term, begin + len(term))
    return marks


def _fold(text: str) -> str:
    """Return a text in lower case without accents, character by character, so that its length stays the same."""
    return "".join((unicodedata.normalize("NFKD", each).casefold() or each)[0] for each in text)
