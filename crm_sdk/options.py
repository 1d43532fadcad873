"""The options of a client, and their checks."""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import quote, urlsplit

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .dialects import DialectChoice, DialectName


class SecretText(Protocol):
    """A secret that does not show itself, such as pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str:
        """Return the secret."""
        ...


class UrlText(Protocol):
    """A URL taken apart, such as pydantic's ``AnyHttpUrl`` or ``httpx.URL``; ``str()`` is the whole."""

    @property
    def scheme(self) -> str:
        """``https``, say."""
        ...

    @property
    def host(self) -> str | None:
        """The name of the server."""
        ...


Secret: TypeAlias = "str | SecretText"
Url: TypeAlias = "str | UrlText"

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
    max_response_bytes: int
    proxy: str | None = field(repr=False)
    """The URL of a proxy, which may hold its password; empty: none; None: as the environment says."""
    reason: str | None = None
    """What the audit trail is to say of why writes are done, as the header holds it."""
    language: str | None = None
    """The language of messages and labels, as the header ``Accept-Language`` holds it."""
    idempotency_key: str | None = None
    """The key that each POST has, instead of one of its own."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What requests have beside the headers of their own."""

    @classmethod
    def read(
        cls,
        *,
        base_url: object,
        tenant_id: object,
        dialects: DialectChoice | None,
        timeout: float,
        max_retries: int,
        strict: bool,
        idempotent_writes: bool,
        max_connections: int,
        max_response_bytes: int,
        proxy: object,
        allow_http: bool | None,
        environment: Mapping[str, str],
    ) -> Options:
        """Return what a client was told, or else finds in the environment. Raises: ConfigurationError."""
        from .dialects import parse_choice

        url = checked_url(text_of("base_url", base_url) if base_url is not None else environment.get("CRM_BASE_URL"))
        allowed = environment.get("CRM_ALLOW_HTTP", "") in ("1", "true", "yes") if allow_http is None else allow_http
        if not allowed and not is_private(url):
            raise ConfigurationError(
                f"{url} is not encrypted: whoever is on the way, a proxy too, could read the API key and the records. "
                "Use https://, or allow_http=True (CRM_ALLOW_HTTP=1) in a network that you trust"
            )
        if dialects is None:
            dialects = environment.get("CRM_DIALECTS") or ("platform" if url != root(url) else None)
        return cls(
            url,
            given_or_found("tenant_id", tenant_id, "CRM_TENANT_ID", environment),
            parse_choice(dialects) if dialects is not None else None,
            at_least("timeout", timeout, 0.001),
            int(at_least("max_retries", max_retries, 0)),
            strict,
            idempotent_writes,
            int(at_least("max_connections", max_connections, 1)),
            int(at_least("max_response_bytes", max_response_bytes, 1, most=2**63)),
            text_of("proxy", proxy) if proxy is not None else None,
        )

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
        language: str | None,
        idempotency_key: str | None,
        headers: Mapping[str, str] | None,
    ) -> Options:
        """Return these options with the given ones replaced; None keeps an option. Raises: ConfigurationError."""
        from .dialects import parse_choice

        changes: dict[str, Any] = {
            "dialects": parse_choice(dialects) if dialects is not None else None,
            "timeout": at_least("timeout", timeout, 0.001) if timeout is not None else None,
            "max_retries": int(at_least("max_retries", max_retries, 0)) if max_retries is not None else None,
            "tenant_id": header("tenant_id", text_of("tenant_id", tenant_id)) if tenant_id is not None else None,
            "strict": strict,
            "idempotent_writes": idempotent_writes,
            "reason": reason_header(reason) if reason is not None else None,
            "language": language_tag(language) if language is not None else None,
            "idempotency_key": _key(idempotency_key) if idempotency_key is not None else None,
            "headers": tuple(_extra_headers(headers)) if headers is not None else None,
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
        _ = parts.port  # a ValueError where it is none
    except ValueError as error:
        raise ConfigurationError(f"{wrong}: {error}") from None
    if "@" in parts.netloc:
        raise ConfigurationError("base_url must not hold credentials: use api_key=")
    odd = parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    if odd or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise ConfigurationError(f"{wrong}, not {url!r}")
    return f"{parts.scheme}://{parts.netloc}{quote(parts.path, safe=KEPT_IN_A_PATH)}".rstrip("/")


def is_private(url: str) -> bool:
    """Tell whether nobody on the way to a server can read what it is sent: it is encrypted, or does not leave here.

    Names below ``test`` are nobody's on the internet (RFC 6761): only who set one up for a test has a server there.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme == "https" or host == "localhost" or host.endswith((".localhost", ".test")):
        return True
    from ipaddress import ip_address  # here, because few servers are spoken to in the clear

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def given_or_found(name: str, value: object, variable: str, environment: Mapping[str, str]) -> str | None:
    """Return what a header is to hold: what was given, else what a variable has. Raises: ConfigurationError.

    An empty one that was given is refused: it may be meant for somebody else than the variable's.
    """
    if value is None:
        return header(variable, environment.get(variable))
    text = text_of(name, value)
    if not text:
        raise ConfigurationError(f"{name} is empty; leave it out to take {variable} from the environment")
    return header(name, text)


def text_of(name: str, value: Any) -> str:
    """Return a setting as text: a `SecretStr` of pydantic and any URL object are as good as a string."""
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "host") and hasattr(value, "scheme"):
        return str(value)
    raise ConfigurationError(f"{name} must be a string, not {type(value).__name__}")


def root(base_url: str) -> str:
    """Return a base URL without the ``/v1`` of the platform document: paths are relative to it."""
    return base_url.removesuffix("/v1")


def at_least(name: str, value: Any, least: float, *, most: float = _MOST) -> float:
    """Return a number that is not too small, or refuse it. Numbers of numpy are numbers."""
    is_number = not isinstance(value, bool) and isinstance(value, numbers.Real)
    if not is_number or not least <= float(value) <= most:
        raise ConfigurationError(f"{name} must be a number from {least:g} to {most:g}, not {value!r}")
    return value if isinstance(value, int) else float(value)


def header(name: str, value: str | None) -> str | None:
    """Return the value of a header; None for an empty one.

    Raises: ConfigurationError, without the value in its message, since it may be a key.
    """
    if value and not (value.isascii() and value.isprintable() and value == value.strip()):
        raise ConfigurationError(
            f"{name} has a character that no header can hold, such as a line break at its end or a letter beyond ASCII"
        )
    return value or None


def language_tag(language: str) -> str:
    """Return a language tag, such as ``de`` or ``pt-BR``. Raises: ConfigurationError for what is none."""
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", language):
        raise ConfigurationError(f"language={language!r} is not a language tag (BCP 47), such as de or pt-BR")
    return language


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
            raise ConfigurationError(f"headers: {name!r} is not a name of a header")
        if name.lower() in _OWN:
            way_out = _OWN[name.lower()]
            raise ConfigurationError(f"headers: {name} is set by the client" + (f": use {way_out}" if way_out else ""))
        yield name.title(), header(f"headers[{name!r}]", value) or ""


def reason_header(reason: str) -> str:
    """Return a reason as the value of a header: percent-encoded where it is not printable ASCII, as in a URL."""
    if len(reason) > LONGEST_REASON:
        raise ConfigurationError(f"a reason has at most {LONGEST_REASON} characters, not {len(reason)}")
    return quote(reason.strip(), safe=_KEPT_IN_A_REASON)
