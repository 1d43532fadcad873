"""API keys in use: from where and until when they work, and how often they were used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias

from ...data.document import Document
from ...history import audit
from ...problems import Problem
from . import identity
from .networks import is_in_any

if TYPE_CHECKING:
    from ...core import StubServer

_HERE = "127.0.0.1"
Use: TypeAlias = tuple[int, datetime, str]
"""How often a key was used, and when and from where it was used last."""


class KeyUses:
    """How often each API key was used. It is no part of the keys' records: a call that reads writes no record."""

    def __init__(self, uses: Mapping[str, Use]) -> None:
        self._uses = {id: (int(use[0]), use[1], str(use[2])) for id, use in uses.items()}

    def count(self, key_id: str, at: datetime, peer: str | None) -> None:
        """Count a call made with a key."""
        known = self._uses.get(key_id)
        self._uses[key_id] = (known[0] + 1 if known is not None else 1, at, peer or _HERE)

    def of(self, key_id: str) -> tuple[int, datetime | None, str | None]:
        """Return how often a key was used, and when and from where it was used last."""
        return self._uses.get(key_id, (0, None, None))

    def snapshot(self) -> dict[str, Use]:
        """Return the present state, for `restore`."""
        return dict(self._uses)

    def restore(self, uses: Mapping[str, Use]) -> None:
        """Go back to a snapshot."""
        self._uses = dict(uses)


def refuse(server: StubServer, key: Document, credential: str, now: datetime, peer: str | None) -> None:
    """Raise 401 for a key that has expired or was replaced, and 403 where it does not work from an address."""
    if key.get("expires_at") is not None and key["expires_at"] <= now:
        raise identity.unauthorized_problem("this API key has expired")
    if key["fingerprint"] != identity.fingerprint(credential) and key["previous_valid_until"] <= now:
        raise identity.unauthorized_problem("this API key was replaced by a new one")
    networks = key.get("ip_allowlist")
    if networks and not allows(networks, peer):
        _audit(server, key, now, peer)
        raise Problem("FORBIDDEN", f"the API key {key['name']!r} does not work from {peer or _HERE}")


def allows(networks: list[str], peer: str | None) -> bool:
    """Return whether an address, or this machine without one, is in one of some networks."""
    try:
        address = ip_address(peer or _HERE)
    except ValueError:
        return False
    return is_in_any(address, networks)


def _audit(server: StubServer, key: Document, now: datetime, peer: str | None) -> None:
    """Write to the trail that a key was used from an address from which it does not work."""
    from ...caller import Caller
    from ...serving import Context

    nobody = Caller(key["tenant_id"], "anonymous", None, "anonymous", name=key["name"], auth="none")
    source = {"dialect": "platform", "status": 403, "ip_address": peer, "user_agent": None}
    call = Context(
        server, nobody, now, dialect="platform", operation="auth", request_id=server.store.new_id("req_"), source=source
    )
    audit.write(
        call, "auth.login_failed", "api_key", key, reason=None, metadata={"reason": "address"}, severity="warning"
    )
