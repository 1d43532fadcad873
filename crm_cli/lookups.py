"""Names in place of ids: ``crm deals get "Acme renewal"`` asks the list of deals which deal has this name.

What can have a name follows from the declarations: an argument that is the id of a record whose list has ``search``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import FieldError, NotFoundError, PermissionDeniedError, UnsupportedOperationError
from crm_sdk.operation import Operation

from .failures import MisuseError
from .plurals import singular
from .tree.parameters import Form, Parameter

if TYPE_CHECKING:
    from crm_sdk import CrmClient

_MAY_BE_ID = re.compile(r"[A-Za-z0-9_.:@~-]+")
"""Texts that a server can have as an id; a blank or another letter makes a name of them."""
_HAS_PREFIX = re.compile(r"[a-z]+_[a-z0-9_]*$")
"""The ids of the contract have their kind before them: ``deal_7``."""
_LABELS = ("name", "title", "subject", "label")
"""The members that name a record."""
_MOST = 100
"""How many records a look-up reads: there is one request for it."""
_SHOWN = 10


def record_of(
    client: CrmClient, call: Operation[..., Any], arguments: Mapping[str, str], *, or_none: bool = False
) -> Any:
    """Return a record; with `or_none` None where there is none. Raises: NotFoundError."""
    try:
        return attrgetter(call.id)(client)(**arguments)
    except NotFoundError:
        if or_none:
            return None
        raise


def identified_record(client: CrmClient, call: Operation[..., Any], typed: Sequence[str]) -> dict[str, str]:
    """Return the arguments of a call that fetches a record, where each is typed as an id or as a unique name."""
    arguments = dict(zip(call.positional, typed, strict=True))
    lookups = Lookups(Form(call), arguments)
    if lookups.names:
        return arguments | lookups.ids(client, lookups.names)
    if lookups.doubtful and record_of(client, call, arguments, or_none=True) is None:
        return arguments | lookups.ids(client, lookups.doubtful)
    return arguments


def id_of(client: CrmClient, noun: str, typed: str, *, flag: str | None = None) -> str:
    """Return the id of a record of a noun, which is typed as it is or as its unique name.

    With the option that it was typed for, the record must be there: a list of what belongs to nobody would be empty.
    Raises: MisuseError where several have the name, NotFoundError.
    """
    from .tree.nouns import declared_call

    call = declared_call(f"{noun}.get")
    if call is None:
        return typed
    lookups = Lookups(Form(call), {call.positional[0]: typed}, flag=flag)
    found = lookups.ids(client, lookups.names) if lookups.names else {}
    if not found and (lookups.doubtful or flag is not None):
        try:
            record_of(client, call, {call.positional[0]: typed})
        except UnsupportedOperationError:
            return typed
        except NotFoundError:
            found = lookups.ids(client, lookups.doubtful)
            if not found and flag is not None:
                raise
    return next(iter(found.values()), typed)


class Lookups:
    """The look-ups of the arguments of a call that are names."""

    def __init__(
        self,
        form: Form,
        arguments: Mapping[str, Any],
        *,
        flag: str | None = None,
        lists: Mapping[str, Operation[..., Any]] | None = None,
    ) -> None:
        """`flag`: how the argument was typed, where the call of the form is not what was typed.

        `lists`: where to look up what is no argument.
        """
        self._given_lists = lists
        self._form = form
        self._flag = flag
        self._arguments = {p.name: arguments[p.name] for p in form.parameters if p.name in arguments}

    @property
    def names(self) -> dict[str, str]:
        """The arguments that cannot be ids: they are looked up before the call."""
        return self._those(certain=True)

    @property
    def doubtful(self) -> dict[str, str]:
        """The arguments that may be ids as well: they are looked up where the server does not find them."""
        return self._those(certain=False)

    def _those(self, *, certain: bool) -> dict[str, str]:
        known = False if certain else None
        found = {name: text for name, text in self._arguments.items() if _is_id(name, text) is known}
        # The lists are read only for these: it imports every noun.
        return {name: text for name, text in found.items() if name in self._lists}

    @cached_property
    def _lists(self) -> Mapping[str, Operation[..., Any]]:
        return lists_of(self._form) if self._given_lists is None else self._given_lists

    def ids(self, client: CrmClient, names: Mapping[str, str]) -> dict[str, str]:
        """Return the id of each record that has the name, with one request for each; without those that have none.

        Raises: MisuseError where several records have it, NotFoundError where none has what can be no id.
        """
        found = ((argument, self._id(client, argument, name)) for argument, name in names.items())
        return {argument: id for argument, id in found if id is not None}

    def _id(self, client: CrmClient, argument: str, name: str) -> str | None:
        listed = self._lists[argument]
        limit = {"limit": _MOST} if "limit" in listed.signature.parameters else {}
        try:
            page = attrgetter(listed.id)(client)(search=name, **limit)
        except (PermissionDeniedError, UnsupportedOperationError):
            return None  # whoever may not list has the answer to the call itself
        labels = {record.id: label for record in page.items if (label := label_of(record)) is not None}
        same = [id for id, label in labels.items() if _folded_name(label) == _folded_name(name)]
        if len(same) == 1 and not page.has_next:
            return str(same[0])
        what, flag = listed.id.split(".")[-2].replace("_", " "), self._flag or self._form.flags[argument]
        if not same and not page.has_next:
            if _is_id(argument, name) is False:
                raise NotFoundError(
                    f"none of the {what} has the name {name!r}; --search of their list finds a part of it"
                )
            return None
        count = f"{len(same)} {what} have this name" if len(same) > 1 else f"more than {_MOST} {what} are found by it"
        candidates = [
            FieldError(self._flag or argument, f"{id} ({labels[id]})", "unique")
            for id in (same or list(labels))[:_SHOWN]
        ]
        raise MisuseError(f"{name!r} is not unique: {count}; give {flag} as an id", candidates)


def named_options(form: Form, typed: Mapping[Parameter, Any]) -> dict[Parameter, Operation[..., Any]]:
    """Return the options that are names in place of ids, such as ``--owner-id "Sam Okonkwo"``, with their lists.

    A word without a blank may be an id. It is looked up for a list, which would be empty; the server refuses others.
    """
    found = {p: text for p, text in typed.items() if _may_name(form, p, text)}
    if not found:
        return {}
    from .tree.sources import source_of

    lists = {listed.id: listed for _, listed in _searchable()}
    sources = {p: (source_of(form, p) or "").strip("@+") for p in found}
    return {p: lists[source] for p, source in sources.items() if source in lists}


def _may_name(form: Form, parameter: Parameter, text: Any) -> bool:
    if parameter.place == "argument" or parameter.many or parameter.kind != "text" or not isinstance(text, str):
        return False
    known = _is_id(parameter.name, text)
    return known is False or (known is None and form.operation.kind == "page" and text != "me" and not text.isdigit())


def ids_of_options(
    client: CrmClient, form: Form, named: Mapping[Parameter, Operation[..., Any]], typed: Mapping[Parameter, Any]
) -> dict[Parameter, str]:
    """Return the id of each option that is a name; without those that no record has and that may be ids.

    Raises: MisuseError where several records have the name, NotFoundError where none has what can be no id.
    """
    lookups = Lookups(form, {}, lists={p.name: listed for p, listed in named.items()})
    found = {p: lookups.ids(client, {p.name: typed[p]}).get(p.name) for p in named}
    return {p: id for p, id in found.items() if id is not None}


def lists_of(form: Form) -> dict[str, Operation[..., Any]]:
    """Return the list in which each argument can be looked up, by the name of the argument.

    A list is for the arguments of its own noun and of the calls beside it; one at the top, such as that of deals, for
    all calls. The nearest has precedence.
    """
    operation = form.operation
    singles = {p.name for p in form.parameters if p.place == "argument" and p.kind == "text" and not p.many}
    if not singles:  # most lists: there is no need to import the nouns
        return {}
    within = f"{operation.id}."
    near: dict[str, tuple[int, Operation[..., Any]]] = {}
    for argument, listed in _searchable():
        owner = listed.id.split(".")[:-2]
        if within.startswith("".join(f"{part}." for part in owner)) and argument in operation.positional:
            near[argument] = max(near.get(argument, (-1, listed)), (len(owner), listed), key=lambda pair: pair[0])
    return {argument: listed for argument, (_, listed) in near.items() if argument in singles}


@cache
def _searchable() -> tuple[tuple[str, Operation[..., Any]], ...]:
    """Return each list that has ``search`` with the argument that its records' ids are."""
    from .tree.nouns import nouns

    return tuple(found for kind in nouns().values() for found in _searchable_of(kind))


