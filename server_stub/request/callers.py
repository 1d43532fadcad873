"""The caller of a request: a user by a token, whoever an API key stands for, or an app that a company has installed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..data.document import Document
from ..problems import Problem
from ..serving import Caller
from . import identity

if TYPE_CHECKING:
    from ..core import StubServer

APP_TOKEN = "app_token"
"""The kind of the records with an installed app's token; their ids are those of the installations."""
_DAY = timedelta(days=1)


def caller_of(server: StubServer, credential: str, now: datetime) -> Caller:
    """Return the caller for a bearer credential. Raises: 401; 403 for a user who was deactivated."""
    if identity.is_token(credential):
        return _user(server, credential)
    key = identity.find_api_key(server.store, credential)
    if key is None:
        return _app(server, credential, now)
    return Caller(key["tenant_id"], key["id"], key.get("user_id"), key["role"], key["name"], auth="api_key")


def _user(server: StubServer, token: str) -> Caller:
    claims = server.tokens.verify(token)
    session = server.store.collection(claims.tenant_id, "session").get(claims.session_id)
    user = server.store.collection(claims.tenant_id, "user").get(claims.user_id)
    if session is None or session.get("revoked_at") is not None or user is None:
        raise identity.unauthorized("the session of this token has ended; sign in again", error="invalid_token")
    if user.get("status") == "inactive":
        raise Problem("USER_INACTIVE", "this user has been deactivated")
    return Caller(
        claims.tenant_id, user["id"], user["id"], user["role"], user["name"], user["email"], "token", session["id"]
    )


def _app(server: StubServer, credential: str, now: datetime) -> Caller:
    """Return an app as the caller, with the permissions that it was granted; its call is counted."""
    token = identity.find_api_key(server.store, credential, APP_TOKEN)
    if token is None:
        raise identity.unauthorized("the API key is not known")
    hour = now.replace(minute=0, second=0, microsecond=0)
    recent = [entry for entry in token["calls"] if entry["hour"] > now - _DAY]
    count = sum(entry["calls"] for entry in recent if entry["hour"] == hour)
    calls = [*(entry for entry in recent if entry["hour"] != hour), {"hour": hour, "calls": count + 1}]
    server.store.collection(token["tenant_id"], APP_TOKEN).put(token | {"calls": calls, "last_used_at": now})
    granted = frozenset[str](token["permissions"])
    return Caller(token["tenant_id"], token["app_id"], None, "app", token["name"], auth="app", granted=granted)


def calls_within_a_day(token: Document, now: datetime) -> int:
    """Return how many calls an app has made with its token in the last 24 hours, to the hour."""
    return sum(entry["calls"] for entry in token["calls"] if entry["hour"] > now - _DAY)
