"""The decorators that declare a call (``@operation``, ``@paginated``, ``@job``, ``@download``) and their results."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Unpack, overload

from .exchange import Reply
from .operation import Kind, Operation
from .resource import Async, Resource, Sync
from .route import PAGING, FlagArguments, Flags, Plan, routes

if TYPE_CHECKING:
    from .client import Client
    from .models.jobs import AsyncJob, Job
    from .paging import AsyncPages, Page
    from .transfer import AsyncDownload, Download

P = ParamSpec("P")
T = TypeVar("T")


class Paginated(Operation[P, T]):
    """A call that returns a page; T is the type of its records."""

    kind: Kind = "page"

    # The sync client returns a `Page`, the async one `AsyncPages`: hence overloads other than `Operation.__get__` has.
    @overload  # type: ignore[override] # see above
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> Paginated[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Page[T]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type[Resource[Any]]) -> Callable[P, AsyncPages[T]]: ...
    def __get__(  # pyright: ignore[reportIncompatibleMethodOverride] # see above
        self, instance: Resource[Any] | None, owner: type[Resource[Any]]
    ) -> Any:
        """Return the declaration, or the method of a client's resource."""
        return self if instance is None else self._method(instance)

    def result(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the page, with the function that fetches the following pages."""
        items, window = self.read(client, plan.route, reply, plan.given)
        dialect, body = plan.route.dialect.name, self.arguments.body

        def fetch(offset: int, limit: int) -> Any:
            place = plan.route.dialect.page_arguments({"offset": offset, "limit": limit})
            if body is not None and body in plan.given:
                given = {**plan.given, body: {**_without_page(plan.given[body]), **place}}
            else:
                given = {**_without_page(plan.given), **place}
            return client._run(self.call_in(client, given, (dialect,)))  # pyright: ignore[reportPrivateUsage] # the client's own machinery

        from .paging import AsyncPage, Page

        return (Page if client.mode is Sync else AsyncPage)(items, window, fetch, lambda: client.habits.writes)


class JobOperation(Operation[P, T]):
    """A call that returns a job; T is the type of the job's result."""

    kind: Kind = "job"

    # The sync client returns a `Job`, the async one an `AsyncJob`: hence overloads of their own.
    @overload  # type: ignore[override] # see above
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> JobOperation[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Job[T]]: ...
    @overload
    def __get__(
        self, instance: Resource[Async], owner: type[Resource[Any]]
    ) -> Callable[P, Coroutine[Any, Any, AsyncJob[T]]]: ...
    def __get__(  # pyright: ignore[reportIncompatibleMethodOverride] # see above
        self, instance: Resource[Any] | None, owner: type[Resource[Any]]
    ) -> Any:
        """Return the declaration, or the method of a client's resource."""
        return self if instance is None else self._method(instance)

    def result(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the job, with the client through which it asks for its state."""
        job, _ = self.read(client, plan.route, reply, plan.given)
        return client.own(job)


class DownloadOperation(Operation[P, T]):
    """A call that returns a file."""

    kind: Kind = "download"

    # The sync client returns a `Download`, the async one an `AsyncDownload`: hence overloads of their own.
    @overload  # type: ignore[override] # see above
    def __get__(self, instance: None, owner: type[Resource[Any]]) -> DownloadOperation[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type[Resource[Any]]) -> Callable[P, Download]: ...
    @overload
    def __get__(
        self, instance: Resource[Async], owner: type[Resource[Any]]
    ) -> Callable[P, Coroutine[Any, Any, AsyncDownload]]: ...
    def __get__(  # pyright: ignore[reportIncompatibleMethodOverride] # see above
        self, instance: Resource[Any] | None, owner: type[Resource[Any]]
    ) -> Any:
        """Return the declaration, or the method of a client's resource."""
        return self if instance is None else self._method(instance)

    def result(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the download, whose body has not been read yet."""
        from .transfer import AsyncDownload, Download

        return (Download if client.mode is Sync else AsyncDownload)(reply.headers, reply.body)


def operation(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], T]], Operation[P, T]]:
    """Declare a call by its routes and flags; the docstring of the module `route` has the syntax of a route."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: Operation(function, found, said)


def paginated(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], Page[T]]], Paginated[P, T]]:
    """Declare a call that returns a page of records."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: Paginated(function, found, said)


def job(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], Job[T]]], JobOperation[P, T]]:
    """Declare a call that returns a job."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: JobOperation(function, found, said)


def download(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], Download]], DownloadOperation[P, Download]]:
    """Declare a call that returns a file."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: DownloadOperation(function, found, said)


def _without_page(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in PAGING}
