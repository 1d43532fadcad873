"""The rules of the second factor: set-up, confirmation, backup codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.resources.auth_mfa import AuthMfa, AuthMfaBackupCodes

from ...data.document import Document
from ...mail import token_of, use_token
from ...problems import Problem
from ...request.access.callers import SESSION
from ...request.access.identity import password_fits
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from .factors import (
    COUNT,
    FACTOR,
    accept_code,
    factor_of,
    new_backup_codes,
    new_secret,
    otpauth_uri,
    qr_code,
)
from .sign_in import may_sign_in, own_user
from .tokens import caller_as, end_sessions, sign_in

SETUP = timedelta(minutes=10)
"""How long a secret waits to be confirmed."""


@serves(AuthMfa.setup)
def setup(call: Context, method: str, password: str | None) -> dict[str, Any]:
    """Begin to set up the second factor, with a new secret."""
    user = own_user(call)
    if user.get("mfa_enabled"):
        raise Problem("MFA_ALREADY_ENABLED", "sign-in has a second factor already; disable it first")
    _ask_again(user, password)
    secret, until = new_secret(), call.now + SETUP
    call.collection(FACTOR).put(
        Document(
            id=user["id"], secret=None, pending_secret=secret, pending_until=until, used_steps=[], backup_codes=[],
            generated_at=None,
        )
    )  # fmt: skip
    uri = otpauth_uri(secret, call.tenant["name"], user["email"])
    return {"method": "totp", "secret": secret, "otpauth_uri": uri, "qr_code": qr_code(uri), "expires_at": until}


def _ask_again(user: Document, password: str | None) -> None:
    if password is not None and not password_fits(password, user.get("password_hash")):
        raise Problem("INVALID_CREDENTIALS", "the password is wrong", field="password")


@serves(AuthMfa.verify)
def verify(call: Context, code: str, mfa_token: str | None) -> dict[str, Any]:
    """Turn the second factor on, or complete a sign-in."""
    if mfa_token is not None:
        return _complete(call, code, mfa_token)
    user = own_user(call)
    factor = factor_of(call, user)
    if factor is None or factor["pending_secret"] is None or factor["pending_until"] <= call.now:
        raise Problem("MFA_NOT_PENDING", "no second factor is being set up; begin with auth.mfa.setup")
    factor = accept_code(call, user, code, pending=True)
    codes, held = new_backup_codes(call)
    confirmed = {"secret": factor["pending_secret"], "pending_secret": None, "pending_until": None}
    call.collection(FACTOR).put(factor | confirmed | held)
    call.update("user", user, {"mfa_enabled": True})
    if call.caller.session_id is not None:
        session = call.record(SESSION, call.caller.session_id)
        call.update(SESSION, session, {"mfa_verified": True})
    call.emit("auth.mfa_enabled", "user", user, metadata={"method": "totp"})
    return _accepted_factor(call) | {"backup_codes": codes}


def _complete(call: Context, code: str, mfa_token: str) -> dict[str, Any]:
    """Complete a sign-in that waits for the second factor."""
    held = token_of(call, mfa_token, "mfa")
    user = call.server.store.collection(held["tenant_id"], "user").get(held["user_id"])
    if user is None:
        raise Problem("INVALID_TOKEN", "the user of this sign-in was deleted")
    may_sign_in(call, user)
    mine = caller_as(call, user)
    if user.get("mfa_enabled"):  # it may have been turned off in the meantime: then the password was enough
        accept_code(mine, user, code, backup=True)
    use_token(call, held)
    return _accepted_factor(call) | {"login": sign_in(call, user, mfa_verified=True)}


def _accepted_factor(call: Context) -> dict[str, Any]:
    return {"enabled": True, "method": "totp", "verified_at": call.now, "backup_codes": None, "login": None}


@serves(AuthMfa.disable)
def disable(call: Context, code: str, password: str | None) -> None:
    """Turn the second factor off, and end the other sessions."""
    user, _ = _with_factor(call)
    if policy_of(call.tenant).get("require_mfa"):
        raise Problem("MFA_REQUIRED", "the company asks everybody for a second factor")
    _ask_again(user, password)
    accept_code(call, user, code)
    call.collection(FACTOR).remove(user["id"])
    call.update("user", user, {"mfa_enabled": False})
    end_sessions(call, user["id"], but=call.caller.session_id)
    call.emit("auth.mfa_disabled", "user", user)


@serves(AuthMfaBackupCodes.get)
def backup_codes(call: Context) -> dict[str, Any]:
    """Return the backup codes, masked."""
    _, factor = _with_factor(call)
    return _shown_factor(factor, [f"••••-{entry['end']}" for entry in factor["backup_codes"]])


@serves(AuthMfaBackupCodes.regenerate)
def regenerate(call: Context, code: str) -> dict[str, Any]:
    """Make new backup codes in place of the old ones."""
    user, _ = _with_factor(call)
    factor = accept_code(call, user, code)
    codes, held = new_backup_codes(call)
    factor = call.collection(FACTOR).put(factor | held)
    call.emit("auth.backup_codes_regenerated", "user", user, metadata={"count": COUNT})
    return _shown_factor(factor, codes)


def _with_factor(call: Context) -> tuple[Document, Document]:
    """Return the caller's user and second factor. Raises: 409 where there is none."""
    user = own_user(call)
    factor = factor_of(call, user)
    if factor is None or factor["secret"] is None:
        raise Problem("MFA_NOT_ENABLED", "sign-in has no second factor")
    return user, factor


def _shown_factor(factor: Members, codes: Sequence[str]) -> dict[str, Any]:
    held: Sequence[Members] = factor["backup_codes"]
    return {
        "total": len(held),
        "remaining": sum(entry["used_at"] is None for entry in held),
        "generated_at": factor["generated_at"],
        "codes": [
            {"code": code, "used": entry["used_at"] is not None, "used_at": entry["used_at"]}
            for code, entry in zip(codes, held, strict=True)
        ],
    }
