"""The rules of webhook endpoints and their secrets, which appear in no event and no audit trail."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from crm_sdk.models.webhooks import WebhookEndpoint
from crm_sdk.resources.webhooks import Webhooks

from ...answers import Answer
from ...data.document import Document
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ...webhooks.records import DELIVERY, ENDPOINT, PRIVATE, secrets_at, write

_NAME = re.compile(r"\*|[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_OVERLAP = 86_400
"""The seconds for which the previous secret is used beside a new one, by default."""
_WELL: Mapping[str, Any] = {
    "consecutive_failures": 0,
    "failing_since": None,
    "disabled_at": None,
    "disabled_reason": None,
}
"""The delivery state of a new endpoint."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the delivery state of a new endpoint, and of one that is made active again."""
    if before is None:
        fresh: dict[str, Any] = {"secrets": [], "secret_prefix": None, "previous_secret_expires_at": None}
        return {"description": None, "active": True, **members, **_WELL, **fresh}
    return _WELL if members.get("active") is True and not before["active"] else {}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Give a new endpoint its secret; deliveries that wait go to the new address, or nowhere after a deletion."""
    if after is None:
        for delivery in pending_deliveries(call, before) if before is not None else ():
            call.update(DELIVERY, delivery, {"status": "cancelled", "next_attempt_at": None})
        return None
    if before is None:
        return call.collection(ENDPOINT).put(after | _new_secret_members(call, after, 0))
    if after["url"] != before["url"]:
        for delivery in pending_deliveries(call, after):
            call.update(DELIVERY, delivery, {"url": after["url"]})
    return None


@serves(Webhooks.create)
def create(call: Context, webhook: Members) -> dict[str, Any]:
    """Register an endpoint; only this answer has its secret."""
    return _with_secret(WEBHOOKS.add(call, WEBHOOKS.stored_form(call, webhook)))


@serves(Webhooks.rotate_secret)
def rotate_secret(call: Context, webhook_id: str, expires_in: int | None) -> Answer:
    """Give an endpoint a new secret; the one before is used as well for a while."""
    doc = WEBHOOKS.writable(call, webhook_id)
    secrets = _new_secret_members(call, doc, _OVERLAP if expires_in is None else expires_in)
    return Answer(_with_secret(WEBHOOKS.change(call, doc, secrets, verb="secret_rotated")))


@serves(Webhooks.test)
def test(call: Context, webhook_id: str) -> Document:
    """Write a delivery that is not an event of the log."""
    doc = WEBHOOKS.writable(call, webhook_id)
    require_active(doc)
    data = {"webhookId": doc["id"], "message": "a test of this endpoint"}
    return write(call, doc, "webhook.test", call.new_id("evt_"), data)


def require_active(endpoint: Document) -> None:
    """Raise 409 where an endpoint is not active."""
    if not endpoint["active"]:
        raise Problem("OBJECT_INACTIVE", "the endpoint is not active: update it with active=true first")


def pending_deliveries(call: Context, endpoint: Document) -> list[Document]:
    """Return what is still to be posted to an endpoint."""
    mine = call.collection(DELIVERY).find("webhook_id", endpoint["id"])
    return [delivery for delivery in mine if delivery["status"] == "pending"]


def _url(call: Context, url: str) -> str:
    """Return an address that can be posted to. Raises 422 for any other."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:  # an unclosed bracket, a port that is not a number
        whole = False
    if not whole:
        raise invalid(
            "url", "format", f"{url!r} is not an address that can be posted to, like https://example.com/hook"
        )
    return url


def _events(call: Context, names: Sequence[str]) -> list[str]:
    """Return names of events, each once. Raises 422 for one that no event has, or that is not posted."""
    for n, name in enumerate(names):
        if not _NAME.fullmatch(name):
            raise invalid(f"events.{n}", "format", f"{name!r} is not a name of an event, like lead.created, and not *")
        if name.startswith(PRIVATE):
            raise invalid(f"events.{n}", "choice", f"{name} is not posted: {' and '.join(PRIVATE)} events never are")
    return list(dict.fromkeys(names))


def _new_secret_members(call: Context, doc: Document, overlap: int) -> dict[str, Any]:
    """Return the members of an endpoint with a new secret."""
    # The same in every run, as everything of the stub: no secret of it protects anything.
    seed = hashlib.sha256(f"{call.caller.tenant_id}{call.new_id('secret_')}".encode()).digest()
    value = f"whsec_{base64.b64encode(seed).decode()}"
    until = call.now + timedelta(seconds=overlap) if overlap else None
    before = secrets_at(doc, call.now)[:1] if until is not None else []
    return {
        "secrets": [{"value": value, "expires_at": None}, *({"value": old, "expires_at": until} for old in before)],
        "secret_prefix": value[:10],
        "previous_secret_expires_at": until if before else None,
    }


def _with_secret(doc: Document) -> dict[str, Any]:
    """Return an endpoint with its newest secret, as only the answer that makes the secret has it."""
    return doc | {"secret": doc["secrets"][0]["value"]}


def _without_secrets(doc: Document) -> Document:
    return Document({name: value for name, value in doc.items() if name != "secrets"})


WEBHOOKS = Noun(
    resource=Webhooks,
    kind=ENDPOINT,
    model=WebhookEndpoint,
    own=("create",),
    forms={"url": _url, "events": _events},
    check=_check,
    follow=_follow,
    visible=lambda call, doc: doc.get("installation_id") is None,  # else it is an app's, and goes with that
    published=_without_secrets,
)
