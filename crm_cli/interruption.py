"""Ctrl-C ends a command, also where the exception that says so is lost on its way.

Python prints and drops what is raised in a callback of a weak reference or in ``__del__``, and pydantic makes another
error of it while it builds a model: a command that is interrupted just then would go on, or fail for no reason. So it
is noted as well.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


class _Note:
    """Whether the command that runs was interrupted. A signal's handler must wait for no lock, so there is none."""

    interrupted = False


def was_interrupted() -> bool:
    """Tell whether Ctrl-C was pressed since the command began."""
    return _Note.interrupted


def end_if_interrupted() -> None:
    """Raise KeyboardInterrupt where Ctrl-C was pressed, and the exception it raised was lost."""
    if _Note.interrupted:
        raise KeyboardInterrupt


def until_interrupted(action: Callable[[], int]) -> int:
    """Return the exit status of what goes on until Ctrl-C, which is the usual way to end it."""
    try:
        return action()
    except KeyboardInterrupt:
        return 130
    except Exception:  # what an interruption became on its way here
        if not was_interrupted():
            raise
        return 130


@contextmanager
def noting_interruptions() -> Generator[None]:
    """Note within it that Ctrl-C was pressed; it raises KeyboardInterrupt as ever.

    Only the main thread gets signals, and who ignores or handles this one already goes on to do so.
    """
    _Note.interrupted = False
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    report = sys.unraisablehook

    def note(number: int, frame: FrameType | None) -> None:
        _Note.interrupted = True
        raise KeyboardInterrupt

    def quietly(lost: UnraisableHookArgs) -> None:
        if lost.exc_type is not KeyboardInterrupt:
            report(lost)

    sys.unraisablehook = quietly
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = report
        _Note.interrupted = False  # what runs next in this process was not
