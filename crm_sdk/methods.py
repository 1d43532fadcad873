"""Declared calls as plain functions of the resource classes: `def` for the sync client, `async def` for the async one.

What looks a method up finds it on the class: `unittest.mock`, tools that wrap functions, and those that ask
`inspect.iscoroutinefunction`. The declaration is the function's attribute `operation`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from .resource import Async, Resource, Sync

if TYPE_CHECKING:
    from .models.jobs import AsyncJob, Job
    from .network.downloads import AsyncDownload, Download
    from .operation import Operation
    from .paging import AsyncPages, Page
    from .realtime.stream import AsyncStream, Stream

P = ParamSpec("P")
T = TypeVar("T")


class DeclaredMethod(Generic[P, T]):
    """The type of a declared call for type checkers: at run time it is a function."""

    operation: Operation[P, T]
    """The declaration."""
    __name__: str
    __qualname__: str

    def __call__(self, resource: Resource[Any], /, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Make the call by a client's resource."""
        raise NotImplementedError


class Method(DeclaredMethod[P, T]):
    """A call that returns T."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> Method[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the function of the class, or the method of a client's resource."""
        raise NotImplementedError


class PageMethod(DeclaredMethod[P, T]):
    """A call that returns a page; T is the type of its records."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> PageMethod[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Page[T]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, AsyncPages[T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the function of the class, or the method of a client's resource."""
        raise NotImplementedError


class JobMethod(DeclaredMethod[P, T]):
    """A call that returns a job; T is the type of the job's result."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> JobMethod[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Job[T]]: ...
    @overload
    def __get__(
        self, instance: Resource[Async], owner: type[Resource[Any]]
    ) -> Callable[P, Coroutine[Any, Any, AsyncJob[T]]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the function of the class, or the method of a client's resource."""
        raise NotImplementedError


class DownloadMethod(DeclaredMethod[P, T]):
    """A call that returns a file."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> DownloadMethod[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Download]: ...
    @overload
    def __get__(
        self, instance: Resource[Async], owner: type[Resource[Any]]
    ) -> Callable[P, Coroutine[Any, Any, AsyncDownload]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the function of the class, or the method of a client's resource."""
        raise NotImplementedError


class StreamMethod(DeclaredMethod[P, T]):
    """A call that returns a stream of T, which connects when it is entered."""

    @overload
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> StreamMethod[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Stream[T]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, AsyncStream[T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: type[Resource[Any]]) -> Any:
        """Return the function of the class, or the method of a client's resource."""
        raise NotImplementedError


def sync_function(operation: Operation[Any, Any]) -> Any:
    """Return the function of a resource class for the sync client."""
    if operation.kind == "stream":
        return _with_signature(_streaming(operation), operation)

    def call(self: Resource[Any], /, *args: Any, **kwargs: Any) -> Any:
        client = self._client  # pyright: ignore[reportPrivateUsage] # this is a method of the resource
        steps = operation.steps(client, args, kwargs)
        del args, kwargs  # a traceback would show them
        return client._run(steps)  # pyright: ignore[reportPrivateUsage] # the client's own machinery

    return _with_signature(call, operation)


def async_function(operation: Operation[Any, Any]) -> Callable[..., Any]:
    """Return the function of a resource class for the async client: a coroutine function, but for lists.

    The result of a list call is awaited for its first page, or iterated over, which fetches its first page each time.
    """

    async def call(self: Resource[Any], /, *args: Any, **kwargs: Any) -> Any:
        client = self._client  # pyright: ignore[reportPrivateUsage] # this is a method of the resource
        steps = operation.steps(client, args, kwargs)
        del args, kwargs  # a traceback would show them
        return await client._run(steps)  # pyright: ignore[reportPrivateUsage] # the client's own machinery

    def pages(self: Resource[Any], /, *args: Any, **kwargs: Any) -> Any:
        from .paging import AsyncPages

        client = self._client  # pyright: ignore[reportPrivateUsage] # as above
        return AsyncPages(lambda: client._run(operation.steps(client, args, kwargs)))  # pyright: ignore[reportPrivateUsage] # as above

    if operation.kind == "page":
        return _with_signature(pages, operation)
    if operation.kind == "stream":
        return _with_signature(_streaming(operation), operation)
    return _with_signature(call, operation, wrapped=_AsyncForm(operation))


def _streaming(operation: Operation[Any, Any]) -> Callable[..., Any]:
    """Return the function of a call that streams, the same for both clients: it connects nowhere yet."""

    def stream(self: Resource[Any], /, *args: Any, **kwargs: Any) -> Any:
        from .realtime.subscription import subscribe

        return subscribe(operation, self._client, operation.bind(args, kwargs))  # pyright: ignore[reportPrivateUsage] # this is a method of the resource

    return stream


class _AsyncForm:
    """What an async function stands for: the declared function, but a coroutine function to whoever unwraps it.

    `unittest.mock` does so from Python 3.13 on, to tell which attributes of a spec are awaited.
    """

    def __init__(self, operation: Operation[Any, Any]) -> None:
        self._operation = operation
        code: CodeType = operation.function.__code__
        flagged = code.replace(co_flags=code.co_flags | inspect.CO_COROUTINE)
        self.__wrapped__ = FunctionType(flagged, operation.function.__globals__, operation.name)

    @property
    def __signature__(self) -> inspect.Signature:
        return self._operation.__signature__


def _with_signature(
    call: Callable[..., Any], operation: Operation[Any, Any], wrapped: object = None
) -> Callable[..., Any]:
    """Give a function the name, docstring, signature and declaration of an operation."""
    update_wrapper(call, operation.function)
    vars(call).update(operation=operation, __wrapped__=wrapped or operation)  # their signatures are made when asked for
    return call
