"""``--watch``: a view or a list that is drawn again when the data changes, or, for programs, a line for each change."""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm_sdk.errors import CrmError
from crm_sdk.wire import decode_json, is_object

from ..connection import open_client, sharing
from ..failures import RETRYABLE, MisuseError, catching_notes, complain, in_short, status_of, visible
from ..interruption import until_interrupted
from ..settings import Options, Settings, settle
from ..terminal.pager import paging
from ..terminal.shape import shape
from ..terminal.writers import write_json, write_text
from ..views.tail import nobody_reads
from .pulse import CALL, Pulse

_LEAST = 1.0
"""Seconds between two looks at least, however many events come."""
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""Take another screen and hide the cursor; and back."""

Look = Callable[[Options], int | None]


def watch(options: Options, look: Look) -> int:
    """Print what a look shows, whenever it changed, until Ctrl-C or the end of `--timeout`; return the exit status."""
    settings = settle(options)
    lines = _for_programs(options)
    until = time.monotonic() + settings.timeout if options.timeout is not None else None

    def go_on() -> int:
        with (
            open_client(replace(settings, timeout=CALL)) as client,
            sharing(client),
            Pulse(client, until=until) as pulse,
        ):
            if settings.offline and until is None:
                complain("note: nothing happens at the embedded server while this watches; --timeout watches on")
                look(options)
            elif lines:
                _tell_changes(options, look, pulse)
            else:
                _draw_again(options, look, pulse, settings)
        return 0

    return until_interrupted(go_on)


def _for_programs(options: Options) -> bool:
    """Return whether changes are printed as lines, rather than drawn."""
    if options.output not in (None, "table", "json", "jsonl"):
        raise MisuseError("what goes on has no columns and no end: --output jsonl, or table")
    wanted = shape.get()
    if wanted.jq is not None or wanted.template is not None:
        raise MisuseError("--watch prints changes in a form of its own: leave out --jq and --template")
    return options.output in ("json", "jsonl") or (options.output is None and not sys.stdout.isatty())


# -- for programs ----------------------------------------------------------------------------------------------------


def _tell_changes(options: Options, look: Look, pulse: Pulse) -> None:
    options = replace(options, output="jsonl")
    before: dict[str, Any] | None = None
    for text, notes in _looks(options, look, pulse, terminal=False):
        if before is None:
            for note in notes:
                complain(note)
        records = dict(_records(text))
        changes = list(differences(before, records)) if before is not None else []
        if changes:
            pulse.found_news()
        for change in changes:
            write_json(change)
        sys.stdout.flush()
        before = records


def _records(text: str) -> Iterator[tuple[str, Any]]:
    """Yield what is in lines of JSON, by its id, or by its place."""
    for number, line in enumerate(text.splitlines()):
        record = decode_json(line.encode())
        id = record.get("id") if is_object(record) else None
        yield (id if isinstance(id, str) else str(number)), record


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what became different between two looks: records that came, that changed, and that are gone."""
    at = f"{datetime.now().astimezone():%Y-%m-%dT%H:%M:%S%z}"
    for id, record in now.items():
        if id not in before:
            yield {"change": "added", "id": id, "at": at, "record": record}
        elif record != before[id]:
            yield {"change": "updated", "id": id, "at": at, "changes": _members(before[id], record), "record": record}
    for id in before:
        if id not in now:
            yield {"change": "removed", "id": id, "at": at, "record": before[id]}


def _members(before: Any, now: Any) -> dict[str, Any]:
    if not is_object(before) or not is_object(now):
        return {}
    return {
        name: {"before": before.get(name), "after": now.get(name)}
        for name in {**now, **before}
        if before.get(name) != now.get(name)
    }


# -- for people ------------------------------------------------------------------------------------------------------


def _draw_again(options: Options, look: Look, pulse: Pulse, settings: Settings) -> None:
    options = replace(options, output="table")
    terminal = sys.stdout.isatty()
    if not terminal or os.environ.get("TERM") == "dumb":
        last = None
        for text, notes in _looks(options, look, pulse, terminal=terminal):
            if text != last:
                write_text(("" if last is None else "\n") + text)
                sys.stdout.flush()
                if last is None:
                    for note in notes:
                        complain(note)
                pulse.found_news()
                last = text
        return
    last, state = "", f"{settings.base_url or 'the embedded server'}"
    sys.stdout.write(_ENTER)
    try:
        for text, notes in _looks(options, look, pulse, terminal=True):
            if text != last:
                pulse.found_news()
            last = text or last
            _frame(last, notes, "● live" if pulse.live else "○ looks again by and by", state)
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.write(last)
        sys.stdout.flush()


def _frame(text: str, notes: Sequence[str], link: str, server: str) -> None:
    """Draw one frame over the last one, as much as fits the screen, with a line below that says how it stands."""
    columns, rows = shutil.get_terminal_size()
    shown = text.splitlines()
    room = max(rows - 1, 1)
    if len(shown) > room:
        left = len(shown) - room + 1
        shown = [*shown[: room - 1], f"\x1b[2m… {left} more lines\x1b[0m"]
    said = "  ".join([link, f"{datetime.now():%H:%M:%S}", server, "Ctrl-C ends", *map(visible, notes)])
    below = [""] * (room - len(shown)) + [f"\x1b[2m{said[: columns - 1]}\x1b[0m"]
    sys.stdout.write("\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in [*shown, *below]) + "\x1b[J")
    sys.stdout.flush()


# -- for both --------------------------------------------------------------------------------------------------------


def _looks(options: Options, look: Look, pulse: Pulse, *, terminal: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield what each look prints, with what it notes; a look that fails for now is noted, and done again."""
    size, text = shutil.get_terminal_size(), ""

    def look_up() -> bool:
        if not terminal and nobody_reads():
            raise BrokenPipeError
        return terminal and shutil.get_terminal_size() != size

    first = True
    while True:
        begun, size = time.monotonic(), shutil.get_terminal_size()
        try:
            with catching_notes() as notes, _captured_output(terminal=terminal) as printed:
                look(options)
            text = printed.text
        except CrmError as error:
            if first or status_of(error) != RETRYABLE:
                raise
            notes = [f"! {in_short(error)}: tries again"]
        yield text, notes
        first = False
        if not pulse.wait(look_up):
            return
        soonest = begun + _LEAST
        if time.monotonic() < soonest and not pulse.rest(soonest - time.monotonic()):
            return


class _Captured(io.TextIOWrapper):
    """What is printed, for a screen whose width and colours are used."""

    def __init__(self, *, terminal: bool) -> None:
        self._written = io.BytesIO()
        super().__init__(self._written, encoding="utf-8", errors="surrogatepass", newline="", write_through=True)
        self._terminal = terminal

    @property
    def text(self) -> str:
        """What was printed so far."""
        return self._written.getvalue().decode("utf-8", "replace")

    def isatty(self) -> bool:
        """Return whether it is shown on a terminal."""
        return self._terminal


@contextmanager
def _captured_output(*, terminal: bool) -> Generator[_Captured]:
    captured = _Captured(terminal=terminal)
    sys.stdout.flush()
    token = paging.set(False)
    try:
        with redirect_stdout(captured):
            yield captured
    finally:
        paging.reset(token)
