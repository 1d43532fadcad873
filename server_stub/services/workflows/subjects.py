"""The records that workflows are about: their fields, conditions on them, and how actions read and write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from crm_sdk.models.activities import ACTIVITY_MODELS
from crm_sdk.operation import Operation
from crm_sdk.wire import camel, is_object

from ...caller import Caller
from ...data.document import Document
from ...data.queries.field_types import custom_types
from ...data.queries.filter_groups import FieldType, compile_filters
from ...data.queries.filters import filter_fields
from ...data.queries.query import member
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access.hiding import legible, seen_types
from ...request.reading.intake import receive_changes
from ...request.settings import environment_of
from ...serving import Context, Members, changes_between
from .. import company
from ..activities import records as activities
from ..custom_objects.definitions import keys_of, object_named
from ..custom_objects.stored import RECORDS
from ..custom_objects.values import filter_type

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
    by_rule: bool = False
    """Whether a rule acts on it, with every right on the record itself."""
    author: Caller | None = None
    """Who wrote the actions of the rule; None where nobody is known or active."""

    def beside(self, call: Context) -> Context:
        """Return the call as what is done beside the record is done: of a rule, with the rights of who wrote it."""
        if not self.by_rule:
            return call
        if self.author is None:
            raise Problem("FORBIDDEN", "whoever wrote the actions of the rule is gone: write them anew")
        return call.acting_as(replace(self.author, actor_id=call.caller.actor_id, name=call.caller.name))

    def record(self, call: Context) -> Document:
        """Return the record as it is now. Raises: 404 where it is gone, or the execution has none."""
        if self.id is None:
            raise Problem("NOT_FOUND", f"the execution is about no {self.kind}, and the action needs one")
        doc = found_subject(call, self.kind, self.id)
        if doc is None:
            raise Problem("NOT_FOUND", f"no {self.kind} has the id {self.id!r}", details={"id": self.id})
        return doc

    def last_known(self, call: Context) -> Document | None:
        """Return the record as it is, or as it was when it was deleted; None where the execution has none."""
        if self.id is None:
            return None
        records = noun_of(call, self.kind).records(call)
        return found_subject(call, self.kind, self.id) or records.get(self.id, deleted=True)

    def published(self, call: Context) -> Document | None:
        """Return the record as what is sent of it may tell: of a private event, when it is."""
        doc = self.last_known(call)
        return noun_of(call, self.kind).published(doc) if doc is not None else None

    def fill(self, call: Context, text: str) -> str:
        """Return a text with values in place of ``{{name}}``; an unknown name stays as it is."""
        if "{{" not in text:
            return text
        facts, environment = self._facts(call), environment_of(call.collection)

        def value(match: re.Match[str]) -> str:
            head, _, rest = match[1].partition(".")
            if head == "env" and rest:
                return str(environment.get(match[1], match[0]))
            found = member(Document({"input": self.input}), match[1]) if head == "input" and rest else facts(match[1])
            return match[0] if found is _UNKNOWN else "" if found is None else str(found)

        return _VARIABLE.sub(value, text)

    def _facts(self, call: Context) -> Callable[[str], Any]:
        nouns, noun = call.server.nouns, noun_of(call, self.kind)
        entity = call.server.entities.of_collection(noun.collection)
        models = entity.models if entity is not None else [noun.model]
        doc = legible(self.published(call) or {}, models, self.author or call.caller, nouns)
        name = doc.get("name") or doc.get("contact_name")
        known: Members = {**doc, **(doc.get("fields") or {})}
        facts: dict[str, Any] = {
            "contact_name": name,
            "first_name": (name or "").partition(" ")[0] or None,
            "sender_name": call.caller.name,
            "our_company": call.tenant["name"],
        }

        def value(path: str) -> Any:
            own = value_at(self.kind, doc, path) if path.partition(".")[0] in known else _UNKNOWN
            return facts.get(path, own) if own is None or own is _UNKNOWN else own

        return value


_UNKNOWN = object()


def has_variables(value: object) -> bool:
    """Return whether a value is a text that an execution fills, so that it cannot be checked before."""
    return isinstance(value, str) and _VARIABLE.search(value) is not None


def noun_of(call: Context, kind: str) -> Noun:
    """Return the noun of the records of a workflow: their own, or that of the records of custom objects."""
    return call.server.nouns.get(kind, RECORDS)


def found_subject(call: Context, kind: str, id: str) -> Document | None:
    """Return a live record of a kind; the survivor of a merged one. None where the kind has no such record."""
    noun = noun_of(call, kind)
    doc = call.find_one(noun.collection, id)
    return doc if doc is None or noun is not RECORDS or doc["object"] == kind else None


def records_of(call: Context, kind: str) -> list[Document]:
    """Return the live records of a kind."""
    noun = noun_of(call, kind)
    return noun.records(call).find("object", kind) if noun is RECORDS else noun.records(call).all()


def value_at(kind: str, doc: Document, path: str) -> object:
    """Return the value of a member, or of a custom object's field: ``color`` is ``fields.color``."""
    values = doc.get("fields")
    name = path.removeprefix("fields.")
    return values[name] if is_object(values) and name in values else member(doc, path)


def offered_kinds(nouns: Mapping[str, Noun]) -> list[str]:
    """Return the kinds of records that workflows can be about: those that can be fetched and updated by themselves."""
    return sorted(
        kind for kind, noun in nouns.items()
        if kind not in _NEVER and noun.within is None and noun.stored_as is None
        and (get := noun.declared("get")) is not None and noun.declared("update") is not None and stands_alone(get)
    )  # fmt: skip


