"""The fields of an entity, as layouts name them: which there are, and which of them are shown to the caller."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Required, get_origin

from typing_extensions import get_type_hints

from crm_sdk.reading import choices_of

from ...data.document import Document
from ...data.queries.field_types import Field, fields_of
from ...data.queries.filter_groups import FieldType
from ...problems import Problem
from ...serving import Context
from ..custom_objects.definitions import fields_of as custom_fields_of
from ..custom_objects.definitions import object_named, records_of
from ..reports.sources import source_of
from .overrides import overrides_of

ENTITIES = ("contact", "lead", "account", "deal", "activity")
"""The kinds of records that have layouts, beside those of custom objects."""


class Fields:
    """The fields of an entity, as layouts name them."""

    def __init__(self, call: Context, entity: str) -> None:
        self._call, self._entity = call, entity
        self._source = source_of(call, entity)
        self.custom = object_named(call, entity) if entity not in ENTITIES else None
        self._noun = call.server.nouns["record" if self.custom is not None else entity]
        kinds = [self._noun, *(one for one in call.server.nouns.values() if one.stored_as == entity)]
        self._models = [kind.model for kind in kinds]
        self._definitions = custom_fields_of(call, self.custom["id"] if self.custom is not None else entity)
        self._changed = overrides_of(call, entity)
        self._prefix = "fields" if self.custom is not None else "custom_fields"

    @property
    def word(self) -> str:
        """The resource of the permissions for the records."""
        return f"{self._noun.word}.{self.custom['id']}" if self.custom is not None else self._noun.word

    @property
    def types(self) -> Mapping[str, FieldType]:
        """The types of the fields, for conditions."""
        return self._source.types

    def check(self, path: str, at: str, *, hop: bool = False) -> str:
        """Return the name of a field, however it is written.

        Raises: 422 UNKNOWN_FIELD for one that the records do not have; with `hop`, nor those one step away.
        """
        if any(path in model.model_fields for model in self._models) and path not in self._source.hidden:
            return path
        known, _ = self._source.field(path, at)
        if not hop and known.partition(".")[0] in self._source.hops and "." in known:
            message = f"{path!r} is of another record, which only a column of a list shows"
            raise Problem("UNKNOWN_FIELD", message, field=at, rule="choice", details={"field": path})
        return known

    def has(self, path: str) -> bool:
        """Return whether the records have a field that is shown, or those one step away."""
        if not self._is_seen(path):
            return False
        head, _, name = path.partition(".")
        if head == "custom_fields" and self.custom is None:  # whatever is defined, or that records have all the same
            known = any(one["api_name"] == name for one in self._definitions)
            return known or any(name in (doc.get(head) or {}) for doc in records_of(self._call, self._entity))
        try:
            return self._is_seen(self.check(path, "", hop=True))
        except Problem:
            return False

    def has_options(self, name: str) -> bool:
        """Return whether a field has a fixed set of values."""
        plain = name.removeprefix(f"{self._prefix}.")
        own = any(one["api_name"] == plain and one["type"] == "select" for one in self._definitions)
        hints = [model.model_fields[name].annotation for model in self._models if name in model.model_fields]
        return own or any(choices_of(hint) and get_origin(hint) is not list for hint in hints)

    def required_fields(self) -> list[str]:
        """Return what a new record has to be given."""
        own = [
            f"{self._prefix}.{one['api_name']}" for one in self._definitions
            if one["required"] and one["default"] is None and one["type"] != "auto_number"
        ]  # fmt: skip
        if self.custom is not None:
            return own
        plain = [name for name, hint in self._inputs().items() if get_origin(hint) is Required]
        more = [name for name, doc in self._changed.items() if doc["required"] and name not in plain]
        given = {name for name, doc in self._changed.items() if doc["default"] is not None}
        return [*(name for name in (*plain, *more) if name not in given), *own]

    def writable_fields(self) -> list[str]:
        """Return what a new record can be given."""
        own = [path for path, one in self._own_fields() if one["type"] != "auto_number"]
        if self.custom is not None:
            return own
        plain = [name for name in self._models[0].model_fields if name in self._inputs() and self._is_seen(name)]
        return plain + own

    def shown_fields(self) -> list[str]:
        """Return the fields with one value each."""
        own = [path for path, _ in self._own_fields()]
        plain: Mapping[str, Field] = fields_of(self._models[0])
        skipped = ("id", "version", "created_by", "object", "object_id")
        if self.custom is not None:
            return own
        return [*(path for path in plain if "." not in path and path not in skipped and self._is_seen(path)), *own]

    def _own_fields(self) -> list[tuple[str, Document]]:
        """Return the custom fields that are shown, by their paths."""
        paths = [(f"{self._prefix}.{one['api_name']}", one) for one in self._definitions]
        return [(path, one) for path, one in paths if self._is_seen(path)]

    def _is_seen(self, path: str) -> bool:
        """Return whether a field is shown: neither the company nor a role of the caller hides it."""
        return path not in self._source.hidden and path not in self._put_away

    @cached_property
    def _put_away(self) -> frozenset[str]:
        """The fields that the company hides."""
        plain = (name for name, doc in self._changed.items() if doc["hidden"])
        return frozenset(plain).union(
            f"{self._prefix}.{one['api_name']}" for one in self._definitions if one.get("hidden")
        )

    def _inputs(self) -> Mapping[str, Any]:
        create = self._noun.declared("create")
        body = create.arguments.body_type if create is not None else None
        return get_type_hints(body, include_extras=True) if body is not None else {}
