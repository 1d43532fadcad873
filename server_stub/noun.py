"""A noun: one kind of record, with the rules of its five calls and the functions that all other rules use.

A service declares the properties of its records::

    ACCOUNTS = Noun(
        resource=Accounts,
        kind="account",
        model=Account,
        searched=("name", "domain"),
        refers={"owner_id": "user"},
        unique={"domain": "ACCOUNT_EXISTS"},
    )

and the noun serves those of create, get, update, delete and list that the resource declares, except those named in
`own`, for which the service has its own rules (`@serves`). Every other rule that writes such a record (bulk calls,
imports, jobs) uses `writable`, `add`, `change` and `remove`: permissions, uniqueness, events, versions are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeAlias

from crm_sdk.models.record import Record
from crm_sdk.operation import Operation
from crm_sdk.resource import Resource, operation_of
from crm_sdk.route import Action
from crm_sdk.wire import snake

from .data.blanks import blank
from .data.collection import Collection
from .data.document import Document
from .data.forms import FORMS, Form
from .data.keys import taken_values, with_value
from .data.mapped import Mapped, with_members
from .data.merging import differences, free_members, list_members, merge_values
from .data.queries.filters import Filter, Plan, filter_plans, sought_by
from .data.queries.select import select
from .history.trash import taking_note
from .nouns.five_calls import rules_of
from .nouns.write_checks import problems_of, refuse_fixed, unfinished
from .problems import Problem, missing, refuse_any, refuse_merged
from .request.access import permissions, plans
from .request.access.hiding import refuse_written, seen_members
from .request.reading.json_types import input_hints
from .serving import Context, Members, changes_between, initial_values

Check: TypeAlias = Callable[[Context, dict[str, Any], Document | None], Mapping[str, Any] | None]
SortKey: TypeAlias = Callable[[Context], Callable[[Document], Any] | None]
Follow: TypeAlias = Callable[[Context, Document | None, Document | None], Document | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Noun:
    """One kind of record. Everything but the first three members has a default."""

    resource: type[Resource[Any]]
    kind: str
    """The name of the collection, the prefix of its ids (``<kind>_``) and of its events (``<kind>.created``)."""
    model: type[Record]
    doors: Sequence[type[Resource[Any]]] = ()
    """Further resources whose calls of these names do the same with the same records (002, 0.6)."""
    prefix: str | None = None
    """The prefix of its ids, if it is not ``<kind>_``."""
    stored_as: str | None = None
    """The collection, if several kinds share it, such as ``activity``; its records have a member `kind`."""
    shared: bool = False
    """Whether all companies have its records in common."""
    own: Sequence[str] = ()
    """Those of the five calls for which the service has its own rule."""
    within: tuple[str, Noun] | None = None
    """The member with the id of the record that this one is a part of, and that record's noun: a stage's pipeline."""
    part_of: Callable[[Context, Document, str], Document | None] | None = None
    """Return a record as a part of the whole with an id, or None: for records that are parts of several wholes."""
    events: str | None = None
    """What its events begin with, where that is not ``<kind>.``: ``pipeline.stage_``."""
    verbs: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its own events call a verb, where that is another word: ``created`` is ``logged`` for a call."""
    searched: Sequence[str] = ()
    """The members in which `search` of a list looks."""
    searched_by: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """The same for dialects whose documents name other members."""
    sorts: Sequence[str] = ()
    """The members to sort a list by, beside id, created_at and updated_at."""
    sorted_by: Mapping[str, SortKey] = field(default_factory=dict[str, Any])
    """The sort keys of those of `sorts` that are computed when read; None where the stored values do."""
    order: tuple[str, str] = ("created_at", "desc")
    """The default sort and direction of a list."""
    forms: Mapping[str, Form] = field(default_factory=dict[str, Form])
    """The stored forms of members, beside `forms.FORMS`."""
    refers: Mapping[str, str] = field(default_factory=dict[str, str])
    """The members with ids of other records, and the kinds of these."""
    unique: Mapping[str, str] = field(default_factory=dict[str, str])
    """The members whose values are unique among live records, with the error code of a duplicate."""
    places: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Keys that are looked up in several members: ``phone`` in phone and mobile."""
    defaults: Mapping[str, Callable[[Context], Any]] = field(default_factory=dict[str, Callable[[Context], Any]])
    """Default values of a new record that depend on the call, such as its owner or currency."""
    filters: Mapping[str, Filter] = field(default_factory=dict[str, Filter])
    """The filters for arguments of the list whose names do not tell the filter."""
    computed: Sequence[str] = ()
    """The members computed from others, which events do not list among the changes."""
    visible: Callable[[Context, Document], bool] | None = None
    """Return whether the caller may see a record; an invisible record is 404 and in no list."""
    permits: Callable[[Context, Document, Action], bool] | None = None
    """Return whether the caller may do something with a record, where more than role and owner decide it."""
    check: Check | None = None
    """Check the members of a write, or return further members: gets the call, the members and the record before."""
    follow: Follow | None = None
    """Carry out what follows from a write: gets the record before and after; returns it if it has stored it again."""
    limit: str | None = None
    """The key of the limit to how many records a company may have, see `request.plans`."""
    may_delete: Callable[[Context, Document], None] | None = None
    """Raise a Problem where a record must not be deleted."""
    may_return: Callable[[Context, Document], None] | None = None
    """Raise a Problem where a record that was deleted with another must not come back with it."""
    shown: Callable[[Context, Document], Document] | None = None
    """Return the record with the nested lists that get, create and update answer."""
    listed: Callable[[Context, Document], Document] | None = None
    """Return the record as lists answer it, with its present figures."""
    published: Callable[[Document], Document] = lambda doc: doc
    """Return the record without secrets, for events, the audit trail and what a workflow sends; by default whole."""

    # -- facts ---------------------------------------------------------------------------------------------------------

    @cached_property
    def word(self) -> str:
        """The name of the resource in the table of permissions: ``accounts``."""
        return permissions.resource_of(self.resource.path())

    @property
    def collection(self) -> str:
        """The name of the collection of its records."""
        return self.stored_as or self.kind

    @property
    def _entities(self) -> tuple[str, ...]:
        """The entities by which roles name its records: a task is an activity, too."""
        return (self.kind,) if self.stored_as is None else (self.kind, self.stored_as)

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The members that create accepts and update does not change."""
        create, update = self.declared("create"), self.declared("update")
        return create.arguments.members - update.arguments.members if create and update else frozenset()

    @cached_property
    def create_hints(self) -> Mapping[str, Any]:
        """The types of the members that a create takes, by name."""
        create = self.declared("create")
        return input_hints(create.arguments.body_type) if create is not None and create.arguments.body else {}

    @cached_property
    def _plans(self) -> Mapping[str, Plan]:
        listing = self.declared("list")
        if listing is None or "list" in self.own:
            return {}
        own = [name for name in listing.signature.parameters if self.within is None or name != self.within[0]]
        return filter_plans(own, self.model.model_fields, self.filters, where=listing.id)

    @cached_property
    def _every_form(self) -> Mapping[str, Form]:
        return {**FORMS, **self.forms}

    def declared(self, name: str) -> Operation[..., Any] | None:
        """Return the resource's operation of a name; None where it declares none."""
        return operation_of(vars(self.resource).get(name))

    # -- finding -------------------------------------------------------------------------------------------------------

    def records(self, call: Context) -> Collection:
        """Return the collection of the records; with `stored_as` it has other kinds as well."""
        return call.collection(self.collection)

    def find_one(self, call: Context, id: str, whole_id: str | None = None) -> Document:
        """Return a live record, or the survivor of a merged one. Raises: 404, also for the id of another company."""
        doc = call.find_one(self.collection, id)
        if doc is not None and whole_id is not None and self.within is not None:
            if self.part_of is not None:
                doc = self.part_of(call, doc, whole_id)
            elif doc[self.within[0]] != whole_id:
                doc = None
        if (
            doc is None
            or (self.stored_as is not None and doc.get("kind") != self.kind)
            or (self.visible is not None and not self.visible(call, doc))
            or not self.in_sight(call, doc)
        ):
            raise missing(self.kind, id)
        return doc

    def in_sight(self, call: Context, doc: Members) -> bool:
        """Return whether a record is one that the caller has the permission to read, by its owner."""
        return all(sees(doc) for sees in permissions.sight(call.caller, self.word))

    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return a record if the caller has the permission for `action` on it. All writes are decided here.

        Raises: 404; 409 RECORD_MERGED for the id of a merged record; 403 FORBIDDEN where role or owner do not permit
        it.
        """
        doc = refuse_merged(self.find_one(call, id, whole_id), id)
        whole = self.within[1].find_one(call, doc[self.within[0]]) if self.within is not None else doc
        permissions.check(call.caller, self.word, action, whole, self.permits and self.permits(call, whole, action))
        return doc

    def matching(self, call: Context, name: str, value: Any) -> Document | None:
        """Return the live record with a value in one of the `places` of a key, or as its id; None where there is none.

        Raises: AMBIGUOUS_MATCH, with the ids in `details`, where several have it; 409 RECORD_MERGED for a merged id.
        """
        if name == "id":
            doc = call.find_one(self.collection, value)
            return refuse_merged(doc, value) if doc is not None else None
        docs = with_value(self.records(call), self.places.get(name, (name,)), value)
        if len(docs) > 1:
            ids = sorted(doc["id"] for doc in docs)
            message = f"{', '.join(ids)} have the {name.replace('_', ' ')} {value!r}: name the one you mean by its id"
            raise Problem("AMBIGUOUS_MATCH", message, field=name, rule="unique", details={"ids": ids})
        return docs[0] if docs else None

    def stored_value(self, call: Context, name: str, value: Any) -> Any:
        """Return the stored form of a value of one member. Raises: 422 for a value that is not valid."""
        return self._every_form[name](call, value) if name in self._every_form else value

    def select(self, call: Context, given: Members, whole_id: str | None = None) -> Sequence[Document]:
        """Return the records that match the given arguments of the list, sorted."""
        sought = sought_by(self._plans, call, given)
        if self.stored_as is not None:
            sought.equal["kind"] = self.kind
        if self.within is not None and whole_id is not None:
            sought.equal[self.within[0]] = whole_id
        sought.tests += permissions.sight(call.caller, self.word)
        sought.tests += [partial(self.visible, call)] if self.visible is not None else []
        sort, order = given.get("sort"), given.get("order")
        if sort is None:
            sort, order = self.order[0], order or self.order[1]
        made = self.sorted_by.get(snake(str(sort)))
        key = made(call) if made is not None else None
        docs = select(
            self.records(call), equal=sought.equal, ranges=sought.ranges, tags=sought.tags, tests=sought.tests,
            text=given.get("search"),
            searched=seen_members(call.caller, self.searched_by.get(call.dialect, self.searched), *self._entities),
            sort=sort, order=order, sorts=(*self.sorts, self.order[0]),
            key=(lambda name: key) if key is not None else None,
        )  # fmt: skip
        return Mapped(docs, partial(self.listed, call)) if self.listed is not None else docs

    def including(self, call: Context, docs: Sequence[Document], names: Sequence[str] | None) -> Sequence[Document]:
        """Return records with some of the members that `shown` adds, computed only for the records that are read."""
        return with_members(docs, names, partial(self.answer, call)) if names else docs

    # -- writing -------------------------------------------------------------------------------------------------------

    def stored_form(
        self, call: Context, given: Members, before: Document | None = None, *, check: Check | None = None
    ) -> dict[str, Any]:
        """Return the stored form of members: normalised, objects merged into stored ones, references resolved.

        `check` replaces the noun's own check, for a rule that accepts members which a create refuses.

        Raises: 422 with every wrong member; otherwise the first conflict (409).
        """
        members, problems = self.checked(call, given, before, check=check)
        refuse_any(problems)
        return members

    def checked(
        self, call: Context, given: Members, before: Document | None = None, *, check: Check | None = None
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Return the stored form of members, with None for invalid ones, and the problems that were found."""
        refuse_written(call.caller, self._entities, given, before)
        lists = list_members(self.model)
        cleared: dict[str, Any] = {name: [] for name, value in given.items() if value is None and name in lists}
        members = {**given, **cleared}
        problems = list[Problem]()

        def attempt(step: Callable[..., Any], *arguments: Any) -> Any:
            try:
                return step(*arguments)
            except Problem as problem:
                problems.append(problem)
                return None

        for name, form in self._every_form.items():
            if name in members:
                members[name] = attempt(form, call, members[name])
        for name, kind in self.refers.items():
            if members.get(name) is not None:
                members[name] = attempt(call.resolve, kind, members[name], name, before and before.get(name))
        members = merge_values(members, before, free_members(self.model))
        for name, problem in unfinished(given, members, self.create_hints):
            members[name] = None
            problems.append(problem)
        problems += problems_of(call, self, given, members, before)
        if (check := check or self.check) is not None:
            members |= attempt(check, call, members, before) or {}
        if before is not None:
            attempt(refuse_fixed, call, self, before)
        own = {"external_id": "DUPLICATE_VALUE"} if "external_id" in self.model.model_fields else {}
        scope = self.within and self.within[0]
        problems += taken_values(self.records(call), members, before, {**own, **self.unique}, self.places, scope)
        return members, problems

    def require_room(self, call: Context) -> None:
        """Raise 403 LIMIT_EXCEEDED where the company may not have one record more."""
        if self.limit is not None:
            plans.check_limit(call.tenant, self.limit, len(self.records(call)))

    def add(
        self,
        call: Context,
        members: Members,
        *,
        metadata: Members | None = None,
        parts: Callable[[Document], object] | None = None,
    ) -> Document:
        """Store a new record from members in stored form, carry out the consequences, and publish its event.

        `parts` is called with the stored record, to store its parts before the consequences. Raises: 403.
        """
        self.require_room(call)
        given = {name: value(call) for name, value in self.defaults.items() if members.get(name) is None}
        whole = {**blank(self.model), **({"kind": self.kind} if self.stored_as else {}), **members, **given}
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
        """Store the changes of a record, carry out the consequences, and publish the event.

        Changes that do not differ from the record write nothing. `changes` are in stored form; `verb` is the event's.
        """
        real = differences(doc, changes)
        if not real:
            return doc
        new = call.update(self.collection, doc, real)
        new = (self.follow(call, doc, new) if self.follow is not None else None) or new
        self.publish(call, verb, new, before=doc, metadata=metadata, reason=reason)
        return new

    def remove(self, call: Context, doc: Document) -> None:
        """Delete a record softly, carry out the consequences, and publish the event. Raises what `may_delete` does."""
        if self.may_delete is not None:
            self.may_delete(call, doc)
        with taking_note(call, doc["id"]):
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
        """Publish the event ``<kind>.<verb>`` of a record; the event of a part is about its whole, with metadata."""
        doc, before = self.published(doc), self.published(before) if before is not None else None
        changed = changes_between(before, doc) if before is not None else ()
        changes = [entry for entry in changed if entry["field"] not in self.computed]
        first = initial_values(doc) if verb == "created" and before is None else ()
        initial = [entry for entry in first if entry["field"] not in self.computed]
        entity_type, entity, said = self.collection, doc, dict(metadata or {})
        if self.within is not None:
            member, whole = self.within
            entity_type, entity = whole.kind, call.collection(whole.kind).get(doc[member], deleted=True) or doc
            said = {f"{self.kind}_id": doc["id"], **said}
        own = f"{self.events or f'{self.kind}.'}{self.verbs.get(verb, verb)}"
        for event in (own,) if self.stored_as is None else (f"{self.stored_as}.{verb}", own):
            call.emit(event, entity_type, entity, changes=changes, initial=initial, metadata=said, reason=reason)

    def answer(self, call: Context, doc: Document) -> Document:
        """Return a record in the form of an answer, with what `shown` adds."""
        return self.shown(call, doc) if self.shown is not None else doc

    def rules(self) -> dict[Operation[..., Any], Callable[..., Any]]:
        """Return the rules of those of the five calls that the resource declares."""
        return rules_of(self)
