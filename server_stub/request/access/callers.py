"""The caller of a request: a user by a token, whoever an API key stands for, or an app that a company has installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm_sdk.route import Action

from ...caller import Caller
from ...data.document import Document
from ...data.store import Store
from ...problems import Problem
from ...serving import Context
from . import identity, keys, permissions
from .copies import with_copies
from .own_objects import own_objects
from .policy import policy_of
from .shares import shared_with

if TYPE_CHECKING:
    from ...core import StubServer

APP_TOKEN = "app_token"
"""The kind of the records with an installed app's token; their ids are those of the installations."""
SESSION, REVOKED_TOKEN = "session", "revoked_token"
"""The kinds of the records of sessions, and of access tokens that were revoked; the ids of these are the tokens'."""
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_WEEK_IN_MINUTES = 10_080


def caller_of(server: StubServer, credential: str, now: datetime, peer: str | None = None) -> Caller:
    """Return the caller for a bearer credential, given from an address.

    Raises: 401; 403 for a user who was deactivated, and for an API key that does not work from there.
    """
    if identity.is_token(credential):
        return _by_token(server, credential, now)
    key = identity.find_api_key(server.store, credential)
    if key is None:
        return _app(server, credential, now)
    keys.refuse(server, key, credential, now, peer)
    user = server.store.collection(key["tenant_id"], "user").get(key.get("user_id") or "")
    if user is None:
        raise identity.unauthorized_problem("the user of this API key does not exist any more")
    if user.get("status") == "inactive":
        raise identity.unauthorized_problem("the user of this API key has been deactivated")
    server.key_uses.count(key["id"], now, peer)
    given: Sequence[str] | None = key.get("permissions")
    mine = user_caller(server.store, user, now, granted=given)
    return replace(mine, actor_id=key["id"], name=key["name"], email=None, auth="api_key")


def _by_token(server: StubServer, token: str, now: datetime) -> Caller:
    claims = server.tokens.verify(token)
    sessions = server.store.collection(claims.tenant_id, SESSION)
    session = sessions.get(claims.session_id)
    revoked = server.store.collection(claims.tenant_id, REVOKED_TOKEN).get(claims.token_id)
    if session is None or session.get("revoked_at") is not None or revoked is not None:
        raise identity.unauthorized_problem("the session of this token has ended; sign in again", error="invalid_token")
    if has_timed_out(server.store, session, claims.tenant_id, now):
        raise identity.unauthorized_problem(
            "the session was not used for too long; sign in again", error="invalid_token"
        )
    if now - session["last_seen_at"] >= min(_MINUTE, timeout_of(server.store, claims.tenant_id) / 10):
        sessions.put(session | {"last_seen_at": now})
    granted = granted_by(claims.scope)
    if session.get("acting_for") is not None:
        name = session["acting_for"]
        return Caller(
            claims.tenant_id, claims.user_id, None, "app", name, auth="app", session_id=session["id"], granted=granted
        )
    user = server.store.collection(claims.tenant_id, "user").get(claims.user_id)
    if user is None:
        raise identity.unauthorized_problem("the user of this token was deleted", error="invalid_token")
    if user.get("status") == "inactive":
        raise Problem("USER_INACTIVE", "this user has been deactivated")
    return user_caller(server.store, user, now, session["id"], granted)


def timeout_of(store: Store, tenant_id: str) -> timedelta:
    """Return for how long a session of a company may be unused: idle minutes, else its timeout."""
    policy = policy_of(store.collection(tenant_id, "tenant").get(tenant_id))
    return timedelta(
        minutes=policy.get("session_idle_minutes") or policy.get("session_timeout_minutes") or _WEEK_IN_MINUTES
    )


def has_timed_out(store: Store, session: Mapping[str, Any], tenant_id: str, now: datetime) -> bool:
    """Return whether a session has ended because its user did not use it; that of an application does not."""
    if session.get("acting_for") is not None:
        return False
    seen: datetime = session["last_seen_at"]
    return now - seen >= timeout_of(store, tenant_id)


