"""The fields of an entity that an import can fill, as the company describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.operation import Operation
from crm_sdk.wire import snake

from ...nouns.entities import Entity
from ...problems import Problem
from ...serving import Context
from ..objects.describing import fields_of, required_by

_NAME_PARTS = ("first_name", "last_name")
"""A record without a name is called by these."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name, and how its values are read."""

    name: str
    """Its path: ``email``, ``address.city``, ``custom_fields.tier``, ``fields.status``."""
    type: str = "text"
    item_type: str | None = None
    label: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """The labels of an enumeration's values."""
    read_only: bool = False
    reference_to: Sequence[str] = ()
    required: bool = False

    @property
    def transform(self) -> str:
        """The transform of cells that fits the type."""
        if self.type in ("integer", "decimal", "currency", "number"):
            return "number"
        if self.type == "date":
            return "date"
        return "split_tags" if self.type == "multi_select" or self.name.endswith("tags") else "trim"


def _field(said: Mapping[str, Any]) -> Field:
    """Return a field as it is described."""
    options = {str(option["value"]): str(option.get("label") or "") for option in said["options"]}
    return Field(
        said["name"], said["type"], said["item_type"], said["label"], options, said["read_only"], said["reference_to"],
        said["required"],
    )  # fmt: skip


class Fields:
    """The fields of one entity."""

    def __init__(self, call: Context, entity: Entity) -> None:
        self._entity = entity
        self._hidden = call.caller.hidden
        self._fixed = call.caller.fixed
        self._by_name: dict[str, Field] = {}
        for one in fields_of(call, entity):
            self._by_name.setdefault(one["name"], _field(one))
        self._of_kinds = {
            kind: {one["name"]: _field(one) for one in fields_of(call, entity, kind)} for kind in entity.kinds or ()
        }
        if entity.kinds is not None:
            labels = {kind: kind.capitalize() for kind in entity.kinds}
            self._by_name["kind"] = Field("kind", "select", label="Kind", options=labels)
        self._by_name["id"] = Field("id", label="Id")
        self._free = "custom_fields" in entity.members
        free = "fields" if entity.object is not None else "custom_fields"
        if entity.object is not None or self._free:  # as JSON lines have them
            self._by_name[free] = Field(free, "object", label=free.replace("_", " ").capitalize())

    def importable(self) -> list[Field]:
        """Return the fields that a column may fill."""
        return [one for one in self._by_name.values() if not one.read_only and not self._is(self._hidden, one.name)]

    def find(self, name: str) -> Field | None:
        """Return a field by its name in either spelling, of a custom object also without ``fields.``."""
        head, _, rest = name.partition(".")
        if snake(head) == "custom_fields" and rest and self._free:
            return self._by_name.get(f"custom_fields.{rest}", Field(f"custom_fields.{rest}", "any", label=rest))
        if self._entity.object is not None:
            own = self._by_name.get(f"fields.{name}")
            if own is not None:
                return own
        return self._by_name.get(name) or self._by_name.get(".".join(map(snake, name.split("."))))

    def of_kind(self, kind: object, field: Field) -> Field:
        """Return a field as one kind of records has it: what came of a call is a word, of a meeting an object."""
        return self._of_kinds.get(str(kind), {}).get(field.name, field)

    def checked(self, name: str, path: str) -> Field:
        """Return a field that can be written. Raises: 422 UNKNOWN_FIELD; 422 FIELD_READ_ONLY."""
        found = self.find(name)
        if found is None or self._is(self._hidden, found.name):
            message = f"records of the type {self._entity.name} have no field {name!r}"
            choices = sorted(one.name for one in self.importable())
            details = {"field": name, "choices": choices}
            raise Problem("UNKNOWN_FIELD", message, field=path, rule="choice", details=details)
        if found.read_only or self._is(self._fixed, found.name):
            message = f"{found.name} is not written by imports"
            raise Problem("FIELD_READ_ONLY", message, field=path, rule="read_only", details={"field": found.name})
        return found

    def _is(self, members: frozenset[str], name: str) -> bool:
        nouns = (self._entity.name, self._entity.collection)
        return any(f"{noun}.{part}" in members for noun in nouns for part in (name, name.partition(".")[0]))

    def required(self, kind: object = None) -> list[str]:
        """Return the fields that a new record needs; of records of several kinds those of one kind, beside `kind`."""
        entity = self._entity
        if entity.object is not None:
            return [one.name for one in self._by_name.values() if one.required]
        nouns: Mapping[str, Any] = entity.kinds or {}
        noun = nouns.get(str(kind)) if entity.kinds is not None else entity.noun
        create: Operation[..., Any] | None = noun.declared("create") if noun is not None else None
        own = sorted(required_by(create)) if create is not None else []
        return ["kind", *own] if entity.kinds is not None else own

    def missing(self, given: Sequence[str], kind: object = None) -> list[str]:
        """Return the fields that a new record needs and that are not given."""
        heads = {name.partition(".")[0] if not name.startswith("fields.") else name for name in given}
        lacking = [name for name in self.required(kind) if not {name, name.partition(".")[0]} & heads]
        parts = any(part in heads and part in self._by_name for part in _NAME_PARTS)
        return [name for name in lacking if not (name == "name" and parts)]
