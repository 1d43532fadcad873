"""Bodies of replies: which have been read already, and what an error of the network says."""

from __future__ import annotations

import ssl
from types import SimpleNamespace

import httpx
import pytest

from crm_sdk.network.bodies import headers_of, is_read, reason_of


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"is_stream_consumed": True, "_content": b"{}"}, True),
        ({"is_stream_consumed": True}, False),
        ({"is_stream_consumed": False, "_content": b"{}"}, False),
        ({"_content": b"{}"}, False),
    ],
)
def test_a_body_is_read_where_it_was_used_up_and_kept(members: dict[str, object], expected: bool) -> None:
    assert is_read(SimpleNamespace(**members)) is expected


def test_headers_of_one_name_are_one() -> None:
    assert headers_of(httpx.Response(200, headers=[("A", "1"), ("b", "2"), ("a", "3")])) == {"a": "1, 3", "b": "2"}


class BrokenResourceError(Exception):
    """What trio calls it."""


def chained(outer: Exception, inner: Exception, *, by_cause: bool) -> Exception:
    outer.__cause__, outer.__context__ = (inner, None) if by_cause else (None, inner)
    return outer


WRONG = ssl.SSLError("certificate verify failed")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("no route"), "no route"),
        (OSError(), "OSError"),
        (chained(BrokenResourceError(), WRONG, by_cause=True), str(WRONG)),
        (chained(OSError(), chained(BrokenResourceError(), WRONG, by_cause=True), by_cause=True), str(WRONG)),
        (chained(OSError(), chained(BrokenResourceError(), WRONG, by_cause=True), by_cause=False), str(WRONG)),
        (chained(OSError("it broke"), chained(BrokenResourceError(), WRONG, by_cause=True), by_cause=True), "it broke"),
        (chained(OSError(), ValueError("somebody else's"), by_cause=False), "OSError"),
        (BrokenResourceError(), "BrokenResourceError"),
    ],
    ids=repr,
)
def test_an_error_says_what_it_is_or_what_trio_hides_in_its_cause(error: Exception, said: str) -> None:
    assert reason_of(error) == said
