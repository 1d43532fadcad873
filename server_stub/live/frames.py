"""Frames of Phoenix Channels, version 2: text frames are arrays, binary ones have a head of lengths."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from crm_sdk.wire import encode_json, is_array, is_object

_PUSH, _REPLY, _BROADCAST = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Frame:
    """What a client said."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: dict[str, Any] | bytes


def read(data: str | bytes) -> Frame:
    """Read a frame. Raises ValueError."""
    return _read_text(data) if isinstance(data, str) else _read_binary(data)


def _read_text(text: str) -> Frame:
    values: object = json.loads(text)
    if not is_array(values) or len(values) != 5:
        raise ValueError("a frame is an array of five")
    join_ref, ref, topic, event, payload = values
    if not all(value is None or isinstance(value, str) for value in (join_ref, ref)):
        raise ValueError("refs are strings or null")
    if not isinstance(topic, str) or not isinstance(event, str) or not is_object(payload):
        raise ValueError("topic and event are strings, a payload is an object")
    return Frame(join_ref, ref, topic, event, payload)


def _read_binary(data: bytes) -> Frame:
    if len(data) < 5 or data[0] != _PUSH:
        raise ValueError("a binary frame of a client is a push")
    at, fields = 5, list[str]()
    for length in data[1:5]:
        if at + length > len(data):
            raise ValueError("a binary frame is shorter than it says")
        fields.append(data[at : at + length].decode())
        at += length
    join_ref, ref, topic, event = fields
    return Frame(join_ref or None, ref or None, topic, event, data[at:])


def push(join_ref: str | None, topic: str, event: str, payload: str | bytes) -> str | bytes:
    """Write a push of the server's; without a join_ref a broadcast. JSON comes as text."""
    if isinstance(payload, bytes):
        if join_ref is None:
            return _head(_BROADCAST, topic, event) + payload
        return _head(_PUSH, join_ref, topic, event) + payload
    return f"[{_text(join_ref)},null,{_text(topic)},{_text(event)},{payload}]"


def reply(join_ref: str | None, ref: str | None, topic: str, status: str, response: Any) -> str | bytes:
    """Write the answer to a push."""
    if isinstance(response, bytes):
        return _head(_REPLY, join_ref or "", ref or "", topic, status) + response
    return push_reply(join_ref, ref, topic, json_text({"status": status, "response": response}))


def push_reply(join_ref: str | None, ref: str | None, topic: str, payload: str) -> str:
    """Write an answer whose payload is JSON already."""
    return f'[{_text(join_ref)},{_text(ref)},{_text(topic)},"phx_reply",{payload}]'


def json_text(value: Any) -> str:
    """Return a value as JSON."""
    return encode_json(value).decode()


def _text(value: str | None) -> str:
    return "null" if value is None else json.dumps(value, ensure_ascii=False)


def _head(kind: int, *fields: str) -> bytes:
    encoded = [field.encode() for field in fields]
    return bytes([kind, *map(len, encoded)]) + b"".join(encoded)
