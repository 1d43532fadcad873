"""Read the signing headers of a delivery, from headers in the form of any server framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from ..errors import InvalidInputError, WebhookSignatureError
from .signing import SIGNATURE, STANDARD_ID, STANDARD_SIGNATURE, STANDARD_TIMESTAMP

Text: TypeAlias = str | bytes
Headers: TypeAlias = Mapping[Text, Any] | Mapping[str, Any] | Mapping[bytes, Any] | Iterable[tuple[Text, Text]]
"""Headers as a mapping or as pairs, with names and values as text or bytes, in any letter case."""

_OURS = {name.lower(): name for name in (SIGNATURE, STANDARD_ID, STANDARD_TIMESTAMP, STANDARD_SIGNATURE)}


def signing_headers(headers: Headers) -> dict[str, str]:
    """Return the signing headers that are present, by the names in `signing`.

    Raises: WebhookSignatureError for a header with two different values; InvalidInputError for a value that is neither
    a mapping nor pairs.
    """
    found: dict[str, str] = {}
    for given, value in _pairs(headers):
        name = _OURS.get(_text(given).lower())
        for one in cast("list[object]", value) if isinstance(value, (list, tuple)) else [value]:
            if name is None or one is None:
                continue
            if found.setdefault(name, _text(one)) != _text(one):
                raise WebhookSignatureError(f"the header {name} is there twice, with different values")
    return found


def _pairs(headers: object) -> Iterable[tuple[object, object]]:
    try:
        items = cast("Mapping[object, object]", headers).items() if isinstance(headers, Mapping) else headers
        return [(name, value) for name, value in cast("Iterable[tuple[object, object]]", items)]
    except (TypeError, ValueError):
        raise InvalidInputError("a webhook's headers are a mapping or pairs of names and values") from None


def _text(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""
