"""What browsers and proxies expect of a port: cross-origin requests (CORS) and compressed answers. Needs ``server``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
"""The origins that may ask where none are named: pages that this machine serves."""
_READABLE = (
    "Content-Disposition", "ETag", "Idempotency-Key", "Idempotency-Replayed", "Link", "Location", "Retry-After",
    "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-ID", "X-Total-Count",
)  # fmt: skip
"""The headers of answers that a page may read, beside those that every page may."""
_LEAST = 4096
"""Shorter answers are not compressed: on one machine that would only take time."""


def for_browsers(application: Any, origins: Sequence[str] | None) -> ASGIApp:
    """Return an application that answers pages of other origins, and compresses for whoever takes gzip.

    `origins` names the origins, ``*`` all; None stands for `LOOPBACK`.
    """
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    return CORSMiddleware(
        GZipMiddleware(application, minimum_size=_LEAST, compresslevel=1),
        allow_origins=tuple(origins or ()),
        allow_origin_regex=LOOPBACK if origins is None else None,
        allow_methods=("*",),
        allow_headers=("*",),
        expose_headers=_READABLE,
    )
