"""Server-sent events: each rule of the WHATWG's parser by name, and that it does not matter how the bytes come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm_sdk.realtime.sse import EventStreamParser, EventTooLongError, ServerSentEvent

Told = list[tuple[str, str, str]]

# rule: the stream, and the events as (type, data, last event id)
RULES: dict[str, tuple[bytes, Told]] = {
    "a BOM at the start is dropped": (b"\xef\xbb\xbfdata: a\n\n", [("message", "a", "")]),
    "only one BOM is dropped": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    "a BOM within the stream is data": (b"\ndata: \xef\xbb\xbfa\n\n", [("message", "\ufeffa", "")]),
    "a comment is no data": (b": hello\ndata: a\n:\n:data: b\n\n", [("message", "a", "")]),
    "a comment alone dispatches nothing": (b": hello\n\n", []),
    "a line without a colon is a name": (b"data\n\n", [("message", "", "")]),
    "a colon without a space": (b"data:a\n\n", [("message", "a", "")]),
    "one space after the colon is removed": (b"data: a\n\n", [("message", "a", "")]),
    "only one space after the colon is removed": (b"data:  a \n\n", [("message", " a ", "")]),
    "no tab after the colon is removed": (b"data:\ta\n\n", [("message", "\ta", "")]),
    "a space before the colon belongs to the name": (b"data : a\n\n", []),
    "a line that begins with a space is another name": (b" data: a\n\n", []),
    "only the first colon divides": (b"data: a:b: c\n\n", [("message", "a:b: c", "")]),
    "names are told apart by case": (b"Data: a\nDATA: b\n\n", []),
    "several lines of data are joined by LF": (b"data: a\ndata: b\ndata:c\n\n", [("message", "a\nb\nc", "")]),
    "only the last LF of the data is removed": (b"data: a\ndata\ndata:\n\n", [("message", "a\n\n", "")]),
    "two empty lines of data are one LF": (b"data\ndata\n\n", [("message", "\n", "")]),
    "data that is empty is dispatched": (b"data:\n\n", [("message", "", "")]),
    "an event has a type": (b"event: lead.created\ndata: a\n\n", [("lead.created", "a", "")]),
    "the last type counts": (b"event: a\nevent: b\ndata: x\n\n", [("b", "x", "")]),
    "an empty type is message": (b"event: a\nevent:\ndata: x\n\n", [("message", "x", "")]),
    "a type is for one event": (b"event: a\ndata: x\n\ndata: y\n\n", [("a", "x", ""), ("message", "y", "")]),
    "an event without data is not dispatched": (b"event: a\nid: 1\n\ndata: x\n\n", [("message", "x", "1")]),
    "empty lines dispatch nothing": (b"\n\n\ndata: x\n\n\n\n", [("message", "x", "")]),
    "an id is that of later events too": (
        b"id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n",
        [("message", "a", "1"), ("message", "b", "1"), ("message", "c", "2")],
    ),
    "an empty id sets it back": (b"id: 1\ndata: a\n\nid\ndata: b\n\n", [("message", "a", "1"), ("message", "b", "")]),
    "an empty id with a colon sets it back": (b"id: 1\nid:\ndata: b\n\n", [("message", "b", "")]),
    "an id with NUL is ignored": (b"id: 1\nid: 2\0\ndata: a\n\n", [("message", "a", "1")]),
    "an unknown name is ignored": (b"datum: x\nevents: y\ndata: a\nx\n\n", [("message", "a", "")]),
    "LF ends a line": (b"data: a\ndata: b\n\n", [("message", "a\nb", "")]),
    "CR ends a line": (b"data: a\rdata: b\r\r", [("message", "a\nb", "")]),
    "CRLF ends a line": (b"data: a\r\ndata: b\r\n\r\n", [("message", "a\nb", "")]),
    "the ends of lines may be mixed": (
        b"data: a\rdata: b\ndata: c\r\n\r\ndata: d\n\rdata: e\r\n\n",
        [("message", "a\nb\nc", ""), ("message", "d", ""), ("message", "e", "")],
    ),
    "no other separator ends a line": (
        "data: a\v\f\x1c\x1e\x85\u2028b\n\n".encode(),
        [("message", "a\v\f\x1c\x1e\x85\u2028b", "")],
    ),
    "the end of the stream drops what is incomplete": (b"data: a\n\nid: 9\ndata: b\n", [("message", "a", "")]),
    "a line without an end is dropped": (b"data: a\n\ndata: b", [("message", "a", "")]),
    "what is not UTF-8 is replaced": (
        b"data: \xffa\xc3\nevent: \x80\nid: \xe2\x82\n\ndata: b\n\n",
        [("\ufffd", "\ufffda\ufffd", "\ufffd"), ("message", "b", "\ufffd")],
    ),
    "UTF-8 of every length": ("data: aé€😀\n\n".encode(), [("message", "aé€😀", "")]),
    "a NUL is data": (b"data: a\0b\n\n", [("message", "a\0b", "")]),
    "the stocks of the standard": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
    "the four blocks of the standard": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
        [("message", "first event", "1"), ("message", "second event", "")],
    ),
    "the empty events of the standard": (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
    "the same event twice of the standard": (b"data:test\n\ndata: test\n\n", [("message", "test", "")] * 2),
}


def told(events: list[ServerSentEvent]) -> Told:
    return [(event.type, event.data, event.last_event_id) for event in events]


def feed(parser: EventStreamParser, chunks: list[bytes], into: list[ServerSentEvent]) -> None:
    for chunk in chunks:
        into += parser.feed(chunk)


@pytest.mark.parametrize("rule", RULES)
def test_the_rule(rule: str) -> None:
    stream, events = RULES[rule]
    assert told(EventStreamParser().feed(stream)) == events


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_byte_by_byte(rule: str) -> None:
    stream, events = RULES[rule]
    parser = EventStreamParser()
    assert told([event for n in range(len(stream)) for event in parser.feed(stream[n : n + 1])]) == events


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"retry: 1500", 1.5), (b"retry:0", 0.0), (b"retry", None), (b"retry:", None), (b"retry: 1.5", None),
        (b"retry: -1", None), (b"retry: 10s", None), (b"retry:  10", None), ("retry: \u0661".encode(), None),
        (b"retry: " + b"9" * 5000, None), (b"Retry: 5", None),
    ],
)  # fmt: skip
def test_retry_is_digits_only(line: bytes, seconds: float | None) -> None:
    parser = EventStreamParser()
    assert parser.feed(line + b"\n") == [], "no event is needed for it"
    assert parser.retry == seconds
    parser.feed(b"retry: 2000\nretry: x\n")
    assert parser.retry == 2


def test_a_line_counts_as_soon_as_its_cr_has_come() -> None:
    parser = EventStreamParser()
    assert told(parser.feed(b"data: a\r\n\r")) == [("message", "a", "")]
    assert parser.feed(b"\n") == [], "the LF belongs to the CR before"
    assert parser.feed(b"") == []
    assert told(parser.feed(b"data: b\n\n")) == [("message", "b", "")]
    assert parser.feed(b"data: c\r") == []
    assert parser.feed(b"") == [], "nothing is no LF"
    assert parser.feed(b"\n") == []
    assert told(parser.feed(b"\n")) == [("message", "c", "")]


def test_the_id_to_resume_from_is_that_of_the_last_complete_event() -> None:
    parser = EventStreamParser(last_event_id="e1:40")
    parser.feed(b"data: a\n\n")
    assert parser.last_event_id == "e1:40"
    parser.feed(b"id: e1:41\ndata: b\n")
    assert parser.last_event_id == "e1:40", "an event that is incomplete has not come"
    assert told(parser.feed(b"\n")) == [("message", "b", "e1:41")]
    assert parser.last_event_id == "e1:41"
    parser.feed(b"id: e1:42\n\n")
    assert parser.last_event_id == "e1:42", "an id without data counts as well"


def test_comments_are_counted() -> None:
    parser = EventStreamParser()
    parser.feed(b":\n: alive\ndata: a\n:")
    assert parser.comments == 2
    parser.feed(b" and ")
    assert parser.comments == 2
    parser.feed(b"well\n")
    assert parser.comments == 3


@pytest.mark.parametrize(
    "stream",
    [b"data: " + b"x" * 100, b": " + b"x" * 100, b"x" * 101, b"data: 12345678\n" * 12, b"data\n" * 101],
    ids=["a line of data", "a comment", "no line", "many lines", "many empty lines"],
)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_what_is_too_long_is_an_error_after_the_events_before_it(stream: bytes, step: int) -> None:
    whole = b"data: before\n\n" + stream
    parser = EventStreamParser(limit=100)
    events: list[ServerSentEvent] = []
    with pytest.raises(EventTooLongError, match="longer than 100 bytes"):
        feed(parser, [whole[at : at + step] for at in range(0, len(whole) + step, step)] + [b""], events)
    assert told(events) == [("message", "before", "")]
    with pytest.raises(EventTooLongError):
        parser.feed(b"\n\ndata: after\n\n")


def test_the_limit_is_for_one_event() -> None:
    parser = EventStreamParser(limit=100)
    for _ in range(50):
        assert len(parser.feed(b"data: " + b"x" * 90 + b"\n: " + b"y" * 90 + b"\n\n")) == 1


def test_a_long_line_in_small_pieces_takes_no_longer_for_each() -> None:
    parser = EventStreamParser()
    parser.feed(b"data: ")
    for _ in range(200_000):
        parser.feed(b"12345678")
    (event,) = parser.feed(b"\n\n")
    assert len(event.data) == 1_600_000


pieces = st.sampled_from(
    [b"data", b"event", b"id", b"retry", b"x", b":", b": ", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"12",
     b"\xef\xbb\xbf", "é€😀".encode(), b"\xff", b"\xe2\x82", b"\x80", b"data: a\n", b"id: 7\n"]
)  # fmt: skip
streams = st.lists(pieces | st.binary(max_size=4), max_size=30).map(b"".join)


@given(streams, st.lists(st.integers(0, 200), max_size=12))
@example(b"data: a\r\n\r\n", [8, 10])
@example("\ufeffdata: é\n\n".encode(), [1, 2, 10])
def test_any_split_gives_the_same(stream: bytes, cuts: list[int]) -> None:
    whole = EventStreamParser()
    expected = whole.feed(stream)
    parser = EventStreamParser()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    found = [event for start, end in pairwise(edges) for event in parser.feed(stream[start:end])]
    assert found == expected
    assert (parser.last_event_id, parser.retry, parser.comments) == (whole.last_event_id, whole.retry, whole.comments)


def by_the_standard(stream: bytes) -> Told:
    """The rules once more, as the standard words them: over the whole text, line by line."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    data, kind, newest = "", "", ""
    events: Told = []
    for line in text.split("\n")[:-1]:
        if line == "":
            if data != "":
                events.append((kind or "message", data.removesuffix("\n"), newest))
            data, kind = "", ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data += value + "\n"
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            newest = value
    return events


@given(streams)
def test_any_stream_reads_as_the_standard_words_it(stream: bytes) -> None:
    assert told(EventStreamParser().feed(stream)) == by_the_standard(stream)


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(st.sampled_from(["lead.created", "message"]), texts), max_size=5))
def test_any_data_goes_there_and_back(events: list[tuple[str, str]]) -> None:
    written = "".join(
        f"event: {kind}\nid: {n}\n" + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n"
        for n, (kind, data) in enumerate(events)
    )
    plain = [(kind, data, str(n)) for n, (kind, data) in enumerate(events) if "\r" not in data]
    found = told(EventStreamParser().feed(written.encode()))
    assert [event for event in found if event in plain] == plain
