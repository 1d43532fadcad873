"""Frames of the Phoenix Channels protocol v2, as text and as bytes. An invalid frame raises `FrameError`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from ..wire import decode_json, encode_json, has_long_numbers, is_array, is_object

Side: TypeAlias = Literal["client", "server"]
"""The side that wrote a frame: a binary push of a client has a `ref`, one of a server has none."""

JOIN: Final = "phx_join"
LEAVE: Final = "phx_leave"
REPLY: Final = "phx_reply"
CLOSE: Final = "phx_close"
ERROR: Final = "phx_error"
HEARTBEAT: Final = "heartbeat"
PHOENIX: Final = "phoenix"
"""The topic of heartbeats."""

_PUSH, _REPLY, _BROADCAST = 0, 1, 2
_LONGEST = 255


class FrameError(ValueError):
    """A received message is not a frame, or a payload cannot be written as one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a socket."""

    join_ref: str | None
    """The ref of the channel's join that it belongs to; None for a broadcast."""
    ref: str | None
    """The ref that connects a reply to its push; None where there is none."""
    topic: str
    event: str
    payload: Mapping[str, Any] | bytes = field(default_factory=dict[str, Any])
    """The payload; of a reply, its response."""
    status: str | None = None
    """The status of a reply: ``ok`` or ``error``."""


def encode(frame: Frame, *, by: Side = "client") -> str | bytes:
    """Encode a frame: as text, or as bytes where its payload is bytes. Raises: FrameError."""
    if (frame.status is not None) != (frame.event == REPLY):
        raise FrameError(f"a reply has a status, and nothing else has one: {frame.event!r}, {frame.status!r}")
    if isinstance(frame.payload, bytes):
        return _binary(frame, frame.payload, by)
    payload = frame.payload if frame.status is None else {"status": frame.status, "response": frame.payload}
    try:
        return encode_json([frame.join_ref, frame.ref, frame.topic, frame.event, payload]).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"the payload of {frame.event!r} cannot be written as JSON: {error}") from None


def decode(data: str | bytes, *, by: Side = "server") -> Frame:
    """Decode a frame from text or bytes. Raises: FrameError."""
    return _text_frame(data) if isinstance(data, str) else _binary_frame(data, by)


def _binary(frame: Frame, payload: bytes, by: Side) -> bytes:
    if frame.status is not None:
        return _pack(_REPLY, frame.join_ref, frame.ref, frame.topic, frame.status) + payload
    if by == "client":
        return _pack(_PUSH, frame.join_ref, frame.ref, frame.topic, frame.event) + payload
    if frame.ref is not None:
        raise FrameError("a binary push of a server has no place for a ref")
    if frame.join_ref is None:
        return _pack(_BROADCAST, frame.topic, frame.event) + payload
    return _pack(_PUSH, frame.join_ref, frame.topic, frame.event) + payload


def _pack(kind: int, *texts: str | None) -> bytes:
    try:
        parts = [(text or "").encode() for text in texts]
    except UnicodeEncodeError as error:
        raise FrameError(f"it cannot be written as UTF-8: {error}") from None
    longest = max(parts, key=len)
    if len(longest) > _LONGEST:
        raise FrameError(f"a binary frame holds {_LONGEST} bytes of {longest[:20]!r}…, not {len(longest)}")
    return bytes([kind, *map(len, parts)]) + b"".join(parts)


def _text_frame(text: str) -> Frame:
    content = text.encode("utf-8", "surrogatepass")
    try:
        found: Any = decode_json(content) if has_long_numbers(content) else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"it is not JSON: {error}") from None
    if not is_array(found) or len(found) != 5:
        raise FrameError("a frame is an array of five")
    join_ref, ref, topic, event, payload = found
    if not (_is_ref(join_ref) and _is_ref(ref) and isinstance(topic, str) and isinstance(event, str)):
        raise FrameError("refs are texts or null, topic and event are texts")
    if not is_object(payload):
        raise FrameError("the payload is not an object")
    if event != REPLY:
        return Frame(join_ref, ref, topic, event, payload)
    status, response = payload.get("status"), payload.get("response")
    if not isinstance(status, str):
        raise FrameError("a reply has a status")
    if response is not None and not is_object(response):
        raise FrameError("a reply's response is not an object")
    return Frame(join_ref, ref, topic, event, response or {}, status)


def _is_ref(value: object) -> bool:
    return value is None or isinstance(value, str)


def _binary_frame(data: bytes, by: Side) -> Frame:
    kind = data[0] if data else None
    if kind == _REPLY and by == "server":
        (join_ref, ref, topic, status), payload = _unpack(data, 4)
        return Frame(join_ref or None, ref or None, topic, REPLY, payload, status)
    if kind == _BROADCAST and by == "server":
        (topic, event), payload = _unpack(data, 2)
        return _message_frame(None, None, topic, event, payload)
    if kind == _PUSH and by == "server":
        (join_ref, topic, event), payload = _unpack(data, 3)
        return _message_frame(join_ref or None, None, topic, event, payload)
    if kind == _PUSH:
        (join_ref, ref, topic, event), payload = _unpack(data, 4)
        return _message_frame(join_ref or None, ref or None, topic, event, payload)
    raise FrameError(f"no binary frame of a {by} begins like this: {data[:1]!r}")


def _message_frame(join_ref: str | None, ref: str | None, topic: str, event: str, payload: bytes) -> Frame:
    if event == REPLY:
        raise FrameError("a reply has a status")
    return Frame(join_ref, ref, topic, event, payload)


def _unpack(data: bytes, count: int) -> tuple[list[str], bytes]:
    """Return the texts of a binary frame, whose lengths are its first bytes after the kind, and the payload."""
    at = 1 + count
    if len(data) < at:
        raise FrameError("the frame ends within its lengths")
    texts: list[str] = []
    for length in data[1:at]:
        part = data[at : at + length]
        if len(part) != length:
            raise FrameError("the frame is shorter than it says")
        try:
            texts.append(part.decode())
        except UnicodeDecodeError as error:
            raise FrameError(f"it is not UTF-8: {error}") from None
        at += length
    return texts, data[at:]
