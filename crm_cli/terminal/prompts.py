"""What is asked for rather than typed as an argument, which others could see among the processes."""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar

from ..failures import MisuseError, conceal

asking: ContextVar[bool] = ContextVar("asking", default=True)
"""Whether the command that runs may ask something: not with `--no-input`."""

production: ContextVar[str | None] = ContextVar("production", default=None)
"""The profile and the server of the command that runs, where the profile says that it is production."""


def may_ask() -> bool:
    """Return whether somebody is there to ask: at a terminal, without `--no-input`, and not where CI is set."""
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return asking.get() and not in_ci and sys.stdin.isatty() and sys.stderr.isatty()


def read_secret(what: str) -> str:
    """Prompt for a secret without echo; where stdin is not a terminal, read a line of it."""
    if sys.stdin.isatty():
        if not may_ask():
            raise MisuseError(f"no {what} given, and nothing is asked with --no-input or where CI is set")
        from getpass import getpass

        typed = getpass(f"{what}: ")
    else:
        typed = sys.stdin.readline()
    if not typed.strip():
        raise MisuseError(f"no {what} given: it is read from the terminal, or from the first line of stdin")
    conceal(typed.strip())
    return typed.strip()
