"""The rules of validating contacts: what `create` would say of them, warnings, and possible duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from crm_sdk.resources.contacts import Contacts
from crm_sdk.wire import camel

from ...bulk import check_size
from ...data.normalise import email_domain
from ...problems import FieldError, Problem
from ...request.reading.intake import arguments_of
from ...serving import Context, Members, serves
from .likeness import matches
from .records import CONTACTS


@serves(Contacts.validate)
def validate(call: Context, contacts: Sequence[Members]) -> list[dict[str, Any]]:
    """Check contacts."""
    check_size(contacts, "contacts")
    return [_validate_draft(call, index, draft) for index, draft in enumerate(contacts)]


def read_new(draft: Members, *, typed: bool = True) -> dict[str, Any]:
    """Return a draft, in wire names, as the members of a new contact. Raises 422 as `create` does.

    Without `typed` numbers and flags may be texts, as the cells of a file are.
    """
    operation = Contacts.create.operation
    values, _ = arguments_of(operation, operation.routes["platform"], {}, dict(draft), {}, typed=typed)
    members: dict[str, Any] = values["contact"]
    return members


def read_changes(draft: Members, *, typed: bool = True) -> dict[str, Any]:
    """Return a draft, in wire names, as changes of a contact. Raises 422 as `update` does."""
    operation = Contacts.update.operation
    values, _ = arguments_of(operation, operation.routes["platform"], {}, dict(draft), {}, typed=typed)
    members: dict[str, Any] = values["changes"]
    return members


def _validate_draft(call: Context, index: int, draft: Members) -> dict[str, Any]:
    errors, members = _read_draft(draft)
    known = {entry.field for entry in errors}
    try:
        normal, problems = CONTACTS.checked(call, members)
    except Problem as problem:  # members that the caller may not write
        normal, problems = members, [problem]
    errors += [entry for problem in problems for entry in problem.entries if entry.field not in known]
    likely = matches(call, normal)
    return {
        "index": index,
        "valid": not errors,
        "errors": [_detail(entry) for entry in errors],
        # One that surely is there already is an error, which needs no warning.
        "warnings": _warnings(normal, [] if any(entry.code == "CONTACT_EXISTS" for entry in errors) else likely),
        "normalized": _on_wire(normal) if not errors else None,
        "duplicates": likely,
    }


def _read_draft(draft: Members) -> tuple[list[FieldError], dict[str, Any]]:
    """Return what is wrong with a draft by itself, and the members that are right."""
    errors: list[FieldError] = []
    rest, read = dict(draft), read_new
    while True:
        try:
            return errors, read(rest)
        except Problem as problem:
            known = {entry.field for entry in errors}
            errors += [entry for entry in problem.entries if entry.field not in known]
            wrong = {camel((entry.field or "").partition(".")[0]) for entry in problem.entries}
            left = {name: value for name, value in rest.items() if name not in wrong}
            if read is read_changes and len(left) == len(rest):
                return errors, {}
            rest, read = left, read_changes  # what is required is told by now


def _warnings(members: Members, likely: Sequence[Members]) -> list[dict[str, Any]]:
    found: list[FieldError] = []
    if members.get("email") and email_domain(members["email"]) is None:
        message = "this is a free-mail address, which does not tell the company"
        found.append(FieldError("email", None, message, "FREE_MAIL_DOMAIN"))
    for name in ("phone", "mobile"):
        if members.get(name) and not str(members[name]).startswith("+"):
            message = f"{members[name]!r} could not be read as a phone number and is kept as it is"
            found.append(FieldError(name, "format", message, "INVALID_PHONE"))
    if likely:
        message = f"may be the same person as {likely[0]['contact_id']}"
        details = {"contactId": likely[0]["contact_id"], "score": likely[0]["score"]}
        found.append(FieldError(None, None, message, "POSSIBLE_DUPLICATE", details))
    return [_detail(entry) for entry in found]


def _detail(entry: FieldError) -> dict[str, Any]:
    return {
        "code": entry.code,
        "message": entry.message,
        "field": entry.field,
        "rule": entry.rule,
        "details": {camel(name): value for name, value in entry.details.items()},
    }


def _on_wire(members: Members) -> dict[str, Any]:
    """Return the members of an input under their wire names; those of custom fields are the company's own."""
    out: dict[str, Any] = {}
    for name, value in members.items():
        if name == "address" and isinstance(value, Mapping):
            value = {camel(part): text for part, text in cast("Members", value).items()}
        out[camel(name)] = value
    return out
