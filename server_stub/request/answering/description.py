"""Serve the OpenAPI documents: of the whole server, and of each mount."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from crm_sdk.wire import encode_json

from ..http import Reply, Request

_PLACES: Mapping[str, tuple[str, str]] = {
    "/openapi.json": ("platform", "/v1"),
    "/v1/openapi.json": ("platform", "/v1"),
    "/platform/openapi.json": ("platform", "/platform/v1"),
    "/flow/openapi.json": ("flow", "/flow"),
    "/mvp/openapi.json": ("mvp", "/mvp"),
}
"""Each path with its dialect and the server URL of the document."""


def is_described(path: str) -> bool:
    """Tell whether a path is that of a document."""
    return path in _PLACES


def description(request: Request) -> Reply | None:
    """Return the reply with a document; None for any other request. No sign-in is needed."""
    place = _PLACES.get(request.path)
    if place is None or request.method != "GET":
        return None
    return Reply(200, {"Content-Type": "application/json"}, _encoded_document(*place))


@cache
def _encoded_document(dialect: str, server: str) -> bytes:
    from crm_sdk.openapi import document  # imported here: the server starts faster without it

    return encode_json(document(dialect, server))
