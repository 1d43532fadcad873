"""What a client is told, and whether that can be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .dialects import DialectChoice, DialectName

KEPT_IN_A_PATH = "/?:@!$&'()*+,;=%~[]"
"""What a path may hold as it is."""
LONGEST_REASON = 500
_KEPT_IN_A_REASON = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
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
    reason: str | None = None
    """What the audit trail is to say of why writes are done, as the header holds it."""
    idempotency_key: str | None = None
    """The key that each POST has, instead of one of its own."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What requests have beside the headers of their own."""

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
        idempotency_key: str | None,
        headers: Mapping[str, str] | None,
    ) -> Options:
        """Return these options with others in place of those that are given. Raises: ConfigurationError."""
        from .dialects import parse_choice

        changes: dict[str, Any] = {
            "dialects": parse_choice(dialects) if dialects is not None else None,
            "timeout": at_least("timeout", timeout, 0.001) if timeout is not None else None,
            "max_retries": int(at_least("max_retries", max_retries, 0)) if max_retries is not None else None,
            "tenant_id": header("tenant_id", tenant_id),
            "strict": strict,
            "idempotent_writes": idempotent_writes,
            "reason": reason_header(reason) if reason is not None else None,
            "idempotency_key": _key(idempotency_key) if idempotency_key is not None else None,
            "headers": tuple(_extra_headers(headers)) if headers is not None else None,
        }
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


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


def _key(key: str) -> str:
    if not re.fullmatch(r"[!-~]{1,255}", key):
        raise ConfigurationError(f"idempotency_key={key!r}: it has 1 to 255 visible characters of ASCII")
    return key


_OWN = {
    "authorization": "api_key=",
    "content-length": None,
    "content-type": None,
    "host": "base_url=",
    "idempotency-key": "idempotency_key=",
    "if-match": "version=",
    "transfer-encoding": None,
    "x-audit-reason": "reason=",
    "x-tenant-id": "tenant_id=",
}
"""The headers a client sets itself, each with what it is set by."""


def _extra_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"headers: {name!r} is no name of a header")
        if name.lower() in _OWN:
            way_out = _OWN[name.lower()]
            raise ConfigurationError(f"headers: {name} is set by the client" + (f": use {way_out}" if way_out else ""))
        yield name.title(), header(f"headers[{name!r}]", value) or ""


def reason_header(reason: str) -> str:
    """Return a reason as a header can hold it: what is not printable ASCII is percent-encoded, as in a URL."""
    if len(reason) > LONGEST_REASON:
        raise ConfigurationError(f"a reason has at most {LONGEST_REASON} characters, not {len(reason)}")
    return quote(reason.strip(), safe=_KEPT_IN_A_REASON)