def user_caller(
    store: Store,
    user: Mapping[str, Any],
    now: datetime,
    session_id: str | None = None,
    granted: Iterable[str] | None = None,
) -> Caller:
    """Return a user as the caller, with what roles and shares permit now and the credential is `granted`."""
    tenant_id, key = user["tenant_id"], user["role"]
    limit = frozenset(granted) if granted is not None else None
    more = frozenset[str](role["key"] for role in user["roles"] if role["key"] != key)
    own, hidden, fixed = frozenset[str](), frozenset[str](), frozenset[str]()
    held: Sequence[Mapping[str, Any]] = ()
    if not permissions.BUILT_IN.issuperset({key, *more}):
        roles = store.collection(tenant_id, "role")
        held = [role for reference in user["roles"] if (role := roles.get(reference["id"])) is not None]
        own = frozenset(permissions.permission_text(entry) for role in held for entry in role["permissions"])
        if permissions.BUILT_IN.isdisjoint({key, *more}):  # those that every company has limit no member
            hidden, fixed = _limits(held)
            hidden, fixed = (_of_objects(store, tenant_id, one) for one in (with_copies(hidden), fixed))
    objects = own_objects(store, tenant_id, permissions.BUILT_IN & {key, *more}, held, limit)
    team: frozenset[str] = frozenset()
    reads: permissions.Scope = "all"
    if "sales" in {key, *more}:
        reads = policy_of(store.collection(tenant_id, "tenant").get(tenant_id)).get("default_scope") or "all"
    if reads == "team" or any(text.endswith("@team") for text in own):
        mine = set(user["team_ids"])
        users = store.collection(tenant_id, "user")
        team = frozenset(other["id"] for other in users if not mine.isdisjoint(other["team_ids"]))
    return Caller(
        tenant_id, user["id"], user["id"], key, user["name"], user["email"], "token", session_id,
        granted=limit, more_roles=more, permissions=own, objects=objects, team=team, hidden=hidden, fixed=fixed,
        shared=shared_with(store, user, now), sales_reads=reads,
    )  # fmt: skip


def _limits(roles: Sequence[Mapping[str, Any]]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the members that roles together hide, and those that they let nobody write: the widest access holds."""
    said: list[dict[str, str]] = [
        {f"{entry['entity']}.{entry['field']}": entry["access"] for entry in role.get("field_permissions") or ()}
        for role in roles
    ]
    if not all(said):
        return frozenset(), frozenset()
    limited = [{name for name, access in one.items() if access != "write"} for one in said]
    both = frozenset[str](set[str].intersection(*limited) if limited else ())
    hidden = frozenset[str](name for name in both if all(one[name] == "hidden" for one in said))
    return hidden, both - hidden


def _of_objects(store: Store, tenant_id: str, members: frozenset[str]) -> frozenset[str]:
    """Return limited members with those of custom objects as their records have them: ``fields.<name>``, and the name.

    A record has the value of its primary field as its name.
    """
    found = set(members)
    for member in members:
        entity, _, name = member.partition(".")
        for object in store.collection(tenant_id, "custom_object").find("api_name", entity):
            found |= {f"{entity}.fields.{name}", *([f"{entity}.name"] if name == object["primary_field"] else [])}
    return frozenset(found)


def is_in_force(store: Store, caller: Caller, now: datetime | None = None) -> bool:
    """Return whether an API key still works: it is not revoked, has not expired, and its user may work."""
    key = store.collection(caller.tenant_id, "api_key").get(caller.actor_id)
    if key is not None and now is not None and key.get("expires_at") is not None and key["expires_at"] <= now:
        return False
    user = store.collection(caller.tenant_id, "user").get(caller.user_id or "")
    return key is not None and key.get("revoked_at") is None and user is not None and user.get("status") != "inactive"


def present(store: Store, caller: Caller, now: datetime) -> Caller:
    """Return a caller of an earlier time with the roles that its user has now."""
    user = store.collection(caller.tenant_id, "user").get(caller.user_id or "")
    return user_caller(store, user, now, caller.session_id, caller.granted) if user is not None else caller


def has_permission(call: Context, user: Mapping[str, Any], resource: str, action: Action) -> bool:
    """Return whether a user has a permission, for some of the records at least."""
    return permissions.permits(user_caller(call.server.store, user, call.now), resource, action)


def granted_by(scope: str | None) -> frozenset[str] | None:
    """Return the permissions that the scope of a token is limited to; None where it has ``api``, or no permission."""
    words = frozenset((scope or "").split())
    named = frozenset(word for word in words if ":" in word)
    return named if named and "api" not in words else None


def _app(server: StubServer, credential: str, now: datetime) -> Caller:
    """Return an app as the caller, with the permissions that it was granted; its call is counted."""
    token = identity.find_api_key(server.store, credential, APP_TOKEN)
    if token is None:
        raise identity.unauthorized_problem("the API key is not known")
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
