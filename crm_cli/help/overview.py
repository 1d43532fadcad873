"""``crm --help``: the commands by their groups, in a screen and a half. ``crm help commands`` has all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .groups import ABOUT, AROUND, CORE

if TYPE_CHECKING:
    from rich.console import Console

    Summaries = Sequence[tuple[str, str, str]]

NEXT: Mapping[str, str] = {
    "crm NOUN --help": "the commands of a noun, such as `crm leads --help`",
    "crm help options": "the options of every command, which may stand before or after it",
    "crm help commands": "every noun and command with a sentence",
    "crm search-commands WORDS": "find a command by what it does",
    "crm --offline leads list": "try it with the embedded server and its demo data",
}


def draw(usage: str, summaries: Summaries) -> None:
    """Print the overview: a line for each noun of the core, the names of the others."""
    from rich.table import Table
    from rich.text import Text

    from ..console import stdout
    from . import prose

    console = stdout()
    console.print(Text(f" {' '.join(usage.split())}\n", style="bold"))
    console.print(" Work with the CRM from the command line.\n")
    groups = by_group(summaries)
    core = groups.pop(CORE)
    console.print(Text(f" {CORE}", style="bold"))
    _print_rows(console, [(f"  {name}", about) for name, about in core.items()], wrapped=False)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(style="cyan", ratio=1)
    for group, names in groups.items():
        table.add_row(f" {group}", ", ".join(names))
    console.print(table)
    console.print()
    after = Table.grid(padding=(0, 2))
    after.add_column(style="bold cyan", min_width=max(len(command) + 1 for command in NEXT))
    after.add_column(ratio=1)
    for command, about in NEXT.items():
        after.add_row(f" {command}", prose(about))
    console.print(after)


def draw_commands(console: Console, summaries: Summaries) -> None:
    """Print every command with its sentence, by its group."""
    from rich.text import Text

    for group, names in by_group(summaries).items():
        console.print(Text.assemble((f"{group}", "bold"), (f"  {ABOUT[group]}", "dim")))
        _print_rows(console, [(f"  {name}", about) for name, about in names.items()], wrapped=True)
        console.print()


def by_group(summaries: Summaries) -> dict[str, dict[str, str]]:
    """Return the summaries by group and name; of the groups that have any, and of the first and the last."""
    groups: dict[str, dict[str, str]] = {group: {} for group in ABOUT}
    for group, name, about in summaries:
        groups.setdefault(group, {})[name] = about
    return {group: names for group, names in groups.items() if names or group in (CORE, AROUND)}


def _print_rows(console: Console, rows: Sequence[tuple[str, str]], *, wrapped: bool) -> None:
    from rich.table import Table

    from . import prose

    first = max((len(name) for name, _ in rows), default=0)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", min_width=first)
    table.add_column(ratio=1)
    for name, about in rows:
        text = prose(about)
        if not wrapped:
            text.truncate(max(console.width - first - 2, 1), overflow="ellipsis")
        table.add_row(name, text)
    console.print(table)
