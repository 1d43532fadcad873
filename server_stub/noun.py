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

and those of create, get, update, delete and list that the resource declares are served. A rule of a service
(`@serves`) goes before the noun's. Whatever else writes such a record, in bulk, by an import, a merge or a job, does so
through `writable`, `add`, `change` and `remove`, so that rights, uniqueness, events and versions are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from crm_sdk.models.record import Record
from crm_sdk.operation import Operation
from crm_sdk.resource import Resource
from crm_sdk.wire import camel, encode_json

from .data.blanks import blank
from .data.collection import Collection
from .data.document import Document
from .data.filters import Filter, Plan, Test, filter_plans
from .data.forms import FORMS, Form
from .data.merging import differences, free_members, merged
from .data.select import select
from .problems import FieldError, Problem, validation
from .request import permissions
from .request.permissions import Action
from .request.rendering import renderer
from .serving import STAMPS, Context, Members, changes_between

Check: TypeAlias = Callable[[Context, dict[str, Any], Document | None], Mapping[str, Any] | None]
Follow: TypeAlias = Callable[[Context, Document | None, Document | None], Document | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Noun:
    """One kind of record. Everything but the first three members has a default."""

    resource: type[Resource[Any]]
    kind: str
    """The collection; ``<kind>_`` begins its ids, ``<kind>.created`` is an event."""
    model: type[Record]
    stored_as: str | None = None
    """The collection where it is shared by several kinds, each record of which has its `kind`: ``activity``."""
    within: tuple[str, Noun] | None = None
    """The member that names the record this one is a part of, and that record's noun: a stage, its pipeline."""
    events: str | None = None
    """What its events begin with, where that is not ``<kind>.``: ``pipeline.stage_``."""
    searched: Sequence[str] = ()
    """The members that `search` of a list looks in."""
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

    def __post_init__(self) -> None:
        _ = self._plans  # a list that cannot be served fails here, at import

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
        create, update = self._declared("create"), self._declared("update")
        return create.arguments.members - update.arguments.members if create and update else frozenset()

    @cached_property
    def _plans(self) -> Mapping[str, Plan]:
        listing = self._declared("list")
        if listing is None:
            return {}
        own = [name for name in listing.signature.parameters if self.within is None or name != self.within[0]]
        return filter_plans(own, self.model.model_fields, self.filters, where=listing.id)

    def _declared(self, name: str) -> Operation[..., Any] | None:
        found = vars(self.resource).get(name)
        return found if isinstance(found, Operation) else None

    # -- finding -------------------------------------------------------------------------------------------------------

    def records(self, call: Context) -> Collection:
        """Return the collection the records are in; with `stored_as` it holds other kinds as well."""
        return call.collection(self.collection)

    def found(self, call: Context, id: str, whole_id: str | None = None) -> Document:
        """Return a live record; a merged one's id gives its survivor. Raises 404, also for another company's id."""
        doc = call.found(self.collection, id)
        if (
            doc is None
            or (self.stored_as is not None and doc.get("kind") != self.kind)
            or (whole_id is not None and self.within is not None and doc[self.within[0]] != whole_id)
            or (self.visible is not None and not self.visible(call, doc))
        ):
            raise Problem("NOT_FOUND", f"no {self.kind.replace('_', ' ')} has the id {id!r}", details={"id": id})
        return doc

    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return a record that the caller may change (or delete, or assign): the one place where that is decided.

        Raises: 404; 409 RECORD_MERGED for an id that was merged into another; 403 FORBIDDEN where role or owner forbid
        it.
        """
        doc = self.found(call, id, whole_id)
        if doc["id"] != id:
            message = f"{id} was merged into {doc['id']}: change that one"
            raise Problem("RECORD_MERGED", message, details={"survivor_id": doc["id"]})
        whole = self.within[1].found(call, doc[self.within[0]]) if self.within is not None else doc
        permissions.check(call.caller, self.word, action, whole)
        return doc

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
            self.records(call), equal=equal, tests=tests, text=given.get("search"), searched=self.searched,
            sort=sort, order=order, sorts=(*self.sorts, self.order[0]),
        )  # fmt: skip

    # -- writing -------------------------------------------------------------------------------------------------------

    def stored_form(self, call: Context, given: Members, before: Document | None = None) -> dict[str, Any]:
        """Return given members as they are stored: normalised, objects merged into what is there, references resolved.

        Raises: 422 that names every member that is wrong, else the first thing that forbids storing them (409).
        """
        members = dict(given)
        errors: list[FieldError] = []
        later: list[Problem] = []

        def attempt(step: Callable[..., Any], *arguments: Any) -> Any:
            try:
                return step(*arguments)
            except Problem as problem:
                known = problem.code in ("VALIDATION_ERROR", "REFERENCE_NOT_FOUND")
                (errors if known else later).extend(problem.entries if known else (problem,))  # type: ignore[arg-type] # each its own
                return None

        for name, form in {**FORMS, **self.forms}.items():
            if name in members:
                members[name] = attempt(form, call, members[name])
        for name, kind in self.refers.items():
            if members.get(name) is not None:
                members[name] = attempt(call.resolved, kind, members[name], name)
        members = merged(members, before, free_members(self.model))
        if self.check is not None:
            members |= attempt(self.check, call, members, before) or {}
        if before is not None:
            attempt(self._refuse_fixed, call, before)
        if errors:
            raise validation(errors)
        for problem in (*later, *self._taken(call, members, before)):
            raise problem
        return members

    def _refuse_fixed(self, call: Context, before: Document) -> None:
        """Refuse another value for a member that cannot be changed; its present one may be sent back."""
        sent = {name: call.ignored[name] for name in self.fixed if name in call.ignored}
        if sent:
            there = json.loads(encode_json(renderer(self.model, "platform")(self.answer(call, before))))
            wrong = [name for name, value in sent.items() if value != there.get(camel(name))]
            if wrong:
                raise validation(
                    FieldError(name, "read_only", "can be given only when the record is created") for name in wrong
                )

    def _taken(self, call: Context, members: Members, before: Document | None) -> Iterator[Problem]:
        codes = {
            **({"external_id": "DUPLICATE_VALUE"} if "external_id" in self.model.model_fields else {}),
            **self.unique,
        }
        scope = self.within[0] if self.within is not None else None
        for name, code in codes.items():
            value = members.get(name)
            if value is None or (before is not None and before.get(name) == value):
                continue
            for other in self.records(call).find(name, value):
                exact = name != "external_id" or other[name] == value
                whole = {**(before or {}), **members}.get(scope) if scope else None
                if exact and (before is None or other["id"] != before["id"]) and (not scope or other[scope] == whole):
                    message = f"{other['id']} has the {name.replace('_', ' ')} {value!r} already"
                    yield Problem(code, message, field=name, rule="unique", details={"existing_id": other["id"]})
                    break

    def add(self, call: Context, members: Members, *, metadata: Members | None = None) -> Document:
        """Store a new record from members in stored form, do what follows, and publish its event."""
        given = {name: value(call) for name, value in self.defaults.items() if members.get(name) is None}
        start = {name: value for name, value in blank(self.model).items() if name not in STAMPS}
        kind = {"kind": self.kind} if self.stored_as is not None else {}
        doc = call.create(self.collection, f"{self.kind}_", {**start, **kind, **members, **given})
        doc = (self.follow(call, None, doc) if self.follow is not None else None) or doc
        self.publish(call, "created", doc, metadata=metadata)
        return doc

    def change(
        self,
        call: Context,
        doc: Document,
        changes: Members,
        *,
        metadata: Members | None = None,
        reason: str | None = None,
    ) -> Document:
        """Store what differs from a record, do what follows, and publish it; without a difference nothing is written.

        `changes` are in stored form.
        """
        real = differences(doc, changes)
        if not real:
            return doc
        new = call.update(self.collection, doc, real)
        new = (self.follow(call, doc, new) if self.follow is not None else None) or new
        self.publish(call, "updated", new, before=doc, metadata=metadata, reason=reason)
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
        changes = [
            entry for entry in (changes_between(before, doc) if before is not None else ())
            if entry["field"] not in self.computed
        ]  # fmt: skip
        entity_type, entity, said = self.collection, doc, dict(metadata or {})
        if self.within is not None:
            member, whole = self.within
            entity_type, entity = whole.kind, call.collection(whole.kind).get(doc[member], deleted=True) or doc
            said = {f"{self.kind}_id": doc["id"], **said}
        for prefix in (f"{self.stored_as}.",) * (self.stored_as is not None) + (self.events or f"{self.kind}.",):
            call.emit(f"{prefix}{verb}", entity_type, entity, changes=changes, metadata=said, reason=reason)

    def answer(self, call: Context, doc: Document) -> Document:
        """Return a record as a call that answers one shows it."""
        return self.shown(call, doc) if self.shown is not None else doc

    # -- the five calls ------------------------------------------------------------------------------------------------

    def rules(self) -> dict[Operation[..., Any], Callable[..., Any]]:
        """Return the rules of those of the five calls that the resource declares."""
        makers = (self._create, self._get, self._update, self._delete, self._list)
        return {
            operation: make(operation)
            for make in makers
            if (operation := self._declared(make.__name__.removeprefix("_"))) is not None
        }

    def _whole_id(self, call: Context, given: Mapping[str, Any], *, write: bool = False) -> str | None:
        """Return the id of the record that the path names first, of which this is a part; it must be there."""
        if self.within is None:
            return None
        member, whole = self.within
        return str((whole.writable if write else whole.found)(call, given[member])["id"])

    def _create(self, operation: Operation[..., Any]) -> Callable[..., Any]:
        def create(call: Context, **given: Any) -> Document:
            members = dict(given[operation.arguments.body or ""])
            whole_id = self._whole_id(call, given, write=True)
            if self.within is not None:
                members[self.within[0]] = whole_id
            return self.answer(call, self.add(call, self.stored_form(call, members)))

        return create

    def _get(self, operation: Operation[..., Any]) -> Callable[..., Any]:
        own = _own_id(operation)

        def get(call: Context, **given: Any) -> Document:
            return self.answer(call, self.found(call, given[own], self._whole_id(call, given)))

        return get

    def _update(self, operation: Operation[..., Any]) -> Callable[..., Any]:
        own = _own_id(operation)

        def update(call: Context, **given: Any) -> Document:
            doc = self.writable(call, given[own], whole_id=self._whole_id(call, given))
            call.lock(doc, given.get("version"))
            changes: Members = given[operation.arguments.body or ""]
            return self.answer(call, self.change(call, doc, self.stored_form(call, changes, doc)))

        return update

    def _delete(self, operation: Operation[..., Any]) -> Callable[..., Any]:
        own = _own_id(operation)

        def delete(call: Context, **given: Any) -> None:
            doc = self.writable(call, given[own], "delete", whole_id=self._whole_id(call, given))
            call.lock(doc, given.get("version"))
            self.remove(call, doc)

        return delete

    def _list(self, operation: Operation[..., Any]) -> Callable[..., Any]:
        def list_(call: Context, **given: Any) -> Sequence[Document]:
            return self.select(call, given, self._whole_id(call, given))

        return list_


def _own_id(operation: Operation[..., Any]) -> str:
    """Return the name of the argument that holds the record's own id: the last placeholder of the path."""
    return next(iter(operation.routes.values())).placeholders[-1]
