"""Repeated calls: the first answer to an idempotency key is kept for a day, and given to each repetition."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_sdk.wire import camel, encode_json

from ..caller import Caller
from ..data.document import Document
from ..problems import Problem
from .http import Reply, Request

if TYPE_CHECKING:
    from ..core import StubServer

_KEY = re.compile(r"[!-~]{1,255}")
_DAY = timedelta(hours=24)
_KEPT = frozenset(["Content-Language", "Content-Type", "Location"])


def key_of(request: Request) -> str | None:
    """Return the idempotency key; None where there is none, or the method does not use one."""
    return request.headers.get("idempotency-key") if request.method == "POST" else None


def check_key(request: Request) -> None:
    """Raise 400 for an idempotency key that cannot be one."""
    key = key_of(request)
    if key is not None and not _KEY.fullmatch(key):
        raise Problem("BAD_REQUEST", "an Idempotency-Key has 1 to 255 visible characters of ASCII")


def first_answer(server: StubServer, caller: Caller, request: Request, now: datetime) -> Reply | None:
    """Return the stored answer for the idempotency key; None for a new one. Raises: 409 with another request."""
    key = key_of(request)
    if key is None:
        return None
    doc = server.store.collection(caller.tenant_id, "idempotency").get(_id(caller, key))
    if doc is None or doc["at"] + _DAY <= now:
        return None
    if doc["fingerprint"] != _fingerprint(request):
        raise Problem("IDEMPOTENCY_KEY_REUSED", f"the key {key!r} came with another request before")
    return Reply(doc["status"], {**doc["headers"], "Idempotency-Replayed": "true"}, doc["body"].encode())


def remember(
    server: StubServer, caller: Caller, request: Request, reply: Reply, once: Sequence[str], now: datetime
) -> None:
    """Keep a successful answer for its repetitions, without the members that come `once`."""
    key = key_of(request)
    if key is None or reply.status >= 400 or reply.chunks is not None:
        return
    server.store.collection(caller.tenant_id, "idempotency").put(
        Document(
            id=_id(caller, key),
            fingerprint=_fingerprint(request),
            status=reply.status,
            headers={name: value for name, value in reply.headers.items() if name in _KEPT},
            body=_without(reply.body, once).decode(),
            at=now,
        )
    )


def _without(body: bytes, once: Sequence[str]) -> bytes:
    if not once:
        return body
    value = json.loads(body)
    for name in once:
        value["data"][camel(name)] = None
    return encode_json(value)


def _id(caller: Caller, key: str) -> str:
    return f"{caller.actor_id}:{key}"


def _fingerprint(request: Request) -> str:
    content = request.form.fingerprint if request.form is not None else request.body
    return hashlib.sha256(b"\0".join((request.path.encode(), request.query.encode(), content))).hexdigest()
