"""Write the errors of an envelope as error objects of JSON:API, each with the place in the request that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_HEADERS: Mapping[str, str] = {
    "NOT_ACCEPTABLE": "Accept",
    "UNSUPPORTED_MEDIA_TYPE": "Content-Type",
    "UNSUPPORTED_VERSION": "X-API-Version",
    "TENANT_MISMATCH": "X-Tenant-ID",
    "VERSION_CONFLICT": "If-Match",
    "IDEMPOTENCY_KEY_REUSED": "Idempotency-Key",
    "UNAUTHORIZED": "Authorization",
}
"""The headers that are wrong where an answer has one of these codes, if the request had them."""


def document(
    errors: Sequence[Mapping[str, Any]],
    status: int,
    request_id: str,
    headers: Mapping[str, str],
    source_of: Callable[[str], Mapping[str, str] | None],
) -> dict[str, Any]:
    """Return the document of a refusal; `source_of` finds the source of an error by the path of its member."""
    return {
        "jsonapi": {"version": "1.1"},
        "errors": [
            _error_object(one, f"{request_id}-{number}", status, headers, source_of)
            for number, one in enumerate(errors, 1)
        ],
    }


def _error_object(
    error: Mapping[str, Any],
    id: str,
    status: int,
    headers: Mapping[str, str],
    source_of: Callable[[str], Mapping[str, str] | None],
) -> dict[str, Any]:
    code = str(error["code"])
    found = {"id": id, "status": str(status), "code": code, "title": title(code), "detail": error["message"]}
    field: str | None = error.get("field")
    header = _HEADERS.get(code)
    source: Mapping[str, str] | None = None
    if field is not None and field.lower() in headers:
        source = {"header": field}
    elif header is not None and field is None:
        source = {"header": header} if header.lower() in headers else None
    elif field is not None:
        source = source_of(field)
    details: Mapping[str, Any] = error.get("details") or {}
    meta = dict(details)
    if error.get("rule") is not None:
        meta["rule"] = error["rule"]
    if field is not None and not field.startswith("/"):
        meta["field"] = field
    return {**found, **({"source": dict(source)} if source is not None else {}), **({"meta": meta} if meta else {})}


def title(code: str) -> str:
    """Return the title of an error: its code in words, the same in every answer."""
    return code.replace("_", " ").capitalize()
