"""Collect the names for completion from the declarations and the hand-made commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from crm_sdk.resource import Resource

from ..account.layers import SETTINGS
from ..settings import GLOBALS
from ..views import own_view, view, views
from .nouns import nouns, operations, resources
from .parameters import Form, Parameter
from .sources import nouns_with_ids, source_of, source_of_view

if TYPE_CHECKING:
    from ..app import Root


def collect() -> dict[str, Any]:
    """Return the names of all commands, options and values; see `completion` for their structure."""
    from ..app import application

    by_hand = cast("Root", get_command(application())).by_hand
    commands = {name: _resource(kind) | {"noun": True} for name, kind in sorted(nouns().items())}
    return {
        "help": "",
        "commands": commands | {name: _names_of_command(command) for name, command in by_hand.items()},
        "options": _globals() | {"--version": False},
    }


def _resource(kind: type[Resource[Any]]) -> dict[str, Any]:
    commands = {name: _names_of_form(Form(operation)) for name, operation in operations(kind).items()}
    commands |= {name: _resource(inner) for name, inner in resources(kind).items()}
    commands |= {name: _names_of_view(kind.path(), name) for name in views(kind.path())}
    own = own_view(kind.path())
    return (_names_of_command(own, kind.path()) if own is not None else {}) | {
        "help": _first_line(inspect.getdoc(kind)),
        "about": inspect.getdoc(kind),
        "commands": commands,
    }


def _names_of_view(noun: str, name: str) -> dict[str, Any]:
    command = view(noun, name)
    return _names_of_command(command, noun) | {"panel": command.rich_help_panel}


def _names_of_form(form: Form) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for parameter in form.parameters:
        if parameter.place == "argument":
            continue
        options |= dict.fromkeys((parameter.flag, *parameter.aliases), _expected_words(form, parameter))
        if parameter.kind == "flag":
            options[f"--no-{parameter.flag[2:]}"] = False
    return {
        "help": _first_line(form.operation.doc),
        "options": options | form.own,
        "arguments": [_expected_words(form, p) for p in form.parameters if p.place == "argument"],
    }


def _expected_words(form: Form, parameter: Parameter) -> Any:
    if parameter.kind == "flag":
        return False
    source = source_of(form, parameter)
    return [*parameter.choices, *([source] if source is not None else [])] or (
        "file" if parameter.kind == "file" else None
    )


def _globals() -> dict[str, Any]:
    options: dict[str, Any] = {"--help": False}
    for option in GLOBALS:
        words = False if option.kind is bool else list(option.choices) or _KNOWN_BY_NAME.get(option.name)
        options |= {flag: words for flag in (option.short, option.flag, option.negative) if flag}
    return options


def _names_of_command(command: Any, noun: str = "") -> dict[str, Any]:
    """Return the names of a hand-made command: of the root, or a view of a noun."""
    about = _first_line(command.short_help or command.help)
    if isinstance(command, TyperGroup):
        return {"help": about, "commands": {name: _names_of_command(inner) for name, inner in command.commands.items()}}
    options: dict[str, Any] = {}
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            expected = False if parameter.is_flag else _choices(parameter.metavar) or _of_view(noun, parameter)
            options |= dict.fromkeys([*parameter.opts, *parameter.secondary_opts], expected)
    known = _globals()
    arguments = [
        _of_view(noun, parameter) if noun else _of_own(str(command.name), str(parameter.metavar))
        for parameter in command.params
        if isinstance(parameter, TyperArgument)
    ]
    return {
        "help": about,
        "options": {name: v for name, v in options.items() if name not in known},
        "arguments": arguments,
    }


def _of_view(noun: str, parameter: Any) -> list[str] | None:
    """Return where the values of a view's argument or option are listed."""
    source = source_of_view(noun, parameter.name, argument=isinstance(parameter, TyperArgument)) if noun else None
    return [source] if source is not None else None


def _of_own(command: str, metavar: str) -> list[str] | None:
    """Return what the argument of a hand-made command can be."""
    known = _KNOWN.get((command, metavar))
    return known() if known is not None else None


def _topics() -> list[str]:
    from ..help.topics import TOPICS

    return [*TOPICS, "@commands"]


_KNOWN_BY_NAME = {"profile": ["@profiles"]}
"""What the values of an option of every command are."""
_KNOWN: Mapping[tuple[str, str], Callable[[], list[str]]] = {
    ("completion", "SHELL"): lambda: ["bash", "zsh", "fish"],
    ("help", "TOPIC|COMMAND"): _topics,
    ("schema", "COMMAND"): lambda: ["@commands"],
    ("man", "NOUN"): lambda: ["@commands"],
    ("wait", "NOUN"): nouns_with_ids,
    ("wait", "ID"): lambda: ["@*+"],  # of the noun before it
    ("get", "KEY"): lambda: [*SETTINGS],
    ("set", "KEY"): lambda: [*SETTINGS],
    ("unset", "KEY"): lambda: [*SETTINGS],
    ("explain", "KEY"): lambda: [*SETTINGS],
    ("delete", "NAME"): lambda: ["@aliases"],
}
"""What the arguments of hand-made commands are, by the command and how they are shown."""


def _choices(metavar: str | None) -> list[str] | None:
    """Return the values of an option whose metavar lists them: ``table|json``."""
    return metavar.split("|") if metavar and "|" in metavar else None


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
