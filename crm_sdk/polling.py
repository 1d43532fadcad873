"""Fetch the state of a job from its ``status_url``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dialects import DIALECTS
from .errors import InvalidResponseError
from .exchange import Request, Steps, exchange
from .reading import Unreadable, check, job_reader, report

if TYPE_CHECKING:
    from .client import Client


def job_at(client: Client[Any], url: str, kind: Any) -> Steps[Any]:
    """Fetch the state of a job from its ``status_url``; `kind` is the type of the job."""
    dialect = DIALECTS["platform"]
    headers = {"Accept": "application/json", "User-Agent": client.user_agent, **dialect.headers(client.tenant_id)}
    reply = yield from exchange(Request("GET", dialect.url(client.base_url, url), headers), client.terms())
    if reply.status >= 300:
        raise dialect.error(reply.status, reply.headers, reply.content, None)
    try:
        answer, mismatches = job_reader(kind).read(reply.content, strict=client.strict)
        check(kind, answer.get("data"), mismatches)
    except Unreadable as error:
        raise InvalidResponseError(
            f"GET {url}: the answer is not a job: {error}",
            status=reply.status,
            mismatches=error.mismatches,
            body=reply.content[:2000],
            request_id=reply.headers.get("x-request-id"),
        ) from None
    report(f"GET {url}", mismatches, client.habits.reported)
    return client.own(answer["data"])