def check_kind(call: Context, kind: str, path: str = "entity_type") -> None:
    """Raise 422 for a kind of record that no workflow is about."""
    choices = offered_kinds(call.server.nouns) + [
        doc["api_name"] for doc in call.collection("custom_object") if doc["active"]
    ]
    if kind not in choices:
        message = f"{kind!r} is not a kind of record that workflows act on; use one of {', '.join(choices)}"
        raise invalid(path, "choice", message, choices=choices)


def stands_alone(operation: Operation[..., Any]) -> bool:
    """Tell whether a call needs no id but that of its record: a record of a custom object needs its object's, too."""
    most = 0 if operation.name == "create" else 1
    return any(len(route.placeholders) <= most for route in operation.routes.values())


def fields_of(call: Context, kind: str) -> Mapping[str, FieldType]:
    """Return the members of a kind of record that conditions can test, with their types."""
    noun = noun_of(call, kind)
    if noun is not RECORDS:
        return {**_members_of(noun), **custom_types(call.collection("field"), kind)}
    own: dict[str, FieldType] = {name: filter_type(key) for name, key in _keys(call, kind).items()}
    return {**_members_of(noun), **own, **{f"fields.{name}": type for name, type in own.items()}}


def _keys(call: Context, kind: str) -> Mapping[str, Document]:
    """Return the fields and relationships of a custom object, by their API names; none where it is gone."""
    found = object_named(call, kind)
    return keys_of(call, found["id"]) if found is not None else {}


@cache
def _members_of(noun: Noun) -> Mapping[str, FieldType]:
    if noun.kind != ACTIVITY:
        return filter_fields(noun.model)
    every: dict[str, FieldType] = {}
    for model in ACTIVITY_MODELS.values():
        every |= filter_fields(model)
    return every


def may_name(call: Context, kind: str, name: str) -> bool:
    """Tell whether a part may name a member: one that the caller sees, or a custom field that may come to be."""
    type = seen_types(call.caller, kind, fields_of(call, kind)).get(name)
    return type != "hidden" and (type is not None or name.startswith("custom_fields."))


def check_conditions(call: Context, kind: str, groups: Sequence[Members], path: str = "conditions") -> None:
    """Check conditions that the caller writes. Raises: 422, also for a member that is hidden from the caller."""
    condition(call, kind, groups, path, fields=seen_types(call.caller, kind, fields_of(call, kind)))


def condition(
    call: Context,
    kind: str,
    groups: Sequence[Members],
    path: str = "conditions",
    *,
    fields: Mapping[str, FieldType] | None = None,
) -> Callable[[Document | None], bool]:
    """Return the test of conditions on a record; without a record only no conditions hold.

    Raises: 422 for conditions that cannot be tested, with `path` as the name of the member.
    """
    noun = noun_of(call, kind)
    fields = fields_of(call, kind) if fields is None else fields
    try:
        test = compile_filters(groups, fields, now=call.now, zone=company.zone(call), resolve=partial(value_at, kind))
    except Problem as problem:
        entries = [
            replace(entry, field=(entry.field or "").replace("filter_groups", path, 1)) for entry in problem.entries
        ]
        raise Problem(
            problem.code, problem.message, field=entries[0].field, rule=problem.rule, details=problem.details,
            errors=entries,
        ) from None  # fmt: skip
    return lambda doc: not groups if doc is None else test(present(call, noun, doc))


def holds(call: Context, kind: str, groups: Sequence[Members], doc: Document | None) -> bool:
    """Tell whether conditions hold for a record; those on a field that has gone since they were written do not."""
    try:
        return condition(call, kind, groups)(doc)
    except Problem:
        return False


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


def settable(call: Context, kind: str, name: str) -> bool:
    """Return whether an update can set a member of a kind of record."""
    update = noun_of(call, kind).declared("update")
    if own_field(call, kind, name) is not None:
        return True
    head, _, rest = name.partition(".")
    return update is not None and head in update.arguments.members and (not rest or head == "custom_fields")


def own_field(call: Context, kind: str, name: str) -> Document | None:
    """Return the field or relationship of a custom object with a name; None for any other member."""
    return _keys(call, kind).get(name.removeprefix("fields.")) if noun_of(call, kind) is RECORDS else None


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
    if own_field(call, subject.kind, name) is not None:
        return write(call, subject, {"fields": {name.removeprefix("fields."): value}})
    return write(call, subject, receive_changes(update, body_with(name, value), typed=False))


def differences_between(call: Context, kind: str, before: Members, after: Members) -> list[dict[str, Any]]:
    """Return what a step has changed of a record, without what others compute."""
    noun = noun_of(call, kind)
    if noun is RECORDS:
        own = [entry | {"field": f"fields.{entry['field']}"} for entry in _field_changes(before, after)]
        return own + [one for one in changes_between(before, after) if one["field"] in ("owner_id", "tags")]
    known = noun.model.model_fields.keys() if kind != ACTIVITY else after.keys()
    return [
        entry for entry in changes_between(before, after)
        if entry["field"] in known and entry["field"] not in noun.computed
    ]  # fmt: skip


def _field_changes(before: Members, after: Members) -> list[dict[str, Any]]:
    every = dict.fromkeys((*before["fields"], *after["fields"]))
    return changes_between(before["fields"], {name: after["fields"].get(name) for name in every})


def links_of(subject: Subject, doc: Members) -> dict[str, Any]:
    """Return the members by which an activity is about a record."""
    own = {f"{subject.kind}_id": doc["id"]} if f"{subject.kind}_id" in _LINKS else {}
    return {name: doc[name] for name in _LINKS if doc.get(name) and name not in own} | own


_LINKS = ("contact_id", "lead_id", "deal_id", "account_id")


def ref_of(kind: str, doc: Members) -> dict[str, Any]:
    """Return the EntityRef of a record."""
    return {"type": kind, "id": doc["id"], "name": doc.get("name") or doc.get("title")}
