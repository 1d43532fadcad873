"""Read the body of a delivery, and return the bytes that its member ``signature`` signs.

These bytes are the body without that member: members in their order, no whitespace, numbers as written, texts with the
escapes of JavaScript's ``JSON.stringify``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ..errors import WebhookPayloadError
from ..wire import ExactFloat, is_object

_DEEPEST = 100
"""The greatest depth of nesting of a body; deeper JSON could exhaust the stack of the parser of events."""
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_TOO_DEEP = "it is nested too deeply"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Unsigned:
    """The members of a body, and the bytes that its member ``signature`` signs."""

    members: dict[str, Any]
    content: bytes


def read_unsigned(body: bytes) -> Unsigned:
    """Parse a body.

    Raises: WebhookPayloadError unless it is one JSON object in UTF-8 that has each member once.
    """
    try:
        text = body.decode()
        found = json.loads(text, object_pairs_hook=_once, parse_float=ExactFloat, parse_constant=_no_number)
        if not is_object(found):
            raise ValueError("it is not an object")
        return Unsigned(found, "".join(_without_signature(text)).encode())
    except (ValueError, RecursionError) as error:
        reason = _TOO_DEEP if isinstance(error, RecursionError) else str(error)
        raise WebhookPayloadError(f"the body is not a JSON object: {reason}") from error


def member_with(signed: bytes, signature: str) -> bytes:
    """Return the bytes of an object with a member ``signature`` appended."""
    comma = b"" if signed == b"{}" else b","
    return signed[:-1] + comma + b'"signature":' + json.dumps(signature).encode() + b"}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # Parsers differ in which of two they take: the signed value might not be the one that is read.
        raise ValueError("a member is named twice")
    return members


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _without_signature(text: str) -> Iterator[str]:
    """Yield the tokens of a JSON object without the member ``signature`` of the outermost object."""
    depth, skipping, first, name = 0, False, True, True
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "}]":
            depth -= 1
        if depth == 1 and token == ",":
            skipping, name = False, True
            continue
        if token[0] == '"':
            token = _canonical_string(token)
        if depth == 1 and name and token not in "}]":
            name, skipping = False, token == '"signature"'
            if not skipping and not first:
                yield ","
            first = first and skipping
        if not skipping or depth == 0:
            yield token
        if token in "{[":
            depth += 1
            if depth > _DEEPEST:
                raise ValueError(_TOO_DEEP)


def _canonical_string(token: str) -> str:
    written = json.dumps(json.loads(token), ensure_ascii=False)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def event_type(members: dict[str, Any]) -> str:
    """Return the type of the event in a body: the member ``event`` of webhooks, or ``type`` of live events.

    Raises: WebhookPayloadError where it has neither, or two different ones.
    """
    found: list[object] = [members[name] for name in ("event", "type") if name in members]
    if not found or not isinstance(found[0], str) or not found[0] or found[0] != found[-1]:
        raise WebhookPayloadError("the body does not say which event it is")
    return found[0]
