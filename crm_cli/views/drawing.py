"""The parts of views: the screen, texts of the server, figures, bars and sparklines.

In an answer that deviates from its document, any member of a record may be missing or of another type: the functions
here accept that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..failures import visible
from ..terminal.output import Printer
from ..terminal.pager import through_pager

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_NARROW = 100
_PIPED = 200
_COLUMN = 18
_NAME = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def show(format: str, whole: Any, records: Iterable[Any], draw: Callable[[Console], None]) -> None:
    """Print a view: drawn as a table, whole as JSON or YAML, or its records in the other formats."""
    printer = Printer(format)
    if printer.is_for_people:
        from ..console import stdout

        with through_pager():
            draw(stdout(piped_width()))
    elif format in ("json", "yaml"):
        printer.show(whole)
    else:
        printer.rows(records)


def piped_width() -> int | None:
    """Return the width of what is drawn for a pipe, which cuts nothing of a usual page; None on a terminal."""
    return None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _PIPED


def fits(screen: Console, columns: int) -> bool:
    """Return whether columns of text fit side by side; on a narrow screen they are drawn below one another."""
    return screen.width >= max(_NARROW, columns * _COLUMN)


def line(*parts: str | tuple[str, str] | Text | None, between: str = "") -> Text:
    """Return a line of texts, some with a style, without control characters."""
    from rich.text import Text

    def made(part: str | tuple[str, str] | Text) -> Text:
        if isinstance(part, Text):
            return part
        text, style = part if isinstance(part, tuple) else (part, "")
        return Text(visible(str(text)).replace("\n", " ") if text else "", style)

    return Text(between).join([text for part in parts if part and (text := made(part))])


def print_row(screen: Console, text: Text, id: str = "", indent: int = 4) -> None:
    """Print a row with its id after it; where they do not fit, the row is cut and the id stands whole below it."""
    if text.cell_len + len(id) + 2 <= screen.width:
        screen.print(line(text, (id, "dim"), between="  "))
        return
    screen.print(text, no_wrap=True, overflow="ellipsis")
    if id:
        screen.print(line(" " * indent, (id, "dim")))


def heading(title: str, about: str = "") -> Text:
    """Return the heading of a part of a page."""
    return line((title, "bold cyan"), (about, "dim"), between="  ")


def count_of(number: int, noun: str) -> str:
    """Return a number with a noun in singular or plural."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def number(value: object) -> Decimal:
    """Return a value as a Decimal; 0 for a value that is not a number."""
    return Decimal(str(value)) if isinstance(value, (int, float, Decimal)) else Decimal()


def amount(value: object) -> str:
    """Return the text of an amount of money, with cents only where it has any."""
    if not isinstance(value, (int, float, Decimal)):
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def money(value: object, currency: str | None) -> str:
    """Return the text of an amount with its currency."""
    return f"{amount(value)} {currency}" if currency else amount(value)


def sums(values: Iterable[tuple[Any, str | None]]) -> dict[str, Decimal]:
    """Return the sum of amounts in each currency, the greatest first; amounts without a currency are under ``""``."""
    found: dict[str, Decimal] = {}
    for value, currency in values:
        found[currency or ""] = found.get(currency or "", Decimal()) + number(value)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def sums_text(found: Mapping[str, Decimal]) -> str:
    """Return the text of sums in several currencies, which are not added up."""
    return " + ".join(money(value, currency) for currency, value in found.items()) or "0"


def percent(value: object) -> str:
    """Return the text of a percentage of 0..100."""
    return f"{value:.0f} %" if isinstance(value, (int, float, Decimal)) else "–"


def title_of(key: str) -> str:
    """Return the title for a key of the documents: "Closed won" for ``closed-won``."""
    return str(key or "").replace("-", " ").replace("_", " ").capitalize()


def bar(share: float, width: int) -> str:
    """Return a bar of a share of the width, in steps of an eighth of a character; a share above 0 is visible."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8) or int(share > 0)
    full, rest = divmod(eighths, 8)
    return ("█" * full + _EIGHTHS[rest].strip()).ljust(width)


def gauge(share: float, width: int) -> Text:
    """Return a bar on a track of the full width."""
    filled = bar(share, width).rstrip()
    return line((filled, "cyan"), ("░" * (width - len(filled)), "dim"))


def spark(values: Sequence[float]) -> str:
    """Return a sparkline of values; the greatest has the full height."""
    most = max(values, default=0)
    if most <= 0:
        return _HEIGHTS[0] * len(values)
    return "".join(_HEIGHTS[round(value / most * (len(_HEIGHTS) - 1))] for value in values)


def bars(values: Mapping[str, float], width: int, told: Callable[[float], str]) -> list[Text]:
    """Return a line for each value: its name, a bar relative to the greatest value, and the text of the value."""
    most = max(values.values(), default=0) or 1
    longest = max(map(len, values), default=0)
    return [
        line(f"{title_of(name):<{longest}}  ", (bar(value / most, width), "cyan"), f"  {told(value)}")
        for name, value in values.items()
    ]


def named_bars(rows: Sequence[tuple[str, Any]], width: int) -> list[Text]:
    """Return a line for each figure: its name as it is, a bar relative to the greatest figure, and the figure."""
    most = max((abs(number(value)) for _, value in rows), default=Decimal()) or Decimal(1)
    longest = min(max((len(name) for name, _ in rows), default=0), _NAME)
    return [
        line(
            f"{name[:longest]:<{longest}}  ",
            (bar(float(abs(number(value)) / most), width), "cyan"),
            f"  {amount(value)}",
        )
        for name, value in rows
    ]
