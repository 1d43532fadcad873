"""The rules of passwords and addresses: what a password has to be like, and tokens that come by mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from crm_sdk.resources.auth import AuthEmail, AuthPassword

from ...caller import Caller
from ...data.document import Document
from ...mail import send_token, token_of, use_token
from ...problems import Problem
from ...request.access.identity import find_users, hash_password, password_fits
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from .failures import forget_failures
from .tokens import caller_as, end_sessions

RESET, VERIFY = timedelta(hours=1), timedelta(hours=24)
VERIFICATION = "email_verification"
"""The purpose of the tokens that confirm an address."""
_KEPT = "password_history"
"""The kind of the records of a user's last passwords; their ids are those of the users."""
_REMEMBERED = 5
"""How many of a user's passwords, the present one included, cannot be set again, unless the company says otherwise."""
_MOST_REMEMBERED = 24


def _is_symbol(letter: str) -> bool:
    return not letter.isalnum() and not letter.isspace()


_KINDS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "upper": (str.isupper, "a capital letter"),
    "lower": (str.islower, "a small letter"),
    "digit": (str.isdigit, "a digit"),
    "symbol": (_is_symbol, "a symbol"),
}


def check_strength(password: str, security: Members | None, field: str = "password") -> None:
    """Raise 422 for a password that is weaker than a company asks for; without a company, for a short one."""
    least = int((security or {}).get("password_min_length") or 8)
    lacking = [f"at least {least} characters"] if len(password) < least else []
    for kind in (security or {}).get("password_require") or ():
        test, words = _KINDS[kind]
        if not any(map(test, password)):
            lacking.append(words)
    if lacking:
        message = f"a password needs {', '.join(lacking)}"
        raise Problem("WEAK_PASSWORD", message, field=field, rule="format", details={"needs": lacking})


def with_password(call: Context, user: Document, password: str) -> Document:
    """Return a user with a new password, stored, and remembered so that it is not set again."""
    hashed = hash_password(password, user["id"])
    history = call.collection(_KEPT)
    before = history.get(user["id"])
    hashes = before["hashes"] if before is not None else [user.get("password_hash")]
    kept = [old for old in hashes if old is not None and old != hashed][-_MOST_REMEMBERED + 1 :]
    history.put(Document(id=user["id"], hashes=[*kept, hashed], set_at=call.now))
    return call.collection("user").put(user | {"password_hash": hashed})


def refuse_old(call: Context, user: Document) -> None:
    """Raise 403 for a password that is older than the company allows: a new one is set by mail."""
    days = policy_of(call.tenant).get("password_max_age_days")
    held = call.collection(_KEPT).get(user["id"])
    since = (held.get("set_at") if held is not None else None) or user["created_at"]
    if days is not None and call.now - since >= timedelta(days=days):
        message = f"the password is older than {days} days: set a new one with auth.password.reset"
        raise Problem("FORBIDDEN", message, details={"reason": "password_expired", "password_set_at": since})


def _refuse_reused(call: Context, user: Document, password: str) -> None:
    before = call.collection(_KEPT).get(user["id"])
    said = policy_of(call.server.tenant(user["tenant_id"])).get("password_history")
    count = _REMEMBERED if said is None else int(said)
    hashes = before["hashes"] if before is not None else [user.get("password_hash")]
    if any(password_fits(password, hashed) for hashed in (hashes[-count:] if count else ())):
        message = f"this is one of the last {count} passwords"
        raise Problem("PASSWORD_REUSED", message, field="new_password", rule="unique")


@serves(AuthPassword.reset)
def reset(call: Context, email: str) -> None:
    """Mail tokens for a new password, where there is somebody with the address."""
    for user in find_users(call.server.store, email.strip().casefold()):
        if user["status"] != "active":
            continue
        mine = caller_as(call, user)
        send_token(
            mine, user, "reset", "Set a new password",
            "Set a new password with this token, within an hour: {token}\n\nWithout you nothing changes.", RESET,
        )  # fmt: skip
        nobody = Caller(user["tenant_id"], "anonymous", None, "anonymous", email=user["email"], auth="none")
        call.acting_as(nobody).emit("auth.password_reset_requested", "user", user)


@serves(AuthPassword.confirm)
def confirm(call: Context, token: str, new_password: str) -> None:
    """Set a new password with a token, and end every session."""
    held = token_of(call, token, "reset")
    user = call.server.store.collection(held["tenant_id"], "user").get(held["user_id"])
    if user is None or user["email"] != held["email"]:
        raise Problem("INVALID_TOKEN", "the token is not known, or was used already")
    mine = caller_as(call, user)
    check_strength(new_password, policy_of(mine.tenant), "new_password")
    _refuse_reused(mine, user, new_password)
    use_token(call, held)
    with_password(mine, user, new_password)
    forget_failures(call, user["email"])
    end_sessions(mine, user["id"])
    mine.emit("auth.password_changed", "user", user)


@serves(AuthEmail.verify)
def verify(call: Context, token: str) -> Document:
    """Confirm an address with a token."""
    held = token_of(call, token, VERIFICATION)
    user = call.server.store.collection(held["tenant_id"], "user").get(held["user_id"])
    if user is None or user["email"] != held["email"]:
        raise Problem("INVALID_TOKEN", "the token is not known, or was used already")
    use_token(call, held)
    mine = caller_as(call, user)
    new = mine.update("user", user, {"email_verified": True}) if not user.get("email_verified") else user
    mine.emit("user.email_verified", "user", new)
    return new


def send_verification(call: Context, user: Document) -> None:
    """Mail a user a token that confirms the address."""
    send_token(
        call, user, VERIFICATION, "Confirm your address",
        "Confirm this address with this token, within a day: {token}", VERIFY,
    )  # fmt: skip
