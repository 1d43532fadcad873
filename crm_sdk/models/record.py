"""The base classes of all models: frozen, camelCase on the wire, unknown members kept."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ConfigDict

from ..wire import camel


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One deviation of an answer from its document."""

    path: str
    """The path of the member: ``data.0.createdAt``."""
    kind: str
    """``missing``, or pydantic's name of the error, such as ``int_parsing``."""
    message: str
    value: Any = None
    """The value that was received; None where the member is missing."""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Model(BaseModel):
    """A frozen value: snake_case in Python, camelCase on the wire; members that no document names are kept."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=camel,
        validate_by_name=True,
        validate_by_alias=True,
        defer_build=True,
        protected_namespaces=(),
        allow_inf_nan=False,
    )

    one_of: ClassVar[tuple[str, ...]] = ()
    """Members without any of which an answer is none, in a model that requires no member."""

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Return the deviations of the answer from its document; empty where there are none."""
        found: tuple[Mismatch, ...] = (self.__pydantic_private__ or {}).get("mismatches", ())
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        # By the generic class and its arguments: `pickle` cannot find a class such as `Job[ImportResult]` by its name.
        generic = type(self).__pydantic_generic_metadata__
        return _empty, (generic["origin"] or type(self), generic["args"]), self.__getstate__()

    if not TYPE_CHECKING:  # the signatures are pydantic's

        def model_dump(self, **options: Any) -> dict[str, Any]:
            """Return the members; of what deviates, which is None, pydantic need not warn."""
            return super().model_dump(**{"warnings": not self.mismatches, **options})

        def model_dump_json(self, **options: Any) -> str:
            """Return the members as JSON; see `model_dump`."""
            return super().model_dump_json(**{"warnings": not self.mismatches, **options})

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        # A model serves three dialects: only the members that the answer had are shown.
        return ((name, value) for name, value in super().__repr_args__() if name in self.model_fields_set)


def _empty(cls: Any, args: tuple[Any, ...]) -> Any:
    made = cls[args] if args else cls
    return made.__new__(made)


class Record(Model):
    """A record of the CRM, with an id and times in UTC."""

    id: str
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    created_by: str | None = None
    """Who created it: a user id, ``apikey_…``, ``app_…`` or ``system``."""
    version: int | None = None
    """Goes up by one with every write; give it to `update` or `delete` to lock optimistically."""

    def __hash__(self) -> int:
        return hash((type(self), self.id, self.version))  # its lists have no hash; equal records have equal ids


@lru_cache(maxsize=256)
def record_types(annotation: Any) -> tuple[type[Record], ...]:
    """Return the kinds of records that a value of a type is one of; none where it may be anything else."""
    if get_origin(annotation) is Annotated:
        return record_types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        found = [record_types(choice) for choice in get_args(annotation)]
        return tuple(kind for kinds in found for kind in kinds) if all(found) else ()
    return (annotation,) if isinstance(annotation, type) and issubclass(annotation, Record) else ()
