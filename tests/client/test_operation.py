"""Declarations: from a call's arguments to its request, and which dialect it takes."""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from canned_answers import LEAD, Canned
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime

from crm_sdk import InvalidInputError, UnsupportedOperationError
from crm_sdk.declare import download, job, operation, paginated
from crm_sdk.models import Lead, LeadCreate
from crm_sdk.models.values import AmountInput
from crm_sdk.operation import Operation
from crm_sdk.resource import Mode, Resource
from crm_sdk.resources.contacts import Contacts
from crm_sdk.resources.leads import Leads
from crm_sdk.route import segment

Make = Callable[..., Any]
Call = Callable[[Any], Any]


class Probes(Resource[Mode]):
    """Operations of every shape."""

    @operation(
        mvp="GET /api/probes/{probe_id} a b:bee", flow="GET /probes/{probe_id} -", platform="GET /probes/{probe_id}"
    )
    def get(  # type: ignore[empty-body] # a declaration has none
        self,
        probe_id: str,
        *,
        a: bool | None = None,
        b: Sequence[str] | None = None,
        at: AwareDatetime | None = None,
        day: date | None = None,
        amount: AmountInput | None = None,
        rate: float | None = None,
    ) -> Lead:
        """Fetch a probe."""

    @operation(platform="POST /probes/{probe_id}/{part_id}/act")
    def act(self, probe_id: str, part_id: str, *, hard: bool = False, why: dict[str, Any] | None = None) -> None:
        """Do something to a probe."""

    @operation(mvp="PUT /api/probes/{probe_id}", platform="PUT /probes/{probe_id}")
    def update(  # type: ignore[empty-body] # as above
        self, probe_id: str, changes: LeadCreate, *, version: int | None = None
    ) -> Lead:
        """Change a probe."""

    @operation(platform="DELETE /probes/{probe_id}")
    def delete(self, probe_id: str, *, version: int | None = None, hard: bool = False) -> None:
        """Delete a probe."""

    @operation(platform="DELETE /probes")
    def bulk_delete(self, ids: Sequence[str], *, atomic: bool = False) -> None:
        """Delete probes."""


def probe(name: str, *args: Any, dialect: str = "platform", **kwargs: Any) -> Any:
    """Return the plan of a call."""
    found: Operation[..., Any] = vars(Probes)[name].operation
    return found.plan(found.bind(args, kwargs), (dialect,))


# -- calling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda leads: leads.get(), r"leads\.get\(\): missing a required argument: 'lead_id'"),
        (lambda leads: leads.create(), r"leads\.create\(\): missing a required argument: 'lead'"),
        (lambda leads: leads.get("a", "b"), r"leads\.get\(\): too many positional arguments"),
        (lambda leads: leads.get("a", lead_id="b"), r"leads\.get\(\): multiple values for argument 'lead_id'"),
        (
            lambda leads: leads.delete("a", versoin=1),
            r"leads\.delete\(\): got an unexpected keyword argument 'versoin'",
        ),
        (lambda leads: leads.delete("a", 1), r"leads\.delete\(\): too many positional arguments"),
    ],
)
def test_a_wrong_call_is_an_ordinary_type_error(
    make: Make, call: Call, server: Canned, attempt: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        call(attempt(make().leads))
    assert server.requests == []


def test_signature_name_and_docstring_survive(make: Make) -> None:
    client = make()
    assert str(inspect.signature(client.leads.get)) == "(lead_id: 'str') -> 'Lead'"
    assert list(inspect.signature(client.leads.update).parameters) == ["lead_id", "changes", "version"]
    assert inspect.getdoc(client.leads.get) == inspect.getdoc(Leads.get)
    assert client.leads.get.__name__ == "get"
    assert client.leads.get.__qualname__ == "Leads.get"
    assert "Fetch one lead." in pydoc.render_doc(client.leads.get)
    assert "lead_id" in pydoc.render_doc(client.leads.get)
    assert repr(Leads.get.operation) == "<operation leads.get(lead_id: 'str') -> 'Lead'>"
    assert repr(client.contacts.relationships) == f"<contacts.relationships of {client!r}>"
    assert repr(client) == f"{type(client).__name__}('http://crm.test', dialects='mvp,flow,platform')"
    assert client.leads is client.leads
    assert client.leads.get == client.leads.get
    assert Leads.get_all is Leads.list


# -- identifiers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", ["", " ", "\t\n", ".", "..", None, 5, b"x", ["x"], "\ud800", True, "a\nb", "a\u202eb", "\x7f"]
)
def test_what_is_no_id_is_refused_before_anything_is_sent(make: Make, call: Call, server: Canned, wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match="lead_id must be the id of a record") as raised:
        call(make().leads.get(wrong))
    assert [field.field for field in raised.value.fields] == ["lead_id"]
    assert server.requests == []


