"""What a client is told, and whether that can be right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .dialects import DialectName

KEPT_IN_A_PATH = "/?:@!$&'()*+,;=%~[]"
"""What a path may hold as it is."""
_MOST = 1e6  # of anything: a system's timer does not take any number


@dataclass(frozen=True, slots=True)
class Options:
    """What a client was told, checked."""

    base_url: str
    tenant_id: str | None
    dialects: tuple[DialectName, ...] | None
    """None: to be found out."""
    timeout: float
    max_retries: int
    strict: bool
    idempotent_writes: bool
    max_connections: int


def checked_url(url: str | None) -> str:
    """Return a base URL without a slash at its end. Raises: ConfigurationError, for one that cannot be right."""
    if not url:
        raise ConfigurationError(
            "no base URL: pass CrmClient(base_url=…) or set CRM_BASE_URL "
            "(to try it without a server: `from server_stub import StubServer; client = StubServer().client()`)"
        )
    wrong = "base_url must be like 'https://crm.example.com'"
    try:
        parts = urlsplit(url)
        port = parts.port or 0
    except ValueError as error:
        raise ConfigurationError(f"{wrong}: {error}") from None
    if "@" in parts.netloc:
        raise ConfigurationError("base_url must not hold credentials: use api_key=")
    odd = parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    if odd or port > 65535 or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise ConfigurationError(f"{wrong}, not {url!r}")
    return f"{parts.scheme}://{parts.netloc}{quote(parts.path, safe=KEPT_IN_A_PATH)}".rstrip("/")


def root(base_url: str) -> str:
    """Return a base URL without the ``/v1`` that the platform document's has: what paths are relative to."""
    return base_url.removesuffix("/v1")


def at_least(name: str, value: Any, least: float) -> float:
    """Return a number that is not too small, or refuse it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= _MOST:
        raise ConfigurationError(f"{name} must be a number from {least:g} to {_MOST:g}, not {value!r}")
    return value


def header(name: str, value: str | None) -> str | None:
    """Return what a header is to hold; None where there is nothing. What is refused is not shown: it may be a key."""
    if value and not (value.isascii() and value.isprintable() and value == value.strip()):
        raise ConfigurationError(
            f"{name} has a character that no header can hold, such as a line break at its end or a letter beyond ASCII"
        )
    return value or None
