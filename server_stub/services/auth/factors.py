"""Second factors: one-time codes by time (RFC 6238), and backup codes, each of which works once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ...data.document import Document
from ...request.access.identity import fingerprint
from ...serving import Context
from .failures import fail, forget_failures, refuse_too_many

FACTOR = "second_factor"
"""The kind of the records of second factors; their ids are those of the users."""
STEP = 30
"""The time step of one-time codes in seconds."""
COUNT = 10
"""How many backup codes a user has."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Those of backup codes: without 0 and o, 1, i and l, which look alike."""


def new_secret() -> str:
    """Return a new secret in Base32, of 160 bits."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def otpauth_uri(secret: str, issuer: str, account: str) -> str:
    """Return a secret as authenticator apps read it."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return (
        f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer, safe='')}&algorithm=SHA1&digits=6&period={STEP}"
    )


def qr_code(text: str) -> str:
    """Return a text as a QR code: a data URI with an SVG image."""
    import segno  # imported here: nothing else needs it

    return str(segno.make(text, micro=False).svg_data_uri(scale=4, encode_minimal=False))


def step_of(code: str, secret: str, now: datetime) -> int | None:
    """Return the step of a code: the present one, or the one before or after; None for a code of no such step."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    present = int(now.timestamp()) // STEP
    given = code.strip().encode("utf-8", "replace")
    return next(
        (at for at in (present, present - 1, present + 1) if hmac.compare_digest(_code(key, at).encode(), given)), None
    )


def _code(key: bytes, step: int) -> str:
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def factor_of(call: Context, user: Mapping[str, Any]) -> Document | None:
    """Return the second factor of a user, also one that is being set up; None where there is none."""
    return call.collection(FACTOR).get(user["id"])


def accept_code(
    call: Context, user: Document, code: str, *, key: str | None = None, pending: bool = False, backup: bool = False
) -> Document:
    """Accept a code of a user, which does not work again, and return the second factor.

    With `backup` a backup code is accepted, too, and with `pending` a code of the secret that is being set up.
    `key` is what failures are counted for, else the user's codes. Raises: 401 for a wrong code; 429 after five.
    """
    counted = key or f"mfa:{user['id']}"
    refuse_too_many(call, counted, [user])
    factor = factor_of(call, user)
    step = step_of(code, factor["pending_secret" if pending else "secret"], call.now) if factor is not None else None
    if factor is not None and step is not None and step not in factor["used_steps"]:
        kept = [used for used in factor["used_steps"] if used >= step - 3]
        changes: Mapping[str, Any] | None = {"used_steps": [*kept, step]}
    else:
        changes = _use_backup_code(call, factor, code) if factor is not None and backup else None
    if factor is None or changes is None:
        fail(call, counted, [user] if key or backup else (), code="INVALID_MFA_CODE", factor="totp")
    forget_failures(call, counted)
    return call.collection(FACTOR).put(factor | changes)


def _use_backup_code(call: Context, factor: Document, code: str) -> dict[str, Any] | None:
    """Return what changes of a second factor where a backup code is used; None for none, or a used one."""
    digest = fingerprint(code.strip().lower())
    codes: Sequence[Mapping[str, Any]] = factor["backup_codes"]
    if not any(entry["fingerprint"] == digest and entry["used_at"] is None for entry in codes):
        return None
    used = [entry | {"used_at": call.now} if entry["fingerprint"] == digest else entry for entry in map(dict, codes)]
    return {"backup_codes": used}


def new_backup_codes(call: Context) -> tuple[list[str], dict[str, Any]]:
    """Return ten new backup codes, and the members of the second factor that stand for them."""
    codes = [f"{_letters(8)}-{_letters(4)}" for _ in range(COUNT)]
    held = [{"fingerprint": fingerprint(code), "end": code[-4:], "used_at": None} for code in codes]
    return codes, {"backup_codes": held, "generated_at": call.now}


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))