@given(st.text(min_size=1).filter(lambda text: text.strip() and text not in (".", "..")))
def test_any_other_id_stays_one_segment(text: str) -> None:
    try:
        quoted = segment("id", text)
    except InvalidInputError:
        assert any("\ud800" <= letter <= "\udfff" or not letter.isprintable() for letter in text)
        return
    assert quoted.isascii()
    assert not set(quoted) & set("/?#\\ ")
    assert unquote(quoted) == text


@pytest.mark.parametrize("odd", ["a/b", "../x", "a?b=c", "a%2Fb", "a#b", "é ü", "{lead_id}", "a\\b", "..%2f"])
def test_an_odd_id_arrives_as_one_segment(make: Make, call: Call, server: Canned, odd: str) -> None:
    server.says(LEAD)
    call(make().leads.get(odd))
    (path,) = server.paths
    assert path.startswith("/api/leads/")
    assert path.count("/") == 3
    assert unquote(path.removeprefix("/api/leads/")) == odd
    assert server.requests[0].url.path == "/api/leads/" + odd, "and httpx reads it alike"


# -- where arguments travel ------------------------------------------------------------------------------------------


def test_a_query_says_everything_as_text() -> None:
    east = timezone(timedelta(hours=2))
    plan = probe(
        "get", "p1", a=True, b=["x", "y z", "ä&"], at=datetime(2026, 1, 15, 11, 0, 0, 5000, tzinfo=east),
        day=date(2026, 1, 15), amount=Decimal("1E+2"), rate=0.5,
    )  # fmt: skip
    assert plan.path == "/probes/p1"
    assert plan.query.split("&") == [
        "a=true", "b=x%2Cy+z%2C%C3%A4%26", "at=2026-01-15T09%3A00%3A00.005Z", "day=2026-01-15", "amount=100",
        "rate=0.5",
    ]  # fmt: skip
    assert probe("get", "p1", a=False, b=None).query == "a=false"
    assert probe("get", "p1", amount=Decimal("123456789012345.12345678")).query == "amount=123456789012345.12345678"
    assert probe("get", "p1", dialect="mvp", b=["x"]).query == "bee=x"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(InvalidInputError) as raised:
        probe("get", "p1", at=datetime(2026, 1, 15))
    assert [(field.field, field.rule) for field in raised.value.fields] == [("at", "format")]


def test_keywords_of_an_action_are_its_body() -> None:
    assert probe("act", "p1", "q2", hard=True).content == b'{"hard":true}'
    assert probe("act", "p1", "q2").content == b"{}"
    assert probe("act", "p1", "q2").path == "/probes/p1/q2/act"
    assert probe("bulk_delete", ["a", "b"], atomic=True).content == b'{"ids":["a","b"],"atomic":true}'
    assert probe("delete", "p1", hard=True).query == "hard=true"
    assert probe("delete", "p1", hard=True).content is None


@pytest.mark.parametrize("odd", [{"x": float("nan")}, {"x": object()}, {"x": datetime(2026, 1, 15)}])
def test_what_json_cannot_say_is_refused(odd: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"^probes\.act|^test_operation\.act"):
        probe("act", "p1", "q2", why=odd)


def test_version_is_if_match() -> None:
    plan = probe("update", "p1", {"name": "x"}, version=7)
    assert plan.headers == {"If-Match": '"7"'}
    assert plan.content == b'{"name":"x"}'
    plan = probe("delete", "p1", version=7)
    assert (plan.headers, plan.query, plan.content) == ({"If-Match": '"7"'}, "", None)
    assert probe("update", "p1", {"name": "x"}).headers == {}


