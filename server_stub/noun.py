"""A noun of the data: one kind of record, what its five calls do, and what every other rule about it builds on.

A service states what is particular about its records::

    ACCOUNTS = Noun(
        resource=Accounts,
        kind="account",
        model=Account,
        searched=("name", "domain"),
        refers={"owner_id": "user"},
        unique={"domain": "ACCOUNT_EXISTS"},
    )

and those of create, get, update, delete and list that the resource declares are served, but for those named in `own`,
which the service serves by rules of its own (`@serves`). Whatever else writes such a record, in bulk, by an import, a
merge or a job, does so through `writable`, `add`, `change` and `remove`, so that rights, uniqueness, events and
versions are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from crm_sdk.models.record import Record
from crm_sdk.operation import Operation
from crm_sdk.resource import Resource
from crm_sdk.route import Action
from crm_sdk.wire import camel, encode_json

from .data.blanks import blank
from .data.collection import Collection
from .data.document import Document
from .data.filters import Filter, Plan, Test, filter_plans
from .data.fixed import came_back
from .data.forms import FORMS, Form
from .data.keys import taken, with_value
from .data.mapped import Mapped
from .data.merging import differences, free_members, list_members, merge_values
from .data.select import select
from .five_calls import rules_of
from .problems import FieldError, Problem, validation
from .request import permissions
from .request.json_types import input_hints
from .request.rendering import renderer
from .serving import Context, Members, changes_between

Check: TypeAlias = Callable[[Context, dict[str, Any], Document | None], Mapping[str, Any] | None]
Follow: TypeAlias = Callable[[Context, Document | None, Document | None], Document | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Noun:
    """One kind of record. Everything but the first three members has a default."""

    resource: type[Resource[Any]]
    kind: str
    """The collection; ``<kind>_`` begins its ids, ``<kind>.created`` is an event."""
    model: type[Record]
    prefix: str | None = None
    """What its ids begin with, where that is not ``<kind>_``."""
    stored_as: str | None = None
    """The collection where it is shared by several kinds, each record of which has its `kind`: ``activity``."""
    own: Sequence[str] = ()
    """Those of the five calls that the service serves by a rule of its own."""
    within: tuple[str, Noun] | None = None
    """The member that names the record this one is a part of, and that record's noun: a stage, its pipeline."""
    part_of: Callable[[Context, Document, str], Document | None] | None = None
    """Return a record as it is a part of the whole with an id, None where it is none: for parts of several wholes."""
    events: str | None = None
    """What its events begin with, where that is not ``<kind>.``: ``pipeline.stage_``."""
    verbs: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its own events call a verb, where that is another word: ``created`` is ``logged`` for a call."""
    searched: Sequence[str] = ()
    """The members that `search` of a list looks in."""
    searched_by: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """The same for the dialects whose documents name other members."""
    sorts: Sequence[str] = ()
    """What a list may be sorted by, beside id, created_at and updated_at."""
    order: tuple[str, str] = ("created_at", "desc")
    """How a list is sorted that names no member to sort by."""
    forms: Mapping[str, Form] = field(default_factory=dict[str, Form])
    """The stored form of members, beside `forms.FORMS`."""
    refers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The members that hold ids of other records, and the kind of those."""
    unique: Mapping[str, str] = field(default_factory=dict[str, str])
    """The members of which no two live records have the same value, and the error code that says so."""
    places: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """The members in which a key is looked for, where they are several: ``phone`` in phone and mobile."""
    defaults: Mapping[str, Callable[[Context], Any]] = field(default_factory=dict[str, Callable[[Context], Any]])
    """The members a new record gets from the call where none is given: its owner, its currency."""
    filters: Mapping[str, Filter] = field(default_factory=dict[str, Filter])
    """The arguments of the list whose name does not say what they ask for."""
    computed: Sequence[str] = ()
    """The members that follow from others: an event does not list them among its changes."""
    visible: Callable[[Context, Document], bool] | None = None
    """Whether the caller may see a record at all; one that may not be seen is 404 and in no list."""
    check: Check | None = None
    """Refuse members, or return more that follow from them: gets the call, the members and the record before."""
    follow: Follow | None = None
    """Do what follows from a write: gets the call, the record before and after (None: not yet, not any more).
    Returns the record where it stored it anew."""
    may_delete: Callable[[Context, Document], None] | None = None
    """Refuse to delete a record."""
    shown: Callable[[Context, Document], Document] | None = None
    """Return the record as get, create and update answer it: with its nested lists."""
    published: Callable[[Document], Document] | None = None
    """Return the record as events and the audit trail may hold it: without secrets."""

    def __post_init__(self) -> None:
        self.rules()  # what cannot be served fails here, at import

    # -- facts ---------------------------------------------------------------------------------------------------------

    @cached_property
    def word(self) -> str:
        """The resource that rights are given for: ``accounts``."""
        return self.resource.path().partition(".")[0]

    @property
    def collection(self) -> str:
        """The collection that its records are in."""
        return self.stored_as or self.kind

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The members that can be given to create, and not changed later."""
        create, update = self.declared("create"), self.declared("update")
        return create.arguments.members - update.arguments.members if create and update else frozenset()

    @cached_property
    def _create_hints(self) -> Mapping[str, Any]:
        create = self.declared("create")
        return input_hints(create.arguments.body_type) if create is not None else {}

    @cached_property
    def _plans(self) -> Mapping[str, Plan]:
        listing = self.declared("list")
        if listing is None or "list" in self.own:
            return {}
        own = [name for name in listing.signature.parameters if self.within is None or name != self.within[0]]
        return filter_plans(own, self.model.model_fields, self.filters, where=listing.id)

    def declared(self, name: str) -> Operation[..., Any] | None:
        """Return the resource's operation of a name; None where it declares none."""
        found: Operation[..., Any] | None = vars(self.resource).get(name)
        return found if isinstance(found, Operation) else None

    # -- finding -------------------------------------------------------------------------------------------------------

    def records(self, call: Context) -> Collection:
        """Return the collection the records are in; with `stored_as` it holds other kinds as well."""
        return call.collection(self.collection)

    def found(self, call: Context, id: str, whole_id: str | None = None) -> Document:
        """Return a live record; a merged one's id gives its survivor. Raises 404, also for another company's id."""
        doc = call.found(self.collection, id)
        if doc is not None and whole_id is not None and self.within is not None:
            if self.part_of is not None:
                doc = self.part_of(call, doc, whole_id)
            elif doc[self.within[0]] != whole_id:
                doc = None
        if (
            doc is None
            or (self.stored_as is not None and doc.get("kind") != self.kind)
            or (self.visible is not None and not self.visible(call, doc))
        ):
            raise Problem("NOT_FOUND", f"no {self.kind.replace('_', ' ')} has the id {id!r}", details={"id": id})
        return doc

    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return a record that the caller may change (or delete, or assign): the one place where that is decided.

        Raises: 404; 409 RECORD_MERGED for an id that was merged into another; 403 FORBIDDEN where role or owner forbid
        it.
        """
        doc = self._unmerged(self.found(call, id, whole_id), id)
        whole = self.within[1].found(call, doc[self.within[0]]) if self.within is not None else doc
        permissions.check(call.caller, self.word, action, whole)
        return doc

    def _unmerged(self, doc: Document, id: str) -> Document:
        if doc["id"] != id:
            message = f"{id} was merged into {doc['id']}: change that one"
            raise Problem("RECORD_MERGED", message, details={"survivor_id": doc["id"]})
        return doc

    def matching(self, call: Context, name: str, value: Any) -> Document | None:
        """Return the live record that has a value in one of the `places` of a key, or as its id; None where none has.

        Raises: AMBIGUOUS_MATCH, `details` with the ids, where several have it; 409 RECORD_MERGED for a merged id.
        """
        if name == "id":
            doc = call.found(self.collection, value)
            return self._unmerged(doc, value) if doc is not None else None
        docs = with_value(self.records(call), self.places.get(name, (name,)), value)
        if len(docs) > 1:
            ids = sorted(doc["id"] for doc in docs)
            message = f"{', '.join(ids)} have the {name.replace('_', ' ')} {value!r}: name the one you mean by its id"
            raise Problem("AMBIGUOUS_MATCH", message, field=name, rule="unique", details={"ids": ids})
        return docs[0] if docs else None

    def stored_value(self, call: Context, name: str, value: Any) -> Any:
        """Return a value of one member in its stored form. Raises 422 where it cannot be one."""
        form = self.forms.get(name, FORMS.get(name))
        return form(call, value) if form is not None else value

    def select(self, call: Context, given: Members, whole_id: str | None = None) -> Sequence[Document]:
        """Return the records that fit the given arguments of the list, sorted."""
        equal: dict[str, object] = {}
        tests: list[Test] = []
        if self.stored_as is not None:
            equal["kind"] = self.kind
        if self.within is not None and whole_id is not None:
            equal[self.within[0]] = whole_id
        for name, value in given.items():
            if value is not None and name in self._plans:
                self._plans[name](call, value, equal, tests)
        if self.visible is not None:
            visible = self.visible
            tests.append(lambda doc: visible(call, doc))
        sort, order = given.get("sort"), given.get("order")
        if sort is None:
            sort, order = self.order[0], order or self.order[1]
        return select(
            self.records(call), equal=equal, tests=tests, text=given.get("search"),
            searched=self.searched_by.get(call.dialect, self.searched),
            sort=sort, order=order, sorts=(*self.sorts, self.order[0]),
        )  # fmt: skip

    def including(self, call: Context, docs: Sequence[Document], names: Sequence[str] | None) -> Sequence[Document]:
        """Return records with some of the members that `shown` adds; they are computed for those that are read."""
        if not names:
            return docs

        def with_members(doc: Document) -> Document:
            whole = self.answer(call, doc)
            return doc | {name: whole[name] for name in names}

        return Mapped(docs, with_members)

    # -- writing -------------------------------------------------------------------------------------------------------

    def stored_form(
        self, call: Context, given: Members, before: Document | None = None, *, check: Check | None = None
    ) -> dict[str, Any]:
        """Return given members as they are stored: normalised, objects merged into what is there, references resolved.

        `check` stands in for the noun's own, where a rule admits what a create refuses.

        Raises: 422 that names every member that is wrong, else the first thing that forbids storing them (409).
        """
        members, problems = self.checked(call, given, before, check=check)
        wrong = [problem for problem in problems if problem.code in ("VALIDATION_ERROR", "REFERENCE_NOT_FOUND")]
        if wrong:
            raise validation(entry for problem in wrong for entry in problem.entries)
        for problem in problems:
            raise problem
        return members

    def checked(
        self, call: Context, given: Members, before: Document | None = None, *, check: Check | None = None
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Return given members as they are stored, None for those that cannot be, and what forbids to store them."""
        lists = list_members(self.model)
        cleared: dict[str, Any] = {name: [] for name, value in given.items() if value is None and name in lists}
        members = {**given, **cleared}
        problems: list[Problem] = []

        def attempt(step: Callable[..., Any], *arguments: Any) -> Any:
            try:
                return step(*arguments)
            except Problem as problem:
                problems.append(problem)
                return None

        for name, form in {**FORMS, **self.forms}.items():
            if name in members:
                members[name] = attempt(form, call, members[name])
        for name, kind in self.refers.items():
            if members.get(name) is not None:
                members[name] = attempt(call.resolved, kind, members[name], name, before and before.get(name))
        members = merge_values(members, before, free_members(self.model))
        if (check := check or self.check) is not None:
            members |= attempt(check, call, members, before) or {}
        if before is not None:
            attempt(self._refuse_fixed, call, before)
        own = {"external_id": "DUPLICATE_VALUE"} if "external_id" in self.model.model_fields else {}
        scope = self.within[0] if self.within is not None else None
        problems += taken(self.records(call), members, before, {**own, **self.unique}, self.places, scope)
        return members, problems

    def _refuse_fixed(self, call: Context, before: Document) -> None:
        """Refuse another value for a member that cannot be changed; its present one may be sent back.

        A list shows nested lists empty, so that an empty one is what is there, too.
        """
        sent = {name: call.ignored[name] for name in self.fixed if name in call.ignored}
        if sent:
            show = renderer(self.model, "platform")
            whole, listed = (json.loads(encode_json(show(doc))) for doc in (self.answer(call, before), before))
            for name in self.refers.keys() & sent.keys():  # a merged id means the survivor here too
                doc = call.found(self.refers[name], sent[name]) if isinstance(sent[name], str) else None
                sent[name] = doc["id"] if doc is not None else sent[name]
            wrong = [
                name for name, value in sent.items()
                if not came_back(self._create_hints[name], value, whole.get(camel(name)), listed.get(camel(name)))
            ]  # fmt: skip
            if wrong:
                raise validation(
                    FieldError(name, "read_only", "can be given only when the record is created") for name in wrong
                )

    def add(
        self,
        call: Context,
        members: Members,
        *,
        metadata: Members | None = None,
        parts: Callable[[Document], object] | None = None,
    ) -> Document:
        """Store a new record from members in stored form, do what follows, and publish its event.

        `parts` gets the record as soon as it is stored, to store what belongs to it before anything follows.
        """
        given = {name: value(call) for name, value in self.defaults.items() if members.get(name) is None}
        kind = {"kind": self.kind} if self.stored_as is not None else {}
        whole = {**blank(self.model), **kind, **members, **given}
        doc = call.create(self.collection, self.prefix or f"{self.kind}_", whole)
        if parts is not None:
            parts(doc)
        doc = (self.follow(call, None, doc) if self.follow is not None else None) or doc
        self.publish(call, "created", doc, metadata=metadata)
        return doc

    def change(
        self,
        call: Context,
        doc: Document,
        changes: Members,
        *,
        verb: str = "updated",
        metadata: Members | None = None,
        reason: str | None = None,
    ) -> Document:
        """Store what differs from a record, do what follows, and publish it; without a difference nothing is written.

        `changes` are in stored form; `verb` names the event where more happened than an update.
        """
        real = differences(doc, changes)
        if not real:
            return doc
        new = call.update(self.collection, doc, real)
        new = (self.follow(call, doc, new) if self.follow is not None else None) or new
        self.publish(call, verb, new, before=doc, metadata=metadata, reason=reason)
        return new

    def remove(self, call: Context, doc: Document) -> None:
        """Delete a record softly, do what follows, and publish it. Raises what forbids it."""
        if self.may_delete is not None:
            self.may_delete(call, doc)
        gone = call.delete(self.collection, doc)
        if self.follow is not None:
            self.follow(call, doc, None)
        self.publish(call, "deleted", gone)

    def publish(
        self,
        call: Context,
        verb: str,
        doc: Document,
        *,
        before: Document | None = None,
        metadata: Members | None = None,
        reason: str | None = None,
    ) -> None:
        """Publish an event about a record: ``<kind>.<verb>``. A part is named by its whole, with its id in metadata."""
        if self.published is not None:
            doc, before = self.published(doc), self.published(before) if before is not None else None
        changes = [
            entry for entry in (changes_between(before, doc) if before is not None else ())
            if entry["field"] not in self.computed
        ]  # fmt: skip
        entity_type, entity, said = self.collection, doc, dict(metadata or {})
        if self.within is not None:
            member, whole = self.within
            entity_type, entity = whole.kind, call.collection(whole.kind).get(doc[member], deleted=True) or doc
            said = {f"{self.kind}_id": doc["id"], **said}
        own = f"{self.events or f'{self.kind}.'}{self.verbs.get(verb, verb)}"
        for event in (own,) if self.stored_as is None else (f"{self.stored_as}.{verb}", own):
            call.emit(event, entity_type, entity, changes=changes, metadata=said, reason=reason)

    def answer(self, call: Context, doc: Document) -> Document:
        """Return a record as a call that answers one shows it."""
        return self.shown(call, doc) if self.shown is not None else doc

    def rules(self) -> dict[Operation[..., Any], Callable[..., Any]]:
        """Return the rules of those of the five calls that the resource declares."""
        return rules_of(self)
