"""The rules of signing in with a password, of renewing tokens, and of signing out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crm_sdk.resources.auth import Auth

from ...data.document import Document
from ...mail import issue_token
from ...problems import Problem
from ...request.access.callers import SESSION
from ...request.access.identity import find_users, password_fits, unauthorized_problem
from ...request.access.policy import policy_of
from ...serving import Context, serves
from .factors import accept_code
from .failures import fail, forget_failures, refuse_too_many
from .passwords import refuse_old
from .tokens import caller_as, end_session, find_refresh_token, rotate, sign_in

MFA_TOKEN = timedelta(minutes=5)
"""How long a sign-in waits for the second factor."""


@serves(Auth.login)
def login(call: Context, email: str, password: str, tenant: str | None, mfa_code: str | None) -> dict[str, Any]:
    """Start a session."""
    address = email.strip().casefold()
    known = find_users(call.server.store, address, tenant)
    refuse_too_many(call, address, known)
    fitting = [user for user in known if password_fits(password, user.get("password_hash"))]
    if not fitting:
        fail(call, address, known)
    if len(known) > 1:
        slugs = [call.server.tenant(user["tenant_id"])["slug"] for user in fitting]
        message = "this address is known in several companies: name one with tenant"
        raise Problem("TENANT_REQUIRED", message, field="tenant", rule="required", details={"tenants": slugs})
    (user,) = fitting
    may_sign_in(call, user)
    refuse_old(caller_as(call, user), user)
    verified = bool(user.get("mfa_enabled"))
    if verified and mfa_code is None:
        mine = caller_as(call, user)
        return {"user": user, "mfa_required": True, "mfa_token": issue_token(mine, user, "mfa", MFA_TOKEN)}
    if verified:
        accept_code(caller_as(call, user), user, mfa_code or "", key=address)
    forget_failures(call, address)
    return sign_in(call, user, mfa_verified=verified)


def may_sign_in(call: Context, user: Document) -> None:
    """Raise 403 for a user who was deactivated, or whose address has to be verified first."""
    if user["status"] == "inactive":
        raise Problem("USER_INACTIVE", "this user has been deactivated")
    policy = policy_of(call.server.tenant(user["tenant_id"]))
    if policy.get("require_email_verification") and not user.get("email_verified"):
        raise Problem("EMAIL_NOT_VERIFIED", "the e-mail address has to be verified first")


@serves(Auth.refresh)
def refresh(call: Context, refresh_token: str, scope: str | None) -> dict[str, Any]:
    """Exchange a refresh token for new tokens; the old one becomes invalid."""
    held = find_refresh_token(call, refresh_token)
    if held is None:
        raise unauthorized_problem("the refresh token is not known; sign in again", error="invalid_token")
    return rotate(call, held, scope)


@serves(Auth.logout)
def logout(call: Context, all_sessions: bool) -> None:
    """End the session, or all sessions of the user; an API key has no session."""
    caller = call.caller
    if caller.session_id is None:
        return
    for session in call.collection(SESSION).find("user_id", caller.actor_id):
        if session["revoked_at"] is None and (all_sessions or session["id"] == caller.session_id):
            end_session(call, session)
    said = {"session_id": caller.session_id, "all_sessions": all_sessions}
    if caller.user_id is None:
        call.emit("auth.logout", "app", {"id": caller.actor_id, "name": caller.name}, metadata=said)
    else:
        call.emit("auth.logout", "user", call.record("user", caller.user_id), metadata=said)


@serves(Auth.me)
def me(call: Context) -> Document:
    """Return the user who is signed in, or the user of an API key."""
    return own_user(call)


def own_user(call: Context) -> Document:
    """Return the user that the caller is, or acts for. Raises: 403 where there is none, 401 where nobody signed in."""
    if call.caller.auth == "none":
        raise unauthorized_problem("send a token as 'Authorization: Bearer …'")
    if call.caller.user_id is None:
        raise Problem("NO_USER", "this credential acts for no user")
    return call.record("user", call.caller.user_id)
