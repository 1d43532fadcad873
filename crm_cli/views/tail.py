"""Print the events of a stream or channel line by line, until an ending is reached."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from crm_sdk.errors import EventGap
from crm_sdk.wire import is_object

from ..failures import NOT_IN_TIME, CommandError, MisuseError, complain, visible
from ..interruption import end_if_interrupted, until_interrupted
from ..settings import Settings
from ..terminal.output import Printer, plain
from ..tree.near import slip_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from .conditions import Condition

T = TypeVar("T")

_LOOK = 1.0
"""Seconds without an event after which to check whether stdout is still read."""
_QUIET = 0.5
"""Seconds without an event after which the embedded server has sent all stored events."""
_TOLD = ("name", "leadName", "title", "subject", "content", "metric", "currentTask", "task", "message")
_WIDE = {"time": 19, "type": 26, "about": None, "seq": 6}
_NARROW = {"time": 8, "type": 19, "about": None, "seq": 4}
"""The widths of the columns on a screen of at least 80 columns, and on a narrower one."""


class Source(Protocol):
    """A stream of events, or a channel."""

    @property
    def cursor(self) -> object:
        """The position after the last event that was read."""
        ...

    @property
    def connected(self) -> bool:
        """Whether events are being received."""
        ...

    def wait(self, timeout: float) -> Any:
        """Return the next event; None where none comes within `timeout` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """The endings of a stream: a condition, a number of events, a time."""

    until: Condition | None
    count: int | None
    at: float | None
    offline: bool

    @classmethod
    def of(cls, settings: Settings, until: Condition | None, count: int | None) -> Ending:
        """Return the endings for a command that begins now."""
        timed = settings.typed.timeout is not None
        return cls(until, count, time.monotonic() + settings.timeout if timed else None, settings.offline)

    @property
    def patience(self) -> float:
        """The number of seconds to wait for the next event."""
        if self.at is not None:
            return max(0.0, min(_LOOK, self.at - time.monotonic()))
        return _QUIET if self.offline else _LOOK

    @property
    def silence_is_the_end(self) -> bool:
        """Whether the command ends because no event came within `patience`."""
        return time.monotonic() >= self.at if self.at is not None else self.offline

    def missed(self, shown: int) -> int:
        """Return the exit status where this is the end, after so many events.

        Raises: CommandError for what did not come.
        """
        if self.until is not None:
            raise CommandError("NOT_IN_TIME", f"what --until waits for was not among {shown} events", NOT_IN_TIME)
        if self.count is not None and shown < self.count:
            raise CommandError("NOT_IN_TIME", f"{shown} of {self.count} came in time", NOT_IN_TIME)
        return 0


def check_way(over: str) -> None:
    """Refuse a way of listening that there is not. Raises: MisuseError."""
    if over not in ("ws", "sse"):
        raise MisuseError(f"--over must be ws or sse, not {over!r}")


def split(texts: Iterable[str] | None) -> list[str] | None:
    """Return the names of events in an option that can be repeated or have commas; None where there is none.

    Raises: MisuseError for a mistyped one, which would never come.
    """
    names = [name.strip() for text in texts or () for name in text.split(",") if name.strip()]
    for name in names:
        meant = slip_of(name, _known_events()) if "." in name else None
        if meant is not None:
            raise MisuseError(f"there is no event {name!r}; did you mean {meant!r}?")
    return names or None


def _known_events() -> list[str]:
    """Return the names of the events that are documented, or can be triggered."""
    from crm_sdk.models.webhooks import WebhookEvent
    from crm_sdk.reading import choices_of

    from .webhooks.triggers import CAUSES

    return list(dict.fromkeys([*choices_of(WebhookEvent), *CAUSES]))


def start_cursor(since: str | None) -> str | None:
    """Return the cursor to begin at; None for ``now``."""
    return None if since == "now" else since


def next_event(take: Callable[[], T]) -> T:
    """Return the next event; a gap before it is reported on stderr."""
    while True:
        try:
            return take()
        except EventGap as gap:
            complain(f"note: {gap}")


def tail(source: Source, told: Callable[[Any], Mapping[str, Any]], format: str, ending: Ending) -> int:
    """Print events in the form that `told` returns, until an ending; return the exit status."""

    def go_on() -> int:
        with _screen(format, source) as screen:
            return _follow(source, told, screen, ending)

    try:
        return until_interrupted(go_on)
    finally:
        if sys.stderr.isatty() and source.cursor is not None:
            complain(f"to continue: --since {source.cursor}")


def follow(stream: Any, format: str, settings: Settings) -> int:
    """Print what a call streams, until it ends, or `--timeout` has passed; return the exit status."""

    def told(event: Any) -> dict[str, Any]:
        found = plain(event)
        said = {"type": found.pop("event", None), **found}
        return {**said, "timestamp": event.at} if format == "table" else said

    with stream:
        return tail(_Ended(stream), told, format, Ending.of(settings, None, None))


