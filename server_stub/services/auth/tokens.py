"""Sessions and their tokens: how they begin, are renewed, and end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...data.collection import Collection
from ...data.document import Document
from ...problems import Problem
from ...request.access.callers import SESSION, has_timed_out, user_caller
from ...request.access.identity import ACCESS_SECONDS, fingerprint
from ...serving import Context, Members

REFRESH = timedelta(days=30)


def caller_as(call: Context, user: Members, session_id: str | None = None) -> Context:
    """Return the call with a user as the caller."""
    return call.acting_as(user_caller(call.server.store, user, call.now, session_id))


def begin_session(call: Context, owner_id: str, method: str, **members: Any) -> Document:
    """Store a new session of a user or an application; the call is theirs."""
    agent: str | None = call.source.get("user_agent")
    return call.create(
        SESSION,
        "session_",
        {
            "user_id": owner_id,
            "device": agent.partition("/")[0][:100] if agent else None,
            "user_agent": agent,
            "ip_address": call.source.get("ip_address"),
            "location": None,
            "auth_method": method,
            "mfa_verified": False,
            "client_id": None,
            "last_seen_at": call.now,
            "expires_at": call.now + REFRESH,
            "revoked_at": None,
            **members,
        },
    )


def sign_in(call: Context, user: Document, *, mfa_verified: bool) -> dict[str, Any]:
    """Begin a session of a user, and return the result of the sign-in."""
    mine = caller_as(call, user)
    user = mine.collection("user").put(user | {"last_login": call.now})
    method = "mfa" if mfa_verified else "password"
    session = begin_session(mine, user["id"], method, mfa_verified=mfa_verified)
    told = caller_as(call, user, session["id"])
    told.emit("auth.login", "user", user, metadata={"session_id": session["id"]})
    return {
        **token_set(told, user, session["id"], None),
        "user": user,
        "session_id": session["id"],
        "mfa_required": False,
    }


def token_set(call: Context, user: Members, session_id: str, scope: str | None) -> dict[str, Any]:
    """Return an access token and the next refresh token of a session."""
    token = f"refresh_{secrets.token_urlsafe(32)}"
    call.collection("refresh_token").put(
        Document(
            id=call.new_id("refresh_"),
            fingerprint=fingerprint(token),
            session_id=session_id,
            user_id=user["id"],
            scope=scope,
            created_at=call.now,
            expires_at=call.now + REFRESH,
            used_at=None,
        )
    )
    return {**access_token(call, user, session_id, scope), "refresh_token": token}


def access_token(call: Context, user: Members, session_id: str, scope: str | None) -> dict[str, Any]:
    """Return an access token of a session with what is to be known of it."""
    return {
        "access_token": call.server.tokens.issue(user, session_id, scope=scope),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "scope": scope,
    }


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A known refresh token with its collection."""

    tokens: Collection
    doc: Document

    @property
    def tenant_id(self) -> str:
        """The company of the token."""
        return self.tokens.tenant_id


def find_refresh_token(call: Context, token: str) -> HeldToken | None:
    """Return a refresh token, of any company; None for a text that is none."""
    digest = fingerprint(token)
    for tokens in call.server.store.across("refresh_token"):
        if found := tokens.find("fingerprint", digest):
            return HeldToken(tokens, found[0])
    return None


def rotate(call: Context, held: HeldToken, scope: str | None) -> dict[str, Any]:
    """Exchange a refresh token for new tokens; the old one becomes invalid.

    Raises: 401 for one that has expired, or whose session has ended, or that was used before, which ends its session.
    """
    user = call.server.store.collection(held.tenant_id, "user").get(held.doc["user_id"])
    if user is None:
        raise _useless("the user of this refresh token was deleted")
    mine = caller_as(call, user, held.doc["session_id"])
    session = mine.collection(SESSION).get(held.doc["session_id"])
    if session is None or session["revoked_at"] is not None:
        raise _useless("the session of this refresh token has ended; sign in again")
    if has_timed_out(call.server.store, session, held.tenant_id, call.now):
        raise _useless("the session of this refresh token was not used for too long; sign in again")
    if held.doc["used_at"] is not None:
        with call.server.store.keep_despite_rollback():
            end_session(mine, session)
            mine.emit("auth.token_reuse_detected", "user", user, metadata={"session_id": session["id"]})
        raise Problem("TOKEN_REUSED", "this refresh token was used before: its session has ended; sign in again")
    if held.doc["expires_at"] <= call.now:
        raise _useless("the refresh token has expired; sign in again")
    if user["status"] == "inactive":
        raise Problem("USER_INACTIVE", "this user has been deactivated")
    granted: str | None = held.doc["scope"]
    if scope is not None and granted is not None and not set(scope.split()) <= set(granted.split()):
        raise Problem("INVALID_SCOPE", f"the token allows {granted!r} only", details={"scope": granted})
    held.tokens.put(held.doc | {"used_at": call.now})
    mine.collection(SESSION).put(session | {"last_seen_at": call.now, "expires_at": call.now + REFRESH})
    mine.emit("auth.token_refreshed", "user", user, metadata={"session_id": session["id"]})
    return token_set(mine, user, session["id"], scope or granted)


def _useless(message: str) -> Problem:
    return Problem("UNAUTHORIZED", message, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def end_session(call: Context, session: Document) -> None:
    """End a session, which makes its access tokens and refresh tokens invalid."""
    if session["revoked_at"] is None:
        call.update(SESSION, session, {"revoked_at": call.now})


def end_sessions(call: Context, user_id: str, *, but: str | None = None) -> None:
    """End the sessions of a user, all or all but one; an event of the caller's closes their live connections."""
    for session in call.collection(SESSION).find("user_id", user_id):
        if session["id"] != but:
            end_session(call, session)
