"""Build commands from declarations: the form gives the arguments and options, the docstring the help."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.main import get_command

from crm_sdk.operation import Operation
from crm_sdk.wire import camel

from ..failures import in_words, status_of_class
from ..help import Command, Page
from ..settings import GLOBALS
from ..terminal.limits import LIMIT
from .calling import Run
from .global_options import global_options, global_parameters, keyword, with_signature
from .own_options import MEMBERS, own_options
from .parameters import Form, Parameter, kebab, part_of

if TYPE_CHECKING:
    from typer.core import TyperArgument, TyperOption

# What stands for a value in the help, where it is not the name of its kind.
_NAMES: Mapping[str, str] = {"any": "value"}


_OF_EVERY_COMMAND = frozenset(option.flag for option in GLOBALS)


class Declared(Command):
    """The command of a declared call. Its texts are read when they are asked for: a call does not pay for them."""

    form: Form

    def read_texts(self) -> None:
        """Read what the call and its arguments are from the texts of the OpenAPI document."""
        self.help = help_of(self.form)
        texts = {f"p{n}": about(self.form, parameter) for n, parameter in enumerate(self.form.parameters)}
        for parameter in self.params:
            if parameter.name in texts:
                cast("TyperOption | TyperArgument", parameter).help = texts[parameter.name]

    def page(self, ctx: Any) -> Page:
        """Return what the help says, with its texts."""
        self.read_texts()
        return super().page(ctx)

    def errors(self) -> Sequence[tuple[str, str]]:
        """Return the codes of the errors, each with what it means."""
        return errors_of(self.form.operation)

    def example(self, words: Sequence[str]) -> list[str]:
        """Return the lines of an example that can be copied."""
        from ..help.examples import example

        return example(self.form)


def command_for(operation: Operation[..., Any]) -> Any:
    """Return the command of a declared call."""
    form = Form(operation)
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    first = operation.doc.partition("\n")[0]
    app.command(kebab(operation.name), cls=Declared, help=first)(_function(form))
    command = cast(Declared, get_command(app))
    command.form = form
    return command


def _function(form: Form) -> Callable[..., int]:
    keys = {f"p{n}": parameter for n, parameter in enumerate(form.parameters)}

    def call(context: typer.Context, **typed: Any) -> int:
        given = {parameter: typed.pop(key) for key, parameter in keys.items()}
        options = global_options(context, typed)
        return Run(form, options, given, **typed).status()

    own = [_typer_parameter(key, parameter) for key, parameter in keys.items()]
    return with_signature(call, own + own_options(form) + global_parameters(form.globals))


def _typer_parameter(key: str, parameter: Parameter) -> inspect.Parameter:
    panel = MEMBERS if parameter.place == "member" else None
    if parameter.kind == "flag" and parameter.place != "argument":
        flag = parameter.flag[2:]
        option = typer.Option(None, f"--{flag}/--no-{flag}", rich_help_panel=panel)
        return keyword(key, bool, option)
    annotation: Any = list[str] if parameter.many else str
    if parameter.place == "argument":
        start = ... if parameter.required else None
        return keyword(key, annotation, typer.Argument(start, metavar=parameter.flag, parser=str))
    metavar = _NAMES.get(parameter.kind, parameter.kind).upper()
    flags = (parameter.flag, *parameter.aliases)
    option = typer.Option(None, *flags, parser=str, metavar=metavar, rich_help_panel=panel)
    return keyword(key, annotation, option)


def about(form: Form, parameter: Parameter) -> str:
    """Return what an argument or an option is, and how it is typed."""
    from crm_sdk.vocabulary import texts

    operation = form.operation
    if parameter.place == "member":
        body = operation.arguments.body_type
        text = texts.of_member(part_of(body, parameter.within) if parameter.within else body, parameter.name)
    else:
        text = texts.of_argument(operation, parameter.name)
    if operation.kind == "page" and parameter.name == "limit":
        text = LIMIT
    ways = "; ".join(_ways(parameter))
    return _as_typed(form, text or "") + (f" ({ways})" if ways else "")


def _ways(parameter: Parameter) -> Iterator[str]:
    """Yield how an argument or an option is typed, where its name does not say so."""
    if parameter.required and parameter.place != "argument":
        yield "required"
    if parameter.choices:
        yield ", ".join(map(shown_choice, parameter.choices))
    if parameter.flag in _OF_EVERY_COMMAND:
        yield f"the {parameter.flag} of every command stands before the noun here: crm {parameter.flag} …"
    if parameter.kind == "json":
        yield "JSON, @file or @-"
    if parameter.kind == "file":
        yield "a path, or - for stdin"
    if parameter.many and parameter.place != "argument":
        several = "repeat it, or separate with commas" if parameter.commas else "repeat it for more"
        yield several if parameter.kind in ("json", "file") else f"{several}; or @file"
    if parameter.default is not None:
        shown = parameter.default
        yield f"default: {('yes' if shown else 'no') if isinstance(shown, bool) else shown}"


def shown_choice(choice: str) -> str:
    """Return a choice as help names it: a sign, such as a tab, in quotes and as shells escape it."""
    return choice if choice[:1].isalnum() else json.dumps(choice)


def help_of(form: Form) -> str:
    """Return a docstring for a shell: arguments as they are typed, errors as exit statuses."""
    return _as_typed(form, in_words(form.operation.doc))


def _as_typed(form: Form, text: str) -> str:
    """Return a text in which arguments are called by their options, and members of the answer as they are printed."""
    from crm_sdk.vocabulary.texts import members_of_answer

    names = {**{name: camel(name) for name in members_of_answer(form.operation)}, **form.flags}
    text = re.sub(r"`+(\w+)=True`+", r"`\1`", text)
    text = re.sub(r"`+(\w+)=False`+", lambda match: f"`--no-{kebab(match[1])}`", text)
    return re.sub(r"`+(\w+)`+", lambda match: f"`{names.get(match[1], match[1])}`", text)


def errors_of(operation: Operation[..., Any]) -> list[tuple[str, str]]:
    """Return the codes a command can end with, each with what it means and the exit status; in the end those of most
    commands.
    """
    from crm_sdk.errors import error_class
    from crm_sdk.vocabulary import texts
    from crm_sdk.vocabulary.codes import COMMON, codes_of

    found: dict[str, int] = {}
    common: dict[int, list[str]] = {}
    for route in operation.routes.values():
        for code, status in codes_of(operation, route).items():
            if code not in found:
                found[code] = status_of_class(error_class(status, code))
                if code in COMMON and code not in operation.flags.errors:
                    common.setdefault(found[code], []).append(code)
    own = [code for code in found if code not in COMMON or code in operation.flags.errors]
    own.sort(key=lambda code: code not in operation.flags.errors)
    rows = [(code, f"{texts.of_code(code)} (exit {found[code]})") for code in own]
    others = "; ".join(f"{', '.join(codes)} (exit {status})" for status, codes in sorted(common.items()))
    return [*rows, ("…", f"As most commands: {others}.")]
