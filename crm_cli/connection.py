"""Open a client from the settings: for the server that they name, or for the embedded one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import ConfigurationError

from .settings import Settings, SignIn, read_sign_in, write_sign_in

if TYPE_CHECKING:
    from crm_sdk import CrmClient

_DEMO_KEY, _DEMO_TENANT = "acme-admin", "tenant_acme"


@contextmanager
def open_client(settings: Settings) -> Generator[CrmClient]:
    """Open a client and close it at the end. Raises: ConfigurationError when no server is known."""
    if settings.offline:
        yield from _offline(settings)
        return
    if settings.base_url is None:
        raise ConfigurationError("no server is known: use --offline, sign in with `crm login`, or set CRM_BASE_URL")
    from crm_sdk import CrmClient
    from crm_sdk.sign_in.stored import StoredSession

    from . import credentials

    secret = credentials.load(settings.base_url) if settings.api_key is None else None
    session = secret is not None and secret.is_session
    way = StoredSession(None, credentials.KeyringStore(settings.base_url)) if session else None
    key = settings.api_key if secret is None or session else secret.access_token
    with CrmClient(settings.base_url, key, auth=way, **_common(settings)) as client, _recall(settings.stored, client):
        yield client.with_options(reason=settings.typed.reason, language=settings.language)


@contextmanager
def _recall(stored: SignIn, client: CrmClient) -> Generator[None]:
    """Start with the dialects that earlier commands have found, and store those that this one finds."""
    finding = client.finding
    if finding is None or stored.base_url != client.base_url:
        yield
        return
    finding.recall(stored.speaks, stored.lacks)
    try:
        yield
    finally:
        if (finding.spoken, finding.lacking) != (stored.speaks, stored.lacks):
            now = read_sign_in()  # another command may have signed in or out in the meantime
            if now.base_url == client.base_url:
                write_sign_in(replace(now, speaks=finding.spoken, lacks=finding.lacking))


def _offline(settings: Settings) -> Generator[CrmClient]:
    from .offline import embedded_server, open_state

    # The key and the company in the environment are those of another server: only typed options are used here.
    key = settings.typed.api_key or _DEMO_KEY
    tenant = settings.typed.tenant or (_DEMO_TENANT if key == _DEMO_KEY else None)
    with embedded_server(open_state()) as server:
        client = server.client(**_common(settings) | {"api_key": key, "tenant_id": tenant})
        yield client.with_options(reason=settings.typed.reason, language=settings.language)


def _common(settings: Settings) -> dict[str, Any]:
    return {"tenant_id": settings.tenant, "dialects": settings.dialect, "timeout": settings.timeout}
