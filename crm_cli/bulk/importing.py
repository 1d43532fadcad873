"""``crm NOUN import``: a file of records, which is checked before it is sent, and can be interrupted at any moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from crm_sdk.errors import CrmError

from ..connection import open_writing_client, server_name
from ..failures import DECLINED, INVALID, PARTIAL, MisuseError, complain
from ..folders import data_folder
from ..settings import Options, Settings, settle
from ..terminal.asking import is_confirmed
from ..terminal.output import Printer
from ..terminal.prompts import may_ask
from . import journal as journals
from . import wrong_rows
from .checking import Check
from .journal import Journal
from .mapping import settled_mapping
from .progress import progress
from .sending import CHUNK, Sending
from .sources import Source, fingerprint, spooled_stdin
from .working import Quota

if TYPE_CHECKING:
    from crm_sdk import CrmClient

_SHOWN = 10
_DONE = ("created", "updated", "unchanged", "skipped")

_File = Annotated[
    str, typer.Argument(metavar="FILE", help="The file: CSV, JSON lines, XLSX, vCard (contacts, leads), - for stdin.")
]
_Format = Annotated[
    str | None, typer.Option("--format", metavar="csv|jsonl|xlsx|vcf", help="Its format; its name tells it otherwise.")
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of an import, beside its file."""

    pairs: tuple[str, ...]
    mapping: str | None
    match_on: str | None
    mode: str
    on_match: str
    errors: str | None
    skip_invalid: bool
    again: bool
    jobs: int
    batch: int
    yes: bool
    dry_run: bool


def import_file(
    options: Options,
    entity: Annotated[
        str, typer.Argument(metavar="ENTITY", help="What the rows are: contact, lead, or a custom object's API name.")
    ],
    file: _File,
    format: _Format = None,
    map: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="COLUMN=MEMBER", help="What a column becomes; COLUMN= leaves it out. Repeat it for more."
        ),
    ] = None,
    mapping: Annotated[
        str | None, typer.Option("--mapping", metavar="FILE", help="The whole mapping as JSON: members by columns.")
    ] = None,
    match_on: Annotated[
        str | None, typer.Option("--match-on", metavar="KEY", help="The key by which a row finds its record.")
    ] = None,
    mode: Annotated[
        Literal["upsert", "create", "update"], typer.Option("--mode", help="Whether rows may create, change, or both.")
    ] = "upsert",
    on_match: Annotated[
        Literal["update", "fill_empty", "skip"],
        typer.Option("--on-match", help="What is done with a record that is found."),
    ] = "update",
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first row is a record: columns are named by their numbers.")
    ] = False,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", metavar="SIGN", help="What separates the cells; the file shows it.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="NAME", help="The encoding of the file; UTF-8 without it.")
    ] = None,
    errors: Annotated[
        str | None, typer.Option("--errors", metavar="FILE", help="Where rows that fail go; else to NAME.errors.csv.")
    ] = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Import the valid rows where others are not.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Begin anew, although this file was imported, or begun, before.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=32, help="How many calls are made at once.")] = 4,
    batch: Annotated[int, typer.Option("--batch", min=1, max=CHUNK, help="How many rows a call has.")] = CHUNK,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the mapping as it is shown, without asking.")] = False,
) -> int | None:
    """Import records from a file.

    The mapping of its columns is shown first. Then every row is checked by the rules of the server, and nothing is sent
    where one is not valid; --skip-invalid sends the others. Rows that fail are written to a file, as they were, with
    what is wrong: mend it and import it. Interrupted in any way, the same command goes on where it was: no row is lost,
    and none is written twice.
    """
    settings = settle(options)
    wish = Wish(
        tuple(map or ()), mapping, match_on, mode, on_match, errors, skip_invalid, again, jobs, batch, yes,
        bool(options.sends_nothing),
    )  # fmt: skip
    printer = Printer(settings.output)
    folder = Path(data_folder()) / "imports" / ("offline" if settings.offline else "servers")
    path = spooled_stdin(folder) if file == "-" else Path(file)
    if not path.is_file():
        raise MisuseError(f"{file}: there is no such file" if not path.exists() else f"{file} is no file")
    if errors is not None and not (Path(errors).parent.is_dir() and not Path(errors).is_dir()):
        raise MisuseError(f"--errors: {errors} cannot be a file: there is no such folder, or it is one")
    name = "stdin" if file == "-" else path.name
    if file == "-" and format is None:
        format = "csv"
    journals.tidy(folder)
    source = Source.open(
        path, name, format=format, has_header=not no_header, delimiter=_sign(delimiter), encoding=encoding
    )
    about = (
        fingerprint(path), entity, settings.base_url, settings.tenant, settings.api_key, tuple(wish.pairs), mapping,
        match_on, mode, on_match, format, no_header, delimiter, encoding, batch,
    )  # fmt: skip
    named = sha256(repr(about).encode()).hexdigest()[:24]
    with Journal(folder / f"{named}.sqlite") as journal, open_writing_client(settings) as client:
        return _Import(client, settings, source, journal, wish, printer).status(entity)


