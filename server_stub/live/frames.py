"""What the server says on Phoenix Channels: frames around payloads that are JSON text already."""

from __future__ import annotations

import json
from typing import Any

from crm_sdk.realtime.frames import REPLY, Frame, encode
from crm_sdk.wire import encode_json


def push(join_ref: str | None, topic: str, event: str, payload: str | bytes) -> str | bytes:
    """Write a push of the server's; without a join_ref a broadcast. JSON comes as text."""
    if isinstance(payload, bytes):
        return encode(Frame(join_ref, None, topic, event, payload), by="server")
    return f"[{_text(join_ref)},null,{_text(topic)},{_text(event)},{payload}]"


def reply(join_ref: str | None, ref: str | None, topic: str, status: str, response: Any) -> str | bytes:
    """Write the answer to a push."""
    if isinstance(response, bytes):
        return encode(Frame(join_ref, ref, topic, REPLY, response, status), by="server")
    return push_reply(join_ref, ref, topic, json_text({"status": status, "response": response}))


def push_reply(join_ref: str | None, ref: str | None, topic: str, payload: str) -> str:
    """Write an answer whose payload is JSON already."""
    return f'[{_text(join_ref)},{_text(ref)},{_text(topic)},"{REPLY}",{payload}]'


def json_text(value: Any) -> str:
    """Return a value as JSON."""
    return encode_json(value).decode()


def _text(value: str | None) -> str:
    return "null" if value is None else json.dumps(value, ensure_ascii=False)
