"""Failures that are counted, so that nobody can guess a password or a code."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NoReturn

from crm_sdk.vocabulary.codes import STATUSES

from ...caller import Caller
from ...data.collection import Collection
from ...data.document import Document
from ...problems import Problem
from ...request.access.policy import policy_of
from ...serving import Context

MOST_FAILURES = 5
WATCHED = timedelta(minutes=15)
"""The time window in which `MOST_FAILURES` failures lock an address, whatever the password."""

_LONGEST = timedelta(days=1)
"""The longest window that a company can have."""


def _failures(call: Context) -> Collection:
    # In no company's data: the company is not known, or must not be revealed.
    return call.server.store.collection("", "login_failure")


def _recent(call: Context, key: str, within: timedelta = _LONGEST) -> list[datetime]:
    doc = _failures(call).get(key)
    return [at for at in (doc["times"] if doc is not None else ()) if call.now - at < within]


def refuse_too_many(call: Context, key: str, users: Iterable[Document] = ()) -> None:
    """Raise 429 where there were too many failures with an address or a user's codes.

    The strictest of the policies of the users' companies decides.
    """
    policies = [policy_of(call.server.tenant(user["tenant_id"])) for user in users]
    most = min((int(one.get("lockout_attempts") or MOST_FAILURES) for one in policies), default=MOST_FAILURES)
    minutes = [one["lockout_minutes"] for one in policies if one.get("lockout_minutes")]
    within = timedelta(minutes=max(minutes)) if minutes else WATCHED
    times = _recent(call, key, within)
    if len(times) >= most:
        wait = math.ceil((times[-most] + within - call.now).total_seconds())
        raise Problem(
            "TOO_MANY_ATTEMPTS",
            f"{most} failures within {within.total_seconds() // 60:.0f} minutes; wait {wait} s",
            headers={"Retry-After": str(wait)},
            details={"retry_after": wait},
        )


def forget_failures(call: Context, key: str) -> None:
    """Forget the failures after a success."""
    failures = _failures(call)
    if key in failures:
        failures.remove(key)


def fail(
    call: Context, key: str, users: Iterable[Document] = (), *, code: str = "INVALID_CREDENTIALS", **about: Any
) -> NoReturn:
    """Count a failure, write it to the audit trails of the users' companies, and refuse without the reason."""
    call.source = {**call.source, "status": STATUSES[code]}
    with call.server.store.keep_despite_rollback():
        _failures(call).put(Document(id=key, times=[*_recent(call, key), call.now]))
        for user in users:
            nobody = Caller(user["tenant_id"], "anonymous", None, "anonymous", email=user["email"], auth="none")
            call.acting_as(nobody).emit("auth.login_failed", "user", user, metadata=about)
    if code == "INVALID_MFA_CODE":
        raise Problem(code, "the code of the second factor is wrong, or was used already", field="code")
    raise Problem(code, "the e-mail address or the password is wrong")
