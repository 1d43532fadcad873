"""Build commands from declarations: the form gives the arguments and options, the docstring the help."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import typer
from typer.main import get_command

from crm_sdk.operation import Operation

from .connection import open_client
from .failures import complain, in_words, run_guarded
from .global_options import PANEL, global_options, global_parameters, keyword, with_signature
from .output import Printer
from .parameters import Form, Parameter, kebab
from .settings import Options, secrets, settle

if TYPE_CHECKING:
    from crm_sdk import CrmClient, Job, Page
    from crm_sdk.transfer import Download

_MEMBERS = "Members of the body"

# The names of types in the help; a value stays a text until the SDK validates it.
_NAMES: Mapping[str, type] = {
    kind: type(name, (str,), {})
    for kind, name in (
        ("text", "text"),
        ("int", "int"),
        ("number", "number"),
        ("date", "date"),
        ("time", "time"),
        ("json", "json"),
        ("any", "value"),
        ("file", "file"),
    )
}


def command_for(operation: Operation[..., Any]) -> Any:
    """Return the command of a declared call."""
    form = Form(operation)
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    app.command(kebab(operation.name), help=_help(form), epilog=_example(form))(_function(form))
    return get_command(app)


def _function(form: Form) -> Callable[..., int]:
    keys = {f"p{n}": parameter for n, parameter in enumerate(form.parameters)}

    def call(context: typer.Context, **typed: Any) -> int:
        given = {parameter: typed.pop(key) for key, parameter in keys.items()}
        options = global_options(context, typed)
        return _Run(form, options, given, **typed).status()

    own = [_typer_parameter(key, parameter) for key, parameter in keys.items()]
    return with_signature(call, own + _own(form) + global_parameters(form.globals))


def _typer_parameter(key: str, parameter: Parameter) -> inspect.Parameter:
    if parameter.kind == "flag" and parameter.place != "argument":
        flag = parameter.flag[2:]
        return keyword(
            key,
            bool,
            typer.Option(None, f"--{flag}/--no-{flag}", help=_about(parameter), rich_help_panel=_panel(parameter)),
        )
    named = _NAMES.get(parameter.kind, str)
    annotation: Any = list.__class_getitem__(named) if parameter.many else named
    if parameter.place == "argument":
        start = ... if parameter.required else None
        return keyword(
            key, annotation, typer.Argument(start, metavar=parameter.flag, parser=str, help=_about(parameter))
        )
    option = typer.Option(
        None, parameter.flag, parser=str, help=_about(parameter), rich_help_panel=_panel(parameter), show_default=False
    )
    return keyword(key, annotation, option)


def _panel(parameter: Parameter) -> str | None:
    return _MEMBERS if parameter.place == "member" else None


def _about(parameter: Parameter) -> str | None:
    parts: list[str] = []
    if parameter.required and parameter.place != "argument":
        parts.append("required")
    if parameter.choices:
        parts.append(", ".join(parameter.choices))
    if parameter.kind == "json":
        parts.append("JSON, @file or @-")
    if parameter.kind == "file":
        parts.append("a path, or - for stdin")
    if parameter.many and parameter.place != "argument":
        parts.append("can be repeated, or separated by commas" if parameter.commas else "can be repeated")
    if parameter.default is not None:
        shown = parameter.default
        parts.append(f"default: {('yes' if shown else 'no') if isinstance(shown, bool) else shown}")
    return "; ".join(parts) or None


def _own(form: Form) -> list[inspect.Parameter]:
    """Return the options that follow from the kind of a call."""
    own: list[inspect.Parameter] = []
    if form.has_data:
        about = "the body as JSON, @file or @-; options take precedence; an empty option clears a nullable member"
        panel = _MEMBERS if form.operation.arguments.body else None
        own.append(keyword("data", str, typer.Option(None, "--data", help=about, rich_help_panel=panel)))
    if form.operation.kind == "page":
        own.append(keyword("every", bool, typer.Option(False, "--all", help="print all pages", show_default=False)))
    if form.operation.kind == "download":
        about = "the file to write, - for stdout; by default the file name that the server gives"
        own.append(keyword("to", str, typer.Option(None, "--to", help=about)))
    if form.is_job:
        about = "wait for the end of the job and print its result, or print the job at once"
        own.append(keyword("wait", bool, typer.Option(form.waits, "--wait/--no-wait", help=about)))
    about = "the columns of a table or CSV, separated by commas"
    own.append(keyword("columns", str, typer.Option(None, "--columns", help=about, rich_help_panel=PANEL)))
    return own


def _help(form: Form) -> str:
    """Return a docstring as help text: arguments as they are typed, errors with their exit statuses."""
    return re.sub(r"`(\w+)`", lambda match: f"`{form.flags.get(match[1], match[1])}`", in_words(form.operation.doc))


def _example(form: Form) -> str:
    words = ["crm", form.path]
    words += [p.flag for p in form.parameters if p.place == "argument" and p.kind != "json"]
    for parameter in [p for p in form.parameters if p.place != "argument" and p.required]:
        words += [parameter.flag, parameter.choices[0] if parameter.choices else _SAMPLES.get(parameter.kind, "TEXT")]
    chosen = next((p for p in form.parameters if p.place == "option" and p.choices and not p.required), None)
    if form.operation.kind == "page":
        words += [chosen.flag, chosen.choices[0]] if chosen else []
        words += ["--all", "-o", "jsonl"]
    return f"Example: `{' '.join(words)}`"


_SAMPLES = {"int": "10", "number": "100", "json": "@file.json", "date": "2026-01-31", "time": "2026-01-31T09:00"}


class _Run:
    """One call: from the typed options to the printed result."""

    def __init__(
        self,
        form: Form,
        options: Options,
        typed: Mapping[Parameter, Any],
        *,
        data: str | None = None,
        every: bool = False,
        to: str | None = None,
        wait: bool = False,
        columns: str | None = None,
    ) -> None:
        self._form = form
        self._options = options
        self._typed = typed
        self._data = data
        self._every = every
        self._to = to
        self._wait = wait
        self._columns = columns

    def status(self) -> int:
        """Call, print, and return the exit status."""
        typed = [text for p, text in self._typed.items() if isinstance(text, str) and text and _is_secret(p.name)]
        hidden = [*typed, *secrets(self._options)]
        return run_guarded(self._call, debug=bool(self._options.debug), secrets=hidden, flags=self._form.flags)

    def _call(self) -> None:
        settings = settle(self._options)
        printer = Printer(settings.output, self._columns)
        arguments = self._form.arguments(self._typed, self._data)
        with open_client(settings) as client:
            self._print(client, attrgetter(self._form.operation.id)(client)(**arguments), printer)

    def _print(self, client: CrmClient, result: Any, printer: Printer) -> None:
        kind = self._form.operation.kind
        if kind == "page":
            self._page(result, printer)
        elif kind == "download":
            self._download(result, printer)
        elif kind == "job" and self._wait:
            self._job(result, printer)
        else:
            printer.show(result)

    def _page(self, page: Page[Any], printer: Printer) -> None:
        printer.rows(page if self._every else page.items)
        if page.has_next and not self._every and sys.stderr.isatty():
            shown, total = len(page.items), page.total
            complain(
                f"showing {shown} of {total}: --all for all"
                if total
                else f"showing {shown}; there are more: --all for all"
            )

    def _download(self, download: Download, printer: Printer) -> None:
        from .transfers import fetch, to_stdout

        with download:
            if self._to == "-":
                to_stdout(download)
            else:
                printer.show(fetch(download, self._to))

    def _job(self, job: Job[Any], printer: Printer) -> None:
        from .transfers import wait

        printer.show(wait(job))


def _is_secret(name: str) -> bool:
    return any(part in name for part in ("password", "secret", "token", "api_key", "mfa_code"))