class _Ended:
    """A stream that the server may end: its end is that of the command."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def cursor(self) -> object:
        return None

    @property
    def connected(self) -> bool:
        return bool(self._stream.connected)

    @property
    def ended(self) -> bool:
        """Whether no event comes any more."""
        return bool(self._stream.ended)

    def wait(self, timeout: float) -> Any:
        return self._stream.wait(timeout)


def _follow(
    source: Source,
    told: Callable[[Any], Mapping[str, Any]],
    screen: Callable[[Mapping[str, Any]], None],
    ending: Ending,
) -> int:
    shown = 0
    while True:
        end_if_interrupted()
        event = next_event(lambda: source.wait(ending.patience))
        if event is not None:
            shown += 1
            record = told(event)
            screen(record)
            if ending.until is not None and ending.until.holds(record):
                return 0
            if shown == ending.count:
                return 0 if ending.until is None else ending.missed(shown)
        elif getattr(source, "ended", False):
            return 0
        elif ending.silence_is_the_end:
            if ending.at is None and not shown:
                complain(
                    "note: nothing happens at the embedded server while this waits: --since 0 shows what has "
                    "happened, --timeout waits for what its clock brings"
                )
            return ending.missed(shown)
        elif nobody_reads():
            raise BrokenPipeError


def nobody_reads() -> bool:
    """Return whether stdout is a closed pipe, which would otherwise be noticed only at the next event."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(state & (select.POLLERR | select.POLLNVAL) for _, state in poll.poll(0))
    except (OSError, AttributeError):  # stdout has no file descriptor, or the system has no `poll`
        return False


# -- for programs, and for people ------------------------------------------------------------------------------------


def _screen(format: str, source: Source) -> AbstractContextManager[Callable[[Mapping[str, Any]], None]]:
    if format == "table":
        return _Table(source)
    if format in ("csv", "tsv", "yaml", "ids"):
        raise MisuseError("what goes on has no columns and no end: --output jsonl, or table")
    return nullcontext(Printer("jsonl").show)


class _Table:
    """A table that grows; on a terminal, with a status line below it."""

    def __init__(self, source: Source) -> None:
        from ..console import stdout

        self._console: Console = stdout()
        self._source = source
        self._widths = _WIDE if self._console.width >= 80 else _NARROW
        self._shown = 0
        self._live: Any = None

    def __enter__(self) -> Callable[[Mapping[str, Any]], None]:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(
                console=self._console,
                get_renderable=self._state,
                transient=True,
                redirect_stderr=sys.stderr.isatty(),  # messages to a file are not redirected
            )
            self._live.start()
        self._row(list(self._widths), "bold")
        return self._show

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()

    def _show(self, record: Mapping[str, Any]) -> None:
        when = record.get("timestamp")
        at = when if isinstance(when, datetime) else datetime.now().astimezone()
        told = f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
        cells = [told[-(self._widths["time"] or 0) :], str(record.get("type")), summary_of(record), record.get("seq")]
        self._shown += 1
        self._row(["" if cell is None else visible(str(cell)).replace("\n", " ") for cell in cells], "")

    def _row(self, cells: list[str], style: str) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, show_header=False, pad_edge=False, expand=True)
        for name, width in self._widths.items():
            table.add_column(
                width=width,
                ratio=1 if width is None else None,
                no_wrap=True,
                overflow="ellipsis",
                justify="right" if name == "seq" else "left",
            )
        table.add_row(*(Text(cell, style) for cell in cells))
        self._console.print(table)

    def _state(self) -> Text:
        from rich.text import Text

        up = self._source.connected
        return Text.assemble(
            ("● listening" if up else "○ connecting", "green" if up else "yellow"),
            (f"  {self._shown} shown  at {self._source.cursor or 'the beginning'}  Ctrl-C ends", "dim"),
        )


def summary_of(record: Mapping[str, Any]) -> str:
    """Return a summary of an event: the name of its record, and the new values."""
    data: Any = record.get("data", record)
    if not is_object(data):
        return "" if data is None else str(data)
    said = _name_in(data) or next(
        (text for part in data.values() if is_object(part) and (text := _name_in(part))), None
    )
    changes = data.get("changes")
    parts = [
        said or next((str(data[name]) for name in ("id", "agentId", "userId") if data.get(name)), None),
        *(f"{name}: {value}" for name, value in (changes.items() if is_object(changes) else ())),
        *(str(data[name]) for name in ("value", "change") if "metric" in data and name in data),
        *(f"{name}: {data[name]}" for name in ("newStage", "count", "minutesUntil", "x", "y") if name in data),
    ]
    return " · ".join(part for part in parts if part)


def _name_in(members: Mapping[str, Any]) -> str | None:
    return next((text for name in _TOLD if isinstance(text := members.get(name), str) and text), None)
