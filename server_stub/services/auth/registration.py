"""The rules of registration: found a company, or join one that has invited."""

from __future__ import annotations

from typing import Any

from crm_sdk.models.users import User
from crm_sdk.resources.auth import Auth

from ...data import normalise
from ...data.blanks import blank
from ...data.document import Document
from ...mail import token_of, use_token
from ...problems import FieldError, Problem, invalid, validation
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from ..founding import found_company
from .passwords import check_strength, send_verification, with_password
from .tokens import caller_as, sign_in

INVITATION = "invitation"
"""The purpose of the tokens that invite to a company."""


@serves(Auth.register)
def register(
    call: Context,
    email: str,
    password: str,
    name: str,
    company: str | None,
    invitation_token: str | None,
    locale: str | None,
    timezone: str | None,
) -> dict[str, Any]:
    """Register a user, who founds a company or joins one."""
    if (company is None) is (invitation_token is None):
        message = "exactly one of company and invitation_token is needed"
        raise validation(FieldError(field, "required", message) for field in ("company", "invitation_token"))
    address = normalise.email(email) or ""
    given = {
        "email": address,
        "name": name.strip(),
        "locale": normalise.language(locale, "locale"),
        "timezone": normalise.timezone(timezone),
    }
    settings = {key: value for key, value in given.items() if value is not None}
    if invitation_token is not None:
        return _join(call, invitation_token, settings, password)
    check_strength(password, None)
    return _found_company(call, (company or "").strip(), settings, password)


def _found_company(call: Context, company: str, settings: Members, password: str) -> dict[str, Any]:
    """Found a company with the user as its admin."""
    own = {key: value for key, value in settings.items() if key in ("locale", "timezone")}
    call, tenant = found_company(call, company, admin_email=settings["email"], admin_name=settings["name"], **own)
    user = call.create("user", "user_", _new_user(tenant, settings, role="admin"))
    mine = caller_as(call, user)
    user = with_password(mine, user, password)
    mine.emit("user.registered", "user", user)
    send_verification(mine, user)
    return {
        "user": user,
        "tenant": tenant | {"user_count": 1},
        "verification_sent": True,
        "session": sign_in(call, user, mfa_verified=False),
    }


def _new_user(tenant: Document, settings: Members, role: str) -> dict[str, Any]:
    return blank(User) | {
        "timezone": tenant["timezone"],
        "locale": tenant["locale"],
        **settings,
        "role": role,
        "roles": [{"id": f"role_{role}", "key": role, "name": role.replace("_", " ").capitalize()}],
        "status": "active",
        "email_verified": False,
        "mfa_enabled": False,
        "tenant_id": tenant["id"],
    }


def _join(call: Context, token: str, settings: Members, password: str) -> dict[str, Any]:
    """Join the company that has sent an invitation; the mail has shown that the address is the user's."""
    held = token_of(call, token, INVITATION)
    user = call.server.store.collection(held["tenant_id"], "user").get(held["user_id"])
    if user is None or user["email"] != held["email"]:
        raise Problem("INVALID_TOKEN", "the token is not known, or was used already")
    if settings["email"] != user["email"]:
        raise invalid("email", "choice", "the invitation is for another address")
    mine = caller_as(call, user)
    security = policy_of(mine.tenant)
    domains = [str(domain).casefold() for domain in security.get("allowed_email_domains") or ()]
    if domains and normalise.email_domain(user["email"]) not in domains:
        raise Problem("DOMAIN_NOT_ALLOWED", f"the company allows addresses of {', '.join(domains)} only", field="email")
    if user["status"] != "invited":
        details = {"existing_id": user["id"]}
        raise Problem("USER_EXISTS", "the company knows this address already", field="email", details=details)
    check_strength(password, security)
    use_token(call, held)
    user = mine.update("user", user, {**settings, "status": "active", "email_verified": True})
    user = with_password(mine, user, password)
    mine.emit("user.registered", "user", user)
    return {
        "user": user,
        "tenant": None,
        "verification_sent": False,
        "session": sign_in(call, user, mfa_verified=False),
    }
