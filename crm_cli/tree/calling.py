"""Make one declared call, from what was typed to what is printed. Nothing here depends on typer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import NotFoundError

from ..bulk.ids_argument import reads_ids
from ..connection import open_client, server_name, sharing
from ..failures import DECLINED, PARTIAL, MisuseError, run_guarded
from ..lookups import Lookups, ids_of_options, named_options
from ..settings import Options, Settings, secrets, settle
from ..terminal.asking import is_agreed, say_done
from ..terminal.columns import columns_of
from ..terminal.limits import Found, Wanted
from ..terminal.output import Printer, say_bulk_failures
from ..terminal.pager import through_pager
from ..terminal.writers import write_text
from ..views import drawer_of, judge_of, rows_of, word_of
from .parameters import Form, Parameter

if TYPE_CHECKING:
    from crm_sdk import CrmClient, Job, Page
    from crm_sdk.network.downloads import Download


class Run:
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
        self._named = False
        """Whether the options that are names were looked up."""

    def status(self) -> int:
        """Call, print, and return the exit status."""
        typed = [text for p, text in self._typed.items() if isinstance(text, str) and text and _is_secret(p.name)]
        hidden = [*typed, *secrets(self._options)]
        return run_guarded(
            self._run_watch if self._watch else self._call,
            debug=bool(self._options.debug),
            secrets=hidden,
            flags=self._form.flags,
            as_json=bool(self._options.json_errors),
        )

    def _run_watch(self) -> int:
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
        told = _format_told(self._form, self._to) if self._to is not None and self._data is None else None
        if told is not None and self._typed.get(told[0]) is None:
            self._typed = {**self._typed, told[0]: told[1]}
        arguments = self._form.arguments(self._typed, self._data)
        if self._form.makes_file and self._to is not None and not self._wait:
            raise MisuseError("--to saves what the job has made: it cannot go with --no-wait")
        named = {} if self._named else named_options(self._form, self._typed)
        if named:
            self._named = True
            with open_client(settings) as client, sharing(client):
                self._typed = {**self._typed, **ids_of_options(client, self._form, named, self._typed)}
                return self._call()
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
        from ..undo.recording import recorded_call

        with open_client(settings) as client:
            server = server_name(settings, client)
            if arguments.get("view") and printer.has_columns and not printer.is_chosen and known is not None:
                from ..views.layouts import columns_through

                printer = Printer(settings.output, columns_through(client, arguments["view"], known), known)
            if names:
                arguments |= lookups.ids(client, names)
                if not self._may_go_on(arguments):
                    return DECLINED
            call = recorded_call(attrgetter(operation.id)(client), self._form, client, settings)
            try:
                result = call(**arguments)
            except NotFoundError as error:
                found = lookups.ids(client, lookups.doubtful)
                if not found:
                    if lookups.doubtful:
                        error.add_note("none has it as its name, either")
                    raise
                arguments |= found
                if not self._may_go_on(arguments):  # it was asked about a name; this is what has it
                    return DECLINED
                result = call(**arguments)
            status: int | None = None  # whoever leaves the pager early has seen enough: nothing of it failed
            # What goes on is read as it comes.
            with nullcontext() if operation.kind in ("stream", "download") else through_pager():
                word = word_of(operation.id) if self._options.output is None else None
                said = word(arguments, result) if word is not None else None
                if said is not None:
                    write_text(f"{said}\n")
                else:
                    status = self._print(client, result, printer, wanted, settings)
            if self._form.writes:
                say_done(self._form, arguments, result, server)
            return status

    def _may_go_on(self, arguments: Mapping[str, Any]) -> bool:
        return not self._form.destroys or self._yes or is_agreed(self._form, arguments)

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
        if self._to is not None and result.file_id is not None:
            self._download(client.files.download(result.file_id), printer)
        else:
            printer.show(result)
        return PARTIAL if failed else None


def _format_told(form: Form, file: str) -> tuple[Parameter, str] | None:
    """Return the option for the format, and the one that the end of a file's name tells; None without one."""
    end = file.rpartition(".")[2].lower()
    found = next((p for p in form.parameters if p.name == "format" and p.place != "argument"), None)
    return (found, end) if found is not None and end in found.choices else None


def _is_secret(name: str) -> bool:
    return not name.endswith("_id") and any(
        part in name for part in ("password", "secret", "token", "api_key", "mfa_code")
    )
