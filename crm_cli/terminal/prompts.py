"""What is asked for rather than typed as an argument, which others could see among the processes."""

from __future__ import annotations

import sys

from ..failures import MisuseError


def read_secret(what: str) -> str:
    """Prompt for a secret without echo; where stdin is not a terminal, read a line of it."""
    if sys.stdin.isatty():
        from getpass import getpass

        typed = getpass(f"{what}: ")
    else:
        typed = sys.stdin.readline()
    if not typed.strip():
        raise MisuseError(f"no {what} given: it is read from the terminal, or from the first line of stdin")
    return typed.strip()
