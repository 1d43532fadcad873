"""The rules of integrations: list them, and connect one with its credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.resources.integrations import Integrations

from ...data.document import Document
from ...data.query import sort_documents
from ...problems import FieldError, Problem, validation
from ...serving import Context, Members, changes_between, serves

REQUIRED: Mapping[str, Sequence[tuple[str, ...]]] = {
    "slack": (("webhook_url",), ("access_token",)),
    "google": (("access_token",), ("client_id", "client_secret", "refresh_token")),
    "microsoft": (("access_token",), ("client_id", "client_secret", "refresh_token")),
    "imap": (("host", "username", "password"),),
    "hubspot": (("api_key",), ("access_token",)),
    "mailchimp": (("api_key",),),
    "stripe": (("api_key",),),
    "twilio": (("username", "password"),),
    "http": (("webhook_url",),),
}
"""The credentials that each system requires: all members of one of the alternatives."""
_ANY: Sequence[tuple[str, ...]] = (("api_key",), ("access_token",), ("webhook_url",))
_REFUSED = re.compile(r"(?i)\b(?:invalid|wrong|expired|revoked)\b")
"""Words by which a credential is recognised as one that the system refuses."""
_SECRET = re.compile(r"(?i)key|token|secret|password")


@serves(Integrations.list)
def list_(call: Context) -> Sequence[Document]:
    """Return the integrations by name."""
    return sort_documents(call.collection("integration").all(), "name", None, ("name",))


@serves(Integrations.connect)
def connect(call: Context, integration_id: str, credentials: Members, config: Mapping[str, Any] | None) -> Document:
    """Connect a system; of its credentials only a mask is stored."""
    doc = call.record("integration", integration_id)
    given = {name: value for name, value in credentials.items() if value not in (None, "")}
    try:
        _check(doc, given)
    except Problem as problem:
        if problem.code == "CONNECTION_REFUSED":
            with call.server.store.keep_despite_rollback():
                said = {"code": problem.code, "message": problem.message}
                call.emit("integration.error", "integration", doc, reason=problem.message, metadata=said)
        raise
    new = call.update(
        "integration",
        doc,
        {
            "status": "connected",
            "config": {**doc["config"], **{name: _mask_secret(name, value) for name, value in (config or {}).items()}},
            "credentials": {name: mask(value) for name, value in given.items()},
            "last_sync": call.now,
            "connected_at": call.now,
        },
    )
    changes = [change for change in changes_between(doc, new) if change["field"] != "credentials"]
    call.emit("integration.connected", "integration", new, changes=changes)
    return new


def _check(doc: Members, given: Members) -> None:
    """Raise 422 where a credential is missing, or the system refuses one."""
    choices = REQUIRED.get(doc["provider"], _ANY)
    if not any(all(name in given for name in names) for names in choices):
        wanted = min(choices, key=lambda names: sum(name not in given for name in names))
        ways = ", or ".join(" and ".join(names) for names in choices)
        raise validation(
            FieldError(f"credentials.{name}", "required", f"{doc['name']} asks for {ways}")
            for name in wanted
            if name not in given
        )
    for name, value in given.items():
        if isinstance(value, str) and _REFUSED.search(re.sub(r"[_-]", " ", value)):
            raise Problem(
                "CONNECTION_REFUSED",
                f"{doc['name']} refused the {name}",
                field=f"credentials.{name}",
                rule="credential",
            )


def mask(value: object) -> str:
    """Return the mask of a secret, with its last characters if it is long enough."""
    text = str(value)
    return f"••••{text[-4:]}" if len(text) >= 12 else "••••"


def _mask_secret(name: str, value: Any) -> Any:
    return mask(value) if _SECRET.search(name) and isinstance(value, str) else value
