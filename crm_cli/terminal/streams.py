"""The standard streams of the process, whatever they are connected to: a closed file, a full disk, an 8-bit terminal.

`crm --version` and TAB use it too: it imports nothing.
"""

from __future__ import annotations

# ruff: noqa: SIM115 # the streams stay open for as long as the process runs
import os
import sys

READER_GONE = 141


def prepare() -> None:
    """Open the streams that the process was started without, and let a stream write what its encoding lacks.

    A file that is opened later would otherwise get the number of stdout, and be written to by whoever writes there.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")
    if sys.stdout is None:  # as if the reader of a pipe were gone
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
        sys.stdout = open(1, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None and sys.stdout.encoding.lower().replace("_", "-") != "utf-8":
        reconfigure(errors="replace")


def read_arguments(typed: list[str]) -> list[str]:
    """Return the arguments of the process; in a locale that cannot read them they are UTF-8."""
    return [word if word.isprintable() else _decoded_word(word) for word in typed]


def _decoded_word(word: str) -> str:
    try:
        return os.fsencode(word).decode()
    except ValueError:
        return word


def discard_output() -> None:
    """Discard what is still to be written to stdout, which would fail again when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
