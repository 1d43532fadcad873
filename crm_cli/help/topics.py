"""``crm help TOPIC``: what holds for every command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..failures import EXIT_CODES, MisuseError
from ..settings import Options, settle

if TYPE_CHECKING:
    from rich.console import Console


def topic(
    options: Options,
    name: Annotated[str, typer.Argument(metavar="TOPIC", help="exit-codes.")] = "exit-codes",
) -> None:
    """Explain what holds for every command, such as its exit status: `crm help exit-codes`."""
    from ..views.drawing import show

    if name not in TOPICS:
        raise MisuseError(f"there is no topic {name!r}; there are {', '.join(TOPICS)}")
    rows, draw = TOPICS[name]()
    show(settle(options).output, rows, rows, draw)


def _exit_codes() -> tuple[list[dict[str, Any]], Callable[[Console], None]]:
    rows: list[dict[str, Any]] = [
        {"exit": status, "class": name, "means": means} for status, (name, means) in EXIT_CODES.items()
    ]

    def draw(screen: Console) -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("exit", justify="right")
        table.add_column("class", no_wrap=screen.width >= 60)
        table.add_column("means")
        for row in rows:
            table.add_row(str(row["exit"]), row["class"], row["means"])
        screen.print(table)

    return rows, draw


TOPICS: Mapping[str, Callable[[], tuple[list[dict[str, Any]], Callable[[Console], None]]]] = {"exit-codes": _exit_codes}
"""The topics, each with its rows and what draws them."""
