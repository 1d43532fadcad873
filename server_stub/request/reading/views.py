"""Views: a list as a layout has it, with its conditions, order and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_sdk.operation import Operation
from crm_sdk.route import Route
from crm_sdk.vocabulary.codes import VIEWED
from crm_sdk.wire import snake

from ...data.document import Document
from ...data.queries.field_types import custom_types, fields_of
from ...data.queries.filter_groups import FieldType, compile_filters
from ...data.queries.query import Resolve, key_of, member
from ...problems import Problem
from ...serving import Context

if TYPE_CHECKING:
    from ...noun import Noun


@dataclass(frozen=True, slots=True)
class View:
    """The layout through which a list is seen."""

    layout: Document
    kinds: Sequence[Noun]
    sorted: bool
    """Whether the call says itself what the list is sorted by."""

    @property
    def fields(self) -> Sequence[str]:
        """The members of the records that have a column; those of other records are read from there."""
        heads = {name for kind in self.kinds for name in kind.model.model_fields}
        return [path for one in self.layout["columns"] if snake((path := one["field"]).partition(".")[0]) in heads]

    def seen(self, call: Context, docs: Sequence[Document]) -> Sequence[Document]:
        """Return the records that meet the conditions of the layout, in its order unless the call has its own."""
        types: dict[str, FieldType] = {
            path: field.type for kind in self.kinds for path, field in fields_of(kind.model).items()
        }
        types |= custom_types(call.collection("field"), self.layout["entity"])
        keep = compile_filters(self.layout["filter_groups"], types, now=call.now)
        return in_order_of([doc for doc in docs if keep(doc)], () if self.sorted else self.layout["sort"])


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


def take_view(call: Context, operation: Operation[..., Any], route: Route, query: dict[str, str]) -> View | None:
    """Remove `view` from the query of a list and return the layout. Raises: 422 for one of other records."""
    if route.dialect.name != "platform" or operation.id not in VIEWED or "view" not in query:
        return None
    id, entity = query.pop("view"), VIEWED[operation.id]
    layout = find_layout(call, id, entity)
    kinds = [one for one in call.server.nouns.values() if entity in (one.kind, one.stored_as)]
    return View(layout, kinds, "sort" in query)
