"""What is asked in a conversation: text, records and figures are those of the lists."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from crm_sdk import CrmClient, InvalidInputError, ValidationError
from crm_sdk.models import ChatMessage
from server_stub import StubServer
from server_stub.request.http import Request
from server_stub.services.chatops import replies
from server_stub.services.chatops.tokens import amount_of, plain, tokens


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def ids(answer: ChatMessage) -> list[str]:
    return [record.id for record in answer.records]


def conditions(answer: ChatMessage) -> list[tuple[str, str, Any]]:
    assert answer.intent is not None
    return [(one.field, one.op, one.value) for group in answer.intent.filter_groups for one in group.filters]


CASES: list[tuple[str, dict[str, Any]]] = [
    ("/list deal won", {"status": "won"}),
    ("won deals", {"status": "won"}),
    ("/list deal open my", {"status": "open", "owner_id": "user_ada"}),
    ("my open deals", {"status": "open", "owner_id": "user_ada"}),
    ("meine offenen Geschäfte", {"status": "open", "owner_id": "user_ada"}),
    ("mis negocios abiertos", {"status": "open", "owner_id": "user_ada"}),
    ("صفقات مفتوحة", {"status": "open"}),
    ("/list deal of sam@acme.test", {"owner_id": "user_sam"}),
    ("/list deal in proposal", {"stage": "proposal"}),
    ("/list deal in Closed Won", {"stage": "closed-won"}),
    ("deals with more than 9,999.99", {"min_value": 10_000}),
    ("صفقات أكثر من ٩٩٩٩", {"min_value": 10_000}),
    ("/list deal named Quantum Lantern", {"search": "Quantum Lantern"}),
    ('/list deal named "quantum lantern"', {"search": "Quantum Lantern"}),
]  # fmt: skip


def test_an_answer_agrees_with_the_list(acme: CrmClient) -> None:
    for text, given in CASES:
        listed = [deal.id for deal in acme.deals.list(**given)]
        answer = acme.chatops.send(text)
        assert answer.intent is not None and (answer.intent.name, answer.intent.entity) == ("list", "deal"), text
        assert answer.total == len(listed) > 0 and ids(answer) == listed[:20] and answer.plan is None, text
        assert str(answer.total) in answer.text and str(answer.records[0].name) in answer.text, text
        count = acme.chatops.send(text.replace("/list", "/count") if text.startswith("/") else f"how many {text}")
        assert count.total == len(listed) and count.figures[0].value.value == len(listed) and count.records == [], text


def test_words_are_conditions(acme: CrmClient) -> None:
    cases: list[tuple[str, list[tuple[str, str, Any]]]] = [
        ("/list lead hot unassigned", [("rating", "eq", "hot"), ("owner_id", "is_not_set", None)]),
        ("/list lead from website tagged vip", [("source", "eq", "website"), ("tags", "contains", "vip")]),
        ("/list deal over €1.5m", [("value", "gt", 1_500_000), ("currency", "eq", "EUR")]),
        ("/list deal under 2k USD", [("value", "lt", 2_000), ("currency", "eq", "USD")]),
        ("/list deal closing next month", [("expected_close_date", "eq", "next_month")]),
        ("/list deal created last quarter", [("created_at", "eq", "last_quarter")]),
        ("deals won last month", [("status", "eq", "won"), ("closed_at", "eq", "last_month")]),
        ("/list contact at-risk", [("churn_risk", "gte", 60)]),
        ("/list deal in 10 days", [("expected_close_date", "between", "today")]),
        ("/list contact stale", [("last_contact", "lt", "-30d"), ("last_contact", "is_not_set", None)]),
        ("what meetings do I have tomorrow?", [("start_time", "eq", "tomorrow")]),
    ]
    for text, wanted in cases:
        assert conditions(acme.chatops.send(text)) == wanted, text


def test_top_is_the_order_of_the_list(acme: CrmClient) -> None:
    answer = acme.chatops.send("/list deal won top 3 by value")
    best = sorted((deal.value for deal in acme.deals.list(status="won")), reverse=True)[:3]
    assert [acme.deals.get(id).value for id in ids(answer)] == best and answer.total == 3
    assert acme.chatops.send("/list deal top 3 by description").intent.name == "unknown"  # type: ignore[union-attr] # it was answered, and is checked by that


def test_sums_in_several_currencies_are_in_the_companys_and_say_so(acme: CrmClient) -> None:
    for value, currency in ((100, "USD"), (200, "USD"), (100, "EUR")):
        acme.deals.create({"title": f"Summable {value}", "value": value, "currency": currency})
    dollars = acme.chatops.send("/sum value of deal named Summable 200")
    assert dollars.figures[0].value.value == 200 and dollars.figures[0].value.unit == "currency"
    assert "converted" not in dollars.text and dollars.text.endswith("USD")
    whole = acme.chatops.send("/sum value of deal named Summable")
    rate = next(one.rate for one in acme.tenants.config.get("tenant_acme").currencies if one.currency == "EUR")
    assert whole.total == 3 and abs(whole.figures[0].value.value - (300 + 100 * Decimal(rate))) < Decimal("0.01")
    assert "converted to USD" in whole.text
    mean = acme.chatops.send("average value of my won deals")
    own = [deal.value for deal in acme.deals.list(status="won", owner_id="user_ada")]
    assert mean.intent is not None and mean.intent.name == "average"
    assert mean.figures[0].value.value == round(sum(own) / len(own), 2)


def test_what_is_not_understood_is_answered_with_the_nearest_commands(acme: CrmClient) -> None:
    cases: list[str] = [
        "delete all contacts",
        '=HYPERLINK("http://x")',
        "hello there",
        "/",
        "/lst deal",
        "/list",
        "/list nonsense",
        "/list contact won",
        "/list deal in nowhere",
        "/sum title of deal",
        "/create contact",
        "/set",
        "/log",
        "/show",
        "/list deal quickly",
        "/create contact shoe_size=4",
    ]
    for text in cases:
        answer = acme.chatops.send(text)
        assert answer.intent is not None and (answer.intent.name, answer.intent.confidence) == ("unknown", 0), text
        assert answer.plan is None and answer.records == [] and len(answer.suggestions) == 3, text
        assert all(usage.startswith("/") for usage in answer.suggestions), text


def test_several_records_of_a_name_are_asked_about(acme: CrmClient) -> None:
    twins = [acme.contacts.create({"name": "Zora Twin", "email": f"zora{n}@twin.example"}) for n in range(2)]
    asked = acme.chatops.send("/set Zora Twin title=Boss")
    assert asked.plan is None and {record.id for record in asked.records} == {twin.id for twin in twins}
    assert set(asked.suggestions) == {f"/set {twin.id} title=Boss" for twin in twins}
    chosen = acme.chatops.send("/set the first title=Boss", session_id=asked.session_id)
    assert chosen.plan is not None and chosen.plan.operations[0].id == asked.records[0].id
    both = acme.chatops.send("/set them title=Boss", session_id=asked.session_id)
    assert both.plan is not None and len(both.plan.operations) == 1, "they are those of the last answer"


def test_a_summary_tells_what_happened(acme: CrmClient) -> None:
    made = acme.contacts.create({"name": "Sumi Ota", "title": "Buyer"})
    assert "no activities yet" in acme.chatops.send(f"/summarize {made.id}").text
    acme.activities.notes.create({"body": "Wants a quote", "contact_id": made.id})
    told = acme.chatops.send("/summarize Sumi Ota").text
    assert "Sumi Ota" in told and "Buyer" in told and "Wants a quote" in told


@pytest.mark.parametrize("language", replies.LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    texts, english = replies.TEXTS[language], replies.TEXTS["en"]
    assert texts.keys() == english.keys() and all(texts.values())

    def places(text: str) -> list[str]:
        return sorted(part.partition("}")[0] for part in text.split("{")[1:])

    assert [key for key in english if places(texts[key]) != places(english[key])] == []


def test_the_language_is_the_asked_one_else_the_headers_else_the_users(stub: StubServer, acme: CrmClient) -> None:
    assert acme.chatops.send("/help").language == "en"
    assert acme.chatops.send("/help", language="de-AT").language == "de"
    asked = acme.with_options(headers={"Accept-Language": "fr;q=1, ar;q=0.9, de;q=0.5"})
    answer = asked.chatops.send("/count deal")
    assert answer.language == "ar" and "صفقات" in answer.text
    assert asked.chatops.send("/help", language="es").language == "es"
    german = acme.with_options(headers={"Accept-Language": "de"}).chatops.commands()
    assert [one.name for one in german] == [one.name for one in acme.chatops.commands()]
    assert german[0].description == "Datensätze auflisten"


def test_amounts_have_short_forms() -> None:
    cases: list[tuple[str, Any]] = [
        ("10k", (10_000, None)),
        ("1.5m", (1_500_000, None)),
        ("€2,000", (2_000, "EUR")),
        ("12,5", None),
        ("12eur", (12, "EUR")),
        ("k", None),
        ("١٢٣", (123, None)),
    ]
    for text, wanted in cases:
        assert amount_of(plain(text)) == wanted, text


def test_quoted_words_are_names_only() -> None:
    assert [(token.text, token.word) for token in tokens('My “won deals”, ¿no?')] == [
        ("My", "my"), ("won deals", ""), ("no", "no"),
    ]  # fmt: skip


def test_a_text_has_bounds(acme: CrmClient) -> None:
    assert acme.chatops.send("x" * 4_000).total is None
    for text in ("", "  "):
        with pytest.raises(InvalidInputError):
            acme.chatops.send(text)
    with pytest.raises(ValidationError):
        acme.chatops.send("x" * 4_001)


def test_an_activity_is_shown_by_what_its_kind_has(stub: StubServer, acme: CrmClient) -> None:
    cases: list[tuple[str, str]] = [
        ("event", "start_time"),
        ("call", "start_time"),
        ("task", "due_at"),
        ("email", "occurred_at"),
        ("note", "body"),
    ]
    for kind, member in cases:
        stored = next(
            doc for doc in stub.store.collection("tenant_acme", "activity") if doc["kind"] == kind and doc.get(member)
        )
        answer = acme.chatops.send(f"/show {stored['id']}")
        assert f" {member} " in answer.text, kind
        assert ("priority" in answer.text) is (kind == "task"), kind


@pytest.mark.parametrize(
    ("sent", "told"), [("12.50", "12.5"), ("100.00", "100"), ("1e3", "1000"), ("0.10", "0.1"), ("0", "0")]
)
def test_an_amount_is_told_as_it_is_answered(stub: StubServer, acme: CrmClient, sent: str, told: str) -> None:
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    body = f'{{"title": "Odd one", "value": {sent}}}'.encode()
    made = json.loads(stub.handle(Request("POST", "/platform/v1/deals", "", headers, body)).body)["data"]
    assert acme.chatops.send(f"/show {made['id']}").text.startswith(f"Odd one: value {told}, currency USD, ")


@pytest.mark.parametrize("count", [20, 21, 30])
def test_a_list_names_twenty_and_says_how_many_more_there_are(acme: CrmClient, count: int) -> None:
    for number in range(count):
        acme.contacts.create({"name": f"Zed Q{number}"})
    answer = acme.chatops.send("/list contact named Zed")
    assert (answer.total, len(answer.records), len(answer.suggestions)) == (count, 20, 3)
    assert answer.suggestions == [f"/show {record.id}" for record in answer.records[:3]]
    assert all(str(record.name) in answer.text for record in answer.records)
    assert (f" {count - 20} more" in answer.text) is (count > 20), answer.text
