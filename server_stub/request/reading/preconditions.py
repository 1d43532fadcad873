"""What a caller knows of a record, by ``If-Match`` and ``If-None-Match`` (RFC 9110, 13.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...problems import invalid

_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})"|([0-9]{1,18})')
"""The tag of a version, as ``ETag`` has it, or the bare number."""


def known_version(headers: Mapping[str, str]) -> dict[str, int]:
    """Return the argument `version` by ``If-Match``; none where any is meant. Raises 422 for what is not a version."""
    given = headers.get("if-match")
    if given is None or given.strip() == "*":
        return {}
    tag = _TAG.fullmatch(given.strip())
    if tag is None:
        message = f"If-Match must hold the record's version in quotes, as ETag has it, not {given[:50]!r}"
        raise invalid("version", "type", message)
    return {"version": int(tag[1] or tag[2])}


def is_known(tag: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the caller has the version of a tag already; tags compare weakly."""
    known = headers.get("if-none-match", "")
    return known.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in known.split(","))