def test_headers_of_a_request(make: Make, call: Call, server: Canned) -> None:
    server.says(LEAD)
    client = make(tenant_id="acme")
    call(client.leads.get("x"))
    sent = server.requests[0].headers
    assert (sent["accept"], sent["x-crm-dialect"], sent["x-tenant-id"]) == ("application/json", "mvp", "acme")
    assert sent["user-agent"].startswith("crm-sdk/")
    assert "idempotency-key" not in sent
    server.says({"data": LEAD})
    server._answers.popleft()
    for _ in range(2):
        call(client.with_options(dialects="platform", tenant_id="globex").leads.create({"name": "x"}))
    first, second = (request.headers for request in server.requests[1:])
    assert (first["x-api-version"], first["x-tenant-id"], first["content-type"]) == ("v1", "globex", "application/json")
    assert first["idempotency-key"] != second["idempotency-key"], "each call has its own"


# -- dialects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialects", "arguments", "taken"),
    [
        ("mvp,flow,platform", {}, "/api/contacts"),
        ("platform,mvp", {}, "/v1/contacts"),
        ("mvp,flow,platform", {"search": "x", "tags": ["a"]}, "/api/contacts"),
        ("mvp,flow,platform", {"filter": "x"}, "/api/contacts"),
        ("mvp,flow,platform", {"owner_id": "u1"}, "/v1/contacts"),
        ("mvp,flow,platform", {"limit": 5}, "/v1/contacts"),
        ("mvp,flow,platform", {"owner_id": None, "limit": None}, "/api/contacts"),
        ("flow", {"search": "x"}, "/api/contacts"),
    ],
)
def test_the_first_dialect_that_has_every_argument_is_taken(dialects: str, arguments: Any, taken: str) -> None:
    operation = Contacts.list.operation
    plan = operation.plan(operation.bind((), arguments), tuple(dialects.split(",")))
    assert plan.route.full_path == taken


def test_members_of_a_body_count_as_well(make: Make, call: Call, server: Canned) -> None:
    server.says(LEAD).says({"data": LEAD})
    call(make().leads.create({"name": "x", "value": 5}))
    call(make().leads.create({"name": "x", "firstName": "y"}))
    assert server.paths == ["/api/leads", "/v1/leads"]


def test_an_unsupported_call_says_who_has_it(make: Make, call: Call, server: Canned) -> None:
    cases: list[tuple[Callable[[Any], Any], str, tuple[str, ...]]] = [
        (
            lambda c: c.leads.get("x"),
            "flow does not document it; mvp and platform have it: dialects='mvp'",
            ("mvp", "platform"),
        ),
        (lambda c: c.contacts.list(owner_id="u"), "flow does not document owner_id; platform has it", ("platform",)),
        (
            lambda c: c.contacts.get("x", include=["deals"]),
            "flow does not document include; platform has it",
            ("platform",),
        ),
        (lambda c: c.agents.execute("x", {"input": "y"}), "flow does not document it; mvp has it", ("mvp",)),
    ]
    for attempt, message, able in cases:
        with pytest.raises(UnsupportedOperationError, match=message) as raised:
            call(attempt(make(dialects="flow")))
        assert raised.value.dialects == able
    assert server.requests == []


@pytest.mark.parametrize(
    "base_url", ["http://crm.test", "http://crm.test/", "http://crm.test/v1", "http://crm.test/v1/"]
)
def test_a_base_url_may_end_in_v1(make: Make, call: Call, server: Canned, base_url: str) -> None:
    server.says(LEAD).says({"data": LEAD})
    call(make(base_url).leads.get("x"))
    call(make(base_url, dialects="platform").leads.get("x"))
    assert server.paths == ["/api/leads/x", "/v1/leads/x"]


def test_a_base_url_may_have_a_path(make: Make, call: Call, server: Canned) -> None:
    server.says(LEAD)
    call(make("HTTP://crm.test/mount/ü/").leads.get("x"))
    assert server.paths == ["/mount/%C3%BC/api/leads/x"]


# -- input -----------------------------------------------------------------------------------------------------------


def test_each_wrong_member_is_named_in_python(make: Make, call: Call, server: Canned) -> None:
    wrong: Any = {
        "firstName": 5, "last_name": "x" * 101, "email": "no", "employees": -1, "nme": 1, "tags": ["ok", ""],
        "address": {"postalCode": 5, "street2": 7, "country": "Spain"}, "social_profiles": [{"network": "x"}],
        "custom_fields": {"shoeSize": {"a": 1}}, "value": "many",
    }  # fmt: skip
    with pytest.raises(InvalidInputError) as raised:
        call(make().leads.create(wrong))
    assert {field.field: field.rule for field in raised.value.fields} == {
        "name": "required", "first_name": "type", "last_name": "length", "email": "format", "employees": "min",
        "nme": "unknown", "tags.1": "length", "address.postal_code": "type", "address.street2": "type",
        "address.country": "format", "social_profiles.0.url": "required", "custom_fields.shoeSize": "type",
        "value": "type",
    }  # fmt: skip
    assert str(raised.value).startswith("leads.create: ")
    assert raised.value.__cause__ is None
    assert isinstance(raised.value, ValueError)
    assert server.requests == []


