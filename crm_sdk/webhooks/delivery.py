"""Check a whole delivery, its signatures first, and read its event."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..errors import ConfigurationError, InvalidInputError, WebhookSignatureError, WebhookTimestampError
from ..models.events import Event, read_event
from .headers import Headers, signing_headers
from .signing import (
    SIGNATURE,
    STANDARD_ID,
    STANDARD_SIGNATURE,
    STANDARD_TIMESTAMP,
    Payload,
    Secret,
    is_documented,
    is_standard,
    raw_bytes,
    standard_key,
)
from .unsigned import Unsigned, event_type, read_unsigned

TOLERANCE: Final = 300.0
_LONGEST_ID = 255


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery whose signatures are valid."""

    event: Event
    keys: tuple[str, ...]
    """The keys under which a store remembers it: the sender's ``webhook-id``, and the key of the body for a delivery
    with only the documented signature. Both are marked as done: otherwise a copy without the Standard Webhooks headers
    could be replayed."""


def parse(
    headers: Headers,
    body: Payload,
    secrets: Secret | Sequence[Secret],
    *,
    tolerance: timedelta | float = TOLERANCE,
    received_at: datetime | None = None,
    require_standard: bool = False,
) -> Event:
    """Return the event of a delivery that has a signature, and whose signatures were all made with `secrets`.

    `tolerance` is the greatest distance of the time in the Standard Webhooks headers from `received_at`, which is now
    by default. With `require_standard`, a delivery without these headers is refused.

    Raises: WebhookSignatureError, WebhookTimestampError, WebhookPayloadError (all are WebhookError); ConfigurationError
    for a secret or a tolerance that cannot be used.
    """
    keys = usable(secrets)
    seconds = seconds_of(tolerance, "tolerance")
    return open_delivery(
        headers, body, keys, tolerance=seconds, received_at=received_at, require_standard=require_standard
    ).event


def open_delivery(
    headers: Headers,
    body: Payload,
    secrets: Sequence[Secret],
    *,
    tolerance: float,
    received_at: datetime | None = None,
    require_standard: bool = False,
) -> Delivery:
    """Check a delivery and return it. Raises the same errors as `parse`."""
    content, signed_by = raw_bytes(body), signing_headers(headers)
    standard = _check_standard(signed_by, content, secrets)
    documented = signed_by.get(SIGNATURE)
    if documented is not None and not is_documented(documented, content, secrets):
        raise WebhookSignatureError(f"{SIGNATURE} is not a signature of this body with a secret of ours")
    if require_standard and not standard:
        raise WebhookSignatureError("the Standard Webhooks headers are not there")
    read = read_unsigned(content)
    inside = read.members.get("signature")
    if inside is not None and not is_documented(inside, read.content, secrets):
        raise WebhookSignatureError("the member `signature` is not a signature of this body with a secret of ours")
    if not standard and documented is None and inside is None:
        raise WebhookSignatureError("the delivery is not signed")
    if standard:
        _check_time(signed_by[STANDARD_TIMESTAMP], tolerance, received_at)
    event_type(read.members)
    alone = _name_alone(read)
    return Delivery(read_event(read.content), (f"id:{signed_by[STANDARD_ID]}", alone) if standard else (alone,))


def usable(secrets: Secret | Sequence[Secret]) -> tuple[Secret, ...]:
    """Return the secrets as a tuple.

    Raises: ConfigurationError where there is no secret, or one that is not valid.
    """
    try:
        found = (secrets,) if isinstance(secrets, (str, bytes)) else tuple(secrets)
    except TypeError:
        found = ()
    for secret in found:
        standard_key(secret)
    if not found:
        raise ConfigurationError("no webhook secret is given")
    return found


def seconds_of(span: timedelta | float, name: str, *, finite: bool = False) -> float:
    """Return a time in seconds.

    Raises: ConfigurationError for a value that is negative or not a number; with `finite`, also for zero or infinity.
    """
    try:
        seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not seconds >= 0 or (finite and not 0 < seconds < math.inf):
        raise ConfigurationError(f"a webhook's {name} is a timedelta or a number of seconds, not {span!r}")
    return seconds


def _check_standard(signed_by: dict[str, str], content: bytes, secrets: Sequence[Secret]) -> bool:
    """Return whether the delivery has the Standard Webhooks headers.

    Raises: WebhookSignatureError where some of them are missing, or the signature is not valid.
    """
    names = (STANDARD_ID, STANDARD_TIMESTAMP, STANDARD_SIGNATURE)
    missing = [name for name in names if name not in signed_by]
    if len(missing) == len(names):
        return False
    if missing:
        raise WebhookSignatureError(f"the header {missing[0]} is missing beside the others of its kind")
    id, timestamp, signatures = (signed_by[name] for name in names)
    if not is_standard(signatures, content, id, timestamp, secrets):
        raise WebhookSignatureError(f"{STANDARD_SIGNATURE} has no signature of this delivery with a secret of ours")
    return True


def _check_time(timestamp: str, tolerance: float, received_at: datetime | None) -> None:
    now = received_at if received_at is not None else datetime.now(UTC)
    if now.tzinfo is None:
        raise InvalidInputError(f"{now!r} has no time zone; use an aware datetime")
    age = now.timestamp() - int(timestamp)
    if abs(age) > tolerance:
        how = "ago" if age > 0 else "ahead"
        raise WebhookTimestampError(f"the delivery was signed {abs(age):.0f} s {how}; {tolerance:g} s are tolerated")


def _name_alone(read: Unsigned) -> str:
    """Return the key of a delivery without the Standard Webhooks headers."""
    id = read.members.get("id")
    if isinstance(id, str) and 0 < len(id) <= _LONGEST_ID and id.isprintable():
        return f"id:{id}"
    return f"sha256:{hashlib.sha256(read.content).hexdigest()}"
