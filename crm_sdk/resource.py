"""A resource: the calls that belong to one noun, for the sync or for the async client."""

from __future__ import annotations

import importlib
from operator import attrgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from .frozen import real_dates

if TYPE_CHECKING:
    from typing import Self

    from .client import Client
    from .operation import Operation


class Sync:
    """The mode of `CrmClient`: a call returns its result."""


class Async:
    """The mode of `AsyncCrmClient`: a call returns a coroutine."""


Mode = TypeVar("Mode", Sync, Async)


def operation_of(value: object) -> Operation[..., Any] | None:
    """Return the declaration of a function of a resource class; None for anything else."""
    return value.__dict__.get("operation") if type(value) is FunctionType else None


class _Kind(type):
    """The type of resource classes: what is set on one, as a test does that replaces a call, holds for both clients."""

    if not TYPE_CHECKING:

        def __setattr__(cls, name: str, value: object) -> None:
            super().__setattr__(name, value)
            cls._follow(name, value)

        def __delattr__(cls, name: str) -> None:
            super().__delattr__(name)
            cls._follow(name, None)

    def _follow(cls, name: str, value: object) -> None:
        """Let the class of the async client have its own form of a declared call, and inherit anything else."""
        twin = cls.__dict__.get("_made", {}).get(Async)
        if twin is None:
            return
        operation = operation_of(value)
        if operation is not None:
            setattr(twin, name, operation.async_function)
        elif name in twin.__dict__:
            delattr(twin, name)

    def in_mode(cls, mode: type[Sync] | type[Async]) -> Any:
        """Return the class whose functions are those of a client: this one, or its subclass for the async client."""
        if mode is Sync or cls.mode is Async:  # type: ignore[attr-defined] # of the resource class
            return cls
        made: dict[Any, Any] = cls.__dict__["_made"]
        return made.get(Async) or made.setdefault(Async, cls._make_async())  # all threads get the same one

    def _make_async(cls) -> Any:
        """Return the subclass that has the declared calls as coroutine functions."""
        declared = {name: found for name, value in vars(cls).items() if (found := operation_of(value)) is not None}
        members = {"__module__": cls.__module__, "__doc__": cls.__doc__, "mode": Async}
        functions = {name: operation.async_function for name, operation in declared.items()}
        return _Kind(f"Async{cls.__name__}", (cls,), members | functions)


class Resource(Generic[Mode], metaclass=_Kind):
    """The calls that belong to one noun. Subclasses have declarations only."""

    mode: ClassVar[type[Sync] | type[Async]] = Sync
    _made: ClassVar[dict[Any, Any]]

    def __new__(cls, client: Client[Mode]) -> Self:
        """Make a resource whose methods are those of the client."""
        made: Self = object.__new__(cls.in_mode(client.mode))
        return made

    def __init__(self, client: Client[Mode]) -> None:
        self._client: Client[Any] = client

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._made = {}
        for name, value in vars(cls).items():
            operation = operation_of(value)
            if operation is not None:
                operation.__set_name__(cls, name)

    @classmethod
    def path(cls) -> str:
        """Return the dotted name of the resource on a client: ``contacts.relationships``."""
        above: tuple[type[Resource[Any]], str] | None = getattr(cls, "_above", None)
        # The module of a noun has the name of the noun; a sub-resource has the name of its attribute.
        return f"{above[0].path()}.{above[1]}" if above else cls.__module__.rpartition(".")[2]

    def __repr__(self) -> str:
        return f"<{self.path()} of {self._client!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # A client has one resource of each kind; so a method can be pickled as well.
        return attrgetter(self.path()), (self._client,)


class _Part:
    """An attribute that is a resource of the same client, made when first used; of a class, the resource class."""

    def __init__(self, kind: type[Resource[Any]] | None = None) -> None:
        self._kind = kind

    def __set_name__(self, owner: Any, name: str) -> None:
        self._name = name
        self._made = f"resource {name}"  # no name of an attribute: what is set on the class or the instance goes first
        if self._kind is not None:
            self._kind._above = (owner, name)  # type: ignore[attr-defined] # read back by `Resource.path`

    def kind(self) -> type[Resource[Any]]:
        """Return the resource class; a noun's module is imported only now."""
        if self._kind is None:
            with real_dates():
                module = importlib.import_module(f".resources.{self._name}", __package__)
            self._kind = getattr(module, "".join(word.capitalize() for word in self._name.split("_")))
        return self._kind

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self.kind().in_mode(getattr(owner, "mode", Sync))
        made = instance.__dict__.get(self._made)
        if made is None:
            client = getattr(instance, "_client", instance)  # a resource's client, or the client itself
            made = instance.__dict__.setdefault(self._made, self.kind()(client))  # all threads get the same one
        return made


def part(kind: type[Resource[Any]]) -> Any:
    """Attach a sub-resource to a resource; the attribute is annotated with its type, ``Relationships[Mode]``."""
    return _Part(kind)


def noun() -> Any:
    """Attach a resource to the catalogue by its name: ``leads`` is `Leads` of ``resources/leads.py``."""
    return _Part()


def parts(owner: type[Any]) -> dict[str, type[Resource[Any]]]:
    """Return the resources attached to a class, by attribute name."""
    return {name: value.kind() for name, value in vars(owner).items() if isinstance(value, _Part)}