@pytest.mark.parametrize(
    ("attempt", "rule"),
    [
        (lambda c: c.deals.create({"title": "T", "value": 1, "expected_close_date": "2026-02-30"}), "format"),
        (lambda c: c.deals.create({"title": "T", "value": 1, "expected_close_date": True}), "type"),
        (lambda c: c.activities.events.create({"title": "T", "start_time": "soon", "end_time": "soon"}), "format"),
        (lambda c: c.notifications.send_sms("+4930123456", content="C", scheduled_at="2026-13-01T00:00:00Z"), "format"),
        (lambda c: c.notifications.send_sms("+4930123456", content="C", scheduled_at=[]), "type"),
        (lambda c: c.users.preferences.update("me", {"week_start": 1.5}), "type"),
        (lambda c: c.notifications.send_sms("+4930123456", content="C", priority=5), "type"),
        (lambda c: c.notifications.send_sms("+4930123456", content="C", category=5), "type"),
        (lambda c: c.leads.create({"name": "N", "source": 5}), "type"),
        (lambda c: c.leads.list(limit="many"), "type"),
    ],
)
def test_a_wrong_form_is_told_from_a_wrong_type(
    make: Make, call: Call, server: Canned, attempt: Callable[[Any], Any], rule: str
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        call(attempt(make(dialects="platform")))
    assert {field.rule for field in raised.value.fields} == {rule}
    assert server.requests == []


@pytest.mark.parametrize(
    ("attempt", "fields"),
    [
        (lambda c: c.leads.create("x"), ["lead"]),
        (lambda c: c.leads.create(None), ["lead"]),
        (lambda c: c.leads.create({}), ["name"]),
        (lambda c: c.leads.list(limit="x", min_score=101), ["limit", "min_score"]),
        (lambda c: c.leads.list(tags="one"), ["tags"]),
        (lambda c: c.leads.delete("x", version="y"), ["version"]),
        (lambda c: c.contacts.bulk_upsert([{"email": 5}, {"name": "x"}]), ["contacts.0.email"]),
        (
            lambda c: c.contacts.search({"filter_groups": [{"filters": [{"op": "eq"}]}]}),
            ["filter_groups.0.filters.0.field"],
        ),
        (lambda c: c.leads.convert("x", deal={"title": 5}), ["deal.title"]),
        (lambda c: c.leads.list(limit=5, page=0), ["page"]),
    ],
)
def test_nothing_is_sent_of_what_cannot_be_valid(
    make: Make, call: Call, server: Canned, attempt: Callable[[Any], Any], fields: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        call(attempt(make(dialects="platform,mvp")))
    assert {field.field for field in raised.value.fields} >= set(fields)
    assert server.requests == []


# -- declarations that cannot work -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "declare",
    [
        lambda: operation(mvp="GET /x/{other_id}"),
        lambda: operation(mvp="GET /x/{lead_id} missing"),
        lambda: operation(),
        lambda: operation(mvp="FETCH /x/{lead_id}"),
        lambda: operation(mvp="GET x/{lead_id}"),
        lambda: operation(mvp="GET"),
        lambda: paginated(platform="GET /x/{a}/{b}"),
        lambda: job(platform="POST /x/{a}/{b}"),
        lambda: download(platform="GET /x/{a}/{b}"),
    ],
)
def test_a_wrong_declaration_fails_when_it_is_imported(declare: Callable[[], Any]) -> None:
    def get(self: Any, lead_id: str, *, limit: int | None = None) -> None:
        """Fetch."""

    with pytest.raises((TypeError, ValueError, RuntimeError)) as raised:  # Python 3.11 wraps it in a RuntimeError
        type("Wrong", (Resource,), {"get": declare()(get), "__module__": "wrong"})
    cause = raised.value.__cause__ or raised.value
    assert isinstance(cause, (TypeError, ValueError))
