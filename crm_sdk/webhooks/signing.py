"""Sign and check the bytes of a delivery, by the documented signature (003) and by Standard Webhooks.

The rules are in ``docs/webhooks.md``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import re
import secrets
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeAlias, cast

from ..errors import ConfigurationError, InvalidInputError
from .unsigned import member_with, read_unsigned

Secret: TypeAlias = str | bytes
Payload: TypeAlias = str | bytes | bytearray | memoryview

SIGNATURE: Final = "X-CRM-Signature"
"""The header of the documented signature, ``sha256=<hex>``."""
STANDARD_ID: Final = "webhook-id"
STANDARD_TIMESTAMP: Final = "webhook-timestamp"
STANDARD_SIGNATURE: Final = "webhook-signature"

_PREFIX = "whsec_"
_ID = re.compile(r"[!-~]{1,255}")
_INSTANT = re.compile(r"[0-9]{1,12}")


def verify(payload: Payload, signature: object, secret: Secret) -> bool:
    """Return whether `signature` is the documented one of `payload`: ``sha256=`` and the HMAC-SHA256 in lowercase hex.

    Signatures are compared in constant time; a `signature` of any other type is False.

    Raises: ConfigurationError for an empty secret.
    """
    return _is_same(signature, documented_signature(raw_bytes(payload), secret))


def sign(
    body: Payload, secret: Secret, *, id: str | None = None, timestamp: datetime | float | None = None
) -> dict[str, str]:
    """Return the headers that sign a delivery in both ways. A repeated delivery must have the `id` of the first.

    Raises: ConfigurationError for a secret that is not valid; InvalidInputError for an id or time that is not valid.
    """
    content = raw_bytes(body)
    name = id if id is not None else f"msg_{secrets.token_hex(12)}"
    seconds = _seconds(timestamp)
    if not _ID.fullmatch(name):
        raise InvalidInputError(f"a webhook id is 1 to 255 visible ASCII characters, not {name!r}")
    if not _INSTANT.fullmatch(seconds):
        raise InvalidInputError(f"a webhook's timestamp is in seconds since 1970, not {timestamp!r}")
    return {
        SIGNATURE: documented_signature(content, secret),
        STANDARD_ID: name,
        STANDARD_TIMESTAMP: seconds,
        STANDARD_SIGNATURE: _standard(content, name, seconds, secret),
    }


def embed(body: Payload, secret: Secret) -> bytes:
    """Return a JSON object with the documented member ``signature`` added or replaced.

    Raises: ConfigurationError for an empty secret; WebhookPayloadError for a body that is not a JSON object.
    """
    signed = read_unsigned(raw_bytes(body)).content
    return member_with(signed, documented_signature(signed, secret))


def documented_signature(content: bytes, secret: Secret) -> str:
    """Return ``sha256=<hex>``. The key is the UTF-8 of the whole secret, including a prefix ``whsec_``."""
    return "sha256=" + hmac.digest(secret_bytes(secret), content, "sha256").hex()


def is_documented(signature: object, content: bytes, keys: Iterable[Secret]) -> bool:
    """Return whether a documented signature was made with one of the secrets."""
    return True in [_is_same(signature, documented_signature(content, secret)) for secret in keys]


def is_standard(signatures: str, content: bytes, id: str, timestamp: str, keys: Iterable[Secret]) -> bool:
    """Return whether one of the signatures in ``webhook-signature`` was made with one of the secrets."""
    if not _ID.fullmatch(id) or not _INSTANT.fullmatch(timestamp):
        return False
    expected = [_standard(content, id, timestamp, secret) for secret in keys]
    return True in [_is_same(given, one) for given in signatures.split(" ") for one in expected]


def secret_bytes(secret: Secret) -> bytes:
    """Return the bytes of a secret.

    Raises: ConfigurationError for an empty secret.
    """
    if isinstance(secret, str) and secret.strip():
        return secret.encode("utf-8", "surrogatepass")
    if isinstance(secret, bytes) and secret:
        return secret
    raise ConfigurationError("a webhook secret is a text or bytes, and not empty: with an empty one anybody could sign")


def standard_key(secret: Secret) -> bytes:
    """Return the key for Standard Webhooks: the decoded part of ``whsec_<base64>``, or the bytes of the secret.

    Raises: ConfigurationError where the part after ``whsec_`` is not base64.
    """
    key = secret_bytes(secret)
    if isinstance(secret, bytes) or not secret.startswith(_PREFIX):
        return key
    try:
        decoded = base64.b64decode(key[len(_PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise ConfigurationError("a webhook secret that begins with whsec_ goes on in base64")
    return decoded


def raw_bytes(payload: Payload) -> bytes:
    """Return the bytes of a body.

    Raises: InvalidInputError for anything else, such as JSON that was parsed already.
    """
    given = cast(object, payload)
    if isinstance(given, str):
        return given.encode("utf-8", "surrogatepass")
    if isinstance(given, (bytes, bytearray, memoryview)):
        return bytes(cast("bytes | bytearray | memoryview[int]", given))
    raise InvalidInputError(f"a webhook is checked by its raw body, as bytes or text, not by a {type(given).__name__}")


def _seconds(timestamp: datetime | float | None) -> str:
    instant = timestamp.timestamp() if isinstance(timestamp, datetime) else timestamp
    try:
        return str(math.floor(time.time() if instant is None else instant))
    except (OverflowError, ValueError):  # infinite, or not a number
        return ""


def _standard(content: bytes, id: str, timestamp: str, secret: Secret) -> str:
    signed = b".".join((id.encode(), timestamp.encode(), content))
    return "v1," + base64.b64encode(hmac.digest(standard_key(secret), signed, "sha256")).decode()


def _is_same(given: object, expected: str) -> bool:
    # Texts are compared, not bytes: base64 has several texts for the same bytes, and hex has two.
    if isinstance(given, str):
        given = given.encode("utf-8", "surrogatepass")
    return isinstance(given, bytes) and hmac.compare_digest(given, expected.encode())
