"""Build commands from declarations: the form gives the arguments and options, the docstring the help."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.main import get_command

from crm_sdk.errors import NotFoundError
from crm_sdk.operation import Operation
from crm_sdk.wire import camel

from ..bulk.ids_options import reads_ids
from ..connection import open_client, server_name
from ..failures import DECLINED, PARTIAL, MisuseError, in_words, run_guarded, status_of_class
from ..help import Command
from ..lookups import Lookups
from ..settings import Options, Settings, secrets, settle
from ..terminal.asking import agreed, say_done
from ..terminal.columns import columns_of
from ..terminal.limits import LIMIT, Found, Wanted
from ..terminal.output import Printer, say_bulk_failures
from ..terminal.pager import paged
from ..views import drawer_of, judge_of, rows_of
from .global_options import global_options, global_parameters, keyword, with_signature
from .own_options import MEMBERS, own_options
from .parameters import Form, Parameter, kebab, part_of

if TYPE_CHECKING:
    from typer.core import TyperArgument, TyperOption

    from crm_sdk import CrmClient, Job, Page
    from crm_sdk.network.downloads import Download

# What stands for a value in the help, where it is not the name of its kind.
_NAMES: Mapping[str, str] = {"any": "value"}


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
        return _Run(form, options, given, **typed).status()

    own = [_typer_parameter(key, parameter) for key, parameter in keys.items()]
    return with_signature(call, own + own_options(form) + global_parameters(form.globals))


def _typer_parameter(key: str, parameter: Parameter) -> inspect.Parameter:
    panel = MEMBERS if parameter.place == "member" else None
    if parameter.kind == "flag" and parameter.place != "argument":
        flag = parameter.flag[2:]
        option = typer.Option(None, f"--{flag}/--no-{flag}", rich_help_panel=panel, show_default=False)
        return keyword(key, bool, option)
    annotation: Any = list[str] if parameter.many else str
    if parameter.place == "argument":
        start = ... if parameter.required else None
        return keyword(key, annotation, typer.Argument(start, metavar=parameter.flag, parser=str))
    metavar = _NAMES.get(parameter.kind, parameter.kind).upper()
    flags = (parameter.flag, *parameter.aliases)
    option = typer.Option(None, *flags, parser=str, metavar=metavar, rich_help_panel=panel, show_default=False)
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
    if parameter.kind == "json":
        yield "JSON, @file or @-"
    if parameter.kind == "file":
        yield "a path, or - for stdin"
    if parameter.many and parameter.place != "argument":
        yield "repeat it, or separate with commas" if parameter.commas else "repeat it for more"
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
        limit: str | None = None,
        yes: bool = False,
        watch: bool = False,
        jobs: int | None = None,
        stdin: str | None = None,
    ) -> None:
        self._form = form
        self._options = options
        self._typed = typed
        self._data = data
        self._every = every
        self._to = to
        self._wait = wait
        self._columns = columns
        self._limit = limit
        self._yes = yes
        self._watch = watch
        self._jobs = jobs
        self._stdin = stdin

    def status(self) -> int:
        """Call, print, and return the exit status."""
        typed = [text for p, text in self._typed.items() if isinstance(text, str) and text and _is_secret(p.name)]
        hidden = [*typed, *secrets(self._options)]
        return run_guarded(
            self._watched if self._watch else self._call,
            debug=bool(self._options.debug),
            secrets=hidden,
            flags=self._form.flags,
            as_json=bool(self._options.json_errors),
        )

    def _watched(self) -> int:
        from ..live.watch import watch

        def look(options: Options) -> int | None:
            self._options = options
            return self._call()

        return watch(self._options, look)

    def _call(self) -> int | None:
        settings = settle(self._options)
        operation = self._form.operation
        # The columns of these are those of the records, which their owner has defined.
        known = columns_of(operation, result=self._wait) if rows_of(operation.id) is None else None
        printer = Printer(settings.output, self._columns, known)
        arguments = self._form.arguments(self._typed, self._data)
        if self._form.makes_file and self._to is not None and not self._wait:
            raise MisuseError("--to saves what the job has made: it cannot go with --no-wait")
        ids = self._typed[self._form.ids] if self._form.ids is not None else None
        if self._form.ids is not None and reads_ids(self._form.ids, ids, self._stdin, self._data, self._jobs):
            from ..bulk.ids import Each

            each = Each(self._form, arguments, self._jobs or 1, self._yes)
            return each.status(settings, printer, show=self._options.sends_nothing)
        wanted = Wanted(None)
        if operation.kind == "page":
            wanted = Wanted.take(self._form, arguments, "all" if self._every else self._limit)
        lookups = Lookups(self._form, arguments)
        names = lookups.names
        if self._options.sends_nothing:
            from ..showing import show_call

            with open_client(settings) as client:
                show_call(client, self._form, arguments | lookups.ids(client, names), printer, settings)
            return None
        if not names and not self._may_go_on(arguments):
            return DECLINED
        from ..undo.recording import recorded

        with open_client(settings) as client:
            server = server_name(settings, client)
            if names:
                arguments |= lookups.ids(client, names)
                if not self._may_go_on(arguments):
                    return DECLINED
            call = recorded(attrgetter(operation.id)(client), self._form, client, settings)
            try:
                result = call(**arguments)
            except NotFoundError:
                found = lookups.ids(client, lookups.doubtful)
                if not found:
                    raise
                arguments |= found
                if not self._may_go_on(arguments):  # it was asked about a name; this is what has it
                    return DECLINED
                result = call(**arguments)
            # What goes on is read as it comes.
            with nullcontext() if operation.kind in ("stream", "download") else paged():
                status = self._print(client, result, printer, wanted, settings)
            if self._form.writes:
                say_done(self._form, arguments, result, server)
            return status

    def _may_go_on(self, arguments: Mapping[str, Any]) -> bool:
        return not self._form.destroys or self._yes or agreed(self._form, arguments)

    def _print(
        self, client: CrmClient, result: Any, printer: Printer, wanted: Wanted, settings: Settings
    ) -> int | None:
        """Print a result; returns the exit status where part of what was asked for failed."""
        kind = self._form.operation.kind
        if kind == "page":
            self._page(client, result, printer, wanted)
        elif kind == "download":
            self._download(result, printer)
        elif kind == "job" and self._wait:
            return self._job(client, result, printer)
        elif self._form.is_run and self._wait and self._form.makes_file:
            result = result.wait(timeout=None)
            if self._to is not None and result.file_id is not None:
                self._download(client.files.download(result.file_id), printer)
                return None
            self._show(client, result, printer)
        elif kind == "stream":
            from ..views.tail import follow

            return follow(result, printer.format, settings)
        elif self._form.operation.goes_on and self._every:
            printer.rows(result)
        else:
            self._show(client, result, printer)
        judge = judge_of(self._form.operation.id)
        as_json = bool(self._options.json_errors)
        return judge(result) if judge is not None else say_bulk_failures(result, as_json=as_json)

    def _show(self, client: CrmClient, result: Any, printer: Printer) -> None:
        draw = drawer_of(self._form.operation.id) if printer.is_for_people else None
        if draw is not None:
            draw(client, [result])
        else:
            rows = rows_of(self._form.operation.id) if printer.has_columns else None
            printer.show(next(iter(rows(client, [result]))) if rows is not None else result)

    def _page(self, client: CrmClient, page: Page[Any], printer: Printer, wanted: Wanted) -> None:
        found = Found(page, wanted)
        draw = drawer_of(self._form.operation.id) if printer.is_for_people else None
        if draw is not None:
            draw(client, list(found))
        else:
            rows = rows_of(self._form.operation.id) if printer.has_columns else None
            printer.rows(rows(client, found) if rows is not None else found)
        found.say_more()

    def _download(self, download: Download, printer: Printer) -> None:
        from ..transfers import fetch, to_stdout

        with download:
            if self._to == "-":
                to_stdout(download)
            else:
                printer.show(fetch(download, self._to))

    def _job(self, client: CrmClient, job: Job[Any], printer: Printer) -> int | None:
        from ..transfers import wait

        result, failed = wait(job)
        if self._to is not None:
            self._download(client.files.download(result.file_id), printer)
        else:
            printer.show(result)
        return PARTIAL if failed else None


def _is_secret(name: str) -> bool:
    return not name.endswith("_id") and any(
        part in name for part in ("password", "secret", "token", "api_key", "mfa_code")
    )
