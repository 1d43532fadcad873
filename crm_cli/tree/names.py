"""Collect the names for completion from the declarations and the hand-made commands."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from crm_sdk.resource import Resource

from ..settings import GLOBALS
from ..views import own_view, view, views
from .nouns import nouns, operations, resources
from .parameters import Form, Parameter

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
    return (_names_of_command(own) if own is not None else {}) | {
        "help": _first_line(inspect.getdoc(kind)),
        "about": inspect.getdoc(kind),
        "commands": commands,
    }


def _names_of_view(noun: str, name: str) -> dict[str, Any]:
    command = view(noun, name)
    return _names_of_command(command) | {"panel": command.rich_help_panel}


def _names_of_form(form: Form) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for parameter in form.parameters:
        if parameter.place == "argument":
            continue
        options |= dict.fromkeys((parameter.flag, *parameter.aliases), _expected_words(parameter))
        if parameter.kind == "flag":
            options[f"--no-{parameter.flag[2:]}"] = False
    return {
        "help": _first_line(form.operation.doc),
        "options": options | form.own,
        "arguments": [_expected_words(p) for p in form.parameters if p.place == "argument"],
    }


def _expected_words(parameter: Parameter) -> Any:
    if parameter.kind == "flag":
        return False
    return list(parameter.choices) or ("file" if parameter.kind == "file" else None)


def _globals() -> dict[str, Any]:
    options: dict[str, Any] = {"--help": False}
    for option in GLOBALS:
        words = False if option.kind is bool else list(option.choices) or None
        options |= {flag: words for flag in (option.short, option.flag, option.negative) if flag}
    return options


def _names_of_command(command: Any) -> dict[str, Any]:
    about = _first_line(command.short_help or command.help)
    if isinstance(command, TyperGroup):
        return {"help": about, "commands": {name: _names_of_command(inner) for name, inner in command.commands.items()}}
    options: dict[str, Any] = {}
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            expected = False if parameter.is_flag else _choices(parameter.metavar)
            options |= dict.fromkeys([*parameter.opts, *parameter.secondary_opts], expected)
    known = _globals()
    arguments = [None for parameter in command.params if isinstance(parameter, TyperArgument)]
    return {
        "help": about,
        "options": {name: v for name, v in options.items() if name not in known},
        "arguments": arguments,
    }


def _choices(metavar: str | None) -> list[str] | None:
    """Return the values of an option whose metavar lists them: ``table|json``."""
    return metavar.split("|") if metavar and "|" in metavar else None


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
