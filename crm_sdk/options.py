"""The options of a client, and their checks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .dialects import DialectChoice, DialectName

KEPT_IN_A_PATH = "/?:@!$&'()*+,;=%~[]"
"""The characters that a path segment may have without percent-encoding."""
LONGEST_REASON = 500
_KEPT_IN_A_REASON = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_MOST = 1e6  # a limit for all numbers: the timers of an operating system do not take every number


@dataclass(frozen=True, slots=True)
class Options:
    """The checked options of a client."""

    base_url: str
    tenant_id: str | None
    dialects: tuple[DialectName, ...] | None
    """None where they are to be found out."""
    timeout: float
    max_retries: int
    strict: bool
    idempotent_writes: bool
    max_connections: int
    reason: str | None = None
    """The reason for writes, for the audit trail, percent-encoded for its header."""

    def changed(
        self,
        *,
        dialects: DialectChoice | None,
        timeout: float | None,
        max_retries: int | None,
        tenant_id: str | None,
        strict: bool | None,
        idempotent_writes: bool | None,
        reason: str | None,
    ) -> Options:
        """Return these options with the given ones replaced; None keeps an option. Raises: ConfigurationError."""
        from .dialects import parse_choice

        changes: dict[str, Any] = {
            "dialects": parse_choice(dialects) if dialects is not None else None,
            "timeout": at_least("timeout", timeout, 0.001) if timeout is not None else None,
            "max_retries": int(at_least("max_retries", max_retries, 0)) if max_retries is not None else None,
            "tenant_id": header("tenant_id", tenant_id),
            "strict": strict,
            "idempotent_writes": idempotent_writes,
            "reason": reason_header(reason) if reason is not None else None,
        }
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


def checked_url(url: str | None) -> str:
    """Return a base URL without a slash at its end. Raises: ConfigurationError for one that is not valid."""
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
    """Return a base URL without the ``/v1`` of the platform document: paths are relative to it."""
    return base_url.removesuffix("/v1")


def at_least(name: str, value: Any, least: float) -> float:
    """Return a number that is at least `least` and not too great. Raises: ConfigurationError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= _MOST:
        raise ConfigurationError(f"{name} must be a number from {least:g} to {_MOST:g}, not {value!r}")
    return value


def header(name: str, value: str | None) -> str | None:
    """Return the value of a header; None for an empty one.

    Raises: ConfigurationError, without the value in its message, since it may be a key.
    """
    if value and not (value.isascii() and value.isprintable() and value == value.strip()):
        raise ConfigurationError(
            f"{name} has a character that no header can hold, such as a line break at its end or a letter beyond ASCII"
        )
    return value or None


def reason_header(reason: str) -> str:
    """Return a reason as the value of a header: percent-encoded where it is not printable ASCII, as in a URL."""
    if len(reason) > LONGEST_REASON:
        raise ConfigurationError(f"a reason has at most {LONGEST_REASON} characters, not {len(reason)}")
    return quote(reason.strip(), safe=_KEPT_IN_A_REASON)
