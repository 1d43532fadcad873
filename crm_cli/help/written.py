"""The examples written by hand, in ``examples.txt``: a block each, the words of the command before what is typed.

The last line of a block is the command; those before it prepare what the demo data does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def written_examples() -> Mapping[str, tuple[str, ...]]:
    """Return the lines of each example by the words of its command."""
    text = (Path(__file__).parent / "examples.txt").read_text(encoding="utf-8")
    blocks = (block.splitlines() for block in text.strip().split("\n\n"))
    return {words: tuple(lines) for words, *lines in blocks}
