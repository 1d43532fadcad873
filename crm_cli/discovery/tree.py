"""The whole tree of commands as data: what ``crm --map json`` prints, and the pages are written from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import typer
from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from ..app import Noun, Root, application
from ..failures import EXIT_CODES
from ..help import Command, is_global, sentence
from ..help.topics import ENVIRONMENT
from ..settings import GLOBALS
from ..tree.declared import Declared, errors_of

Entry = Mapping[str, Any]


def whole() -> dict[str, Any]:
    """Return all commands, the options of every command, the exit statuses and the variables of the environment."""
    from crm_sdk._version import __version__

    return {
        "name": "crm",
        "version": __version__,
        "options": [
            {
                "flags": [flag for flag in (option.short, option.flag, option.negative) if flag],
                "takesValue": option.kind is not bool,
                "choices": list(option.choices),
                "about": option.help,
            }
            for option in GLOBALS
        ],
        "exitCodes": [{"exit": code, "class": name, "means": means} for code, (name, means) in EXIT_CODES.items()],
        "environment": [{"variable": name, "means": means} for name, means in ENVIRONMENT.items()],
        "commands": list(entries()),
    }


def by_noun(tree: Mapping[str, Any]) -> dict[str, list[Entry]]:
    """Return the commands of the whole tree by their nouns, for a page each."""
    nouns: dict[str, list[Entry]] = {}
    for entry in tree["commands"]:
        nouns.setdefault(entry["command"].split()[1], []).append(entry)
    return nouns


def entries() -> Iterator[dict[str, Any]]:
    """Yield every command, a group before its commands."""
    root = cast(Root, get_command(application()))
    context = typer.Context(root, info_name="crm")
    for panel, name, _ in root.summaries():
        yield from _walk(root.commands[name], (name,), panel, context)


def _walk(command: Any, words: tuple[str, ...], group: str, parent: typer.Context) -> Iterator[dict[str, Any]]:
    context = typer.Context(command, info_name=words[-1], parent=parent)
    yield _entry(command, words, group, context)
    if isinstance(command, TyperGroup):
        for name in command.commands:
            yield from _walk(command.commands[name], (*words, name), group, context)


def _entry(command: Any, words: tuple[str, ...], group: str, context: typer.Context) -> dict[str, Any]:
    own = command.own_view() if isinstance(command, Noun) else None
    shown = command if own is None else own
    form = None
    if isinstance(command, Declared):
        command.read_texts()
        form = command.form
    about = command.node()["about"] if isinstance(command, Noun) else inspect.cleandoc(command.help or "")
    if own is not None:
        about = f"{about}\n\n{inspect.cleandoc(own.help or '')}"
    choices = {f"p{n}": list(parameter.choices) for n, parameter in enumerate(form.parameters)} if form else {}
    return {
        "command": f"crm {' '.join(words)}",
        "group": group,
        "isGroup": isinstance(command, TyperGroup),
        "summary": about.partition("\n\n")[0].replace("\n", " "),
        "about": about,
        "usage": " ".join(command.get_usage(context).removeprefix("Usage: ").split()),
        "arguments": [_argument(p, choices) for p in shown.params if isinstance(p, TyperArgument)],
        "options": [
            _option(p, choices, context)
            for p in shown.params
            if not isinstance(p, TyperArgument) and not is_global(p) and not getattr(p, "hidden", False)
        ],
        "call": form.operation.id if form else None,
        "writes": form.writes if form else None,
        "destroys": form.destroys if form else None,
        "errors": [{"code": code, "means": means} for code, means in errors_of(form.operation)] if form else [],
        "example": list(command.example(words)) if isinstance(command, (Command, Noun)) else [],
    }


def _argument(parameter: Any, choices: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "name": parameter.metavar or str(parameter.name).upper(),
        "required": bool(parameter.required),
        "many": parameter.nargs != 1,
        "choices": list(choices.get(parameter.name, ())),
        "about": _plain(sentence(parameter)),
    }


def _option(parameter: Any, choices: Mapping[str, Sequence[str]], context: typer.Context) -> dict[str, Any]:
    kind = None if parameter.is_flag else str(parameter.display_type_rich(context)).strip("<>").upper()
    return {
        "flags": [*parameter.opts, *parameter.secondary_opts],
        "takesValue": not parameter.is_flag,
        "value": None if parameter.is_flag else parameter.metavar or kind,
        "many": bool(parameter.multiple),
        "choices": list(choices.get(parameter.name, ())),
        "about": _plain(sentence(parameter)),
    }


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
