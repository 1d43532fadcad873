"""How values look on the wire."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sdk.wire import ExactFloat, Shape, camel, decode_json, encode_json, instant, number, shape_of, snake, wire

names = st.from_regex(r"[a-z]+(_[a-z][a-z0-9]*)*", fullmatch=True)


@given(names)
def test_names_go_there_and_back(name: str) -> None:
    assert snake(camel(name)) == name


def test_camel() -> None:
    assert [camel(name) for name in ("id", "created_at", "street2", "e_mail_address")] == [
        "id", "createdAt", "street2", "eMailAddress",
    ]  # fmt: skip


def test_a_shape_renames_leaves_out_and_joins() -> None:
    shape = Shape.parse("id title:position last_contact:lastContactDate avatar? notes|text")
    assert shape.encode({"id": "1", "title": "VP", "lastContact": "x", "notes": ["a", "b"], "other": 1}) == {
        "id": "1", "position": "VP", "lastContactDate": "x", "notes": "a\nb",
    }  # fmt: skip
    assert shape.encode({"notes": None, "avatar": None}) == {"notes": None, "avatar": None}
    assert shape.optional == {"avatar"}
    assert shape.decode({"position": "VP", "lastContactDate": "x", "odd": 1}) == {
        "title": "VP", "lastContact": "x", "odd": 1,
    }  # fmt: skip


def test_a_class_without_a_line_documents_everything() -> None:
    @wire(mvp="id")
    class Small:
        pass

    found = shape_of(Small, "mvp")
    assert found is not None
    assert dict(found.names) == {"id": "id"}
    assert shape_of(Small, "platform") is None
    assert shape_of(object, "mvp") is None


def test_instants_are_in_utc_and_naive_ones_are_refused() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert instant(datetime(2026, 1, 15, 9, 0, tzinfo=east)) == "2026-01-15T03:30:00Z"
    assert instant(datetime(2026, 1, 15, 9, 0, 0, 120_000, tzinfo=UTC)) == "2026-01-15T09:00:00.120Z"
    with pytest.raises(ValueError, match="no time zone"):
        instant(datetime(2026, 1, 15))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_loses_nothing(value: Decimal) -> None:
    exact = number(value)
    assert Decimal(repr(exact) if isinstance(exact, float) else exact) == value
    found = decode_json(encode_json(value))
    assert Decimal(str(found)) == value


def test_an_enormous_amount_stays_short() -> None:
    assert encode_json({"n": Decimal("1e5000")}) == b'{"n":1E+5000}'
    assert encode_json([Decimal("100"), Decimal("1.50"), Decimal("-0")]) == b"[100,1.5,0]"


@given(st.recursive(st.text() | st.integers(), st.lists), st.decimals(20, 10**25, places=12))
def test_no_text_is_taken_for_an_amount(value: Any, amount: Decimal) -> None:
    sent = encode_json([value, amount])
    assert json.loads(sent)[0] == value


@pytest.mark.parametrize(
    "text", ["\ue0001\ue000", "\ue00012345678901234567.8\ue000", "\x00", "\u2028", '"', "\U0001f600"]
)
def test_odd_text_stays_text(text: str) -> None:
    members = {"t": text, text: [text], "n": Decimal("12345678901234567890.123")}
    assert json.loads(encode_json(members), parse_float=Decimal) == members


def test_other_values() -> None:
    assert (
        encode_json({"d": date(2026, 1, 15), "s": {"b", "a"}, "e": "é"})
        == '{"d":"2026-01-15","s":["a","b"],"e":"é"}'.encode()
    )
    with pytest.raises(TypeError, match="a object cannot be written as JSON"):
        encode_json(object())
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_json(float("nan"))


def test_an_exact_float_is_a_float() -> None:
    exact = decode_json(b"0.12345678901234567890")
    assert isinstance(exact, ExactFloat)
    assert exact == 0.12345678901234568
    assert str(exact) == "0.12345678901234567890"
    again = pickle.loads(pickle.dumps(exact))
    assert (again, str(again)) == (exact, str(exact))
    with pytest.raises(ValueError, match="too deeply"):
        decode_json(b"[" * 100_000)
