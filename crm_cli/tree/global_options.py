"""The options of every command in the form of typer, for built and hand-made commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import typer
from typer.models import OptionInfo

from ..failures import MisuseError, run_guarded
from ..settings import GLOBALS, GlobalOption, Options, secrets
from ..terminal.beginning import begin
from .mistyped import refuse_slips

PANEL = "Options of every command"


def with_signature(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    """Set the signature that typer sees: the first parameter, the context, and the given parameters."""
    first = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    function.__signature__ = inspect.Signature([first, *parameters])  # type: ignore[attr-defined] # `inspect.signature` shows it
    function.__annotations__ = {}
    return function


def keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """Return a keyword parameter of a built signature."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def global_parameters(options: tuple[GlobalOption, ...] = GLOBALS) -> list[inspect.Parameter]:
    """Return the options of every command, or those that a command has, as parameters."""
    return [
        keyword(
            f"global_{option.name}",
            option.kind,
            typer.Option(
                None,
                *([option.short] if option.short else []),
                f"{option.flag}/{option.negative}" if option.negative else option.flag,
                help=option.help,
                rich_help_panel=PANEL,
            ),
        )
        for option in options
    ]


def global_options(context: typer.Context, typed: dict[str, Any]) -> Options:
    """Remove the global options from the typed ones, and complete them by those before the command."""
    own = {f.name: typed.pop(f"global_{f.name}", None) for f in fields(Options)}
    options = Options(**own).over(context.obj)
    begin(options)
    return options


def watch_option() -> inspect.Parameter:
    """Return the option that shows again what changes."""
    text = "Show it again whenever something changes, until Ctrl-C; in a pipe a line of JSON for each change."
    return keyword("watch", bool, typer.Option(False, "--watch", help=text))


def _option_of(parameter: inspect.Parameter) -> Any:
    """Return the option that a parameter of a hand-made command is; None where it is an argument."""
    marks = getattr(parameter.annotation, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, OptionInfo)), None)


def _flag_of(parameter: inspect.Parameter) -> tuple[str, str] | None:
    """Return the name of a parameter with how it is typed: messages name it so."""
    option = _option_of(parameter)
    # Within `Annotated` typer takes the first of them for the default.
    typed = [option.default, *(option.param_decls or ())] if option is not None else []
    flags = [flag for flag in typed if isinstance(flag, str) and flag.startswith("--")]
    return (parameter.name, flags[0].partition("/")[0]) if flags else None


def _words_of(parameter: inspect.Parameter) -> tuple[str, list[str]] | None:
    """Return the name of an option that lists its words, ``ws|sse``, with these."""
    metavar = str(getattr(_option_of(parameter), "metavar", None) or "")
    return (parameter.name, metavar.split("|")) if "|" in metavar else None


def by_hand(
    function: Callable[..., int | None], *, shows_requests: bool = False, watches: bool = False
) -> Callable[..., Any]:
    """Turn a function into a command: its first parameter gets the global options, the others are its own.

    `shows_requests`: it does as `--dry-run` and `--explain` say; the others refuse them rather than send something.
    `watches`: it has `--watch`.
    """
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    flags = dict(found for parameter in own if (found := _flag_of(parameter)) is not None)
    words = dict(listed for parameter in own if (listed := _words_of(parameter)) is not None)

    def call(context: typer.Context, **typed: Any) -> int:
        options = global_options(context, typed)
        goes_on = typed.pop("watch", False) if watches else False

        def action() -> int | None:
            if options.sends_nothing and not shows_requests:
                raise MisuseError("this command cannot show its requests: leave out --dry-run and --explain")
            for name, known in words.items():
                refuse_slips(flags[name], typed.get(name), known)
            if goes_on:
                from ..live.watch import watch

                return watch(options, lambda options: function(options, **typed))
            return function(options, **typed)

        return run_guarded(
            action, debug=bool(options.debug), secrets=secrets(options), flags=flags, as_json=bool(options.json_errors)
        )

    call.__doc__ = function.__doc__
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    taken = {flag for parameter in own for flag in _flags(parameter)}  # what a command has itself goes before
    others = tuple(option for option in GLOBALS if taken.isdisjoint((option.flag, option.short)))
    return with_signature(call, [*own, *([watch_option()] if watches else []), *global_parameters(others)])


def _flags(parameter: inspect.Parameter) -> Iterator[str]:
    """Yield the options that a parameter of a hand-made command is typed as."""
    for mark in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(mark, OptionInfo):
            for words in mark.param_decls or (f"--{parameter.name.replace('_', '-')}",):
                yield from words.split("/")
