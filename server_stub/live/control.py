"""Test mode: clients can name their user, and cause replies of every kind, crashes and lost connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from crm_sdk.realtime.frames import Frame
from crm_sdk.wire import is_object

from ..caller import Caller
from ..request.access import identity
from ..request.access.callers import user_caller
from .connection import Ended

if TYPE_CHECKING:
    from ..core import StubServer
    from .phoenix import Channel

_COMPANY = "tenant_acme"
_BAD = "bad"
"""A token that is refused."""
_BYTES = b"\x00\x01\xfe"
_CLOSES = frozenset({*range(1000, 1004), *range(1007, 1015)})


def caller_of(server: StubServer, query: Mapping[str, str], token: str | None) -> Caller:
    """Return the caller for the query parameter `user_id`, in the first demo company."""
    if token == _BAD:
        raise identity.unauthorized_problem("the token is bad")
    user_id = query.get("user_id") or "user_ada"
    user = server.store.collection(_COMPANY, "user").get(user_id)
    return (
        user_caller(server.store, user, server.clock.now())
        if user is not None
        else Caller(_COMPANY, user_id, user_id, "admin", user_id)
    )


def carry_out(channel: Channel, frame: Frame) -> None:
    """Carry out a control event."""
    act = _EVENTS.get(frame.event)
    if act is None:
        channel.reply(frame.ref, "error", {"reason": "unknown event"})
    else:
        act(channel, frame)


def _member(frame: Frame, name: str, default: Any) -> Any:
    return frame.payload.get(name, default) if is_object(frame.payload) else default


def _echo(channel: Channel, frame: Frame) -> None:
    channel.reply(frame.ref, "ok", frame.payload)


def _error(channel: Channel, frame: Frame) -> None:
    channel.reply(frame.ref, "error", {"reason": _member(frame, "reason", "asked for")})


def _noreply(channel: Channel, frame: Frame) -> None:
    """Do not reply."""


def _push(channel: Channel, frame: Frame) -> None:
    channel.push(_member(frame, "event", "pushed"), _member(frame, "payload", {}))


def _broadcast(channel: Channel, frame: Frame) -> None:
    channel.reply(frame.ref, "ok", {})
    channel.broadcast(_member(frame, "event", "broadcast"), _member(frame, "payload", {}))


def _binpush(channel: Channel, frame: Frame) -> None:
    channel.push("bin", _BYTES)
    channel.broadcast("binb", _BYTES)


def _meta(channel: Channel, frame: Frame) -> None:
    channel.meet(frame.payload if is_object(frame.payload) else {})
    channel.reply(frame.ref, "ok", {})


def _crash(channel: Channel, frame: Frame) -> None:
    channel.socket.drop(channel, "phx_error", {"reason": "channel_crash"})


def _drop(channel: Channel, frame: Frame) -> None:
    channel.socket.end(Ended(None, "asked for"))


def _wsclose(channel: Channel, frame: Frame) -> None:
    code = _member(frame, "code", 1000)
    if isinstance(code, int) and (code in _CLOSES or 3000 <= code <= 4999):
        channel.socket.close(code, "asked for")
    else:
        channel.reply(frame.ref, "error", {"reason": "no code of a close frame"})


def _silent(channel: Channel, frame: Frame) -> None:
    channel.socket.half_open()


_EVENTS: Mapping[str, Callable[[Channel, Frame], None]] = {
    "test:echo": _echo,
    "test:error": _error,
    "test:noreply": _noreply,
    "test:push": _push,
    "test:broadcast": _broadcast,
    "test:binpush": _binpush,
    "test:meta": _meta,
    "test:crash": _crash,
    "test:drop": _drop,
    "test:wsclose": _wsclose,
    "test:silent": _silent,
}
