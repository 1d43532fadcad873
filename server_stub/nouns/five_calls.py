"""The rules of create, get, update, delete and list, the same for every noun that declares these calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_sdk.operation import Operation
from crm_sdk.resource import operation_of

from ..data.document import Document
from ..serving import Context, Members

if TYPE_CHECKING:
    from ..noun import Noun


def rules_of(noun: Noun) -> dict[Operation[..., Any], Callable[..., Any]]:
    """Return the rules of those of the five calls that the noun's resource declares, without those in `own`."""
    makers = {"create": _create, "get": _get, "update": _update, "delete": _delete, "list": _list}
    return {
        operation: make(noun, operation)
        for resource in (noun.resource, *noun.doors)
        for name, make in makers.items()
        if name not in noun.own and (operation := operation_of(vars(resource).get(name))) is not None
    }


def _whole_id(noun: Noun, call: Context, given: Mapping[str, Any], *, write: bool = False) -> str | None:
    """Return the id of the whole record, the first in the path. Raises: 404 where it does not exist.

    With `write` the caller must have the permission to change it.
    """
    if noun.within is None:
        return None
    member, whole = noun.within
    return str((whole.writable if write else whole.find_one)(call, given[member])["id"])


def _create(noun: Noun, operation: Operation[..., Any]) -> Callable[..., Any]:
    def create(call: Context, **given: Any) -> Document:
        members = dict(given[operation.arguments.body or ""])
        whole_id = _whole_id(noun, call, given, write=True)
        if noun.within is not None:
            members[noun.within[0]] = whole_id
        return noun.answer(call, noun.add(call, noun.stored_form(call, members)))

    return create


def _get(noun: Noun, operation: Operation[..., Any]) -> Callable[..., Any]:
    own = _own_id(operation)

    def get(call: Context, **given: Any) -> Document:
        return noun.answer(call, noun.find_one(call, given[own], _whole_id(noun, call, given)))

    return get


def _update(noun: Noun, operation: Operation[..., Any]) -> Callable[..., Any]:
    own = _own_id(operation)

    def update(call: Context, **given: Any) -> Document:
        doc = noun.writable(call, given[own], whole_id=_whole_id(noun, call, given, write=True))
        call.lock(doc, given.get("version"))
        changes: Members = given[operation.arguments.body or ""]
        return noun.answer(call, noun.change(call, doc, noun.stored_form(call, changes, doc)))

    return update


def _delete(noun: Noun, operation: Operation[..., Any]) -> Callable[..., Any]:
    own = _own_id(operation)

    def delete(call: Context, **given: Any) -> None:
        doc = noun.writable(call, given[own], "delete", whole_id=_whole_id(noun, call, given, write=True))
        call.lock(doc, given.get("version"))
        noun.remove(call, doc)

    return delete


def _list(noun: Noun, operation: Operation[..., Any]) -> Callable[..., Any]:
    def list_(call: Context, **given: Any) -> Sequence[Document]:
        docs = noun.select(call, given, _whole_id(noun, call, given))
        return noun.including(call, docs, given.get("include"))

    return list_


def _own_id(operation: Operation[..., Any]) -> str:
    """Return the name of the argument with the record's own id: the last placeholder of the path."""
    return next(iter(operation.routes.values())).placeholders[-1]
