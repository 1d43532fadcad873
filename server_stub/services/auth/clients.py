"""OAuth clients: those of every company, and one for each app of the marketplace."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote_plus, urlsplit

from ...data.store import EVERY_COMPANY
from ...problems import Problem
from ...request.access.permissions import read_permission
from ...serving import Context
from ..marketplace.apps import signing_secret

IDENTITY = ("openid", "profile", "email")
"""The scopes of OpenID Connect."""
_USER_GRANTS = ("authorization_code", "refresh_token")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An application that may ask for tokens."""

    client_id: str
    name: str
    redirect_uris: Sequence[str]
    scopes: Sequence[str]
    grant_types: Sequence[str]
    client_secret: str | None = None
    """The secret of a confidential client; None for a public one."""
    default_scopes: Sequence[str] = ()
    """What it is granted where it asks for nothing; without them all of `scopes`."""
    actor_id: str = ""
    """As whom it acts for itself."""

    def grants(self, scope: str | None) -> str:
        """Return the scope that the client gets where it asks for one. Raises: 400 for one it may not have."""
        if scope is None or not scope.strip():
            return " ".join(self.default_scopes or self.scopes)
        strange = [word for word in scope.split() if word not in self.scopes and not self._is_part(word)]
        if strange:
            message = f"{self.name} may not have the scope {' '.join(strange)}"
            raise Problem("INVALID_SCOPE", message, details={"scopes": list(self.scopes)})
        return " ".join(dict.fromkeys(scope.split()))

    def _is_part(self, word: str) -> bool:
        """Tell whether a scope is a permission that ``api`` includes."""
        return "api" in self.scopes and read_permission(word) is not None

    def has_redirect(self, uri: str) -> bool:
        """Tell whether an address is registered; of one on this machine the port does not count (RFC 8252, 7.3)."""
        return uri in self.redirect_uris or any(
            (loopback := _loopback(known)) is not None and loopback == _loopback(uri) for known in self.redirect_uris
        )


def _loopback(uri: str) -> tuple[str, str] | None:
    """Return the path and the query of an address on this machine; None for any other."""
    if not re.match(r"http://127\.0\.0\.1(:\d{1,5})?(/|$)", uri):
        return None
    parts = urlsplit(uri)
    return (parts.path, parts.query) if not parts.fragment else None


_OF_EVERY_COMPANY = {
    client.client_id: client
    for client in (
        OAuthClient(
            "demo-web", "Demo web application", ["http://127.0.0.1:8765/callback"], [*IDENTITY, "api"], _USER_GRANTS,
            actor_id="app_demo_web",
        ),
        OAuthClient(
            "demo-service", "Demo service", [], ["api"], ["client_credentials"], "demo-secret",
            actor_id="app_demo_service",
        ),
    )
}  # fmt: skip


def find_client(call: Context, client_id: str) -> OAuthClient | None:
    """Return a client of the caller's company, or where nobody has signed in of any; None for an unknown one."""
    if client_id in _OF_EVERY_COMPANY:
        return _OF_EVERY_COMPANY[client_id]
    for app in call.server.store.collection(EVERY_COMPANY, "app").find("oauth_client_id", client_id):
        tenant_id = call.caller.tenant_id
        known = not tenant_id or app["tenant_id"] == tenant_id or app["id"] in _installed_apps(call)
        if app["oauth_client_id"] == client_id and known:
            return _of_app(app)
    return None


def _installed_apps(call: Context) -> set[str]:
    return {doc["app_id"] for doc in call.collection("installation")}


def _of_app(app: Mapping[str, Any]) -> OAuthClient:
    scopes = [*IDENTITY, *app["permissions"], *app["optional_permissions"]]
    return OAuthClient(
        app["oauth_client_id"], app["name"], app["redirect_uris"], scopes, _USER_GRANTS, signing_secret(app["id"]),
        default_scopes=[*IDENTITY, *app["permissions"]], actor_id=app["id"],
    )  # fmt: skip


def authenticated_client(call: Context, client_id: str | None, client_secret: str | None) -> OAuthClient:
    """Return the client that calls, by Basic or by the body (RFC 6749, section 2.3). Raises: 401 for a wrong one."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    by_header = scheme.lower() == "basic"
    if by_header:
        given_id, given_secret = _basic(value)
        if client_id not in (None, given_id):
            _refuse(basic=True)
        client_id, client_secret = given_id, given_secret
    client = find_client(call, client_id) if client_id is not None else None
    if client is None:
        _refuse(basic=by_header)
    secret = client.client_secret
    if secret is not None and not hmac.compare_digest((client_secret or "").encode(), secret.encode()):
        _refuse(basic=by_header)
    if secret is None and client_secret:
        _refuse(basic=by_header)
    return client


def _basic(value: str) -> tuple[str, str]:
    try:
        name, found, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        _refuse(basic=True)
    if not found:
        _refuse(basic=True)
    return unquote_plus(name), unquote_plus(secret)


def _refuse(*, basic: bool) -> NoReturn:
    headers = {"WWW-Authenticate": 'Basic realm="crm"'} if basic else {}
    raise Problem("INVALID_CLIENT", "the client is not known, or its secret is wrong", headers=headers)