def _sign(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    sign = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(sign) != 1:
        raise MisuseError(f"--delimiter is one sign, such as ; or tab, not {delimiter!r}")
    return sign


class _Import:
    """One import, from the look at the file to its result."""

    def __init__(
        self,
        client: CrmClient,
        settings: Settings,
        source: Source,
        journal: Journal,
        wish: Wish,
        printer: Printer,
    ) -> None:
        self._client = client
        self._server = server_name(settings, client)
        self._source = source
        self._journal = journal
        self._wish = wish
        self._printer = printer
        self._quota = Quota()
        self._checked = False

    def status(self, entity: str) -> int | None:
        """Import, print the result, and return the exit status."""
        journal, wish = self._journal, self._wish
        if journal.state == "done" and not wish.again:
            complain("this file was imported before: --again imports it once more")
            return self._end(entity, journal.counts())
        goes_on = journal.state == "sending" and not wish.again
        mapped = settled_mapping(
            self._client, entity, self._source, pairs=wish.pairs, file=wish.mapping, match_on=wish.match_on,
            mode=wish.mode,
        )  # fmt: skip
        if not goes_on:
            mapped.show(self._source)
            if not wish.yes and not wish.dry_run and may_ask() and not is_confirmed(f"import them to {self._server}"):
                return DECLINED
        with self._quota.ending():
            if goes_on:
                counts = journal.counts()
                complain(f"going on: {_done(counts):,} of {journal.rows:,} rows are done")
            else:
                self._check(mapped)
                counts = journal.counts()
                refused = self._refuse(entity, counts)
                if refused is not None:
                    return refused
                journal.state = "sending"
            self._send(mapped, counts)
        journal.finish()
        return self._end(entity, journal.counts())

    def _check(self, mapped: Any) -> None:
        journal, source = self._journal, self._source
        self._checked = True
        journal.begin()
        total = sum(1 for _ in source.rows()) if source.format != "xlsx" else None
        with progress("checked", total) as advance:
            Check(self._client, source, mapped, self._wish.mode, self._quota).into(journal, self._wish.jobs, advance)

    def _refuse(self, entity: str, counts: Counter[str]) -> int | None:
        """Return the exit status where nothing is sent: for --dry-run, and where rows are not valid."""
        wrong, wish = counts[journals.INVALID], self._wish
        changing = self._journal.changing()
        new, same = counts[journals.READY] - changing, counts["unchanged"]
        said = f"{new:,} new, {changing:,} that change a record, {same:,} that change nothing, {wrong:,} not valid"
        complain(f"{self._journal.rows:,} rows: {said}")
        if wrong:
            self._say_wrong({journals.INVALID})
        if wish.dry_run:
            self._print(entity, counts)
            self._journal.discard()
            return INVALID if wrong else 0
        if not wrong or wish.skip_invalid:
            return None
        valid = self._journal.rows - wrong
        if valid and may_ask() and not wish.yes and is_confirmed(f"import the other {valid:,}"):
            return None
        self._journal.discard()
        complain("nothing was sent" + ("; --skip-invalid imports the others" if valid else ""))
        return INVALID

    def _send(self, mapped: Any, counts: Counter[str]) -> None:
        journal, wish = self._journal, self._wish
        sending = Sending(self._client, mapped, wish.mode, wish.on_match, self._quota, journal.run)
        try:
            with progress("imported", counts[journals.READY]) as advance:
                sending.from_(journal, wish.batch, wish.jobs, advance)
        except (CrmError, KeyboardInterrupt):
            done = _done(journal.counts())
            complain(f"{done:,} of {journal.rows:,} rows are done; the same command goes on there")
            raise

    def _say_wrong(self, outcomes: Collection[str]) -> Path:
        """Write the rows that failed to a file, and say on stderr what is wrong with the first of some outcomes."""
        path = Path(self._wish.errors) if self._wish.errors is not None else wrong_rows.usual_path(self._source)
        if path.exists() and path.resolve() == self._source.path.resolve():
            raise MisuseError(f"--errors: {path} is the file that is imported")
        try:
            wrong_rows.write(self._journal, self._source, path)
        except OSError as error:  # what was sent stays sent: it is no reason to say nothing of it
            complain(f"note: {path} cannot be written: {error.strerror}; --errors names another file")
        found = (entry for entry in self._journal.wrong() if entry.outcome in outcomes)
        count = sum(self._journal.counts()[outcome] for outcome in outcomes)
        for entry in islice(found, _SHOWN):
            said = "; ".join(f"{one.member}: {one.message}" if one.member else one.message for one in entry.errors)
            complain(f"  row {entry.number}: {said}")
        if count > _SHOWN:
            complain("  …")
        if count:
            complain(f"{count:,} row{'s' if count > 1 else ''} failed: {path}")
        return path

    def _end(self, entity: str, counts: Counter[str]) -> int | None:
        failed = counts[journals.INVALID] + counts[journals.FAILED]
        path = (
            self._say_wrong({journals.FAILED} if self._checked else {journals.INVALID, journals.FAILED})
            if failed
            else None
        )
        self._print(entity, counts, path)
        return PARTIAL if failed else None

    def _print(self, entity: str, counts: Counter[str], path: Path | None = None) -> None:
        ready: dict[str, int] = {}
        if self._wish.dry_run:
            changing = self._journal.changing()
            ready = {"new": counts[journals.READY] - changing, "changing": changing}
        failed = counts[journals.INVALID] + counts[journals.FAILED]
        self._printer.show(
            {
                "entity": entity, "file": self._source.name, "rows": sum(counts.values()), **ready,
                **{name: counts[name] for name in _DONE}, "failed": failed,
                "errorsFile": str(path) if path is not None else None,
            }
        )  # fmt: skip


def _done(counts: Counter[str]) -> int:
    return sum(counts[name] for name in (*_DONE, journals.FAILED))
