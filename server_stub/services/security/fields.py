"""The fields of entities, as roles name them."""

from __future__ import annotations

from crm_sdk.wire import snake

from ...serving import Context
from ..custom_objects.definitions import keys_of

_ALWAYS = frozenset({"id", "version"})
"""The members that nobody can be kept from: without them no record can be found or locked."""


def known_field(call: Context, entity: str, field: str) -> str | None:
    """Return the stored name of a field of an entity; None for one that there is not, or that cannot be hidden."""
    noun = call.server.nouns.get(entity)
    head, _, rest = field.partition(".")
    if noun is not None:
        name = snake(head)
        if name not in noun.model.model_fields or name in _ALWAYS or (rest and name != "custom_fields"):
            return None
        return f"{name}.{rest}" if rest else name
    own = next(iter(call.collection("custom_object").find("api_name", entity)), None)
    return field if own is not None and field in keys_of(call, own["id"]) else None
