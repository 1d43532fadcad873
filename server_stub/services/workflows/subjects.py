"""The records that workflows are about: their fields, conditions on them, and how actions read and write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from crm_sdk.models.activities import ACTIVITY_MODELS
from crm_sdk.operation import Operation
from crm_sdk.wire import camel

from ...data.document import Document
from ...data.filter_groups import FieldType, compile_filters
from ...data.filters import filter_fields
from ...data.query import member
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.intake import receive_changes
from ...serving import Context, Members, changes_between
from .. import company
from ..activities import records as activities

ACTIVITY = "activity"
REFERENCES: Mapping[str, str] = {
    "contact_id": "contact", "account_id": "account", "pipeline_id": "pipeline", "lead_id": "lead", "deal_id": "deal",
}  # fmt: skip
"""Members with ids of other records that are not references of every noun that has them."""
_NEVER = frozenset({"workflow", "webhook", "notification"})
"""The kinds that no workflow is about: what would cause itself, or what is a consequence."""
_VARIABLE = re.compile(r"{{\s*([\w.]+)\s*}}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is carried out on: the record, if there is one, and what the execution was given."""

    kind: str
    id: str | None
    input: Members = field(default_factory=dict[str, Any])

    def record(self, call: Context) -> Document:
        """Return the record as it is now. Raises: 404 where it is gone, or the execution has none."""
        if self.id is None:
            raise Problem("NOT_FOUND", f"the execution is about no {self.kind}, and the action needs one")
        return noun_of(call, self.kind).found(call, self.id)

    def known(self, call: Context) -> Document | None:
        """Return the record as it is, or as it was when it was deleted; None where the execution has none."""
        if self.id is None:
            return None
        records = noun_of(call, self.kind).records(call)
        return call.found(records.kind, self.id) or records.get(self.id, deleted=True)

    def fill(self, call: Context, text: str) -> str:
        """Return a text with values in place of ``{{name}}``; an unknown name stays as it is."""
        if "{{" not in text:
            return text
        facts = self._facts(call)

        def value(match: re.Match[str]) -> str:
            head, _, rest = match[1].partition(".")
            found = member(Document({"input": self.input}), match[1]) if head == "input" and rest else facts(match[1])
            return match[0] if found is _UNKNOWN else "" if found is None else str(found)

        return _VARIABLE.sub(value, text)

    def _facts(self, call: Context) -> Callable[[str], Any]:
        doc = self.known(call) or Document()
        name = doc.get("name") or doc.get("contact_name")
        facts: dict[str, Any] = {
            "contact_name": name,
            "first_name": (name or "").partition(" ")[0] or None,
            "sender_name": call.caller.name,
            "our_company": call.tenant["name"],
        }

        def value(path: str) -> Any:
            own = member(doc, path) if path.partition(".")[0] in doc else _UNKNOWN
            return facts.get(path, own) if own is None or own is _UNKNOWN else own

        return value


_UNKNOWN = object()


def has_variables(value: object) -> bool:
    """Return whether a value is a text that an execution fills, so that it cannot be checked before."""
    return isinstance(value, str) and _VARIABLE.search(value) is not None


def noun_of(call: Context, kind: str) -> Noun:
    """Return the noun of the records of a workflow."""
    return call.server.nouns[kind]


def offered_kinds(nouns: Mapping[str, Noun]) -> list[str]:
    """Return the kinds of records that workflows can be about: those that can be fetched and updated by themselves."""
    return sorted(
        kind for kind, noun in nouns.items()
        if kind not in _NEVER and noun.within is None and noun.stored_as is None
        and (get := noun.declared("get")) is not None and noun.declared("update") is not None and stands_alone(get)
    )  # fmt: skip


def check_kind(call: Context, kind: str, path: str = "entity_type") -> None:
    """Raise 422 for a kind of record that no workflow is about."""
    choices = offered_kinds(call.server.nouns)
    if kind not in choices:
        message = f"{kind!r} is no kind of record that workflows act on; use one of {', '.join(choices)}"
        raise invalid(path, "choice", message, choices=choices)


def stands_alone(operation: Operation[..., Any]) -> bool:
    """Tell whether a call needs no id but that of its record: a record of a custom object needs its object's, too."""
    most = 0 if operation.name == "create" else 1
    return any(len(route.placeholders) <= most for route in operation.routes.values())


