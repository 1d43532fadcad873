"""Records as the calls for every noun answer them: as lists do, with some of their members where these are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from crm_sdk.wire import snake

from ...data.document import Document
from ...nouns.entities import Entity
from ...request.access.hiding import hiding_from, leaving_out, unknown
from ...request.answering.members import path_of, picker
from ...request.answering.rendering import renderer
from ...serving import Context

Show: TypeAlias = Callable[[Document], Any]
"""Returns a record as JSON."""


def shown_as(
    call: Context, entity: Entity, fields: Sequence[str] | None = None, *, lenient: bool = False, whole: bool = False
) -> Show:
    """Return a function that renders records of an entity: as lists show them, `whole` with their nested lists.

    Raises: 422 UNKNOWN_FIELD for a field that no record of the entity has, unless that is `lenient`.
    """
    render = renderer(entity.model, "platform")
    for number, field in enumerate(fields or () if not lenient else ()):
        if f"{entity.name}.{snake(field)}" in call.caller.hidden:
            raise unknown(f"fields.{number}", field)
    pick = _picker(entity, fields, lenient=lenient) if fields else None
    listed = entity.noun.listed if entity.noun is not None else None
    hiding = hiding_from(call.caller, call.server.nouns)

    def show(doc: Document) -> Any:
        if whole:
            doc = entity.noun_of(doc).answer(call, doc)
        elif listed is not None:
            doc = listed(call, doc)
        with leaving_out(hiding):
            rendered = render(doc)
        return pick(rendered) if pick is not None else rendered

    return show


def has_field(call: Context, entity: Entity, field: str) -> bool:
    """Return whether the caller's records of an entity have a field."""
    return f"{entity.name}.{snake(field)}" not in call.caller.hidden and path_of(entity.models, field) is not None


def _picker(entity: Entity, fields: Sequence[str], *, lenient: bool) -> Callable[[Any], Any]:
    known = [field for field in fields if path_of(entity.models, field) is not None]
    return picker(entity.models, known if lenient else fields)


def entity_ref(entity: Entity, doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reference to a record."""
    return {"type": entity.name, "id": doc["id"], "name": doc.get("name") or doc.get("title")}
