"""Frames of Phoenix Channels: parse those of clients, and write those of the server around JSON payloads."""

from __future__ import annotations

import json
from typing import Any

from crm_sdk.realtime.frames import REPLY, Frame, FrameError, decode, encode
from crm_sdk.wire import encode_json, is_array, is_object

_DEEPEST = 100
"""The greatest depth of nesting of a payload, which broadcasts nest further."""


def read(data: str | bytes) -> Frame:
    """Parse a client's frame.

    Raises: FrameError for an invalid frame, and for one that could not be sent on: infinities, lone surrogates.
    """
    frame = decode(data, by="client")
    if _is_deeper(frame.payload, _DEEPEST):
        raise FrameError("it is nested too deeply")
    encode(frame, by="client")
    return frame


def _is_deeper(value: object, than: int) -> bool:
    inner = value.values() if is_object(value) else value if is_array(value) else ()
    return than < 0 or any(_is_deeper(one, than - 1) for one in inner)


def push(join_ref: str | None, topic: str, event: str, payload: str | bytes) -> str | bytes:
    """Write a push of the server; without a join_ref it is a broadcast. A JSON payload is given as text."""
    if isinstance(payload, bytes):
        return encode(Frame(join_ref, None, topic, event, payload), by="server")
    return f"[{_text(join_ref)},null,{_text(topic)},{_text(event)},{payload}]"


def reply(join_ref: str | None, ref: str | None, topic: str, status: str, response: Any) -> str | bytes:
    """Write the reply to a push."""
    if isinstance(response, bytes):
        return encode(Frame(join_ref, ref, topic, REPLY, response, status), by="server")
    return push_reply(join_ref, ref, topic, json_text({"status": status, "response": response}))


def push_reply(join_ref: str | None, ref: str | None, topic: str, payload: str) -> str:
    """Write a reply whose payload is JSON text."""
    return f'[{_text(join_ref)},{_text(ref)},{_text(topic)},"{REPLY}",{payload}]'


def json_text(value: Any) -> str:
    """Return a value as JSON."""
    return encode_json(value).decode()


def _text(value: str | None) -> str:
    return "null" if value is None else json.dumps(value, ensure_ascii=False)
