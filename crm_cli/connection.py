"""Open a client from the settings: for the server that they name, or for the embedded one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import ConfigurationError
from crm_sdk.options import is_private

from .account.profiles import finding_of, note_finding, read_user_config
from .discovery.live_words import forget_answers
from .failures import MisuseError
from .settings import Settings

if TYPE_CHECKING:
    from crm_sdk import CrmClient

_DEMO_KEY, _DEMO_TENANT = "acme-admin", "tenant_acme"


_SHARED: ContextVar[CrmClient | None] = ContextVar("shared", default=None)


@contextmanager
def sharing(client: CrmClient) -> Generator[None]:
    """Let all that opens a client within it use this one: a view that is drawn again connects once."""
    token = _SHARED.set(client)
    try:
        yield
    finally:
        _SHARED.reset(token)


def server_name(settings: Settings, client: CrmClient) -> str:
    """Return what the server of a client is called in messages."""
    return "the embedded server" if settings.offline else client.base_url


@contextmanager
def open_writing_client(settings: Settings) -> Generator[CrmClient]:
    """Open a client of a command that writes, and forget at the end what TAB knows, which is of before.

    Raises: as `open_client`.
    """
    try:
        with open_client(settings) as client:
            yield client
    finally:
        forget_answers()


@contextmanager
def open_client(settings: Settings) -> Generator[CrmClient]:
    """Open a client and close it at the end. Raises: ConfigurationError when no server is known."""
    shared = _SHARED.get()
    if shared is not None:
        yield shared
        return
    if settings.offline:
        yield from _offline(settings)
        return
    if settings.base_url is None:
        raise ConfigurationError("no server is known: use --offline, sign in with `crm login`, or set CRM_BASE_URL")
    from crm_sdk import CrmClient
    from crm_sdk.sign_in.stored import StoredSession

    from .account import credentials

    refuse_strange_server(settings)
    account = settings.account if settings.api_key is None else None
    secret = credentials.load(account) if account is not None else None
    way = StoredSession(None, credentials.SessionStore(account)) if account and secret and secret.is_session else None
    key = settings.api_key if secret is None or way is not None else secret.access_token
    with CrmClient(settings.base_url, key, auth=way, **_common(settings)) as client, _recall(settings, client):
        yield client.with_options(reason=settings.typed.reason, language=settings.language)


def refuse_strange_server(settings: Settings) -> None:
    """Refuse to send a key to a server that only the project's file names. Raises: MisuseError.

    A project that was copied from somewhere could name a server that collects keys. A sign-in goes to its own server
    only; the key of an option or of the environment would go to any.
    """
    told = settings.layers.find_one("base_url")
    if settings.api_key is None or told.layer != "project" or str(told.value) in settings.layers.user.servers():
        return
    if not is_private(str(told.value).replace("https://", "http://", 1)):
        raise MisuseError(
            f"{told.where} names the server {told.value}, which no profile of yours has, so it is not sent "
            f"{settings.layers.find_one('api_key').where}: set CRM_BASE_URL to it if you mean it, or sign in to it"
        )


@contextmanager
def _recall(settings: Settings, client: CrmClient) -> Generator[None]:
    """Start with the dialects that earlier commands have found, and store those that this one finds."""
    finding = client.finding
    if finding is None or client.base_url not in settings.layers.user.servers():
        yield
        return
    before = finding_of(client.base_url)
    finding.recall(*before)
    try:
        yield
    finally:
        found = (finding.spoken, finding.lacking)
        # Another command may have signed in or out in the meantime.
        if found != before and client.base_url in read_user_config().servers():
            note_finding(client.base_url, *found)


def _offline(settings: Settings) -> Generator[CrmClient]:
    from .offline import embedded_server, logging_to_file, open_state

    # The key and the company in the environment are those of another server: only typed options are used here.
    key = settings.typed.api_key or _DEMO_KEY
    tenant = settings.typed.tenant or (_DEMO_TENANT if key == _DEMO_KEY else None)
    with embedded_server(open_state()) as server, logging_to_file():
        client = server.client(**_common(settings) | {"api_key": key, "tenant_id": tenant})
        yield client.with_options(reason=settings.typed.reason, language=settings.language)


def _common(settings: Settings) -> dict[str, Any]:
    return {"tenant_id": settings.tenant, "dialects": settings.dialect, "timeout": settings.timeout}
