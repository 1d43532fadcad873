"""The clients `CrmClient` and `AsyncCrmClient`."""

from __future__ import annotations

import logging
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ._version import __version__
from .catalogue import Catalogue
from .credentials import Credentials
from .dialects import DialectChoice, DialectName, parse_choice
from .discovery import Finding
from .errors import ApiError, CrmError, UnsupportedOperationError
from .exchange import Clock, Habits, Steps, SystemClock, Terms, run, run_async
from .options import Options, at_least, checked_url, header, root
from .resource import Async, Mode, Sync
from .retry import Retry

if TYPE_CHECKING:
    from typing import Self

    from .models.record import Mismatch
    from .network.http import AsyncHttpClient, HttpClient
    from .operation import Operation
    from .paging import AsyncPages
    from .raw import RawReply
    from .route import Session

T = TypeVar("T")

_log = logging.getLogger("crm_sdk")
_KINDS_LOGGED = 1000  # a free-form object may have as many keys as there are records


class _Shared:
    """The parts that a client shares with its `with_options` views."""

    def __init__(self, link: Any, clock: Clock, finding: Finding) -> None:
        self.link = link
        self.clock = clock
        self.habits = Habits()
        self.finding = finding


class Client(Catalogue[Mode], ABC, Generic[Mode]):
    """The base class of the sync and the async client."""

    mode: ClassVar[type[Sync] | type[Async]]

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        tenant_id: str | None,
        dialects: DialectChoice | None,
        timeout: float,
        max_retries: int,
        strict: bool,
        idempotent_writes: bool,
        max_connections: int,
        http_client: Any,
        clock: Clock | None,
    ) -> None:
        url = checked_url(base_url or os.environ.get("CRM_BASE_URL"))
        if dialects is None:
            dialects = os.environ.get("CRM_DIALECTS") or ("platform" if url != root(url) else None)
        self._settings = Options(
            url,
            header("tenant_id", tenant_id or os.environ.get("CRM_TENANT_ID")),
            parse_choice(dialects) if dialects is not None else None,
            at_least("timeout", timeout, 0.001),
            int(at_least("max_retries", max_retries, 0)),
            strict,
            idempotent_writes,
            int(at_least("max_connections", max_connections, 1)),
        )
        self._credentials = Credentials(header("api_key", api_key or os.environ.get("CRM_API_KEY")))
        self._shared = _Shared(self._open(http_client), clock or SystemClock(), Finding())

    @abstractmethod
    def _open(self, http_client: Any) -> Any: ...

    @abstractmethod
    def _run(self, steps: Steps[Any]) -> Any: ...

    @abstractmethod
    def _run_pages(self, start: Callable[[], Steps[Any]]) -> Any: ...

    # -- the interface that declared calls use -------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The URL of the server, without a slash at its end."""
        return self._settings.base_url

    @property
    def tenant_id(self) -> str | None:
        """The company that this client sends as ``X-Tenant-ID``; None for the company of the token."""
        return self._settings.tenant_id

    @property
    def reason(self) -> str | None:
        """The reason for writes, for the audit trail, percent-encoded as sent in the header ``X-Audit-Reason``."""
        return self._settings.reason

    @property
    def dialects(self) -> tuple[DialectName, ...]:
        """The dialects this client may use, in order: those it was given, else all that its server may speak."""
        return self._settings.dialects or self._shared.finding.dialects

    @property
    def finding(self) -> Finding | None:
        """The dialects that the server was found to speak and to lack; None where the client was given dialects."""
        return self._shared.finding if self._settings.dialects is None else None

    @property
    def strict(self) -> bool:
        """Whether an answer that deviates from its document raises an InvalidResponseError."""
        return self._settings.strict

    @property
    def clock(self) -> Clock:
        """The clock by which this client measures time and waits."""
        return self._shared.clock

    @property
    def user_agent(self) -> str:
        """The value of the header ``User-Agent``."""
        return f"crm-sdk/{__version__}"

    def terms(self, operation: Operation[Any, Any] | None = None, timeout: float | None = None) -> Terms:
        """Return the terms of a call: deadline, retries and credentials; `timeout` replaces the client's own."""
        settings, shared = self._settings, self._shared
        needs_token = operation is None or operation.flags.auth
        return Terms(
            settings.timeout if timeout is None else timeout,
            Retry(settings.max_retries),
            shared.clock,
            self._credentials if needs_token else Credentials(),
            shared.habits,
            self._renew if needs_token else None,
            operation is not None and operation.flags.safe,
            settings.idempotent_writes,
        )

    def _renew(self, timeout: float) -> Steps[None]:
        from .resources.auth import Auth

        credentials = self._credentials
        if credentials.refresh is None:
            return  # another call has tried, and the server has refused the refresh token
        try:
            yield from Auth.refresh.call(self, {"refresh_token": credentials.refresh}, timeout)
        except CrmError as error:
            # The caller gets the 401 that led here, not this error. A refused refresh token is not tried again.
            refused = isinstance(error, ApiError) and error.status < 500 and error.status != 429
            if refused or isinstance(error, UnsupportedOperationError):
                credentials.replace(credentials.access, None)

    def session(self, change: Session, result: Any) -> None:
        """Use the tokens of a sign-in or renewal from now on; forget them where the session ends."""
        if change == "end":
            if self._credentials.signed_in:
                self._credentials.replace(None, None)
        elif result.access_token:
            self._credentials.signed_in = True
            kept = self._credentials.refresh if change == "renew" else None  # RFC 6749, 6: a new one is optional
            self._credentials.replace(
                str(result.access_token), str(result.refresh_token) if result.refresh_token else kept
            )

    def own(self, job: Any) -> Any:
        """Return the job with this client, through which it asks for its state."""
        job._client = self  # a private attribute of the model: it is not pickled
        return job

    def _job_at(self, url: str, kind: Any) -> Steps[Any]:
        from .polling import job_at

        return job_at(self, url, kind)

    def report(self, operation: str, mismatches: Sequence[Mismatch]) -> None:
        """Log the deviations of an answer from its document, each kind once."""
        for mismatch in mismatches:
            kind = (operation, re.sub(r"\b\d+\b", "*", mismatch.path), mismatch.kind)
            reported = self._shared.habits.reported
            if kind not in reported and len(reported) < _KINDS_LOGGED:
                reported.add(kind)
                _log.warning(
                    "%s: the answer deviates from its document at %s: %s (further ones of this kind are not logged)",
                    *kind[:2],
                    mismatch.message,
                )

    def with_options(
        self,
        *,
        dialects: DialectChoice | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        tenant_id: str | None = None,
        api_key: str | None = None,
        strict: bool | None = None,
        idempotent_writes: bool | None = None,
        reason: str | None = None,
    ) -> Self:
        """Return a view of this client with other options; an option that is left out keeps its value.

        A view shares the client's connections: closing it closes nothing. It shares the sign-in, too, unless `api_key`
        is given. `reason`, up to 500 characters, is recorded in the audit trail with every write.

        Raises: ConfigurationError for an option that is not valid.
        """
        view = object.__new__(type(self))
        view._settings = self._settings.changed(
            dialects=dialects, timeout=timeout, max_retries=max_retries, tenant_id=tenant_id, strict=strict,
            idempotent_writes=idempotent_writes, reason=reason,
        )  # fmt: skip
        view._credentials = self._credentials if api_key is None else Credentials(header("api_key", api_key))
        view._shared = self._shared
        view._is_view = True
        return view

    _is_view = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, dialects={','.join(self.dialects)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self._settings, "finding": self._shared.finding}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Credentials and connections are not pickled: an unpickled client takes its key from the environment.
        self._settings = state["settings"]
        self._credentials = Credentials(header("api_key", os.environ.get("CRM_API_KEY")))
        self._shared = _Shared(self._open(None), SystemClock(), state["finding"])


