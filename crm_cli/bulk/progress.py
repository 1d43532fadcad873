"""How far a long command is: a bar with rate and time left on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ..failures import complain

Advance = Callable[[int], None]
"""Called with how many more are done."""
_TENTHS = 10


@contextmanager
def progress(what: str, total: int | None) -> Generator[Advance]:
    """Show on stderr how many of `total` are done; where that is not known, how many, on a terminal alone."""
    if sys.stderr.isatty():
        yield from _bar(what, total)
    else:
        yield _lines(what, total)


def _bar(what: str, total: int | None) -> Generator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """The rows of a second."""

        def render(self, task: Task) -> Text:
            """Return the rate."""
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda count: shown.advance(task, count)


def _lines(what: str, total: int | None) -> Advance:
    begun, done, said = time.monotonic(), 0, 0

    def advance(count: int) -> None:
        nonlocal done, said
        done += count
        tenths = done * _TENTHS // total if total else 0
        if total and tenths > said:
            said = tenths
            rate = done / max(time.monotonic() - begun, 1e-9)
            left = f", {_clock((total - done) / rate)} left" if done < total else ""
            complain(f"{what}: {done:,} of {total:,} ({tenths * _TENTHS} %), {rate:,.0f}/s{left}")

    return advance


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
