"""Positions in the feed of changes: opaque texts that hold for one company, one state of the data, and one caller."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...history.change_log import KIND, key_of, series
from ...problems import Problem
from ...request.settings import SETTINGS, value_for
from ...serving import Context

_DAYS = "changes.keep_days"
_FORM = re.compile(r"e(\d{1,20}(?:r\d{1,9})?)\.(\d{1,20})\.([0-9a-f]{8})\.([0-9a-f]{8})")


def latest(call: Context) -> int:
    """Return the number of the last change of the company; 0 before the first."""
    return call.server.store.last_count(series(call.caller.tenant_id))


def first_kept(call: Context) -> int:
    """Return the number of the first change that is kept, or of the next one where none is."""
    first = call.collection(KIND).first()
    return int(first["seq"]) if first is not None else latest(call) + 1


def kept_since(call: Context) -> datetime:
    """Return the time from which on changes are kept: as long as the company says, and its plan has."""
    most = SETTINGS[_DAYS].most_for(call.tenant["plan"])
    return call.now - timedelta(days=min(value_for(call, None, _DAYS), most or 0))


def epoch(call: Context) -> str:
    """Return the numbering that the changes of the company have now."""
    return call.server.epoch_of(call.caller.tenant_id)


def position(call: Context, number: int, of: str | None = None) -> str:
    """Return the position after a change, for this caller; `of` is its epoch, where that is not the present one."""
    access, said = _access(call), of if of is not None else epoch(call)
    return f"e{said}.{number}.{access}.{_check(call, said, str(number), access)}"


def number_at(call: Context, text: str) -> int:
    """Return the number of the change that a position is after.

    Raises: 422 INVALID_CURSOR for what is none, or another company's; 409 CURSOR_EXPIRED for one that does not lead on.
    """
    found = _FORM.fullmatch(text)
    if found is None or found[4] != _check(call, found[1], found[2], found[3]):
        raise Problem("INVALID_CURSOR", "this is no position in the company's changes", field="cursor", rule="format")
    number = int(found[2])
    if found[1] != epoch(call) or number > latest(call):
        raise _expired_cursor(call, "epoch", "the data were restored since")
    if found[3] != _access(call):
        raise _expired_cursor(call, "access", "what you may see has changed since")
    following = call.collection(KIND).get(key_of(number + 1))
    lost = number + 1 < first_kept(call) or (following is not None and following["at"] < kept_since(call))
    if lost:
        raise _expired_cursor(call, "too_old", "changes after it are no longer kept")
    return number


def _expired_cursor(call: Context, reason: str, why: str) -> Problem:
    message = f"the position does not lead on, as {why}: scan anew"
    return Problem("CURSOR_EXPIRED", message, details={"reason": reason, "oldest": kept_since(call)})


def _access(call: Context) -> str:
    """Return a digest of what decides which records a caller sees, beside the records themselves."""
    caller = call.caller
    features: Mapping[str, Any] = call.tenant.get("features") or {}
    said = (
        caller.user_id, sorted(caller.roles), sorted(caller.permissions), sorted(caller.team), sorted(teams_of(call)),
        sorted(caller.granted) if caller.granted is not None else None, sorted(caller.hidden), sorted(features.items()),
    )  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()[:8]


def teams_of(call: Context) -> Sequence[str]:
    """Return the teams of the caller, whose shares reach it."""
    user = call.collection("user").get(call.caller.user_id or "")
    return (user.get("team_ids") or ()) if user is not None else ()


def _check(call: Context, *parts: str) -> str:
    return hashlib.sha256(".".join((call.caller.tenant_id, *parts)).encode()).hexdigest()[:8]