class CrmClient(Client[Sync]):
    """A client of the CRM.

    ``base_url``, ``api_key``, ``tenant_id`` and ``dialects`` default to the environment variables ``CRM_BASE_URL``,
    ``CRM_API_KEY``, ``CRM_TENANT_ID`` and ``CRM_DIALECTS``. ``dialects`` names the dialects to use, in order; without
    it, calls try ``platform``, ``flow`` and ``mvp`` until the server answers in one, which later calls then use. A
    ``base_url`` that ends in ``/v1`` means ``platform``. ``timeout`` is the deadline of a whole call in seconds,
    retries included. ``http_client`` is an `httpx.Client` (or httpx2's) to send through, or a transport. With
    ``strict``, an answer that deviates from its document raises an InvalidResponseError. ``idempotent_writes`` states
    that the server honours ``Idempotency-Key``, so that a POST without an answer can be sent again. ``clock`` measures
    time and waits; with the stub's clock, a test does not wait.

    Threads may share a client. After a fork, the child process opens its own connections.

    Raises: ConfigurationError when there is no base URL or an option is not valid.
    """

    mode: ClassVar[type[Sync] | type[Async]] = Sync

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        tenant_id: str | None = None,
        dialects: DialectChoice | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        strict: bool = False,
        idempotent_writes: bool = False,
        max_connections: int = 100,
        http_client: HttpClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            base_url, api_key, tenant_id, dialects, timeout, max_retries, strict, idempotent_writes, max_connections,
            http_client, clock,
        )  # fmt: skip

    def _open(self, http_client: Any) -> Any:
        if _is_link(http_client):
            return http_client
        from .network import http

        return http.open_link(self.base_url, http_client, self._settings.max_connections)

    def _run(self, steps: Steps[T]) -> T:
        return run(steps, self._shared.link, self._shared.clock)

    def _run_pages(self, start: Callable[[], Steps[T]]) -> T:
        return self._run(start())

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawReply:
        """Send any request and return its status, headers and bytes; an error status raises nothing.

        `path` begins at the server's root, whether the base URL ends in ``/v1`` or not: ``/v1/leads``, ``/api/leads``.
        """
        from .raw import raw_call

        return self._run(raw_call(self, method, path, query, json, content, headers))

    def close(self) -> None:
        """Close the idle connections. A view closes nothing: they are its client's."""
        if not self._is_view:
            self._shared.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncCrmClient(Client[Async]):
    """A client of the CRM for asyncio and trio. Its options are those of `CrmClient`.

    Raises: ConfigurationError when there is no base URL or an option is not valid.
    """

    mode: ClassVar[type[Sync] | type[Async]] = Async

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        tenant_id: str | None = None,
        dialects: DialectChoice | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        strict: bool = False,
        idempotent_writes: bool = False,
        max_connections: int = 100,
        http_client: AsyncHttpClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            base_url, api_key, tenant_id, dialects, timeout, max_retries, strict, idempotent_writes, max_connections,
            http_client, clock,
        )  # fmt: skip

    def _open(self, http_client: Any) -> Any:
        if _is_link(http_client):
            return http_client
        from .network import http

        return http.open_async_link(self.base_url, http_client, self._settings.max_connections)

    def _run(self, steps: Steps[T]) -> Coroutine[Any, Any, T]:
        return run_async(steps, self._shared.link, self._shared.clock)

    def _run_pages(self, start: Callable[[], Steps[Any]]) -> AsyncPages[Any]:
        from .paging import AsyncPages

        return AsyncPages(lambda: self._run(start()))

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawReply:
        """Send any request and return its status, headers and bytes; an error status raises nothing.

        `path` begins at the server's root, whether the base URL ends in ``/v1`` or not: ``/v1/leads``, ``/api/leads``.
        """
        from .raw import raw_call

        return await self._run(raw_call(self, method, path, query, json, content, headers))

    async def close(self) -> None:
        """Close the idle connections. A view closes nothing: they are its client's."""
        if not self._is_view:
            await self._shared.link.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def _is_link(http_client: Any) -> bool:
    """Return whether `http_client` is a link, such as the stub's: it takes our requests itself, without httpx."""
    return getattr(http_client, "is_link", False) is True