@cache
def fields_of(noun: Noun) -> Mapping[str, FieldType]:
    """Return the members of a kind of record that conditions can test, with their types."""
    if noun.kind != ACTIVITY:
        return filter_fields(noun.model)
    every: dict[str, FieldType] = {}
    for model in ACTIVITY_MODELS.values():
        every |= filter_fields(model)
    return every


def condition(
    call: Context, kind: str, groups: Sequence[Members], path: str = "conditions"
) -> Callable[[Document | None], bool]:
    """Return the test of conditions on a record; without a record only no conditions hold.

    Raises: 422 for conditions that cannot be tested, with `path` as the name of the member.
    """
    noun = noun_of(call, kind)
    try:
        test = compile_filters(groups, fields_of(noun), now=call.now, zone=company.zone(call))
    except Problem as problem:
        entries = [
            replace(entry, field=(entry.field or "").replace("filter_groups", path, 1)) for entry in problem.entries
        ]
        raise Problem(
            problem.code, problem.message, field=entries[0].field, rule=problem.rule, details=problem.details,
            errors=entries,
        ) from None  # fmt: skip
    return lambda doc: not groups if doc is None else test(present(call, noun, doc))


def stored_conditions(call: Context, groups: Sequence[Members] | None) -> list[dict[str, Any]]:
    """Return conditions without the members that say nothing, so that fetched ones can be sent back."""
    return [
        {"filters": [{k: v for k, v in given.items() if v is not None and v != []} for given in group["filters"]]}
        for group in groups or ()
    ]


def present(call: Context, noun: Noun, doc: Document) -> Document:
    """Return a record with its present figures, such as the days that a deal has been in its stage."""
    return noun.listed(call, doc) if noun.listed is not None else doc


def filters_in(groups: Sequence[Members]) -> Iterator[Members]:
    """Yield the filters of all groups."""
    for group in groups:
        yield from group["filters"]


# -- writing -----------------------------------------------------------------------------------------------------------


def body_with(name: str, value: Any) -> dict[str, Any]:
    """Return a body that sets one member, or one custom field: ``custom_fields.tier``."""
    head, _, rest = name.partition(".")
    return {camel(head): {rest: value} if rest else value}


def settable(noun: Noun, name: str) -> bool:
    """Return whether an update can set a member of a kind of record."""
    update = noun.declared("update")
    head, _, rest = name.partition(".")
    return update is not None and head in update.arguments.members and (not rest or head == "custom_fields")


def write(call: Context, subject: Subject, changes: Members) -> Document:
    """Change the record of an execution with the rights of the caller. `changes` are by their names in Python."""
    noun = noun_of(call, subject.kind)
    doc = noun.writable(call, subject.record(call)["id"])
    if subject.kind == ACTIVITY:
        return activities.noun_of(doc).change(call, doc, activities.changes_of(call, doc, changes))
    return noun.change(call, doc, noun.stored_form(call, changes, doc))


def write_field(call: Context, subject: Subject, name: str, value: Any) -> Document:
    """Set one member of the record, checked as an update of the record checks it."""
    update = noun_of(call, subject.kind).declared("update")
    assert update is not None, "check_kind demands it"
    return write(call, subject, receive_changes(update, body_with(name, value), typed=False))


def differences_between(call: Context, kind: str, before: Members, after: Members) -> list[dict[str, Any]]:
    """Return what a step has changed of a record, without what others compute."""
    noun = noun_of(call, kind)
    known = noun.model.model_fields.keys() if kind != ACTIVITY else after.keys()
    return [
        entry for entry in changes_between(before, after)
        if entry["field"] in known and entry["field"] not in noun.computed
    ]  # fmt: skip


def links_of(subject: Subject, doc: Members) -> dict[str, Any]:
    """Return the members by which an activity is about a record."""
    own = {f"{subject.kind}_id": doc["id"]} if f"{subject.kind}_id" in _LINKS else {}
    return {name: doc[name] for name in _LINKS if doc.get(name) and name not in own} | own


_LINKS = ("contact_id", "lead_id", "deal_id", "account_id")


def ref_of(kind: str, doc: Members) -> dict[str, Any]:
    """Return the EntityRef of a record."""
    return {"type": kind, "id": doc["id"], "name": doc.get("name") or doc.get("title")}
