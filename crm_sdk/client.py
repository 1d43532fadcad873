"""The clients `CrmClient` and `AsyncCrmClient`."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ._version import __version__
from .catalogue import Catalogue
from .credentials import Credentials, renewal
from .dialects import DialectChoice, DialectName
from .discovery import Finding
from .errors import ConfigurationError
from .exchange import Clock, Habits, Steps, SystemClock, Terms, run, run_async
from .network.retry import Retry
from .network.shared import Shared, environment_for, is_link
from .options import Options
from .resource import Async, Mode, Sync
from .sync.attached import WithAsyncSync, WithSync

if TYPE_CHECKING:
    from typing import Self

    from .network.http import AsyncHttpClient, HttpClient
    from .operation import Operation
    from .options import Secret, Url
    from .raw import RawReply
    from .route import Session
    from .sign_in.ways import SignIn

T = TypeVar("T")


class Client(Catalogue[Mode], ABC, Generic[Mode]):
    """The base class of the sync and the async client."""

    mode: ClassVar[type[Sync] | type[Async]]

    def __init__(
        self,
        base_url: Url | None,
        api_key: Secret | None,
        tenant_id: str | None,
        dialects: DialectChoice | None,
        timeout: float,
        max_retries: int,
        strict: bool,
        idempotent_writes: bool,
        max_connections: int,
        max_response_bytes: int,
        proxy: Url | None,
        allow_http: bool | None,
        http_client: Any,
        clock: Clock | None,
        auth: SignIn | None,
    ) -> None:
        environment = environment_for(http_client)
        self._settings = Options.read(
            base_url=base_url, tenant_id=tenant_id, dialects=dialects, timeout=timeout, max_retries=max_retries,
            strict=strict, idempotent_writes=idempotent_writes, max_connections=max_connections,
            max_response_bytes=max_response_bytes, proxy=proxy,
            allow_http=True if http_client is not None else allow_http, environment=environment,
        )  # fmt: skip
        self._credentials = Credentials.read(api_key, auth, environment)
        self._shared = Shared(self._open(http_client), clock or SystemClock(), Finding())

    @abstractmethod
    def _open(self, http_client: Any) -> Any: ...

    @abstractmethod
    def _run(self, steps: Steps[Any]) -> Any: ...

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
    def language(self) -> str | None:
        """The language of messages and labels, sent as ``Accept-Language``; None for that of the user or company."""
        return self._settings.language

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that requests have beside the client's own."""
        return dict(self._settings.headers)

    def new_key(self) -> str:
        """Return the ``Idempotency-Key`` of the next POST."""
        return self._settings.idempotency_key or str(uuid.uuid4())

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
    def habits(self) -> Habits:
        """What this client has learned about its server."""
        return self._shared.habits

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
        if self._lost_key and needs_token and self._credentials.access is None:
            raise ConfigurationError(
                "this client was unpickled, and no pickle holds a credential: set CRM_API_KEY where it arrives, "
                "use with_options(api_key=…), or sign in"
            )
        return Terms(
            settings.timeout if timeout is None else timeout,
            Retry(settings.max_retries),
            shared.clock,
            self._credentials if needs_token else Credentials(),
            shared.habits,
            partial(renewal, self, self._credentials) if needs_token else None,
            operation is not None and operation.flags.safe,
            settings.idempotent_writes,
        )

    @property
    def secrets(self) -> tuple[str | None, str | None]:
        """The credentials, which no error may show though a server repeats them."""
        return self._credentials.access, self._credentials.refresh

    def session(self, change: Session, result: Any) -> None:
        """Use the tokens that a call brought, or forget them."""
        self._credentials.take(change, result)

    def own(self, job: Any) -> Any:
        """Return the job with this client, through which it asks for its state."""
        job._client = self  # a private attribute of the model: it is not pickled
        return job

    def _job_at(self, url: str, kind: Any) -> Steps[Any]:
        from .network.polling import job_at

        return job_at(self, url, kind)

    def with_options(
        self,
        *,
        dialects: DialectChoice | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        tenant_id: str | None = None,
        api_key: Secret | None = None,
        strict: bool | None = None,
        idempotent_writes: bool | None = None,
        reason: str | None = None,
        language: str | None = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a view of this client with other options; an option that is left out keeps its value.

        A view shares the sign-in, unless it has its own `api_key`. The audit trail gets `reason`, up to 500 characters.
        `language` is a tag such as ``de`` or ``pt-BR``: messages of errors, labels and summaries come in it where the
        server has it; codes, ids, values and stored data stay as they are.
        `idempotency_key` is for one POST, such as one that is said again with the key of the error it ended in:
        the server then does it once. `headers` go with each request, beside those of the client. Raises:
        ConfigurationError, for what cannot be right.
        """
        view = object.__new__(type(self))
        view._settings = self._settings.changed(
            dialects=dialects, timeout=timeout, max_retries=max_retries, tenant_id=tenant_id, strict=strict,
            idempotent_writes=idempotent_writes, reason=reason, language=language,
            idempotency_key=idempotency_key, headers=headers,
        )  # fmt: skip
        view._credentials = self._credentials if api_key is None else Credentials.read(api_key)
        view._shared = self._shared
        view._is_view = True
        return view

    _is_view = False
    _lost_key = False
    """Whether there was no credential where the client was unpickled."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, dialects={','.join(self.dialects)!r})"

    def __deepcopy__(self, memo: object = None) -> Self:
        return self.with_options()

    __copy__ = __deepcopy__

    def __getstate__(self) -> dict[str, Any]:
        # A pickle may be kept or sent anywhere: it holds no secrets.
        settings = replace(self._settings, proxy=None, headers=())
        return {
            "settings": settings,
            "finding": self._shared.finding,
            "keyed": self._credentials.access is not None or self._credentials.renewable,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Credentials and connections are not pickled: an unpickled client takes its key from the environment.
        self._settings = state["settings"]
        self._credentials = Credentials.read(None)
        self._lost_key = state["keyed"] and self._credentials.access is None
        self._shared = Shared(self._open(None), SystemClock(), state["finding"])


class CrmClient(Client[Sync], WithSync):
    """A client of the CRM.

    ``base_url``, ``api_key``, ``tenant_id`` and ``dialects`` are taken from ``CRM_BASE_URL``, ``CRM_API_KEY``,
    ``CRM_TENANT_ID`` and ``CRM_DIALECTS`` where they are not given. Without ``dialects`` the client finds out by its
    calls which of them the server speaks, the richest first; with ``dialects`` it uses those and tries nothing. A
    ``base_url`` that ends in ``/v1`` speaks ``platform``. ``timeout`` is the deadline of a whole call in
    seconds, retries included. ``http_client`` is an `httpx.Client` (or httpx2's) to send through, or a transport.
    Without it ``proxy``, ``CRM_PROXY`` or the usual variables (``HTTPS_PROXY``, ``NO_PROXY``) lead through a proxy;
    ``proxy=""`` to none. A server without TLS has to be on this machine, unless ``allow_http`` (``CRM_ALLOW_HTTP=1``).
    An answer has at most ``max_response_bytes``, unpacked; a download any number.
    ``strict`` makes an answer that deviates from its document an error. ``idempotent_writes`` says that the server
    honours ``Idempotency-Key``, so that a POST without an answer is sent again. ``clock`` is where the time is taken
    from: the stub's clock makes waiting instant in a test.
    ``auth`` in place of ``api_key`` is a way to sign in (`crm_sdk.sign_in`): the first call signs in, later ones renew.

    Threads may share a client. After a fork the child opens connections of its own. A copy is a view as `with_options`
    makes one; a pickle holds no credential.

    Raises: ConfigurationError when there is no base URL or an option is not valid.
    """

    mode: ClassVar[type[Sync] | type[Async]] = Sync

    def __init__(
        self,
        base_url: Url | None = None,
        api_key: Secret | None = None,
        *,
        tenant_id: str | None = None,
        dialects: DialectChoice | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        strict: bool = False,
        idempotent_writes: bool = False,
        max_connections: int = 100,
        max_response_bytes: int = 64_000_000,
        proxy: Url | None = None,
        allow_http: bool | None = None,
        http_client: HttpClient | None = None,
        clock: Clock | None = None,
        auth: SignIn | None = None,
    ) -> None:
        super().__init__(
            base_url, api_key, tenant_id, dialects, timeout, max_retries, strict, idempotent_writes, max_connections,
            max_response_bytes, proxy, allow_http, http_client, clock, auth,
        )  # fmt: skip

    def _open(self, http_client: Any) -> Any:
        if is_link(http_client):
            return http_client
        from .network import http

        return http.open_link(self._settings, http_client)

    def _run(self, steps: Steps[T]) -> T:
        return run(steps, self._shared.link, self._shared.clock)

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


class AsyncCrmClient(Client[Async], WithAsyncSync):
    """A client of the CRM for asyncio and trio. Its options are those of `CrmClient`.

    Raises: ConfigurationError when there is no base URL or an option is not valid.
    """

    mode: ClassVar[type[Sync] | type[Async]] = Async

    def __init__(
        self,
        base_url: Url | None = None,
        api_key: Secret | None = None,
        *,
        tenant_id: str | None = None,
        dialects: DialectChoice | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        strict: bool = False,
        idempotent_writes: bool = False,
        max_connections: int = 100,
        max_response_bytes: int = 64_000_000,
        proxy: Url | None = None,
        allow_http: bool | None = None,
        http_client: AsyncHttpClient | None = None,
        clock: Clock | None = None,
        auth: SignIn | None = None,
    ) -> None:
        super().__init__(
            base_url, api_key, tenant_id, dialects, timeout, max_retries, strict, idempotent_writes, max_connections,
            max_response_bytes, proxy, allow_http, http_client, clock, auth,
        )  # fmt: skip

    def _open(self, http_client: Any) -> Any:
        if is_link(http_client):
            return http_client
        from .network import http

        return http.open_async_link(self._settings, http_client)

    def _run(self, steps: Steps[T]) -> Coroutine[Any, Any, T]:
        return run_async(steps, self._shared.link, self._shared.clock)

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
