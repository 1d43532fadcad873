"""Failures that are counted, so that nobody can guess a password or a code."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NoReturn

from crm_sdk.vocabulary.codes import STATUSES

from ...data.collection import Collection
from ...data.document import Document
from ...problems import Problem
from ...serving import Caller, Context

MOST_FAILURES = 5
WATCHED = timedelta(minutes=15)
"""The time window in which `MOST_FAILURES` failures lock an address, whatever the password."""


def _failures(call: Context) -> Collection:
    # In no company's data: the company is not known, or must not be revealed.
    return call.server.store.collection("", "login_failure")


def _recent(call: Context, key: str) -> list[datetime]:
    doc = _failures(call).get(key)
    return [at for at in (doc["times"] if doc is not None else ()) if call.now - at < WATCHED]


def refuse_too_many(call: Context, key: str) -> None:
    """Raise 429 where there were too many failures with an address or a user's codes."""
    times = _recent(call, key)
    if len(times) >= MOST_FAILURES:
        wait = math.ceil((times[-MOST_FAILURES] + WATCHED - call.now).total_seconds())
        raise Problem(
            "TOO_MANY_ATTEMPTS",
            f"{MOST_FAILURES} failures within {WATCHED.seconds // 60} minutes; wait {wait} s",
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
