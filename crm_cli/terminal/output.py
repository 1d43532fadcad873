"""Print results: as a table for people, as JSON, JSON lines, CSV, TSV, YAML or ids for programs.

Members have their wire names, as in the documents, so that printed JSON can be passed to ``--data``. What there are
many of is printed as it arrives.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from crm_sdk.wire import encode_json, is_array, is_object

from ..failures import PARTIAL, Failure, MisuseError, complain, say, visible
from . import writers
from .columns import Columns
from .fields import at, names_in, project, refuse_absent, resolved_fields
from .shape import jq_program, shape, template_of
from .tables import print_card, print_rows
from .values import cell, csv_text, plain, tsv_text

if TYPE_CHECKING:
    from ..settings import Options

__all__ = ["Printer", "plain", "print_document", "say_bulk_failures"]

_SHOWN_FAILURES = 10
_LOOKED_AT = 50
"""So many records are looked at for their members, where the model does not say which there are."""
_COLUMNS = ("table", "csv", "tsv")


class Printer:
    """Prints results in one format."""

    def __init__(self, format: str, columns: str | None = None, known: Columns | None = None) -> None:
        """`known` are the columns there are; without it they are those of the records."""
        self._shape = wanted = shape.get()
        wanted.check()
        self.format = format
        self._known = known
        self._flag = "--columns" if columns is not None else "--fields"
        if columns is not None and format not in _COLUMNS:
            raise MisuseError("--columns is for table, csv and tsv output; --fields is for every format")
        if columns is not None and wanted.fields is not None:
            raise MisuseError("--columns and --fields choose the same: type one of them")
        if columns is not None:
            self._columns: list[str] | None = [name.strip() for name in columns.split(",") if name.strip()]
        else:
            self._columns = names_in(wanted.fields) if wanted.fields is not None else None
        if self._columns is not None:
            self._columns = resolved_fields(self._columns, known, self._flag)
        self._jq = jq_program(wanted.jq) if wanted.jq is not None else None
        self._template = template_of(wanted.template) if wanted.template is not None else None

    @property
    def is_for_people(self) -> bool:
        """Whether somebody looks at it, who chose nothing of it."""
        return self.format == "table" and self._columns is None and not self._shape.chosen

    @property
    def is_chosen(self) -> bool:
        """Whether it was said which members are printed."""
        return self._columns is not None

    @property
    def has_columns(self) -> bool:
        """Whether members become columns, which a call may choose for its records."""
        return self.format in _COLUMNS and self._jq is None and self._template is None

    def show(self, result: Any) -> None:
        """Print one result; None prints nothing."""
        if result is None:
            return
        value = plain(result)
        if is_array(value):
            self.rows(value)
        elif self._jq is not None:
            self._query(self._pick(value))
        elif self._template is not None:
            writers.write_text(self._template(value) + "\n")
        elif self.format == "json":
            writers.write_json(self._pick(value), indent=2)
        elif self.format == "jsonl":
            writers.write_json(self._pick(value))
        elif self.format == "yaml":
            writers.write_yaml(self._pick(value))
        elif self.format == "ids":
            self._ids([value])
        elif self.format in ("csv", "tsv"):
            self._print_separated([value])
        elif is_object(value):
            if self._known is None and self._columns is not None:
                refuse_absent(self._columns, [value], self._flag)
            print_card(value, self._columns)
        else:
            writers.write_text(f"{cell(value)}\n")

    def rows(self, items: Iterable[Any]) -> None:
        """Print several results, each as it arrives; but for YAML and jq, which take all of them at once."""
        found = map(plain, items)
        if self._jq is not None:
            self._query([self._pick(item) for item in found])
        elif self._template is not None:
            for item in found:
                writers.write_text(self._template(item) + "\n")
        elif self.format == "jsonl":
            for item in found:
                writers.write_json(self._pick(item))
        elif self.format == "json":
            writers.write_array(map(self._pick, found))
        elif self.format == "yaml":
            writers.write_yaml([self._pick(item) for item in found])
        elif self.format == "ids":
            self._ids(found)
        elif self.format in ("csv", "tsv"):
            self._print_separated(found)
        elif not print_rows(self._check(found), self._columns, self._known):
            complain("nothing found")

    def _pick(self, value: Any) -> Any:
        """Return what of a record was chosen."""
        if self._columns is None:
            return value
        if self._known is None:
            refuse_absent(self._columns, [value], self._flag)
        return project(value, self._columns, self._known)

    def _query(self, value: Any) -> None:
        """Print the results of the jq expression: a text as it is, and anything else as JSON."""
        for text in self._jq(value) if self._jq is not None else ():
            is_text = text.startswith('"')
            writers.write_text((visible(json.loads(text)) if is_text else writers.escaped_json(text)) + "\n")

    def _ids(self, items: Iterable[Any]) -> None:
        """Print the id of each record; of a bulk call, of each item that was done."""
        for item in items:
            done: Any = item.get("items") if is_object(item) else None
            if is_array(done):
                self._ids(each for each in done if not is_object(each) or not each.get("error"))
                continue
            id = item.get("id") if is_object(item) else item
            if not isinstance(id, str):
                raise MisuseError("--output ids: what this command prints has no ids")
            writers.write_text(f"{visible(id)}\n")

    def _check(self, items: Iterator[Any]) -> Iterator[Any]:
        """Yield the items; refuse columns that none of the first has, where only the records say which there are."""
        first = list(islice(items, _LOOKED_AT)) if self._known is None and self._columns is not None else []
        if self._columns is not None and self._known is None:
            refuse_absent(self._columns, first, self._flag)
        return chain(first, items)

    def _print_separated(self, items: Iterable[Any]) -> None:
        """Print CSV or TSV. The columns are those of the model, or of the first records."""
        write, text = (writers.write_csv, csv_text) if self.format == "csv" else (writers.write_tsv, tsv_text)
        rows = self._check(item if is_object(item) else {"value": item} for item in items)
        known = self._known.every if self._known is not None else ()
        first = list(islice(rows, _LOOKED_AT))
        columns = self._columns or list(dict.fromkeys([*known, *(name for row in first for name in row)]))
        write([columns] if columns else [])
        missed: dict[str, None] = {}
        for row in chain(first, rows):
            write([[text(self._value(name, row)) for name in columns]])
            if self._columns is None:
                missed |= dict.fromkeys(name for name in row if name not in columns)
        if missed:
            complain(f"note: later records also have {', '.join(missed)}: choose with --columns")

    def _value(self, name: str, row: Mapping[str, Any]) -> Any:
        if self._known is not None and "." not in name:
            return self._known.value(name, row)
        return row[name] if name in row else at(row, name)


def print_document(document: Any, options: Options) -> None:
    """Print a document that is JSON whatever --output has by default, or what was typed to be printed of it."""
    if options.jq or options.template or options.fields or options.output not in (None, "table", "json"):
        Printer(options.output if options.output not in (None, "table") else "json").show(document)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(encode_json(document, indent=2) + b"\n")
    sys.stdout.buffer.flush()


def say_bulk_failures(result: Any, *, as_json: bool = False) -> int | None:
    """Say on stderr which items of a bulk call failed and why; returns the exit status for it, None where none did."""
    failures: Any = getattr(result, "failures", None)
    if not is_array(failures) or not failures:
        return None
    told = f"{result.failed} of {result.total} failed, the others are done"
    if as_json:
        fields = [
            {"field": str(item.index), "option": item.key, "message": item.error.message, "rule": item.error.code}
            for item in failures
            if item.error is not None
        ]
        return say(Failure("PARTIAL_FAILURE", told, PARTIAL, fields=fields), as_json=True)
    complain(told)
    for item in failures[:_SHOWN_FAILURES]:
        why = f"{item.error.code}: {item.error.message}" if item.error is not None else "failed"
        complain(f"  item {item.index}{f' ({item.key})' if item.key else ''}: {why}")
    if len(failures) > _SHOWN_FAILURES:
        complain("  …")
    return PARTIAL
