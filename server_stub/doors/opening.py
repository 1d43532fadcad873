"""The ways to a stub server: clients of it, httpx transports, a port, and every client of a block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from crm_sdk.errors import ConfigurationError

from ..clock import Clock
from .link import AsyncStubLink, StubLink

if TYPE_CHECKING:
    from crm_sdk import AsyncCrmClient, CrmClient

    from ..core import StubServer
    from .asgi import Port
    from .transports import AsyncStubTransport, StubTransport


_PACKAGES = (
    "jwt", "email_validator", "phonenumbers", "openpyxl", "PIL", "fpdf", "jinja2", "python_multipart", "pypdf",
)  # fmt: skip


@cache
def require_extra(find: Callable[[str], object]) -> None:
    """Raise an error now if a package of the extra ``stub`` is missing, rather than later in a rule."""
    missing = [name for name in _PACKAGES if find(name) is None]
    if missing:
        raise ConfigurationError(f"the stub needs {', '.join(missing)}: pip install 'crm-sdk[stub]'")


class Doors:
    """What `StubServer` has for who calls it."""

    clock: Clock

    def client(self, **options: Any) -> CrmClient:
        """Return a client of this server with the demo key ``acme-admin``; `options` are those of `CrmClient`.

        The client uses the stub's clock: where it would wait, the clock is advanced instead. It takes nothing from the
        environment: ``CRM_API_KEY``, ``CRM_TENANT_ID`` and ``CRM_DIALECTS`` are about another server.
        """
        from crm_sdk import CrmClient

        given: dict[str, Any] = self._options(options) | {"http_client": StubLink(self._server())} | options
        return CrmClient(**given)

    def async_client(self, **options: Any) -> AsyncCrmClient:
        """Return an async client of this server with the demo key ``acme-admin``, see `client`."""
        from crm_sdk import AsyncCrmClient

        given: dict[str, Any] = self._options(options) | {"http_client": AsyncStubLink(self._server())} | options
        return AsyncCrmClient(**given)

    def _server(self) -> StubServer:
        return cast("StubServer", self)

    def _options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        key = "acme-admin" if given.get("auth") is None else None
        return {"base_url": "http://stub.test", "api_key": key, "clock": self.clock}

    def transport(self) -> StubTransport:
        """Return an httpx transport that answers from this server: ``httpx.Client(transport=stub.transport())``."""
        from .transports import StubTransport

        return StubTransport(self._server())

    def async_transport(self) -> AsyncStubTransport:
        """Return an async httpx transport that answers from this server."""
        from .transports import AsyncStubTransport

        return AsyncStubTransport(self._server())

    def serve(self, port: int = 0, *, host: str = "127.0.0.1") -> Port:
        """Serve on a port, in a background thread: ``with stub.serve() as port: CrmClient(port.url)``.

        Port 0 takes a free one. The clock runs from now on, and rate limits are enforced unless the server was made
        with ``enforce_limits=False``. Needs the extra ``server``.
        """
        from .asgi import Port

        return Port(self._server(), host, port)

    def intercept(self) -> Any:
        """Connect every client to this server in ``with stub.intercept():``, whatever its base URL.

        One that is created in the block stays connected after it; one that was created before goes back to its own.
        """
        from .transports import intercept_clients

        return intercept_clients(self._server())
