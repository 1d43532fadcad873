"""The decorators that declare live calls: `@live` for a stream of events, `@joined` for a channel."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ..resource import Async, Resource, Sync

if TYPE_CHECKING:
    from .channel import AsyncChannel, Channel
    from .stream import AsyncStream, Stream

P = ParamSpec("P")
T = TypeVar("T")


class LiveCall:
    """A call that returns a sync or an async object, depending on the client."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        update_wrapper(self, function)  # type: ignore[arg-type] # `self` takes the name and docstring

    @property
    def name(self) -> str:
        """The name of the method in its resource."""
        return self.function.__name__

    @property
    def signature(self) -> inspect.Signature:
        """The declared signature, without ``self``."""
        signature = inspect.signature(self.function)
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    def _method(self, instance: Resource[Any] | None) -> Any:
        return self if instance is None else update_wrapper(partial(self.function, instance), self.function)


class Live(LiveCall, Generic[P, T]):
    """A call that returns a stream of T."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> Live[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Stream[T]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, AsyncStream[T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the declaration, or the method of a client's resource."""
        return self._method(instance)


class Joined(LiveCall, Generic[P]):
    """A call that returns a channel."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> Joined[P]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Channel]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, AsyncChannel]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the declaration, or the method of a client's resource."""
        return self._method(instance)


def live(function: Callable[Concatenate[Any, P], Stream[T]]) -> Live[P, T]:
    """Declare a call that returns a stream."""
    return Live(function)


def joined(function: Callable[Concatenate[Any, P], Channel]) -> Joined[P]:
    """Declare a call that returns a channel."""
    return Joined(function)
