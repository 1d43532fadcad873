"""The console that tables, help and drawings are printed on."""

from __future__ import annotations

from rich.console import Console


class _Stdout(Console):
    """A console that leaves it to the program to end where the reader is gone; rich's own ends with status 1."""

    def on_broken_pipe(self) -> None:
        """Let the program see it."""
        raise BrokenPipeError


def stdout(width: int | None = None) -> Console:
    """Return a console on stdout. What it prints has texts from a server, which must not be read as markup."""
    return _Stdout(highlight=False, markup=False, emoji=False, width=width)
