"""``crm search-commands WORDS``: the commands that do something, the best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..plurals import singular
from ..settings import Options, settle

if TYPE_CHECKING:
    from rich.console import Console

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "2fa": ("mfa",),
    "add": ("create",),
    "appointment": ("calendar", "meeting", "event"),
    "ask": ("chat", "chatops"),
    "assign": ("owner", "assign"),
    "attachment": ("file",),
    "booking": ("meeting", "calendar"),
    "business": ("account",),
    "call": ("call", "dial"),
    "change": ("update", "set"),
    "client": ("contact", "account"),
    "company": ("account", "tenant"),
    "customer": ("contact", "account"),
    "deduplicate": ("merge", "duplicate"),
    "document": ("file",),
    "edit": ("update", "set"),
    "email": ("email", "e-mail"),
    "erase": ("delete", "privacy"),
    "fetch": ("get", "download"),
    "find": ("search", "list"),
    "gdpr": ("privacy", "erasure"),
    "history": ("history", "audit", "timeline"),
    "invoice": ("invoice", "billing"),
    "kanban": ("board",),
    "key": ("api-key", "key"),
    "log": ("audit", "log"),
    "mail": ("email", "e-mail"),
    "modify": ("update", "set"),
    "new": ("create",),
    "notify": ("notification",),
    "opportunity": ("deal",),
    "organisation": ("account", "tenant"),
    "organization": ("account", "tenant"),
    "password": ("password",),
    "people": ("contact", "user"),
    "permission": ("role", "security", "can"),
    "person": ("contact", "user"),
    "phone": ("call", "dial"),
    "prospect": ("lead",),
    "quote": ("deal", "proposal"),
    "remove": ("delete", "remove"),
    "rename": ("update",),
    "restore": ("restore", "undelete"),
    "rights": ("permission", "role", "security", "can"),
    "sale": ("deal",),
    "send": ("send", "create"),
    "show": ("get", "show"),
    "sms": ("sms",),
    "stage": ("stage", "pipeline"),
    "statistics": ("analytics", "report"),
    "task": ("activity", "task"),
    "text": ("message", "sms"),
    "todo": ("task", "action-item"),
    "upload": ("upload", "import"),
    "view": ("get", "show", "layout"),
}
"""Words that people say, with those that the commands have."""
_NAME, _SYNONYM, _ABOUT, _STARTS, _LONGER = 10, 9.5, 4, 0.6, 1
_SMALL = frozenset({"a", "all", "an", "and", "by", "for", "from", "i", "in", "my", "of", "on", "the", "to", "with"})


def _count(text: str | int) -> int:
    from ..terminal.limits import count

    return count(text)


def search(
    options: Options,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="What it should do, such as merge contacts.")],
    limit: Annotated[
        int, typer.Option("--limit", metavar="INT", parser=_count, help="How many commands are shown, or all.")
    ] = 15,
) -> int | None:
    """Find commands by what they do: in their names, their sentences, and other words for the same."""
    from ..failures import complain
    from ..views.drawing import show

    found = [{"command": f"crm {name}", "about": about} for name, about in ranked_commands(words)]
    rows = found[:limit]

    def draw(screen: Console) -> None:
        from rich.table import Table

        from ..help import prose

        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold cyan", no_wrap=screen.width >= 60)
        table.add_column(ratio=1)
        for row in rows:
            table.add_row(row["command"], prose(row["about"]))
        screen.print(table)

    show(settle(options).output, rows, rows, draw)
    if not found:
        complain("no command is about that; `crm help commands` has all nouns")
    elif len(found) > limit:
        complain(f"showing {limit} of {len(found)}: --limit {len(found)} for all")
    return None


def ranked_commands(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return the name and the sentence of each command that has to do with the words, the best first."""
    from .. import completion

    said = [part.casefold() for word in words for part in word.replace("-", " ").split()]
    asked = [singular(word) for word in said if word not in _SMALL] or said
    found: list[tuple[int, float, str, str]] = []
    for name, about in _commands(completion.names(), ()):
        scores = [_score(word, name, about) for word in asked]
        there = sum(score > 0 for score in scores)
        # Whoever names several words means all of them; a single one decides only where no command has more.
        if there and there * 2 >= len(asked):
            longer = _LONGER * len(name.replace("-", " ").split())
            found.append((-there, float(longer - sum(scores)), name, about))
    found.sort(key=lambda each: (each[0], each[1], len(each[2]), each[2]))
    best = found[0][0] if found else 0
    return [(name, about) for there, _, name, about in found if there == best or len(asked) > 2]


def _commands(node: Mapping[str, Any], words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, inner in node["commands"].items():
        yield " ".join((*words, name)), inner["help"]
        if "commands" in inner:
            yield from _commands(inner, (*words, name))


def _score(word: str, name: str, about: str) -> float:
    names = [singular(part) for whole in name.split() for part in (whole, *whole.split("-"))]
    texts = [singular(part.strip(".,;:()`'\"").casefold()) for part in about.split()]
    others = [singular(other) for other in SYNONYMS.get(word, ())]
    return max(
        _of(word, names) * _NAME,
        max((_of(other, names) for other in others), default=0) * _SYNONYM,
        _of(word, texts) * _ABOUT,
        max((_of(other, texts) for other in others), default=0) * _ABOUT / 2,
    )


def _of(word: str, among: Sequence[str]) -> float:
    """Return 1 where the word is among others, less where it begins one of them."""
    if word in among:
        return 1
    return _STARTS if len(word) >= 3 and any(other.startswith(word) for other in among) else 0
