"""Draw a page of help in plain lines, as `crm_cli.help` draws it with Rich."""

from __future__ import annotations

from .shell_lines import in_lines

TYPE_CHECKING = False  # importing `typing` would take too long
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from .manifest import Lines

    Rows: TypeAlias = list[tuple[list[str], str]]

WIDEST = 34
"""How wide the column of the flags may be; on a narrow terminal two fifths of it."""


def page(lines: Lines, width: int) -> str:
    """Return the page of a command."""
    return "".join(f"{line}\n" for line in _page(lines, width))


def _page(lines: Lines, width: int) -> Iterator[str]:
    blank = " " * width
    texts: list[str] = []
    examples: list[str] = []
    more = ""
    panels: list[tuple[str, bool, Rows]] = []
    for tag, *rest in lines:
        if tag == "usage":
            yield from (blank, *_pad(rest[0], width), blank)
        elif tag == "text":
            texts.append(rest[0])
        elif tag in ("panel", "alone"):
            panels.append((rest[0], tag == "alone", []))
        elif tag == "row":
            about, *left = rest
            panels[-1][2].append((left, about))
        elif tag == "example":
            examples.append(rest[0])
        elif tag == "more":
            more = rest[0]
    for text in texts:
        yield from (*_pad(text, width), blank)
    widest = max((_widest(rows) for _, alone, rows in panels if not alone), default=0)
    widest = min(widest, WIDEST, width * 2 // 5)
    for title, alone, rows in panels:
        yield from _panel(title, rows, _widest(rows) if alone else widest, width)
    if examples:
        yield " Examples" if len(examples) > 1 else " Example"
        for line in in_lines(examples, width - 2):
            yield from wrap(line, width)
        yield ""
    yield from (*_pad(more, width), "")


def _widest(rows: Rows) -> int:
    return max((len(line) for left, _ in rows for line in left), default=0)


def _pad(text: str, width: int) -> Iterator[str]:
    """Yield the lines of prose with a margin on either side."""
    for line in wrap(text, width - 2):
        yield f" {line:<{width - 1}}"


def _panel(title: str, rows: Rows, first: int, width: int) -> Iterator[str]:
    yield f"╭─ {title} ".ljust(width - 1, "─") + "╮"
    second = width - 4 - first - 2
    for left, about in rows:
        flags = [part for line in left for part in wrap(line, first)]
        prose = list(wrap(about, second))
        for number in range(max(len(flags), len(prose))):
            one = flags[number] if number < len(flags) else ""
            two = prose[number] if number < len(prose) else ""
            yield f"│ {one:<{first}}  {two:<{second}} │"
    yield f"╰{'─' * (width - 2)}╯"


def overview(lines: Lines, width: int) -> str:
    """Return the page of all commands: a line for each noun of the core, the names of the others."""
    core: list[tuple[str, str]] = []
    groups: list[tuple[str, str]] = []
    after: list[tuple[str, str]] = []
    usage = title = ""
    for tag, *rest in lines:
        if tag == "usage":
            usage = rest[0]
        elif tag == "panel":
            title = rest[0]
        elif tag == "row":
            core.append((f"  {rest[1]}", rest[0]))
        elif tag == "group":
            groups.append((f" {rest[1]}", rest[0]))
        elif tag == "next":
            after.append((f" {rest[1]}", rest[0]))
    made = [f" {usage}", "", " Work with the CRM from the command line.", "", f" {title}"]
    made += _grid(core, width, shortened=True)
    made += _grid(groups, width)
    made += ["", *_grid(after, width), ""]
    return "".join(f"{line}\n" for line in made)


def _grid(rows: list[tuple[str, str]], width: int, *, shortened: bool = False) -> Iterator[str]:
    """Yield rows of two columns; `shortened`: what is too long is cut off, rather than going on in the next line."""
    first = max(len(left) for left, _ in rows)
    texts = [about for _, about in rows]
    second = min(max(map(len, texts)), width - first - 2)
    for (left, _), text in zip(rows, texts, strict=True):
        cut = text if len(text) <= second else f"{text[: second - 1]}…"
        for number, line in enumerate([cut] if shortened else wrap(text, second)):
            yield f"{left if not number else '':<{first}}  {line:<{second}}"


def wrap(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text that is broken between words, and within those that are longer than a line."""
    line, used = "", 0
    for word in _words(text):
        length = len(word.rstrip(" "))
        if length <= width - used:
            line += word
            used += len(word)
        elif length > width:
            if line:
                yield _fitting(line, width)
            parts = [word[at : at + width] for at in range(0, len(word), width)]
            for part in parts[:-1]:
                yield _fitting(part, width)
            line, used = parts[-1], len(parts[-1])
        else:
            if line:
                yield _fitting(line, width)
            line, used = word, len(word)
    yield _fitting(line, width)


def _fitting(line: str, width: int) -> str:
    """Return a line without the blanks at its end that do not fit."""
    return line if len(line) <= width else line[:width] + line[width:].rstrip(" ")


def _words(text: str) -> Iterator[str]:
    """Yield the words with the blanks after them; those before the first belong to it."""
    start, size = 0, len(text)
    while start < size:
        end = start
        while end < size and text[end] == " ":
            end += 1
        while end < size and text[end] != " ":
            end += 1
        while end < size and text[end] == " ":
            end += 1
        yield text[start:end]
        start = end
