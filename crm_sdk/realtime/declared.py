"""The decorators that declare live calls: `@live` for a stream of events, `@joined` for a channel."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from ..resource import Async, Resource, Sync

if TYPE_CHECKING:
    from .channel import AsyncChannel, Channel
    from .stream import AsyncStream, Stream

P = ParamSpec("P")
T = TypeVar("T")


class LiveCall:
    """The declaration of a live call: the attribute `live_call` of its function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @property
    def name(self) -> str:
        """The name of the method in its resource."""
        return self.function.__name__

    @property
    def signature(self) -> inspect.Signature:
        """The declared signature, without ``self``."""
        signature = inspect.signature(self.function)
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class _Live:
    """The type of a live call for type checkers: at run time it is a function, the same for both clients."""

    live_call: LiveCall


class Live(_Live, Generic[P, T]):
    """A call that returns a stream of T."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> Live[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Stream[T]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, AsyncStream[T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the function of the class, or the method of a client's resource."""
        raise NotImplementedError


class Joined(_Live, Generic[P]):
    """A call that returns a channel."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> Joined[P]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Channel]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, AsyncChannel]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the function of the class, or the method of a client's resource."""
        raise NotImplementedError


def live(function: Callable[Concatenate[Any, P], Stream[T]]) -> Live[P, T]:
    """Declare a call that returns a stream."""
    return cast("Live[P, T]", _live(function))


def joined(function: Callable[Concatenate[Any, P], Channel]) -> Joined[P]:
    """Declare a call that returns a channel."""
    return cast("Joined[P]", _live(function))


def _live(function: Callable[..., Any]) -> Any:
    vars(function)["live_call"] = LiveCall(function)
    return function
