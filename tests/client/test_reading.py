"""Answers that drift from their document: what is kept, what is noted, and when it is an error after all."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NotRequired

import httpx
import pytest
from canned_answers import LEAD, Canned
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from crm_sdk import CrmClient, InvalidResponseError
from crm_sdk.models import Lead
from crm_sdk.models.record import Model
from crm_sdk.reading import Reader, Unreadable
from crm_sdk.wire import encode_json

Make = Callable[..., Any]
Call = Callable[[Any], Any]


def kinds(value: Any) -> list[tuple[str, str]]:
    return [(mismatch.path, mismatch.kind) for mismatch in value.mismatches]


def read(body: Any, *, strict: bool = False, kind: Any = Lead) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reader(kind).read(content, strict=strict)[0]


def test_what_no_document_names_is_kept() -> None:
    lead = read({**LEAD, "status": "dormant", "mood": {"now": [1.5, "x"]}, "score": 7})
    assert lead.status == "dormant"
    assert lead.mood == {"now": [1.5, "x"]}
    assert lead.mismatches == ()
    assert "mood" in repr(lead)
    assert json.loads(lead.model_dump_json(by_alias=True, exclude_unset=True))["mood"] == {"now": [1.5, "x"]}


def test_missing_and_wrong_members_give_a_usable_model() -> None:
    lead = read({"name": "Ada", "status": "new", "score": "high", "createdAt": "yesterday", "tags": "one", "odd": 1})
    assert (lead.id, lead.name, lead.score, lead.created_at, lead.tags, lead.odd) == (None, "Ada", None, None, None, 1)
    assert lead.email is None
    assert lead.notes == []
    assert dict(kinds(lead)) == {
        "id": "missing", "score": "int_parsing", "createdAt": "datetime_from_date_parsing", "tags": "list_type",
    }  # fmt: skip
    noted = next(mismatch for mismatch in lead.mismatches if mismatch.path == "score")
    assert noted.value == "high"
    assert str(noted).startswith("score: ")
    assert pickle.loads(pickle.dumps(lead)) == lead
    assert pickle.loads(pickle.dumps(lead)).mismatches == lead.mismatches


def test_drift_within_drift_has_its_whole_path() -> None:
    lead = read(
        {
            **LEAD,
            "address": {"city": 5, "planet": "Earth"},
            "socialProfiles": [{"network": "github", "url": "u"}, {"network": "x"}, 7],
            "qualification": "yes",
            "customFields": {"budget": 12.5, "shape": {"a": 1.25}},
        }
    )
    assert kinds(lead) == [
        ("address.city", "string_type"),
        ("socialProfiles.1.url", "missing"),
        ("socialProfiles.2", "model_type"),
        ("qualification", "model_type"),
        ("customFields.shape", "string_type"),
    ]
    assert lead.address.planet == "Earth"
    assert lead.address.mismatches == lead.mismatches[:1]
    assert lead.social_profiles[0].url == "u"
    assert lead.social_profiles[1].network == "x"
    assert len(lead.social_profiles) == 2, "7 is none"
    assert (lead.address.city, lead.qualification) == (None, None)
    assert lead.custom_fields == {"budget": Decimal("12.5"), "shape": None}


@pytest.mark.parametrize("name", ["created_at", "_fields_set", "cls", "self", "__dict__", "model_config", "mismatches"])
def test_no_name_of_an_unknown_member_gets_in_the_way(name: str) -> None:
    for body in ({**LEAD, name: "odd"}, {**LEAD, name: "odd", "score": "bad"}):
        lead = read(body)
        assert lead.created_at == datetime(2026, 1, 15, 9, tzinfo=UTC)
        assert lead.__pydantic_extra__[name] == "odd"
        assert all(mismatch.path == "score" for mismatch in lead.mismatches)


def test_a_time_without_a_zone_is_taken_as_utc_and_noted() -> None:
    lead = read({**LEAD, "createdAt": "2026-01-15T09:00:00"})
    assert lead.created_at == datetime(2026, 1, 15, 9, tzinfo=UTC)
    assert kinds(lead) == [("createdAt", "timezone_aware")]


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>Bad gateway</body></html>", b"", b"  ", b'{"id": "lead_1", "name": "A', b"null", b"[]", b'"text"',
        b"7", b"[" * 100_000, b"\xff\xfe\x00", b'{"id": ' + b"9" * 5000 + b"x}",
    ],
    ids=["html", "empty", "blank", "truncated", "null", "array", "text", "number", "deep", "binary", "digits"],
)  # fmt: skip
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_nothing_like_the_document_is_an_error(
    make: Make, call: Call, server: Canned, content: bytes, strict: bool
) -> None:
    server.says(content=content, x_request_id="req_1")
    with pytest.raises(InvalidResponseError) as raised:
        call(make(strict=strict).leads.get("lead_1"))
    error = raised.value
    assert (error.status, error.request_id, error.body) == (200, "req_1", content[:2000])
    assert str(error).startswith("leads.get: the answer (200) does not match its document: ")
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("dialect", "body", "message"),
    [
        ("platform", LEAD, "it has no member 'data'"),
        ("platform", {"data": None}, "a Lead was expected, not null"),
        ("platform", {"data": [LEAD]}, "a Lead was expected, not an array"),
        ("platform", [LEAD], "an object was expected, not an array"),
        ("mvp", [LEAD], "a Lead was expected, not an array"),
    ],
)
def test_the_wrong_envelope_is_an_error(
    make: Make, call: Call, server: Canned, dialect: str, body: Any, message: str
) -> None:
    server.says(body)
    with pytest.raises(InvalidResponseError, match=message):
        call(make(dialects=dialect).leads.get("lead_1"))


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("mvp", {"contacts": [LEAD]}), ("mvp", {"leads": None}), ("mvp", {"leads": {}}), ("mvp", [LEAD]),
        ("platform", {"data": {}}), ("platform", {"data": "x"}), ("platform", {}),
    ],
)  # fmt: skip
def test_a_list_without_a_list_is_an_error(make: Make, call: Call, server: Canned, dialect: str, body: Any) -> None:
    server.says(body)
    with pytest.raises(InvalidResponseError):
        call(make(dialects=dialect).leads.list())


async def _first(pages: Any) -> Any:
    return await pages


def first(call: Call, mode: str, pages: Any) -> Any:
    return pages if mode == "sync" else call(_first(pages))


def test_a_page_whose_items_drift_is_a_page(
    make: Make, call: Call, mode: str, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    drifted = [{"id": f"l{n}", "status": "new", "score": "?"} for n in range(20)]
    server.says({"leads": [LEAD, *drifted], "total": 21, "pagination": {"limit": 50, "offset": 0, "hasMore": False}})
    with caplog.at_level(logging.WARNING, "crm_sdk"):
        page = first(call, mode, make().leads.list())
    assert [lead.id for lead in page.items] == ["lead_1", *(f"l{n}" for n in range(20))]
    assert page.items[0].mismatches == ()
    assert kinds(page.items[1]) == [("leads.1.name", "missing"), ("leads.1.score", "int_parsing")]
    assert [record.getMessage().partition(":")[2].partition(" (")[0] for record in caplog.records] == [
        " the answer deviates from its document at leads.*.name: it is missing",
        " the answer deviates from its document at leads.*.score: Input should be a valid integer, "
        "unable to parse string as an integer",
    ]


@pytest.mark.parametrize(
    "window",
    ["x", [], None, {"limit": "ten", "offset": {}, "hasMore": "perhaps", "hasNext": 5}, {"limit": -5, "page": []}],
)
def test_a_page_whose_window_drifts_is_a_page(make: Make, call: Call, mode: str, server: Canned, window: Any) -> None:
    meta = {"pagination": window}
    for dialect, body in (
        ("mvp", {"leads": [LEAD], "total": "many", "pagination": window}),
        ("platform", {"data": [LEAD], "meta": meta}),
        ("platform", {"data": [LEAD], "meta": window}),
    ):
        server.says(body)
        server._answers = type(server._answers)([server._answers[-1]])
        page = first(call, mode, make(dialects=dialect).leads.list(limit=5))
        assert (page.limit, page.offset, page.page, page.total, page.has_next) == (5, 0, 1, None, False)
        assert repr(page).endswith("1-1 of ?>")


def test_a_kind_of_drift_is_logged_once(
    make: Make, call: Call, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    server.says({**LEAD, "score": "high"})
    client = make()
    with caplog.at_level(logging.WARNING, "crm_sdk"):
        for _ in range(3):
            assert call(client.leads.get("x")).score is None
        call(client.with_options(timeout=9).leads.get("x"))
    assert len(caplog.records) == 1
    assert "high" not in caplog.text, "a value may be personal"


def test_strict_makes_any_drift_an_error_that_lists_it(make: Make, call: Call, server: Canned) -> None:
    server.says({**LEAD, "score": "high", "tags": 5})
    with pytest.raises(InvalidResponseError, match="score: Input should be") as raised:
        call(make(strict=True).leads.get("x"))
    assert kinds(raised.value) == [("score", "int_parsing"), ("tags", "list_type")]
    assert call(make().leads.get("x")).score is None
    with pytest.raises(InvalidResponseError):
        call(make().with_options(strict=True).leads.get("x"))


def test_strict_is_content_with_what_is_only_unknown() -> None:
    assert read({**LEAD, "status": "dormant", "mood": 1}, strict=True).status == "dormant"
    with pytest.raises(Unreadable) as raised:
        read(
            {**LEAD, **{name: [] for name in ("email", "phone", "company", "title", "website", "industry")}},
            strict=True,
        )
    assert str(raised.value).endswith("; and 1 more")


# -- numbers ---------------------------------------------------------------------------------------------------------

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(lambda d: -60 < d.adjusted() < 60)
twenty_digits = st.builds(lambda n, e: Decimal(n).scaleb(e), st.integers(10**19, 10**20 - 1), st.integers(-25, 3))


@given(amounts | twenty_digits, st.booleans())
def test_an_amount_keeps_every_digit(amount: Decimal, pretty: bool) -> None:
    sent = encode_json({**LEAD, "value": amount}, indent=2 if pretty else None)
    lead = read(sent, strict=True)
    assert lead.value == amount
    again = encode_json(lead.model_dump(by_alias=True, exclude_unset=True))
    assert read(again).value == amount
    assert read(lead.model_dump_json(by_alias=True).encode()).value == amount


@given(st.decimals(-(10**12), 10**12, places=2))
def test_an_amount_in_a_custom_field_keeps_every_digit(amount: Decimal) -> None:
    lead = read(encode_json({**LEAD, "customFields": {"budget": amount}}))
    assert lead.custom_fields["budget"] == amount


def test_a_long_amount_in_a_custom_field_keeps_its_fraction() -> None:
    lead = read(encode_json({**LEAD, "customFields": {"budget": Decimal("4824463435583209.5")}}))
    assert lead.custom_fields["budget"] == Decimal("4824463435583209.5")


@given(twenty_digits)
def test_an_amount_keeps_every_digit_in_an_answer_that_drifts(amount: Decimal) -> None:
    lead = read(encode_json({**LEAD, "value": amount, "score": "?"}))
    assert lead.value == amount
    assert lead.mismatches


@pytest.mark.parametrize("written", ["12345678901234567890.5", "0.12345678901234567890", "1.2345678901234567890e5"])
@pytest.mark.parametrize("drift", ["", ', "score": "?"'])
@pytest.mark.parametrize("gap", ["", "\t", "\n", "\r\n "])
def test_what_is_no_amount_is_a_plain_float(written: str, drift: str, gap: str) -> None:
    numbers = f'"value":{gap}{written}, "x":{gap}{written}, "deep": [[{gap}{written}]]'
    lead = read(f'{{"id": "1", "name": "A", "status": "new", {numbers}{drift}}}'.encode())
    assert lead.value == Decimal(written)
    assert type(lead.x) is float
    assert type(lead.deep[0][0]) is float
    free = read(f'{{"a":{gap}{written}, "b": [{{"c": {written}}}]}}'.encode(), kind=dict[str, Any])
    assert type(free["a"]) is float
    assert type(free["b"][0]["c"]) is float


def test_an_amount_beyond_any_float_is_read() -> None:
    assert read(b'{"id": "1", "name": "A", "status": "new", "value": 1e400}').value == Decimal("1e400")
    lead = read(b'{"id": "1", "name": "A", "status": "new", "value": NaN}')
    assert kinds(lead) == [("value", "finite_number")]


def test_every_model_reads_an_object_of_nulls_without_failing() -> None:
    import crm_sdk.models as models

    odds: list[Any] = [None, [], {}, "x", 5]
    for name in models.__all__:
        kind: Any = getattr(models, name)
        if isinstance(kind, type) and issubclass(kind, Model) and not kind.__pydantic_generic_metadata__["parameters"]:
            for odd in odds:
                body = {field.alias or member: odd for member, field in kind.model_fields.items()}
                assert isinstance(read(body, kind=kind), kind)


@pytest.mark.parametrize("value", [10, "ten"])
def test_a_deal_says_when_it_was_created_where_every_record_does(
    make: Make, call: Call, server: Canned, value: object
) -> None:
    server.says({"id": "d", "title": "t", "value": value, "stage": "s", "createdDate": "2026-01-15T09:00:00Z"})
    found = call(make(dialects="flow").deals.get("d"))
    assert found.created_at is not None
    assert found.created_at == found.created_date == pickle.loads(pickle.dumps(found)).created_at
    assert "created_at" not in found.model_fields_set


@pytest.mark.parametrize("value", ["", "much", True, [], "NaN", "Infinity"])
def test_what_the_lenient_reader_lets_through_can_be_written(value: object) -> None:
    server = Canned().says({**LEAD, "value": value})
    client = CrmClient("http://crm.test", "k", dialects="mvp", http_client=httpx.MockTransport(server))
    assert LEAD["id"] in client.leads.get("lead_1").model_dump_json()


def test_records_are_members_of_a_set() -> None:
    server = Canned().says({**LEAD, "tags": ["a"]})
    client = CrmClient("http://crm.test", "k", dialects="mvp", http_client=httpx.MockTransport(server))
    assert len({client.leads.get("lead_1"), client.leads.get("lead_1")}) == 1


def test_what_is_no_record_is_none_of_the_records(make: Make, call: Call, mode: str, server: Canned) -> None:
    rows = [None, LEAD, "text", 7, [LEAD]]
    server.says({"leads": rows, "total": 5, "pagination": {"limit": 50, "offset": 0, "hasMore": False}})
    assert [lead.id for lead in first(call, mode, make(dialects="mvp").leads.list()).items] == ["lead_1"]
    with pytest.raises(InvalidResponseError):
        call(make(dialects="mvp", strict=True).leads.list())


class Size(TypedDict):
    width: int
    height: NotRequired[int]


def test_an_envelope_notes_what_it_lacks_and_what_does_not_fit() -> None:
    reader: Reader[Any] = Reader(Size)
    assert reader.read(b'{"width": 1}', strict=False) == ({"width": 1}, ())
    _, noted = reader.read(b'{"height": "tall", "odd": 1}', strict=False)
    assert {mismatch.path: mismatch.kind for mismatch in noted} == {"width": "missing", "height": "int_parsing"}
    with pytest.raises(Unreadable):
        reader.read(b"{}", strict=True)
