"""The rule of looking at a file before it is imported: the whole import is carried out, and undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.resources.imports import Imports

from ...bulk import error_of
from ...files.received import Received
from ...files.table import UnreadableFileError
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ..objects.keys import check_key
from .cells import Cells
from .opening import Opened, Opener, no_columns
from .records import entity_to_import, tally
from .rows import Outcome, Work
from .sources import Source, check_encoding, no_format, source_of

_COUNTS = ("total", "processed", "succeeded", "failed", "skipped", "created", "updated", "deleted")


class _LookedError(Exception):
    """Ends the transaction of a preview."""


@serves(Imports.preview)
def preview(
    call: Context,
    entity: str,
    file: Received | None,
    file_id: str | None,
    format: str | None,
    has_header: bool,
    delimiter: str | None,
    encoding: str | None,
    mapping: Sequence[Members] | None,
    match_on: str | None,
    mode: str,
    sample: int,
) -> dict[str, Any]:
    """Say what an import would do."""
    opener = Opener(call, entity_to_import(call, entity))
    source = source_of(call, file, file_id, format)
    look: dict[str, Any] = {
        "readable": False, "errors": [], "format": source.format, "delimiter": delimiter, "encoding": encoding or "",
        "has_header": has_header, "row_count": 0, "columns": [], "mapping": [], "unmapped_required": [], "rows": [],
        "counts": dict.fromkeys(_COUNTS, 0),
    }  # fmt: skip
    try:
        opened = _opened_source(opener, source, has_header, delimiter, encoding, mapping)
    except UnreadableFileError as error:
        return look | {"errors": [error_of(Problem("UNREADABLE_FILE", str(error), field="file"))]}
    except Problem as problem:
        return look | {"errors": [error_of(problem)]}
    table = opened.table
    errors = list(opened.problems)
    key = "id"
    try:
        key = check_key(opener.call, opener.entity, match_on)
    except Problem as problem:
        errors.append(problem)
    too_many = opener.check_size(opened)
    errors += [too_many] if too_many is not None else []
    if not opened.columns and not errors:
        errors.append(invalid("mapping", "required", str(no_columns(opened, opener.entity))))
    outcomes: list[Outcome] = []
    if not errors:
        options: dict[str, Any] = {"mode": mode, "match_on": key, "on_duplicate": "update", "values": {}}
        outcomes = _tried_rows(call, opener, opened, options, source.format)
    return look | {
        "readable": True,
        "errors": [error_of(problem) for problem in errors],
        "delimiter": table.delimiter,
        "encoding": table.encoding or "utf-8",
        "has_header": has_header and source.format in ("csv", "xlsx"),
        "row_count": len(table.rows),
        "columns": opened.suggestions,
        "mapping": opened.mapping,
        "unmapped_required": opener.fields.missing(opened.field_names({})),
        "rows": [_shown_outcome(one) for one in outcomes[:sample]],
        "counts": tally(look["counts"] | {"total": len(outcomes)}, outcomes),
    }


def _opened_source(
    opener: Opener,
    source: Source,
    has_header: bool,
    delimiter: str | None,
    encoding: str | None,
    mapping: Sequence[Members] | None,
) -> Opened:
    if not source.format:
        raise no_format(source.name)
    if encoding is not None:
        check_encoding(encoding)
    return opener.open(source, has_header=has_header, delimiter=delimiter, encoding=encoding, mapping=mapping)


def _tried_rows(call: Context, opener: Opener, opened: Opened, options: Members, format: str) -> list[Outcome]:
    """Return what would become of each row: all are written, in their order, and undone."""
    cells = Cells.of(call, format, None)
    work = Work(call, opener.entity, opener.fields, opened.columns, opened.links, options, cells)
    outcomes: list[Outcome] = []
    try:
        with call.server.store.transaction():
            outcomes += [work.row(number, row) for number, row in enumerate(opened.table.rows)]
            raise _LookedError
    except _LookedError:
        return outcomes


def _shown_outcome(one: Outcome) -> dict[str, Any]:
    found = one.problem
    errors = [
        error_of(Problem(entry.code, entry.message, field=entry.field, rule=entry.rule, details=entry.details))
        for entry in (found.entries if found is not None else ())
    ]
    return {"row": one.row, "outcome": one.outcome, "match_id": one.match_id, "values": one.values, "errors": errors}
