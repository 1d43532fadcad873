"""The rows of an import: each is written in a transaction of its own, without the cells that cannot be stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any, cast

from crm_sdk.wire import camel, is_array, is_object, snake

from ....data.document import Document
from ....data.normalise import person_name
from ....data.personal import ERASED
from ....files.table import Remark, has_surrogate
from ....problems import FieldError, Problem, invalid
from ....serving import Context, Members
from ... import company, erasures
from ...imports import ledger
from ..records import CONTACTS, change, create_new, key_of
from ..validation import read_changes, read_new
from .cells import Cells
from .columns import Column
from .row_members import members_of

WARNINGS = 1_000
"""The warnings that an import keeps."""
_SHOWN = 200
_LEFT_OUT = frozenset({"VALIDATION_ERROR", "REFERENCE_NOT_FOUND"})
"""The codes of errors that lose one cell, not the row."""
_NAMED_BY = ("email", "company", "phone", "mobile")
"""What a contact without a name is called by, in this order."""


def warning_of(remark: Remark) -> dict[str, Any]:
    """Return a remark as a warning of the job."""
    where = f"{remark.column}: " if remark.column is not None and remark.row is not None else ""
    return {
        "row": remark.row,
        "field": remark.column,
        "code": remark.code,
        "message": f"{where}{remark.message}",
        "value": None if remark.value is None else shown_value(remark.value),
    }


def shown_value(value: Any) -> str:
    """Return a value as the job shows it."""
    text = str(value)[:_SHOWN]
    return text.encode(errors="replace").decode() if has_surrogate(text) else text


def kept_value(call: Context, value: Any, code: str) -> str | None:
    """Return a value that was refused with a code as the job keeps it: nothing that tells of an erased person."""
    if value is None:
        return None
    return ERASED if code == erasures.REFUSED else shown_value(erasures.without_refused(call, str(value)))


def kept_row(call: Context, cells: Sequence[Any], code: str) -> list[Any]:
    """Return the cells of a row that was refused with a code as an error file keeps them: none of an erased person."""
    tells = code == erasures.REFUSED or any(erasures.without_refused(call, str(cell)) != str(cell) for cell in cells)
    return [None] * len(cells) if tells else list(cells)


class _TrialEndedError(Exception):
    """Ends the transaction of a row that was only tried."""


class Work:
    """The rows of one step, and what came of them."""

    def __init__(self, call: Context, options: Members, columns: Sequence[Column]) -> None:
        self._call = call
        self._columns = columns
        # A spreadsheet has no time zones: its times are UTC, as an export writes them.
        zone = UTC if options["format"] == "xlsx" else company.zone(call)
        self._cells = Cells(call, zone, options["date_format"], exact=options["format"] in ("jsonl", "vcf"))
        self._warned: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.written: list[dict[str, Any]] = []
        """What the rows did to the contacts, for a revert."""
        self._before: Document | None = None
        lists = ("created_ids", "updated_ids", "failed", "seen", "warnings")
        self.options: dict[str, Any] = {**options, **{name: list(options[name]) for name in lists}}

    def row(self, number: int, row: Members | str) -> str:
        """Write one row; return what it counts as."""
        self._warned = []
        try:
            if isinstance(row, str):
                raise Problem("VALIDATION_ERROR", row, rule="format")
            return self._create_or_update(self._members(number, row), number, row)
        except Problem as problem:
            self.errors += [self._error(number, entry, row) for entry in problem.entries]
            message = erasures.without_refused(self._call, problem.message)
            self.options["failed"].append([number, message, problem.code])
            if problem.code == erasures.REFUSED:
                self._warned = []
            return "failed"
        finally:
            kept: list[dict[str, Any]] = self.options["warnings"]
            kept += self._warned[: WARNINGS - len(kept)]

    def _members(self, number: int, row: Members) -> dict[str, Any]:
        def warn(column: Column, value: Any, message: str) -> None:
            self._warn(number, column.column, value, f"{shown_value(value)[:80]!r} {message}")

        return members_of(row, self._columns, self._cells, warn)

    def _warn(self, number: int, column: str, value: Any, message: str, code: str = "NOT_READ") -> None:
        self._warned.append(warning_of(Remark(message, number + 1, column, value, code)))

    def _create_or_update(self, members: dict[str, Any], number: int, row: Members) -> str:
        """Create or update; a trial is undone, but for what it tells of the rows after it."""
        options, call = self.options, self._call
        self._foreign_id(members)
        key = self._key(members)
        outcome, id = "skipped", None
        while True:
            try:
                with call.server.store.transaction():
                    outcome, doc = self._save(dict(members), key)
                    id = doc["id"] if doc is not None else None
                    if options["dry_run"]:
                        raise _TrialEndedError
            except _TrialEndedError:
                if outcome == "created" and key is not None:
                    options["seen"].append(key)
                return outcome
            except Problem as problem:
                self._leave_out(members, problem, number, row)  # or raises it again
                continue
            break
        if id is not None:
            options[f"{outcome}_ids"].append(id)
            entry = ledger.entry_of(call, CONTACTS.kind, CONTACTS.collection, number + 1, self._before, id)
            self.written += [entry] if entry["created"] or entry["changes"] else []
        return outcome

    def _key(self, members: Members) -> Any:
        name = self.options["match_on"]
        value = members.get(camel(name))
        if value is not None and not isinstance(value, str):
            raise invalid(name, "type", f"must be a text, not {shown_value(value)!r}")
        return key_of(self._call, {name: value}, name)

    def _foreign_id(self, members: dict[str, Any]) -> None:
        """Keep the id that another system gave a contact as its external id, and tell so once."""
        id = members.get("id")
        if id is None or self.options["match_on"] == "id":
            return
        del members["id"]
        text = str(id)
        if text.startswith(f"{CONTACTS.kind}_") or self._call.find_one(CONTACTS.collection, text) is not None:
            return
        if members.setdefault("externalId", text) == text and not self.options.get("foreign_ids"):
            self.options["foreign_ids"] = True
            column = next((column.column for column in self._columns if column.field == "id"), None)
            message = f"the ids in {column!r} are of another system: they are kept as external ids"
            self._warned.append(warning_of(Remark(message, column=column, value=text, code="FOREIGN_ID")))

    def _leave_out(self, members: dict[str, Any], problem: Problem, number: int, row: Members) -> None:
        """Take out of a row what cannot be stored, with a warning; raise the problem again where the row needs it."""
        needed = {"name", self.options["match_on"]}
        wrong = [(_path_taken_out(entry), entry) for entry in problem.entries]
        kept = any(path[0] in needed or entry.code not in _LEFT_OUT for path, entry in wrong)
        if kept or not all(path[0] and _has(members, path) for path, _ in wrong):
            raise problem
        taken: list[list[str]] = []
        for path, entry in sorted(wrong, key=_position, reverse=True):
            if path in taken or not _has(members, path):
                continue  # it, or its whole, was taken out
            taken.append(path)
            value = _take_out(members, path)
            column = self._column(entry) or ".".join(path)
            self._warn(number, column, value, f"{shown_value(value)[:80]!r} was left out: {entry.message}")

    def _save(self, members: dict[str, Any], key: Any) -> tuple[str, Document | None]:
        options, call = self.options, self._call
        name = options["match_on"]
        existing = CONTACTS.matching(call, name, key) if key is not None else None
        self._before = existing
        members.pop("id", None)
        if options["owner_id"]:
            members["ownerId"] = options["owner_id"]
        tags = [*members.get("tags", []), *options["tags"]]
        before = key in options["seen"]
        if existing is None and not before:
            if options["mode"] == "update":
                raise Problem("NOT_FOUND", f"no contact has the {name} {key!r}", field=name)
            members |= {"tags": tags} if tags else {}
            return "created", create_new(call, read_new(_with_name(members), typed=False))
        members.pop("_name", None)
        policy = options["on_duplicate"]
        if options["mode"] == "create" and policy == "update":
            policy = "skip"  # nothing is updated by an import that only creates
        if policy == "skip":
            return "skipped", None
        if policy == "fail":
            details = {"existing_id": existing["id"]} if existing is not None else {}
            raise Problem(
                "CONTACT_EXISTS",
                f"a contact has the {name} {key!r} already",
                field=name,
                rule="unique",
                details=details,
            )
        if existing is None:
            read_changes(members, typed=False)
            return "updated", None
        if tags:
            members["tags"] = [*(existing.get("tags") or ()), *tags]
        return "updated", change(call, existing["id"], read_changes(members, typed=False))

    def _column(self, entry: FieldError, row: Members | str = "") -> str | None:
        """Return the column that an error is about: of several for a member the first that has a value."""
        head = (entry.field or "").partition(".")[0]
        names = (entry.field, head, *(["email"] if head == "secondary_emails" else ()))
        found = [column.column for name in names if name for column in self._columns if column.field == name]
        filled = (column for column in found if not isinstance(row, str) and row.get(column) not in (None, ""))
        return next(filled, found[0] if found else None)

    def _error(self, number: int, entry: FieldError, row: Members | str) -> dict[str, Any]:
        at = self._column(entry, row)
        value = row if isinstance(row, str) else row.get(at) if at is not None else None
        return {
            "row": number + 1,
            "field": entry.field,
            "code": entry.code,
            "message": erasures.without_refused(self._call, entry.message),
            "value": kept_value(self._call, value, entry.code),
        }


def _with_name(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a new contact with its name: given, of its parts, or what else it is known by."""
    display = members.pop("_name", None)
    parts = {snake(part): members.get(part) for part in ("name", "firstName", "lastName")}
    if not all(part is None or isinstance(part, str) for part in parts.values()):
        return members  # which is told as it stands
    known_by = (members[part] for part in _NAMED_BY if isinstance(members.get(part), str))
    name = person_name(parts) or display or next(known_by, None)
    return members | ({"name": name} if name else {})


