"""Links that are opened without a credential, such as those in an e-mail: ``/l/<what>.<signature>``.

A service marks what a kind of link answers::

    @opens("pixel")
    def pixel(call: Context, email_id: str) -> Reply: ...

and makes one by ``link(call, "pixel", email["id"])``. A link with another signature leads nowhere (404).
"""

from __future__ import annotations

import hmac
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ...caller import Caller
from ...serving import Context
from ..http import Reply, Request

if TYPE_CHECKING:
    from ...core import StubServer

Opening = TypeVar("Opening", bound=Callable[..., Reply])
PIXEL = Reply(
    200,
    {"Content-Type": "image/gif", "Cache-Control": "no-store"},
    b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
)
"""A transparent GIF of one pixel."""
_PREFIX, _BETWEEN = "/l/", "\n"


def opens(kind: str) -> Callable[[Opening], Opening]:
    """Mark a function as the answer to links of a kind: it gets the call and the parts of the link."""

    def mark(opening: Opening) -> Opening:
        vars(opening)["__opens__"] = kind  # read by the collector
        return opening

    return mark


def signed_token(call: Context, kind: str, *parts: str) -> str:
    """Return a token with what a link is about, and a signature."""
    said = urlsafe_b64encode(_BETWEEN.join((call.caller.tenant_id, kind, *parts)).encode()).decode().rstrip("=")
    return f"{said}.{call.server.tokens.signature(said)}"


def link(call: Context, kind: str, *parts: str) -> str:
    """Return a URL of this server that is opened without a credential."""
    return f"{call.server.origin}{_PREFIX}{signed_token(call, kind, *parts)}"


def read_signed(server: StubServer, token: str) -> tuple[str, str, list[str]] | None:
    """Return the company, the kind and the parts of what `signed` made; None for what it has not made."""
    said, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), server.tokens.signature(said).encode()):
        return None
    tenant_id, kind, *parts = urlsafe_b64decode(f"{said}{'=' * (-len(said) % 4)}").decode().split(_BETWEEN)
    return tenant_id, kind, parts


def opened_link(server: StubServer, request: Request, now: datetime, request_id: str) -> Reply | None:
    """Return the reply to a link; None where the request is for no link, or its signature is not ours."""
    if not request.path.startswith(_PREFIX) or request.method not in ("GET", "POST"):
        return None
    read = read_signed(server, request.path.removeprefix(_PREFIX))
    if read is None:
        return None
    tenant_id, kind, parts = read
    answer = server.links.get(kind)
    if answer is None or server.store.collection(tenant_id, "tenant").get(tenant_id) is None:
        return None
    caller = Caller(tenant_id, "system", None, "system", "a link", auth="none")
    source: dict[str, Any] = {
        "dialect": "system", "method": request.method, "path": _PREFIX, "ip_address": request.peer,
        "user_agent": request.headers.get("user-agent"),
    }  # fmt: skip
    call = Context(
        server, caller, now, dialect="system", operation=f"link:{kind}", request_id=request_id, source=source
    )
    with server.store.transaction():
        return answer(call, *parts)
