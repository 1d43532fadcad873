"""The credentials of integrations: which are needed, what is kept of them, and whether a system accepts them.

A credential itself is never stored: only a mask of it, a hash by which another one is told apart, and whether the
system refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...data.document import Document
from ...problems import FieldError, validation
from ...request.access.identity import fingerprint
from ...serving import Context, Members

Choices = Sequence[tuple[str, ...]]

REQUIRED: Mapping[str, Choices] = {
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
ANY: Choices = (("api_key",), ("access_token",), ("webhook_url",))
BY_AUTH: Mapping[str, Choices] = {
    "none": ((),),
    "api_key": (("api_key",), ("webhook_url",)),
    "basic": (("username", "password"),),
    "oauth2": (("access_token",), ("client_id", "client_secret")),
}
"""The credentials that each `auth_type` requires."""
OPEN_TO_ALL = frozenset({"demo_crm"})
"""The systems that ask for no credentials where the `auth_type` is none."""
_REFUSED = re.compile(r"(?i)\b(?:invalid|wrong|expired|revoked|refused)\b")
"""Words by which a credential is recognised as one that the system refuses."""
_SECRETS, _SHORTEST = frozenset({"api_key", "access_token"}), 8
"""The credentials that are refused where they are shorter than any real one."""
_PLACES = ("host", "webhook_url")
_SECRET = re.compile(r"(?i)key|token|secret|password")
STORED = ("credentials", "credential_prints", "rejected")
"""The members with what is kept of the credentials, which no event and no audit entry has."""


def mask(value: object) -> str:
    """Return the mask of a secret, with its last characters if it is long enough."""
    text = str(value)
    return f"••••{text[-4:]}" if len(text) >= 12 else "••••"


def masked_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with masks in place of secrets."""
    return {
        name: mask(value) if _SECRET.search(name) and isinstance(value, str) else value
        for name, value in config.items()
    }


def is_refused(name: str, value: object) -> bool:
    """Return whether a system refuses a credential, by what it says of itself."""
    text = str(value)
    if _REFUSED.search(re.sub(r"[_-]", " ", text)):
        return True
    return (name in _SECRETS and len(text) < _SHORTEST) or (name == "host" and text.endswith(".invalid"))


def kept_credentials(given: Members, before: Document | None) -> dict[str, Any]:
    """Return what is stored of credentials; a mask that was stored before means the credential it stands for."""
    known: Members = before.get("credentials") or {} if before is not None else {}
    prints: Members = before.get("credential_prints") or {} if before is not None else {}
    rejected = before.get("rejected") or () if before is not None else ()
    masks: dict[str, str] = {}
    digests: dict[str, str] = {}
    refused: list[str] = []
    for name, value in sorted(given.items()):
        if value in (None, ""):
            continue
        same = value == known.get(name)
        masks[name] = str(value) if same else mask(value)
        digests[name] = prints.get(name, "") if same else fingerprint(str(value))
        if name in rejected if same else is_refused(name, value):
            refused.append(name)
    return {"credentials": masks, "credential_prints": digests, "rejected": refused}


def missing(choices: Choices, given: Members, name: str) -> Iterator[FieldError]:
    """Yield an error for each credential that is missing; those of the alternative that lacks the fewest."""
    if any(all(member in given for member in names) for names in choices):
        return
    wanted = min(choices, key=lambda names: sum(member not in given for member in names))
    ways = ", or ".join(" and ".join(names) for names in choices)
    for member in wanted:
        if member not in given:
            yield FieldError(f"credentials.{member}", "required", f"{name} asks for {ways}")


def check_auth(auth_type: str, masks: Members, name: str, *, given: bool) -> None:
    """Raise 422 where credentials are missing that an `auth_type` requires."""
    faults = list(missing(BY_AUTH[auth_type], masks, name))
    if faults and not given:
        faults = [FieldError("credentials", "required", faults[0].message)]
    if faults:
        raise validation(faults)


def checks(call: Context, integration: Members) -> list[dict[str, Any]]:
    """Return the steps of a connection test, up to the first that fails."""
    name, provider = integration["name"], integration["provider"]
    masks: Members = integration.get("credentials") or {}
    rejected: Sequence[str] = integration.get("rejected") or ()
    remote = call.server.remotes.of(call.caller.tenant_id)[provider]
    open_to_all = provider in OPEN_TO_ALL or provider not in REQUIRED
    steps: list[tuple[str, str, str | None]] = [
        ("dns", "the address is known", _lost_place(integration, rejected)),
        ("connect", f"{name} answers", None if remote.answers else f"{name} does not answer"),
        ("authenticate", "the credentials are accepted", _refusal(integration, masks, rejected, open_to_all)),
        ("permissions", "records may be read and written", None),
        ("rate_limit", "there are calls left", None),
    ]
    made: list[dict[str, Any]] = []
    for step, well, wrong in steps:
        made.append({"name": step, "ok": wrong is None, "message": wrong or well})
        if wrong is not None:
            break
    return made


def _lost_place(integration: Members, rejected: Sequence[str]) -> str | None:
    wrong = next((place for place in _PLACES if place in rejected), None)
    if wrong is not None:
        return f"the {wrong} of {integration['name']} is not known"
    if integration["provider"] in ("imap", "caldav") and "host" not in (integration.get("credentials") or {}):
        return f"{integration['name']} has no host"
    return None


def _refusal(integration: Members, masks: Members, rejected: Sequence[str], open_to_all: bool) -> str | None:
    name = integration["name"]
    if integration["auth_type"] == "none":
        return None if open_to_all else f"{name} asks for credentials"
    if not masks:
        return f"{name} has no credentials"
    return f"{name} refused the {rejected[0]}" if rejected else None


def verdict(call: Context, integration: Members) -> dict[str, Any]:
    """Return the members that a connection test sets: the status, and the error where it fails."""
    failed = next((step for step in checks(call, integration) if not step["ok"]), None)
    if failed is None:
        return {"status": "connected", "last_error": None, "connected_at": call.now}
    return {"status": "error", "last_error": error_of("CONNECTION_REFUSED", failed["message"])}


def error_of(code: str, message: str) -> dict[str, Any]:
    """Return an error as integrations and runs show it."""
    return {"code": code, "message": message, "field": None, "rule": None, "details": {}}
