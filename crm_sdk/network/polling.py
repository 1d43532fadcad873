"""Fetch the state of a job or a run from the route that returns it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..dialects import DIALECTS
from ..errors import InvalidResponseError
from ..exchange import Request, Steps, exchange
from ..reading import Unreadable, check, check_usable, job_reader, report
from ..secrecy import redacted_content
from ..wire import encode_json, is_object

if TYPE_CHECKING:
    from ..client import Client


def job_at(client: Client[Any], url: str, kind: Any) -> Steps[Any]:
    """Fetch the state of a job from its ``status_url``; `kind` is the type of the job.

    The route answers the job itself, or a record with a member `job`, such as the model that it trains (002, 0.5).
    """
    dialect = DIALECTS["platform"]
    headers = {"Accept": "application/json", "User-Agent": client.user_agent, **dialect.headers(client.tenant_id)}
    reply = yield from exchange(Request("GET", dialect.url(client.base_url, url), headers), client.terms())
    if reply.status >= 300:
        raise dialect.error(reply.status, reply.headers, redacted_content(reply.content, client.secrets), None)
    try:
        answer, mismatches = job_reader(kind).read(_job_in(reply.content), strict=client.strict)
        check(kind, answer.get("data"), mismatches)
        check_usable(answer["data"], mismatches)
    except Unreadable as error:
        raise InvalidResponseError(
            f"GET {url}: the answer is not a job: {error}",
            status=reply.status,
            mismatches=error.mismatches,
            body=redacted_content(reply.content, client.secrets)[:2000],
            request_id=reply.headers.get("x-request-id"),
        ) from None
    report(f"GET {url}", mismatches, client.habits.reported)
    return client.own(answer["data"])


def _job_in(content: bytes) -> bytes:
    """Return the answer with the job in the place of the record that has it as its member."""
    if b'"job"' not in content:
        return content
    try:
        answer = json.loads(content, parse_float=Decimal)
    except ValueError:
        return content  # said by whoever reads it
    found = answer.get("data") if is_object(answer) else None
    return encode_json(answer | {"data": found["job"]}) if is_object(found) and is_object(found.get("job")) else content
