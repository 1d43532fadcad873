"""Views: a list as a layout has it, with its conditions, order and columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from crm_sdk.operation import Operation
from crm_sdk.route import Route
from crm_sdk.vocabulary.codes import VIEWED
from crm_sdk.wire import snake

from ...data.document import Document
from ...data.queries.filter_groups import FieldType, compile_filters
from ...data.queries.query import Resolve, key_of, member
from ...problems import Problem
from ...serving import Context

if TYPE_CHECKING:
    from ...noun import Noun

Known: TypeAlias = tuple[Mapping[str, FieldType], Resolve]
"""The fields by which the records of an entity are found, with their types, and what returns the value of one."""


def knows_fields(rule: Callable[[Context, str], Known]) -> Callable[[Context, str], Known]:
    """Mark the function that returns the fields by which the records of an entity are found through a view."""
    vars(rule)["__knows_fields__"] = True  # read by the collector
    return rule


@dataclass(frozen=True, slots=True)
class View:
    """The layout through which a list is seen."""

    layout: Document
    known: Known
    """The fields of the records of the layout."""
    kinds: Sequence[Noun]
    sorted: bool
    """Whether the call says itself what the list is sorted by."""

    @property
    def fields(self) -> Sequence[str]:
        """The members of the records that have a column; those of other records are read from there."""
        heads = {name for kind in self.kinds for name in kind.model.model_fields}
        types, found = self.known[0], list[str]()
        for column in self.layout["columns"]:
            path: str = column["field"]
            if snake(path.partition(".")[0]) in heads:
                found.append(path)
            elif f"fields.{path}" in types:  # a field of a custom object, by its own name
                found.append(f"fields.{path}")
        return found

    def select(self, call: Context, docs: Sequence[Document]) -> Sequence[Document]:
        """Return the records that meet the conditions of the layout, in its order unless the call has its own."""
        types, resolve = self.known
        zone = ZoneInfo(call.tenant.get("timezone") or "UTC")
        keep = compile_filters(self.layout["filter_groups"], types, now=call.now, zone=zone, resolve=resolve)
        found = [doc for doc in docs if keep(doc)]
        return found if self.sorted else in_order_of(found, self.layout["sort"], resolve)


def in_order_of(
    docs: Sequence[Document], order: Sequence[Mapping[str, str]], resolve: Resolve = member
) -> list[Document]:
    """Return records in the order of a layout; those without a value come last."""
    found = list(docs)
    if order:
        found.sort(key=lambda doc: doc["id"], reverse=order[0]["order"] == "desc")
    for one in reversed(order):  # the last key first: what is equal by one stays in the order of the others
        key = key_of(one["key"], resolve)
        valued = [doc for doc in found if key(doc) is not None]
        valued.sort(key=key, reverse=one["order"] == "desc")
        found = [*valued, *(doc for doc in found if key(doc) is None)]
    return found


def find_layout(call: Context, id: str, entity: str) -> Document:
    """Return a layout of an entity that the caller may use. Raises: 422 REFERENCE_NOT_FOUND."""
    noun, doc = call.server.nouns["layout"], call.find_one("layout", id)
    if doc is None or doc["entity"] != entity or (noun.visible is not None and not noun.visible(call, doc)):
        message = f"no layout of {entity} has the id {id!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="view", rule="reference")
    return noun.answer(call, doc)


def take_view(
    call: Context, operation: Operation[..., Any], route: Route, identifiers: Mapping[str, str], query: dict[str, str]
) -> View | None:
    """Remove `view` from the query of a list and return the layout. Raises: 422 for one of other records."""
    if route.dialect.name != "platform" or operation.id not in VIEWED or "view" not in query:
        return None
    id, entity = query.pop("view"), VIEWED[operation.id]
    if entity == "record":  # of the custom object that the path names
        object = call.server.entities.find(call, identifiers["object_id"])
        if object is None:
            return None
        entity = object.name
    layout = find_layout(call, id, entity)
    stored = VIEWED[operation.id]
    kinds = [one for one in call.server.nouns.values() if stored in (one.kind, one.stored_as)]
    return View(layout, call.server.view_fields(call, entity), kinds, "sort" in query)
