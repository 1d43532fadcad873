"""A resource: the calls that belong to one noun, for the sync or for the async client."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from .client import Client


class Sync:
    """The mode of `CrmClient`: a call returns its result."""


class Async:
    """The mode of `AsyncCrmClient`: a call returns a coroutine."""


Mode = TypeVar("Mode", Sync, Async)


class Resource(Generic[Mode]):
    """The calls that belong to one noun. Subclasses have declarations only."""

    def __init__(self, client: Client[Mode]) -> None:
        self._client: Client[Any] = client

    @classmethod
    def path(cls) -> str:
        """Return the dotted name of the resource on a client: ``contacts.relationships``."""
        above: tuple[type[Resource[Any]], str] | None = cls.__dict__.get("_above")
        # The module of a noun has the name of the noun; a sub-resource has the name of its attribute.
        return f"{above[0].path()}.{above[1]}" if above else cls.__module__.rpartition(".")[2]

    def __repr__(self) -> str:
        return f"<{self.path()} of {self._client!r}>"


class _Part:
    """An attribute that becomes a resource of the same client when it is first used."""

    def __init__(self, kind: type[Resource[Any]] | None = None) -> None:
        self._kind = kind

    def __set_name__(self, owner: Any, name: str) -> None:
        self._name = name
        if self._kind is not None:
            self._kind._above = (owner, name)  # type: ignore[attr-defined] # read back by `Resource.path`

    def kind(self) -> type[Resource[Any]]:
        """Return the resource class; a noun's module is imported only now."""
        if self._kind is None:
            module = importlib.import_module(f".resources.{self._name}", __package__)
            self._kind = getattr(module, "".join(word.capitalize() for word in self._name.split("_")))
        return self._kind

    def __get__(self, instance: Any, owner: object = None) -> Any:
        if instance is None:
            return self
        client = getattr(instance, "_client", instance)  # a resource's client, or the client itself
        resource = instance.__dict__.setdefault(self._name, self.kind()(client))  # all threads get the same one
        return resource


def part(kind: type[Resource[Any]]) -> Any:
    """Attach a sub-resource to a resource; the attribute is annotated with its type, ``Relationships[Mode]``."""
    return _Part(kind)


def noun() -> Any:
    """Attach a resource to the catalogue by its name: ``leads`` is `Leads` of ``resources/leads.py``."""
    return _Part()


def parts(owner: type[Any]) -> dict[str, type[Resource[Any]]]:
    """Return the resources attached to a class, by attribute name."""
    return {name: value.kind() for name, value in vars(owner).items() if isinstance(value, _Part)}
