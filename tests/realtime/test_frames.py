"""Frames of Phoenix Channels: the ones the protocol shows, any one there and back, and what is none."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk.realtime.frames import HEARTBEAT, JOIN, LEAVE, PHOENIX, REPLY, Frame, FrameError, decode, encode
from server_stub.live import frames as server_frames

TOPIC = "user:user_1:deals"
BY: tuple[Literal["client"], Literal["server"]] = ("client", "server")

TEXTS: list[tuple[str, Frame]] = [
    (f'["4","4","{TOPIC}","phx_join",{{"last_seq":41}}]', Frame("4", "4", TOPIC, JOIN, {"last_seq": 41})),
    (
        f'["4","4","{TOPIC}","phx_reply",{{"status":"ok","response":{{"seq":41}}}}]',
        Frame("4", "4", TOPIC, REPLY, {"seq": 41}, "ok"),
    ),
    (
        f'["4","4","{TOPIC}","phx_reply",{{"status":"error","response":{{"reason":"unauthorized"}}}}]',
        Frame("4", "4", TOPIC, REPLY, {"reason": "unauthorized"}, "error"),
    ),
    (f'["4",null,"{TOPIC}","deal:created",{{"deal":{{}}}}]', Frame("4", None, TOPIC, "deal:created", {"deal": {}})),
    (f'[null,null,"{TOPIC}","cursor",{{"x":1.5}}]', Frame(None, None, TOPIC, "cursor", {"x": 1.5})),
    ('[null,"9","phoenix","heartbeat",{}]', Frame(None, "9", PHOENIX, HEARTBEAT)),
    (f'["4","8","{TOPIC}","phx_leave",{{}}]', Frame("4", "8", TOPIC, LEAVE)),
]

BINARIES: list[tuple[Literal["client", "server"], bytes, Frame]] = [
    ("client", b"\x00\x01\x02\x01\x02" b"4" b"12" b"t" b"ev" b"\x00data", Frame("4", "12", "t", "ev", b"\x00data")),
    ("client", b"\x00\x00\x00\x01\x02" b"t" b"ev", Frame(None, None, "t", "ev", b"")),
    ("client", b"\x00\x00\x00\x00\x00", Frame(None, None, "", "", b"")),
    ("server", b"\x02\x00\x00", Frame(None, None, "", "", b"")),
    ("server", b"\x00\x01\x01\x02" b"4" b"t" b"ev" b"data", Frame("4", None, "t", "ev", b"data")),
    ("server", b"\x01\x01\x02\x01\x02" b"4" b"12" b"t" b"ok" b"data", Frame("4", "12", "t", REPLY, b"data", "ok")),
    ("server", b"\x02\x01\x02" b"t" b"ev" b"data", Frame(None, None, "t", "ev", b"data")),
    ("server", b"\x02\x02\x03" b"\xc3\xa9" b"\xe2\x82\xac", Frame(None, None, "é", "€", b"")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "frame"), TEXTS)
def test_text_frames_are_the_protocols(text: str, frame: Frame) -> None:
    assert encode(frame) == encode(frame, by="server") == text
    assert decode(text) == decode(text, by="client") == frame


@pytest.mark.parametrize(("by", "data", "frame"), BINARIES)
def test_binary_frames_are_the_protocols(by: Literal["client", "server"], data: bytes, frame: Frame) -> None:
    assert encode(frame, by=by) == data
    assert decode(data, by=by) == frame


def test_a_binary_push_depends_on_who_wrote_it() -> None:
    data = encode(Frame("4", "12", "t", "ev", b"data"))
    assert decode(data, by="client") == Frame("4", "12", "t", "ev", b"data")
    assert decode(data, by="server").ref is None


def test_a_number_keeps_every_digit_and_others_are_plain() -> None:
    payload = {"deal": {"value": Decimal("12345678901234567.25")}, "odds": 0.5}
    sent = encode(Frame("1", None, "t", "deal:created", payload))
    assert isinstance(sent, str) and "12345678901234567.25" in sent
    found = decode(sent).payload
    assert isinstance(found, dict)
    assert str(found["deal"]["value"]) == "12345678901234567.25"
    short = decode('[null,null,"t","e",{"a":0.5}]').payload
    assert isinstance(short, dict) and type(short["a"]) is float


@pytest.mark.parametrize("response", ["null", "{}"])
def test_a_reply_without_a_response_has_an_empty_one(response: str) -> None:
    frame = Frame("4", "4", "t", REPLY, {}, "ok")
    assert decode(f'["4","4","t","phx_reply",{{"status":"ok","response":{response}}}]') == frame
    assert decode('["4","4","t","phx_reply",{"status":"ok"}]') == frame


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "{}", "[]", "5", '["1","2","t","e"]', '["1","2","t","e",{},{}]', '[1,"2","t","e",{}]',
        '["1",2,"t","e",{}]', '["1","2",null,"e",{}]', '["1","2","t",5,{}]', '["1","2","t","e",[]]',
        '["1","2","t","e",null]', '["1","2","t","phx_reply",{}]', '["1","2","t","phx_reply",{"status":1}]',
        '["1","2","t","phx_reply",{"status":"ok","response":[]}]', '["1","2","t","e",{}', "[" * 100_000, "\ud800",
        '["1","2","t","e",{"n":' + "9" * 5000 + "}]",
        '{"topic":"t","event":"e","payload":{},"ref":"1"}',
    ],
    ids=lambda text: repr(text[:40]),
)  # fmt: skip
def test_what_is_no_text_frame_is_an_error(text: str) -> None:
    with pytest.raises(FrameError) as raised:
        decode(text)
    assert str(raised.value)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("by", "data"),
    [
        ("server", b""), ("client", b""), ("server", b"\x03\x01\x01te"), ("server", b"\xff"), ("server", b"\x02"),
        ("server", b"\x02\x01"), ("server", b"\x02\x01\x02te"), ("server", b"\x01\x01\x01\x01"),
        ("server", b"\x00\x01\x01\x02" b"4"), ("client", b"\x01\x01\x01\x01\x02" b"44tok"),
        ("client", b"\x02\x01\x01te"), ("server", b"\x02\x01\x01\xfft"), ("server", b"\x02\x01\x09tphx_reply"),
    ],
)  # fmt: skip
def test_what_is_no_binary_frame_is_an_error(by: Literal["client", "server"], data: bytes) -> None:
    with pytest.raises(FrameError):
        decode(data, by=by)


@pytest.mark.parametrize(
    ("frame", "by"),
    [
        (Frame("1", "1", "t" * 256, "e", b""), "client"),
        (Frame("1" * 256, "1", "t", "e", b""), "client"),
        (Frame("1", None, "t", "é" * 128, b""), "server"),
        (Frame("1", "2", "t", "e", b""), "server"),
        (Frame("1", "2", "t", "\ud800", b""), "client"),
        (Frame("1", "2", "t", "e", {"x": object()}), "client"),
        (Frame("1", "2", "t", "e", {"x": float("nan")}), "client"),
        (Frame("1", "2", "t", "e", {"x": "\ud800"}), "client"),
        (Frame("1", "2", "t", REPLY, {}), "server"),
        (Frame("1", "2", "t", REPLY, b""), "server"),
        (Frame("1", "2", "t", "e", {}, "ok"), "server"),
    ],
    ids=["topic", "ref", "bytes not letters", "ref of a push", "surrogate", "object", "nan", "text", "reply", "binary",
         "status"],
)  # fmt: skip
def test_what_cannot_be_written_is_an_error(frame: Frame, by: Literal["client", "server"]) -> None:
    with pytest.raises(FrameError):
        encode(frame, by=by)


def test_255_bytes_is_the_most_a_binary_frame_holds_of_one_text() -> None:
    frame = Frame("1" * 255, "2" * 255, "t" * 255, "é" * 127 + "e", b"x" * 100_000)
    assert decode(encode(frame), by="client") == frame


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
refs = st.none() | words.filter(bool)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(words, json_values, max_size=4)
events = words.filter(lambda word: word != REPLY)


@given(refs, refs, words, events, objects)
def test_any_message_goes_there_and_back_as_text(a: Any, b: Any, topic: str, event: str, payload: Any) -> None:
    frame = Frame(a, b, topic, event, payload)
    for by in BY:
        text = encode(frame, by=by)
        assert isinstance(text, str)
        assert json.loads(text) == [a, b, topic, event, payload]
        assert decode(text) == frame


@given(refs, refs, words, words, objects)
def test_any_reply_goes_there_and_back_as_text(a: Any, b: Any, topic: str, status: str, response: Any) -> None:
    frame = Frame(a, b, topic, REPLY, response, status)
    assert decode(encode(frame, by="server")) == frame


@given(refs, refs, words, events, words, st.binary(max_size=50))
def test_any_message_goes_there_and_back_as_bytes(
    a: Any, b: Any, topic: str, event: str, status: str, payload: bytes
) -> None:
    asked = Frame(a, b, topic, event, payload)
    assert decode(encode(asked), by="client") == asked
    for frame in (Frame(a, b, topic, REPLY, payload, status), Frame(a, None, topic, event, payload)):
        data = encode(frame, by="server")
        assert isinstance(data, bytes)
        assert decode(data) == frame


@given(st.binary(max_size=60) | st.text(max_size=60) | json_values.map(json.dumps), st.sampled_from(BY))
def test_garbage_is_a_frame_or_the_one_error(data: str | bytes, by: Literal["client", "server"]) -> None:
    try:
        frame = decode(data, by=by)
    except FrameError:
        return
    assert isinstance(frame.topic, str) and (frame.status is not None) == (frame.event == REPLY)


@given(st.data(), st.sampled_from([data for _, data, _ in BINARIES]), st.sampled_from(BY))
def test_a_damaged_binary_frame_is_a_frame_or_the_one_error(
    draw: st.DataObject, data: bytes, by: Literal["client", "server"]
) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    damaged = data[:at] + draw.draw(st.binary(max_size=3)) + data[at + 1 :]
    try:
        frame = decode(damaged, by=by)
    except FrameError:
        return
    assert isinstance(frame.payload, bytes)


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_a_server_takes_payloads_that_are_nested_100_deep(opening: str, closing: str) -> None:
    def sent(levels: int) -> str:
        within = levels - 1  # the payload itself is an object
        return f'[null,"1","t","e",{{"a":{opening * within}1{closing * within}}}]'

    assert server_frames.read(sent(100)) == decode(sent(100), by="client")
    with pytest.raises(FrameError, match="it is nested too deeply"):
        server_frames.read(sent(101))
