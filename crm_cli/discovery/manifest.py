"""Write what the front door answers from: the help of every command, made from the tree of commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ..app import Root, application
from ..front.manifest import PATH, head
from ..help import Command, Group, Page, overview


def text() -> str:
    """Return the content of the file."""
    from crm_sdk._version import __version__

    root = cast(Root, get_command(application()))
    context = typer.Context(root, info_name="crm")
    blocks = [_block((), _overview(root, context))]
    for name in root.commands:
        blocks += _blocks(root.commands[name], (name,), context)
    return "\n\n".join([head(__version__), *blocks]) + "\n\n"


def write() -> None:
    """Write the file."""
    Path(PATH).write_text(text(), encoding="utf-8", newline="\n")


def _blocks(command: Any, words: tuple[str, ...], parent: typer.Context) -> Iterator[str]:
    context = typer.Context(command, info_name=words[-1], parent=parent)
    if not isinstance(command, (Command, Group)):
        raise TypeError(f"the help of crm {' '.join(words)} is not drawn by crm_cli.help")
    yield _block(words, _page(command.page(context)))
    if isinstance(command, TyperGroup):
        for name in command.commands:
            yield from _blocks(command.commands[name], (*words, name), context)


def _block(words: Sequence[str], lines: Iterator[Sequence[str]]) -> str:
    written = ["\t".join(("command", " ".join(words)))]
    for line in lines:
        if any(not part.isprintable() for part in line):
            raise ValueError(f"the help of crm {' '.join(words)} has a sign that is none of a line: {line}")
        written.append("\t".join(line))
    return "\n".join(written)


def _page(page: Page) -> Iterator[Sequence[str]]:
    yield "usage", page.usage
    for paragraph in paragraphs(page.about):
        yield "text", paragraph
    for title, rows in page.panels.items():
        yield "panel", title
        yield from _rows(rows)
    if page.errors:
        yield "alone", "Errors"
        yield from _rows(page.errors)
    for line in page.examples:
        yield "example", line
    yield "more", page.more.replace("`", "")


def _rows(rows: Any) -> Iterator[Sequence[str]]:
    for left, about in rows:
        yield "row", about.plain, *left.plain.split("\n")


def _overview(root: Root, context: typer.Context) -> Iterator[Sequence[str]]:
    from ..help.groups import CORE

    usage = " ".join(root.get_usage(context).split())
    groups = overview.by_group(list(root.summaries()))
    yield "usage", usage
    yield "panel", CORE
    for name, about in groups.pop(CORE).items():
        yield "row", about.replace("`", ""), name
    for group, names in groups.items():
        yield "group", ", ".join(names), group
    for command, about in overview.NEXT.items():
        yield "next", about.replace("`", ""), command


def paragraphs(markdown: str) -> Iterator[str]:
    """Yield the paragraphs of a text. Raises: ValueError where it has anything else, such as a list."""
    from markdown_it import MarkdownIt

    for token in MarkdownIt().parse(markdown):
        if token.type == "inline":
            parts = token.children or []
            if any(part.type not in ("text", "code_inline", "softbreak") for part in parts):
                raise ValueError(f"help has paragraphs with text and code only: {token.content!r}")
            yield "".join(" " if part.type == "softbreak" else part.content for part in parts)
        elif token.type not in ("paragraph_open", "paragraph_close"):
            raise ValueError(f"help has paragraphs only, not {token.type}")
