"""The decorators that declare a call (``@operation``, ``@paginated``, ``@job``, ``@download``, ``@streamed``).

A decorator makes the function of the resource class; `methods` says how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Unpack

from .declaration import Kind
from .discovery import PAGES
from .errors import InvalidResponseError
from .exchange import Reply
from .methods import sync_function
from .operation import Operation
from .resource import Sync
from .route import PAGING, FlagArguments, Flags, Plan, routes

if TYPE_CHECKING:
    from .client import Client
    from .methods import DownloadMethod, JobMethod, Method, PageMethod, StreamMethod
    from .models.jobs import Job
    from .network.downloads import Download
    from .paging import Page
    from .realtime.stream import Stream

P = ParamSpec("P")
T = TypeVar("T")


class Paginated(Operation[P, T]):
    """A call that returns a page; T is the type of its records."""

    kind: Kind = "page"

    def result(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the page, with the function that fetches the following pages."""
        items, window = self.read(client, plan, reply)
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

    def result(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the job, with the client through which it asks for its state."""
        job, _ = self.read(client, plan, reply)
        return client.own(job)


class DownloadOperation(Operation[P, T]):
    """A call that returns a file."""

    kind: Kind = "download"

    def result(self, client: Client[Any], plan: Plan, reply: Reply) -> Any:
        """Return the download, whose body has not been read yet. Raises: InvalidResponseError for a web page."""
        from .network.downloads import AsyncDownload, Download

        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        meant = "*/*" in self.flags.media and "content-disposition" in reply.headers
        if kind in PAGES and kind not in self.flags.media and not meant:
            raise InvalidResponseError(
                f"{self.id}: the answer ({reply.status}) is not a file but a page of HTML",
                status=reply.status,
                request_id=reply.headers.get("x-request-id"),
            )

        return (Download if client.mode is Sync else AsyncDownload)(reply.headers, reply.body)


class StreamOperation(Operation[P, T]):
    """A call that returns a stream of server-sent events; T is the type of the events."""

    kind: Kind = "stream"


def operation(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], T]], Method[P, T]]:
    """Declare a call by its routes and flags; the docstring of the module `route` has the syntax of a route."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: sync_function(Operation(function, found, said))


def paginated(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], Page[T]]], PageMethod[P, T]]:
    """Declare a call that returns a page of records."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: sync_function(Paginated(function, found, said))


def job(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], Job[T]]], JobMethod[P, T]]:
    """Declare a call that returns a job."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: sync_function(JobOperation(function, found, said))


def download(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], Download]], DownloadMethod[P, Download]]:
    """Declare a call that returns a file."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: sync_function(DownloadOperation(function, found, said))


def streamed(
    *,
    mvp: str | None = None,
    flow: str | None = None,
    platform: str | None = None,
    **flags: Unpack[FlagArguments],
) -> Callable[[Callable[Concatenate[Any, P], Stream[T]]], StreamMethod[P, T]]:
    """Declare a call that returns a stream of server-sent events."""
    found, said = routes(mvp, flow, platform), Flags(**flags)
    return lambda function: sync_function(StreamOperation(function, found, said))


def _without_page(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in PAGING}
