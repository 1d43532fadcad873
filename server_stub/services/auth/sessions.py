"""The rules of sessions: list and end them, and say what a token is good for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from crm_sdk.resources.auth import AuthSessions

from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.query import in_order, key_of, sort_field
from ...problems import Problem, missing
from ...request.access.callers import REVOKED_TOKEN, SESSION, has_timed_out
from ...request.access.identity import find_api_key, is_token
from ...request.access.permissions import check, permits
from ...serving import Context, Members, serves
from .tokens import end_session, find_refresh_token

_SORTS = ("last_seen_at", "expires_at")


@serves(AuthSessions.list)
def list_(
    call: Context, user_id: str | None, active: bool | None, sort: str | None, order: str | None
) -> Sequence[Mapping[str, Any]]:
    """Return the sessions of the caller, or of another user."""
    own = call.caller.user_id or call.caller.actor_id
    wanted = own if user_id is None else user_id
    if wanted != own:
        check(call.caller, "users", "manage")
    found = [
        *call.collection(SESSION).find("user_id", wanted),
        *(_of_key(call, key) for key in call.collection("api_key").find("user_id", wanted)),
    ]
    if active is not None:
        found = [session for session in found if _lasts(call, session) is active]
    field, descending = sort_field("last_seen_at" if sort is None else sort, order, _SORTS)
    descending = descending or (sort is None and order is None)
    return Mapped(in_order(found, key_of(field), descending=descending), partial(_shown_session, call))


def _lasts(call: Context, session: Members) -> bool:
    if session["revoked_at"] is not None or (session["expires_at"] is not None and session["expires_at"] <= call.now):
        return False
    return session["auth_method"] == "api_key" or not _is_idle(call, session, call.caller.tenant_id)


def _is_idle(call: Context, session: Members, tenant_id: str) -> bool:
    return has_timed_out(call.server.store, session, tenant_id, call.now)


def _of_key(call: Context, key: Document) -> Document:
    """Return an API key as the session that it counts as."""
    made = key.get("created_at")
    used = call.server.key_uses.of(key["id"])[1]
    return Document(
        id=f"{SESSION}_{key['id']}",
        created_at=made,
        updated_at=key.get("updated_at"),
        created_by=key.get("created_by"),
        version=key.get("version", 1),
        user_id=key.get("user_id"),
        device=key["name"],
        user_agent=None,
        ip_address=None,
        location=None,
        auth_method="api_key",
        mfa_verified=False,
        client_id=None,
        last_seen_at=used or key.get("last_used_at") or made,
        expires_at=None,
        revoked_at=key.get("revoked_at"),
        key_id=key["id"],
    )


def _shown_session(call: Context, session: Document) -> Document:
    own = call.caller.session_id or call.caller.actor_id
    return session | {"current": own in (session["id"], session.get("key_id"))}


@serves(AuthSessions.current)
def current(call: Context) -> Document:
    """Return the session of this call."""
    if call.caller.session_id is not None:
        return _shown_session(call, call.record(SESSION, call.caller.session_id))
    key = call.collection("api_key").get(call.caller.actor_id)
    if key is not None:
        return _shown_session(call, _of_key(call, key))
    return _shown_session(call, _of_app(call, call.caller.actor_id))


def _of_app(call: Context, id: str) -> Document:
    """Return the token of an installed app as the session that it counts as."""
    token = next(doc for doc in call.collection("app_token") if doc["app_id"] == id)
    return _of_key(call, Document({**token, "id": id}))


@serves(AuthSessions.delete)
def delete(call: Context, session_id: str) -> None:
    """End a session, the caller's own or with the permission another's."""
    keys = call.collection("api_key")
    key = keys.get(session_id.removeprefix(f"{SESSION}_"))
    session = _of_key(call, key) if key is not None else call.record(SESSION, session_id)
    own = call.caller.user_id or call.caller.actor_id
    if session["user_id"] != own and not permits(call.caller, "users", "manage"):
        raise missing(SESSION, session_id)
    if key is not None:
        raise Problem("API_KEY_SESSION", "this is an API key: it has no session that could be ended")
    if session["revoked_at"] is not None:
        return
    end_session(call, session)
    user = call.find_one("user", session["user_id"])
    entity: Members = user or {"id": session["user_id"], "name": session.get("acting_for")}
    call.emit("auth.session_ended", "user" if user else "app", entity, metadata={"session_id": session["id"]})


@serves(AuthSessions.validate)
def validate(call: Context, token: str) -> dict[str, Any]:
    """Return whether a token works; a token of another company than the caller's is unknown."""
    found = _by_key(call, token) or (_by_access if is_token(token) else _by_refresh)(call, token)
    if call.caller.tenant_id and found["tenant_id"] != call.caller.tenant_id:
        return _verdict("unknown")
    return found


def _verdict(
    reason: str | None,
    session: Document | None = None,
    *,
    tenant_id: str | None = None,
    scope: str | None = None,
    until: datetime | None = None,
) -> dict[str, Any]:
    return {
        "valid": reason is None,
        "reason": reason,
        "session": session,
        "user_id": session["user_id"] if session is not None else None,
        "tenant_id": tenant_id,
        "scopes": (scope or "").split(),
        "expires_at": until,
    }


def _by_key(call: Context, token: str) -> dict[str, Any] | None:
    key = find_api_key(call.server.store, token)
    if key is None:
        return None
    user = call.server.store.collection(key["tenant_id"], "user").get(key.get("user_id") or "")
    expired = key.get("expires_at") is not None and key["expires_at"] <= call.now
    inactive = user is None or user["status"] == "inactive"
    reason = "expired" if expired else "user_inactive" if inactive else None
    return _verdict(reason, _shown_session(call, _of_key(call, key)), tenant_id=key["tenant_id"])


def _by_refresh(call: Context, token: str) -> dict[str, Any]:
    held = find_refresh_token(call, token)
    if held is None:
        return _verdict("unknown")
    doc = held.doc
    return _token_state(
        call, held.tenant_id, doc["session_id"], doc["scope"], doc["expires_at"], doc["used_at"] is not None
    )


def _by_access(call: Context, token: str) -> dict[str, Any]:
    try:
        claims = call.server.tokens.read(token)
    except Problem:
        return _verdict("unknown")
    gone = call.server.store.collection(claims.tenant_id, REVOKED_TOKEN).get(claims.token_id) is not None
    until = datetime.fromtimestamp(claims.expires_at, UTC)
    return _token_state(call, claims.tenant_id, claims.session_id, claims.scope, until, gone)


def _token_state(
    call: Context, tenant_id: str, session_id: str, scope: str | None, until: datetime, gone: bool
) -> dict[str, Any]:
    """Return what is to be said of a token of a session."""
    session = call.server.store.collection(tenant_id, SESSION).get(session_id)
    if session is None:
        return _verdict("unknown")
    user = call.server.store.collection(tenant_id, "user").get(session["user_id"])
    reason = None
    if gone or session["revoked_at"] is not None:
        reason = "revoked"
    elif until <= call.now or _is_idle(call, session, tenant_id):
        reason = "expired"
    elif user is not None and user["status"] == "inactive":
        reason = "user_inactive"
    return _verdict(reason, _shown_session(call, session), tenant_id=tenant_id, scope=scope, until=until)