def _path_taken_out(entry: FieldError) -> list[str]:
    """Return the path of what an error takes out of a row: of a profile, the whole."""
    path = (entry.field or "").split(".")
    return path[:2] if path[0] == "social_profiles" else path


def _position(pair: tuple[list[str], FieldError]) -> tuple[Any, ...]:
    """Return a sort key by which later items of a list come last: they are taken out first."""
    return tuple((part.isdigit(), int(part) if part.isdigit() else part) for part in pair[0])


def _step(value: object, part: str, *, own: bool) -> tuple[Any, Any]:
    """Return the key of a part of a path in an object or a list, and the value there. Raises: LookupError."""
    if is_array(value):
        return int(part), value[int(part)]
    if is_object(value):
        key = part if own and part in value else camel(part)
        return key, value[key]
    raise LookupError(part)


def _walk(members: dict[str, Any], path: Sequence[str], use: Callable[[Any, Any], Any]) -> Any:
    """Call `use` with what the last part of a path is in, and its key there; what the path leads beyond counts whole.

    A custom field may have a dot in its name. Raises: LookupError where there is nothing.
    """
    if path[0] == "custom_fields" and len(path) > 1:
        fields = members["customFields"]
        for end in range(len(path), 1, -1):
            if ".".join(path[1:end]) in fields:
                return use(fields, ".".join(path[1:end]))
        raise LookupError(".".join(path))
    at: Any = members
    for number, part in enumerate(path):
        key, inner = _step(at, part, own=number > 0)
        if number == len(path) - 1 or not isinstance(inner, (dict, list)):
            return use(at, key)
        at = cast("Any", inner)
    raise LookupError(".".join(path))


def _has(members: dict[str, Any], path: Sequence[str]) -> bool:
    try:
        return bool(_walk(members, path, lambda whole, key: True))
    except (LookupError, ValueError, TypeError):
        return False


def _take_out(members: dict[str, Any], path: Sequence[str]) -> Any:
    return _walk(members, path, lambda whole, key: whole.pop(key))
