"""The reference of the command line in Markdown: a page for each noun, made from the tree of commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..front.shell_lines import in_lines
from ..help.groups import ABOUT
from .tree import by_noun

_WIDTH = 100


def pages(tree: Mapping[str, Any]) -> dict[str, str]:
    """Return every page by the name of its file, with ``index.md``."""
    nouns = by_noun(tree)
    made = {f"{noun}.md": "\n".join(_page(noun, entries)).rstrip() + "\n" for noun, entries in nouns.items()}
    return {"index.md": "\n".join(_index(tree, nouns)).rstrip() + "\n", **made}


def _index(tree: Mapping[str, Any], nouns: Mapping[str, list[Mapping[str, Any]]]) -> Iterator[str]:
    yield from (
        "# Commands",
        "",
        "Written by `make docs` from the commands; `crm --map json` prints the same as data.",
        "",
    )
    group = ""
    for noun, (first, *_) in nouns.items():
        if first["group"] != group:
            group = first["group"]
            yield from ("", f"## {group}", "", ABOUT[group], "")
        yield f"- [`crm {noun}`]({noun}.md): {_cell(first['summary'])}"
    yield from ("", "## Options of every command", "", "They may stand before or after the command.", "")
    yield from _table(("option", "what it is"), ((_flags(option), option["about"]) for option in tree["options"]))
    yield from ("", "## Exit statuses", "")
    rows = ((str(row["exit"]), row["class"], row["means"]) for row in tree["exitCodes"])
    yield from _table(("exit", "class", "means"), rows)
    yield from ("", "## Environment", "")
    yield from _table(
        ("variable", "what it is"), ((f"`{row['variable']}`", row["means"]) for row in tree["environment"])
    )


def _page(noun: str, entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"# crm {noun}", "")
    for entry in entries:
        if entry["command"] != f"crm {noun}":
            yield from (f"## `{entry['command']}`", "")
        if entry["isGroup"] and entry["command"] != f"crm {noun}":
            yield from (entry["about"], "")
            continue
        yield from ("```", entry["usage"], "```", "", entry["about"], "")
        rows = [(f"`{each['name']}`", each["about"]) for each in entry["arguments"]]
        rows += [(_flags(each), each["about"]) for each in entry["options"]]
        if rows:
            yield from (*_table(("typed", "what it is"), rows), "")
        if entry["example"]:
            lines = (line.removeprefix("  ") for line in in_lines(entry["example"], _WIDTH))
            yield from ("```sh", *lines, "```", "")


def _flags(option: Mapping[str, Any]) -> str:
    value = f" {option['value']}" if option.get("value") else ""
    return f"`{', '.join(option['flags'])}{value}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
