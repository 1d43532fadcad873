"""``crm man``: the manual as pages of ``man``, one for each noun, made from the tree of commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..failures import complain
from ..folders import write_whole
from ..settings import Options
from ..tree.near import refusal

Entry = Mapping[str, Any]
_OUTER = "crm"


def show_page(
    options: Options,
    noun: Annotated[str | None, typer.Argument(metavar="NOUN", help="A noun; without it the page of crm.")] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FOLDER", help="Write all pages into this folder, such as ~/.local/share/man/man1."
        ),
    ] = None,
) -> None:
    """Show the manual: `crm man`, `crm man leads`; or write its pages into a folder of `man`."""
    from .tree import whole

    if to is not None:
        written = pages(whole())
        for name, text in written.items():
            write_whole(str(Path(to) / name), text.encode())
        complain(f"wrote {len(written)} pages into {to}: man {Path(to) / 'crm.1'}")
        return
    from .. import completion

    nouns = completion.names(needed=())["commands"]
    if noun is not None and noun not in nouns:
        raise refusal(f"there is no page {noun!r}", noun, nouns, listed=["those of `crm --help`"])
    found = pages(whole())
    name = f"{_OUTER}.1" if noun is None else f"{_OUTER}-{noun}.1"
    _show(found.get(name, found[f"{_OUTER}.1"]), name)


def _show(text: str, name: str) -> None:
    """Show a page by the man of the system on a terminal; print it elsewhere, as man reads it."""
    reader = shutil.which("man")
    if not sys.stdout.isatty() or reader is None:
        sys.stdout.write(text)
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        subprocess.run([reader, path], check=False)  # the man of the system


def pages(tree: Mapping[str, Any]) -> dict[str, str]:
    """Return every page by the name of its file: ``crm.1``, and ``crm-leads.1`` for each noun."""
    from .tree import by_noun

    nouns = by_noun(tree)
    made = {f"{_OUTER}-{noun}.1": _of_noun(noun, entries, tree["version"]) for noun, entries in nouns.items()}
    return {f"{_OUTER}.1": _of_all(tree, nouns), **made}


def _of_all(tree: Mapping[str, Any], nouns: Mapping[str, list[Entry]]) -> str:
    lines = [
        *_head(_OUTER, "work with the CRM from the command line", tree["version"]),
        ".SH SYNOPSIS",
        ".B crm",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        ".SH COMMANDS",
    ]
    group = ""
    for noun, (first, *_) in nouns.items():
        if first["group"] != group:
            group = first["group"]
            lines += [".SS " + _text(group)]
        lines += [".TP", f"\\fB{_text(f'crm-{noun}')}\\fR(1)", *_prose(first["summary"])]
    lines.append(".SH OPTIONS")
    for option in tree["options"]:
        lines += [".TP", _bold(", ".join(option["flags"])), *_prose(option["about"])]
    lines.append(".SH EXIT STATUS")
    for row in tree["exitCodes"]:
        lines += [".TP", _bold(f"{row['exit']}"), *_prose(f"{row['class']}: {row['means']}")]
    lines.append(".SH ENVIRONMENT")
    for row in tree["environment"]:
        lines += [".TP", _bold(row["variable"]), *_prose(row["means"])]
    return "\n".join(lines) + "\n"


def _of_noun(noun: str, entries: Iterable[Entry], version: str) -> str:
    first, *others = entries
    lines = [
        *_head(f"crm-{noun}", first["summary"].rstrip("."), version),
        ".SH SYNOPSIS",
        *_prose(first["usage"]),
        ".SH DESCRIPTION",
        *_prose(first["about"]),
        *_rows(first),
        *_example(first),
    ]
    if others:
        lines.append(".SH COMMANDS")
    for entry in others:
        lines += [f".SS {_text(entry['usage'])}", *_prose(entry["about"]), *_rows(entry), *_example(entry)]
    lines += [".SH SEE ALSO", f"\\fB{_text('crm')}\\fR(1)"]
    return "\n".join(lines) + "\n"


def _head(name: str, about: str, version: str) -> list[str]:
    title = _text(name.upper())
    return [
        f'.TH "{title}" 1 "" "crm {_text(version)}" "crm"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{_text(name)} \\- {_text(about)}",
    ]


def _rows(entry: Entry) -> Iterator[str]:
    for argument in entry["arguments"]:
        yield from (".TP", f"\\fI{_text(argument['name'])}\\fR", *_prose(argument["about"]))
    for option in entry["options"]:
        value = f" \\fI{_text(option['value'])}\\fR" if option["takesValue"] and option["value"] else ""
        yield from (".TP", _bold(", ".join(option["flags"])) + value, *_prose(option["about"]))


def _example(entry: Entry) -> Iterator[str]:
    if entry["example"]:
        yield from (".PP", "Example:", ".PP", ".nf", ".RS 4")
        yield from (_line(line) for line in entry["example"])
        yield from (".RE", ".fi")


def _prose(text: str) -> Iterator[str]:
    """Yield the lines of a text, a paragraph after the other; what is in backticks is bold."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        words = " ".join(paragraph.replace("``", "`").split())
        parts = words.split("`")
        yield _guarded_line("".join(_bold(part) if n % 2 else _text(part) for n, part in enumerate(parts)))


def _bold(text: str) -> str:
    return f"\\fB{_text(text)}\\fR"


def _line(text: str) -> str:
    return _guarded_line(_text(text))


def _guarded_line(line: str) -> str:
    """Return a line that is not taken for a request, as one that begins with a full stop or a quote would be."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def _text(text: str) -> str:
    """Return a text as roff writes it: what it would interpret is escaped, and what is not ASCII is named."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    escaped = escaped.replace("^", "\\(ha").replace("~", "\\(ti").replace('"', "\\(dq")
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", escaped)