def _searchable_of(kind: Any) -> Iterator[tuple[str, Operation[..., Any]]]:
    from .tree.nouns import operations, resources

    declared = operations(kind)
    listed, get = declared.get("list"), declared.get("get")
    if listed is not None and "search" in listed.signature.parameters and not listed.positional:
        if get is not None and not set(_LABELS) & set(getattr(get.arguments.returns, "model_fields", _LABELS)):
            return  # its records have no name
        noun = listed.id.split(".")[-2]
        argument = get.positional[0] if get is not None and len(get.positional) == 1 else f"{singular(noun)}_id"
        yield argument, listed
    for inner in resources(kind).values():
        yield from _searchable_of(inner)


def _is_id(argument: str, text: Any) -> bool | None:
    """Return whether a typed text is an id; None where only the server knows."""
    if not isinstance(text, str) or not text.strip() or not argument.endswith("_id"):
        return True
    if _MAY_BE_ID.fullmatch(text) is None:
        return False
    return True if _HAS_PREFIX.match(text) else None


def label_of(record: Any) -> str | None:
    """Return what a record is called; None where it has no name."""
    labels = (getattr(record, name, None) for name in _LABELS)
    return next((label for label in labels if isinstance(label, str) and label), None)


def _folded_name(text: str) -> str:
    """Return a name without what does not tell names apart: case, and how many blanks there are."""
    return " ".join(text.casefold().split())
