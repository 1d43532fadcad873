"""Who asks, and how often: the caller of a request, and the quotas that it counts against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm_sdk.operation import Operation

from ...caller import Caller
from ...data.document import Document
from ...problems import Problem
from ..http import Request
from ..usage import hour_of
from . import identity
from .callers import caller_of
from .networks import is_within
from .policy import policy_of
from .ratelimit import OWN_QUOTAS, Quota, rate_class

if TYPE_CHECKING:
    from ...core import StubServer


def authenticated_caller(server: StubServer, request: Request, authorization: str, now: datetime) -> Caller:
    """Return the caller for the value of an Authorization header. Raises: 401, and 403 outside of its networks."""
    scheme, _, credential = authorization.partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential:
        raise identity.unauthorized_problem("send a token or an API key as 'Authorization: Bearer …'")
    caller = caller_of(server, credential, now, request.peer)
    tenant = server.tenant(caller.tenant_id)
    named = request.headers.get("x-tenant-id")
    if named and named not in (caller.tenant_id, tenant["slug"]):
        raise Problem("TENANT_MISMATCH", f"the credential is not one of the company {named!r}")
    _admit(tenant, request)
    if caller.auth == "token" and caller.user_id is not None:
        server.live.seen[caller.tenant_id, caller.user_id] = now
    return caller


def _admit(tenant: Document, request: Request) -> None:
    """Raise 401 for a company that was ended, and 403 for a caller outside of its networks."""
    if tenant["status"] == "cancelled":
        raise identity.unauthorized_problem("the company of this credential was ended")
    networks: Sequence[str] = policy_of(tenant).get("ip_allowlist") or ()
    if not is_within(request.peer, networks):
        raise Problem("FORBIDDEN", f"{tenant['name']} does not serve calls from {request.peer}")


def require_factor(server: StubServer, caller: Caller, operation: Operation[..., Any]) -> None:
    """Raise 403 for a user without a second factor whose company asks for one; signing in and setting it up are free.

    API keys and applications have no second factor.
    """
    if caller.auth != "token" or caller.user_id is None or operation.id.startswith("auth."):
        return
    if policy_of(server.tenant(caller.tenant_id)).get("require_mfa"):
        user = server.store.collection(caller.tenant_id, "user").get(caller.user_id)
        if user is not None and not user.get("mfa_enabled"):
            raise Problem("MFA_REQUIRED", "the company asks everybody for a second factor: set one up first")


def count_call(
    server: StubServer, dialect: str, caller: Caller, operation: Operation[..., Any], now: datetime
) -> dict[str, str]:
    """Count a call against its quotas and return the headers that tell of them. Raises: 429 where one is used up."""
    if operation.flags.rate == "none":
        return {}
    plan = server.tenant(caller.tenant_id)["plan"] if caller.tenant_id else "free"
    api_key = caller.auth in ("api_key", "app")
    kind = server.limits.of(rate_class(dialect, operation.flags.rate, plan=plan, api_key=api_key))  # type: ignore[arg-type] # a face's name is a dialect
    quota = server.limits.check((caller.actor_id, f"{dialect}:{kind.name}"), kind.limit, kind.window_seconds, now)
    headers = {
        "X-RateLimit-Limit": str(quota.limit),
        "X-RateLimit-Remaining": str(quota.remaining),
        "X-RateLimit-Reset": str(quota.reset_at),
    }
    if caller.tenant_id:
        quota = _own_quota(server, server.tenant(caller.tenant_id), operation.flags.rate, now) or quota
    if quota.retry_after is not None and server.enforce_limits:
        server.meters.count_limited(caller.tenant_id, kind.name)
        raise Problem(
            "RATE_LIMIT_EXCEEDED",
            f"more than {quota.limit} calls in {kind.window_seconds} s ({kind.name}); wait {quota.retry_after} s",
            headers={**headers, "Retry-After": str(quota.retry_after)},
            details={"limit": quota.limit, "retry_after": quota.retry_after},
        )
    return headers


def _own_quota(server: StubServer, tenant: Document, rate: str, now: datetime) -> Quota | None:
    """Return the quota that a company has set for all its calls of the hour, where it is used up."""
    own: Mapping[str, int] = tenant.get("limits") or {}
    for key, what in OWN_QUOTAS.items():
        limit = own.get(key)
        if limit is None or (what == "bulk" and rate != "bulk"):
            continue
        if server.meter.count(tenant["id"], now, what) >= limit:
            end = hour_of(now) + timedelta(hours=1)
            return Quota(limit, 0, math.ceil(end.timestamp()), math.ceil((end - now).total_seconds()))
    return None
