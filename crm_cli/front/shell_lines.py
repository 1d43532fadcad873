"""Break commands into the lines of a shell."""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` would take too long
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def in_lines(commands: Iterable[str], width: int) -> Iterator[str]:
    """Yield the lines of commands for a shell: where one is full, a backslash goes on to the next."""
    for command in commands:
        line = ""
        for part in _parts(command):
            if not line:
                line = f"  {part}"
            elif len(line) + len(part) + 3 <= width:
                line += f" {part}"
            else:
                yield f"{line} \\"
                line = f"    {part}"
        yield line


def _parts(command: str) -> Iterator[str]:
    """Yield what stays together in a line: the words up to the first option, then each option with its values."""
    part = ""
    for word in _words(command):
        if part and word.startswith("-") and word != "-":
            yield part
            part = word
        else:
            part = f"{part} {word}" if part else word
    yield part


def _words(command: str) -> Iterator[str]:
    """Yield the words of a command as they are typed: quotes, and what is run within double ones, belong to them."""
    word, quote, depth = "", "", 0
    for letter in command:
        if quote == '"' and letter in "()":
            depth += 1 if letter == "(" else -1
        if not quote and letter == " ":
            if word:
                yield word
            word = ""
            continue
        if letter == quote and depth <= 0:
            quote = ""
        elif not quote and letter in "'\"":
            quote, depth = letter, 0
        word += letter
    if word:
        yield word
