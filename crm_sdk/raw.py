"""Raw calls: any method and path; the result has status, headers and bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from .errors import InvalidInputError
from .exchange import Request, Steps, exchange
from .options import KEPT_IN_A_PATH, root
from .route import parameter
from .wire import encode_json

if TYPE_CHECKING:
    from .client import Client


@dataclass(frozen=True, slots=True)
class RawReply:
    """The result of `client.request`, whatever the status: status, headers (names in lower case) and bytes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)  # of a sign-in it has the tokens

    def json(self) -> Any:
        """Return the content, parsed as JSON."""
        return json.loads(self.content)


def raw_call(
    client: Client[Any],
    method: str,
    path: str,
    query: Mapping[str, Any] | None,
    body: Any,
    content: bytes | None,
    headers: Mapping[str, str] | None,
) -> Steps[RawReply]:
    """Carry out a raw call."""
    if not path.startswith("/"):
        raise InvalidInputError(f"path must begin with a slash, such as '/api/leads', not {path!r}")
    if body is not None and content is not None:
        raise InvalidInputError("give json= or content=, not both")
    own = {"Accept": "*/*", "User-Agent": client.user_agent}
    if client.tenant_id:
        own["X-Tenant-Id"] = client.tenant_id
    if body is not None:
        try:
            content, own["Content-Type"] = encode_json(body), "application/json"
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"json cannot be sent: {error}") from error
    if method.upper() == "POST":
        own["Idempotency-Key"] = client.new_key()
    own |= client.headers
    if client.language is not None:
        own["Accept-Language"] = client.language
    own |= {name.title(): value for name, value in (headers or {}).items()}  # names are the same in any case
    pairs = {name: parameter(value) for name, value in (query or {}).items() if value is not None}
    url = root(client.base_url) + quote(path, safe=KEPT_IN_A_PATH)
    if pairs:
        url += ("&" if "?" in path else "?") + urlencode(pairs)
    reply = yield from exchange(Request(method.upper(), url, own, content), client.terms())
    return RawReply(reply.status, reply.headers, reply.content)
