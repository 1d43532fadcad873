"""The rules of accounts on social networks: they are connected by a token, which expires, and disconnected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from crm_sdk.models.social import SocialAccount
from crm_sdk.resources.social import SocialAccounts

from ...data.document import Document
from ...noun import Noun
from ...outside.networks import LASTS, account_of, followers_of
from ...problems import Problem, invalid
from ...serving import Collections, Context, Members, serves
from ...timetable import Appointment, apart, falls_due, plan

FEED = "social_feed"
"""The kind of the record with the time up to which the networks have been read."""
_REFUSED = re.compile(r"(?i)^refused")


def _listed_account(call: Context, doc: Document) -> Document:
    """Return an account with its followers now, or when it was disconnected, and when its network was read last."""
    connected = doc["status"] == "connected"
    read = next((one["read_until"] for one in call.collection(FEED)), None)
    synced = max(doc["last_sync_at"], read) if connected and read is not None else doc["last_sync_at"]
    at = doc["ended_at"] or call.now  # that of one that is connected has no end
    return doc | {"followers": followers_of(doc, at), "last_sync_at": synced}


ACCOUNTS = Noun(
    resource=SocialAccounts,
    kind="social_account",
    prefix="social_",
    model=SocialAccount,
    events="social.",
    verbs={"created": "account_connected", "updated": "account_disconnected"},
    computed=("followers", "last_sync_at"),
    shown=_listed_account,
    listed=_listed_account,
)


def _expiries(collections: Collections) -> Iterator[datetime]:
    return (doc["token_expires_at"] for doc in collections("social_account").find("status", "connected"))


EXPIRY = Appointment("social tokens", _expiries)


@falls_due(EXPIRY)
def expire(call: Context) -> None:
    """Note the accounts whose tokens have expired."""
    for doc in call.collection("social_account").find("status", "connected"):
        if doc["token_expires_at"] <= call.now:
            with apart(call, doc):
                call.update("social_account", doc, {"status": "expired", "ended_at": call.now})


@serves(SocialAccounts.connect)
def connect(
    call: Context, network: str, code: str | None, redirect_uri: str | None, access_token: str | None
) -> Document:
    """Connect an account, or revive one that has expired."""
    network = network.strip()
    if not network:
        raise invalid("network", "length", "must not be empty")
    credential = _credential(code, redirect_uri, access_token)
    if _REFUSED.match(credential):
        field = "access_token" if access_token else "code"
        raise Problem("CONNECTION_REFUSED", f"{network} refuses the {field.replace('_', ' ')}", field=field)
    members = account_of(call.tenant, network, credential)
    same = [doc for doc in ACCOUNTS.records(call).find("handle", members["handle"]) if doc["network"] == network]
    known = next((doc for doc in same if doc["status"] == "connected"), None)
    if known is not None:
        message = f"{known['handle']} of {network} is connected"
        raise Problem("ACCOUNT_CONNECTED", message, details={"existing_id": known["id"]})
    members |= {
        "status": "connected",
        "connected_by": call.caller.user_id or call.caller.actor_id,
        "token_expires_at": call.now + LASTS,
        "last_sync_at": call.now,
        "followers": followers_of(members, call.now),
        "ended_at": None,
    }
    expired = next((doc for doc in same if doc["status"] in ("expired", "error")), None)
    doc = ACCOUNTS.change(call, expired, members, verb="created") if expired else ACCOUNTS.add(call, members)
    plan(call.collection, EXPIRY)
    return ACCOUNTS.answer(call, doc)


def _credential(code: str | None, redirect_uri: str | None, access_token: str | None) -> str:
    """Return the token or the code. Raises: 422 for neither, both, and a code without the address it was sent to."""
    code, token = (code or "").strip(), (access_token or "").strip()
    if not code and not token:
        raise invalid("access_token", "required", "give a token, or a code with its redirect_uri")
    if code and token:
        raise invalid("access_token", "choice", "give either a token or a code, not both")
    if code and not (redirect_uri or "").strip():
        raise invalid("redirect_uri", "required", "a code needs the address that the sign-in page came back to")
    return token or code


@serves(SocialAccounts.disconnect)
def disconnect(call: Context, account_id: str) -> Document:
    """Disconnect an account; what is scheduled for it fails."""
    from .posts import fail_scheduled  # imported here: posts go to the accounts of this module

    doc = ACCOUNTS.writable(call, account_id, "delete")
    if doc["status"] == "disconnected":
        return ACCOUNTS.answer(call, doc)
    gone: dict[str, Any] = {
        "status": "disconnected", "token_expires_at": None, "ended_at": call.now, "scopes": [],
        "followers": followers_of(doc, call.now),
    }  # fmt: skip
    doc = ACCOUNTS.change(call, doc, gone)
    fail_scheduled(call, doc)
    return ACCOUNTS.answer(call, doc)


def require_connected(account: Members) -> None:
    """Raise 409 ACCOUNT_DISCONNECTED where an account is not connected."""
    if account["status"] != "connected":
        raise disconnected_problem(account)


def disconnected_problem(account: Members) -> Problem:
    """Return the problem of an account that is not connected."""
    message = f"{account['handle']} of {account['network']} is {account['status']}: connect it again"
    return Problem("ACCOUNT_DISCONNECTED", message, details={"account_id": account["id"]})
