"""The rules of sign-in: sessions and their tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from crm_sdk.resources.auth import Auth
from crm_sdk.vocabulary.codes import STATUSES

from ..data.collection import Collection
from ..data.document import Document
from ..data.store import Store
from ..problems import Problem
from ..request.callers import user_caller
from ..request.identity import ACCESS_SECONDS, find_users, fingerprint, password_fits, unauthorized
from ..serving import Caller, Context, serves

MOST_FAILURES = 5
WATCHED = timedelta(minutes=15)
"""The time window in which `MOST_FAILURES` failures lock an address, whatever the password."""
REFRESH = timedelta(days=30)
_STEP = 30
"""The time step of one-time codes in seconds (RFC 6238)."""


@serves(Auth.login)
def login(call: Context, email: str, password: str, tenant: str | None, mfa_code: str | None) -> dict[str, Any]:
    """Start a session."""
    address = email.strip().casefold()
    _refuse_too_many(call, address)
    known = find_users(call.server.store, address, tenant)
    fitting = [user for user in known if password_fits(password, user.get("password_hash"))]
    if not fitting:
        _fail(call, address, known)
    if len(known) > 1:
        slugs = [call.server.tenant(user["tenant_id"])["slug"] for user in fitting]
        message = "this address is known in several companies: name one with tenant"
        raise Problem("TENANT_REQUIRED", message, field="tenant", rule="required", details={"tenants": slugs})
    (user,) = fitting
    if user["status"] == "inactive":
        raise Problem("USER_INACTIVE", "this user has been deactivated")
    security: dict[str, Any] = call.server.tenant(user["tenant_id"]).get("security") or {}
    if security.get("require_email_verification") and not user.get("email_verified"):
        raise Problem("EMAIL_NOT_VERIFIED", "the e-mail address has to be verified first")
    verified = bool(user.get("mfa_enabled"))
    if verified and mfa_code is None:
        return {"user": user, "mfa_required": True, "mfa_token": secrets.token_urlsafe(24)}
    if verified and not _is_code(mfa_code or "", user.get("mfa_secret"), call.now):
        _fail(call, address, known, code="INVALID_MFA_CODE")
    failures = _failures(call)
    if address in failures:
        failures.remove(address)
    return _begin(call, user, mfa_verified=verified)


def _begin(call: Context, user: Document, *, mfa_verified: bool) -> dict[str, Any]:
    mine = _as(call, user, None)
    user = mine.collection("user").put(user | {"last_login": call.now})
    session = mine.create(
        "session",
        "session_",
        {
            "user_id": user["id"],
            "device": None,
            "user_agent": None,
            "ip_address": None,
            "location": None,
            "auth_method": "mfa" if mfa_verified else "password",
            "mfa_verified": mfa_verified,
            "client_id": None,
            "last_seen_at": call.now,
            "expires_at": call.now + REFRESH,
            "revoked_at": None,
        },
    )
    _as(call, user, session["id"]).emit("auth.login", "user", user, metadata={"session_id": session["id"]})
    return {
        **_tokens(mine, user, session["id"], None),
        "user": user,
        "session_id": session["id"],
        "mfa_required": False,
    }


@serves(Auth.refresh)
def refresh(call: Context, refresh_token: str, scope: str | None) -> dict[str, Any]:
    """Exchange a refresh token for new tokens; the old one becomes invalid."""
    held = _find_refresh_token(call.server.store, refresh_token)
    user = call.server.store.collection(held.tenant_id, "user").get(held.doc["user_id"]) if held else None
    if held is None or user is None:
        raise unauthorized("the refresh token is not known; sign in again", error="invalid_token")
    mine = _as(call, user, held.doc["session_id"])
    session = mine.collection("session").get(held.doc["session_id"])
    if session is None or session["revoked_at"] is not None:
        raise unauthorized("the session of this refresh token has ended; sign in again", error="invalid_token")
    if held.doc["used_at"] is not None:
        with call.server.store.keep_despite_rollback():
            _end(mine, session)
            mine.emit("auth.token_reuse_detected", "user", user, metadata={"session_id": session["id"]})
        raise Problem("TOKEN_REUSED", "this refresh token was used before: its session has ended; sign in again")
    if held.doc["expires_at"] <= call.now:
        raise unauthorized("the refresh token has expired; sign in again", error="invalid_token")
    if user["status"] == "inactive":
        raise Problem("USER_INACTIVE", "this user has been deactivated")
    granted = held.doc["scope"]
    if scope is not None and granted is not None and not set(scope.split()) <= set(granted.split()):
        raise Problem("INVALID_SCOPE", f"the token allows {granted!r} only", details={"scope": granted})
    held.tokens.put(held.doc | {"used_at": call.now})
    mine.collection("session").put(session | {"last_seen_at": call.now, "expires_at": call.now + REFRESH})
    mine.emit("auth.token_refreshed", "user", user, metadata={"session_id": session["id"]})
    return _tokens(mine, user, session["id"], scope or granted)


@serves(Auth.logout)
def logout(call: Context, all_sessions: bool) -> None:
    """End the session, or all sessions of the user; an API key has no session."""
    caller = call.caller
    if caller.auth != "token" or caller.session_id is None:
        return
    sessions = call.collection("session")
    for session in sessions.find("user_id", caller.user_id):
        if session["revoked_at"] is None and (all_sessions or session["id"] == caller.session_id):
            _end(call, session)
    user = call.record("user", caller.actor_id)
    call.emit("auth.logout", "user", user, metadata={"session_id": caller.session_id, "all_sessions": all_sessions})


@serves(Auth.me)
def me(call: Context) -> Document:
    """Return the user who is signed in, or the user of an API key."""
    if call.caller.user_id is None:
        raise Problem("NO_USER", "this credential acts for no user")
    return call.record("user", call.caller.user_id)


# -- tokens ------------------------------------------------------------------------------------------------------------


class _Held:
    """A known refresh token with its collection."""

    def __init__(self, tokens: Collection, doc: Document) -> None:
        self.tokens = tokens
        self.doc = doc
        self.tenant_id = tokens.tenant_id


def _find_refresh_token(store: Store, token: str) -> _Held | None:
    digest = fingerprint(token)
    for tokens in store.across("refresh_token"):
        if found := tokens.find("fingerprint", digest):
            return _Held(tokens, found[0])
    return None


def _tokens(call: Context, user: Document, session_id: str, scope: str | None) -> dict[str, Any]:
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
    return {
        "access_token": call.server.tokens.issue(user, session_id),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "refresh_token": token,
        "scope": scope,
    }


def _end(call: Context, session: Document) -> None:
    """End a session, which makes its access tokens and refresh tokens invalid."""
    call.collection("session").put(session | {"revoked_at": call.now, "updated_at": call.now})


def _as(call: Context, user: Document, session_id: str | None) -> Context:
    """Return the call with a user as the caller."""
    return call.acting_as(user_caller(call.server.store, user, session_id))


# -- failures ----------------------------------------------------------------------------------------------------------


def _failures(call: Context) -> Collection:
    # In no company's data: the company is not known, or must not be revealed.
    return call.server.store.collection("", "login_failure")


def _recent_failures(call: Context, address: str) -> list[datetime]:
    doc = _failures(call).get(address)
    return [at for at in (doc["times"] if doc is not None else ()) if call.now - at < WATCHED]


def _refuse_too_many(call: Context, address: str) -> None:
    times = _recent_failures(call, address)
    if len(times) >= MOST_FAILURES:
        wait = math.ceil((times[-MOST_FAILURES] + WATCHED - call.now).total_seconds())
        raise Problem(
            "TOO_MANY_ATTEMPTS",
            f"{MOST_FAILURES} failures within {WATCHED.seconds // 60} minutes; wait {wait} s",
            headers={"Retry-After": str(wait)},
            details={"retry_after": wait},
        )


def _fail(call: Context, address: str, users: Sequence[Document], *, code: str = "INVALID_CREDENTIALS") -> NoReturn:
    """Count a failure, write it to the audit trails of the address's companies, and refuse without the reason."""
    call.source = {**call.source, "status": STATUSES[code]}
    with call.server.store.keep_despite_rollback():
        _failures(call).put(Document(id=address, times=[*_recent_failures(call, address), call.now]))
        for user in users:
            nobody = Caller(user["tenant_id"], "anonymous", None, "anonymous", email=address, auth="none")
            call.acting_as(nobody).emit("auth.login_failed", "user", user)
    if code == "INVALID_MFA_CODE":
        raise Problem(code, "the code of the second factor is wrong", field="mfa_code")
    raise Problem(code, "the e-mail address or the password is wrong")


def _is_code(code: str, secret: str | None, now: datetime) -> bool:
    """Return whether a one-time code is the present one, or the one before or after (RFC 6238)."""
    if not secret:
        return False
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    step = int(now.timestamp()) // _STEP
    return any(hmac.compare_digest(_code(key, at), code.strip()) for at in (step - 1, step, step + 1))


def _code(key: bytes, step: int) -> str:
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
