"""Who the credential of a command is, as the server says: this is how a credential is tried."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import (
    ApiError,
    AuthenticationError,
    CrmError,
    InvalidResponseError,
    PermissionDeniedError,
    UnsupportedOperationError,
)

if TYPE_CHECKING:
    from crm_sdk import CrmClient


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, or an application that acts for itself: then there is no user."""

    id: str | None = None
    name: str | None = None
    email: str | None = None
    role: str | None = None
    company: str | None = None
    """The name of the company, or its id where the caller may not see the name."""
    tenant_id: str | None = None
    server_version: str | None = None
    environment: str | None = None
    """What the server says it is: ``production``, ``sandbox`` or ``test``."""
    server_time: datetime | None = None

    @property
    def label(self) -> str:
        """Who it is, in a line."""
        if self.id is None:
            return "no user: the key of an application, or of a server that does not tell"
        address = f"<{self.email}>" if self.email and self.name else self.email
        return " ".join(part for part in (self.name, address) if part) or self.id


def identify(client: CrmClient) -> Identity:
    """Return who the credential of a client is. Raises: CrmError where it is refused, or nothing answers.

    The calls differ by the server's document; where it has none of them, a list is read to try the credential.
    """
    for ask in (_by_claims, _by_user):
        try:
            return ask(client)
        except PermissionDeniedError as error:
            if error.code != "NO_USER":
                raise
            return _at_company(client, Identity())
        except AuthenticationError:
            raise
        except (UnsupportedOperationError, InvalidResponseError):
            continue
        except ApiError as error:
            if error.status not in (404, 405):
                raise
    client.leads.list(limit=1)
    return Identity()


def _by_claims(client: CrmClient) -> Identity:
    """Ask as the platform's document does."""
    user = client.auth.userinfo()
    role = ", ".join(user.roles) or user.role
    return _at_company(client, Identity(user.sub, user.name, user.email, role, tenant_id=user.tenant_id))


def _by_user(client: CrmClient) -> Identity:
    """Ask as the flow document does."""
    user = client.auth.me()
    return Identity(user.id, user.name, user.email, user.role)


def _at_company(client: CrmClient, found: Identity) -> Identity:
    """Return an identity with its company and its server, as far as it may see them."""
    from dataclasses import replace

    def tried(call: Callable[[], Any]) -> Any:
        with suppress(CrmError):
            return call()
        return None

    server = tried(client.configuration.environment)
    if server is not None:
        found = replace(found, server_version=server.server_version, environment=server.name, server_time=server.time)
    tenant_id = found.tenant_id
    company = tried(lambda: client.tenants.get(tenant_id)) if tenant_id is not None else None
    return replace(found, company=getattr(company, "name", None) or tenant_id)
