"""Predictions: deals and churn by the formulas of docs/ai-insights.md, and how they are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient, JobFailedError
from crm_sdk.models import Deal
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.ai_insights import predictions

from .conftest import plain

Wait = Callable[[float], None]
TODAY = date(2026, 1, 15)


# -- deals -------------------------------------------------------------------------------------------------------------


def test_a_deal_is_predicted_by_its_own_figures(crm: CrmClient, make: Callable[..., Deal]) -> None:
    later, past = TODAY + timedelta(days=20), TODAY - timedelta(days=200)
    one, two = make(expected_close_date=later), make(value=250, expected_close_date=past)
    crm.activities.calls.create({"title": "Call", "deal_id": one.id, "description": "The budget is approved."})
    made = crm.ai_insights.predictions.deals([two.id, one.id, one.id])
    assert [found.deal_id for found in made.deals] == [one.id, two.id], "the greatest value first"
    first, second = made.deals
    assert plain(first.win_probability, first.predicted_value, first.currency) == (45, 450, "USD")
    assert [(reason.feature, reason.points) for reason in first.reasons] == [("stage", 40), ("positive_signals", 5)]
    assert (first.predicted_close_date, second.predicted_close_date) == (later, TODAY + timedelta(days=30))
    assert first.confidence == crm.deals.get(one.id).confidence
    assert second.recommendation == "Set a new date with the customer"
    crm.deals.update(one.id, {"probability_override": 90, "next_step": "Send the offer"})
    again = crm.ai_insights.predictions.deals([one.id]).deals[0]
    assert plain(again.win_probability, again.predicted_value) == (90, 900)
    assert [(reason.feature, reason.points) for reason in again.reasons] == [("probability_override", 90)]


def test_the_reasons_of_every_deal_add_up(crm: CrmClient) -> None:
    made = crm.ai_insights.predictions.deals()
    assert {found.deal_id for found in made.deals} == {deal.id for deal in crm.deals.list(status="open", limit=200)}
    for found in made.deals:
        assert sum(reason.points for reason in found.reasons) == found.win_probability, found
        assert found.recommendation


def age(stub: StubServer, deal: Deal, days: float) -> None:
    """Let what a deal went through while it was open have been so many days earlier."""
    ago = timedelta(days=days)
    for stay in stub.store.collection("tenant_acme", "stage_change").find("deal_id", deal.id):
        if stay["kind"] == "open":
            stored(stub, "stage_change", stay["id"], entered_at=stay["entered_at"] - ago)
    moved = stored(stub, "deal", deal.id)["stage_changed_at"]
    stored(stub, "deal", deal.id, stage_changed_at=moved - ago)


def test_a_close_date_is_learnt_from_won_deals(stub: StubServer, crm: CrmClient, make: Callable[..., Deal]) -> None:
    waiting, new, other = make(expected_close_date=TODAY + timedelta(days=200)), make(), make(stage="sure")
    age(stub, waiting, 8)

    def expected(deal: Deal) -> Any:
        return crm.ai_insights.predictions.deals([deal.id]).deals[0].predicted_close_date

    for days in (21, 10, 2):
        assert expected(new) == new.expected_close_date, "fewer than three tell nothing"
        won = make(stage="sure")
        age(stub, won, 300)
        crm.deals.move_stage(won.id, "talk")  # from here on it counts
        age(stub, won, days)
        crm.deals.move_stage(won.id, "won")
    assert expected(new) == TODAY + timedelta(days=10), "the median"
    assert expected(waiting) == TODAY + timedelta(days=2), "it has been there for 8 of 10 days"
    age(stub, waiting, 30)
    assert expected(waiting) == TODAY + timedelta(days=1)
    assert expected(other) == TODAY + timedelta(days=310)
    at = stored(stub, "deal", won.id)["closed_at"]
    stored(stub, "deal", won.id, closed_at=at - timedelta(days=365, minutes=1))
    assert expected(new) == new.expected_close_date, "what was won longer than a year ago tells nothing"


def test_filters_and_the_horizon(crm: CrmClient, make: Callable[..., Deal]) -> None:
    near = make(title="Near", value=1, expected_close_date=TODAY + timedelta(days=10))
    far = make(title="Far", value=10**6, expected_close_date=TODAY + timedelta(days=11))
    groups: Any = [{"filters": [{"field": "title", "op": "in", "values": ["Near", "Far"]}]}]
    made = crm.ai_insights.predictions.deals(filter_groups=groups, horizon_days=10)
    assert [(found.deal_id, found.reasons[-1].feature) for found in made.deals] == [
        (near.id, "stage"),
        (far.id, "horizon"),
    ]
    only = crm.ai_insights.predictions.deals(
        [near.id], filter_groups=[{"filters": [{"field": "value", "op": "gt", "value": 1}]}]
    )
    assert only.deals == []


def test_closed_and_unknown_deals_are_refused(crm: CrmClient, globex: CrmClient, make: Callable[..., Deal]) -> None:
    won = make(stage="won")
    error = refused(lambda: crm.ai_insights.predictions.deals([won.id]))
    assert (error.status, error.code, error.details["ids"]) == (409, "DEAL_CLOSED", [won.id])
    error = refused(lambda: crm.ai_insights.predictions.deals([make().id, "deal_none"]))
    assert (error.status, error.code, error.fields[0].field) == (422, "REFERENCE_NOT_FOUND", "deal_ids.1")
    assert refused(lambda: globex.ai_insights.predictions.deals([won.id])).code == "REFERENCE_NOT_FOUND"
    groups: Any = [{"filters": [{"field": "shoe", "op": "is_set"}]}]
    assert refused(lambda: crm.ai_insights.predictions.deals(filter_groups=groups)).code == "UNKNOWN_FIELD"


# -- how they are kept -------------------------------------------------------------------------------------------------


def test_a_prediction_is_kept_for_its_company(
    stub: StubServer, crm: CrmClient, globex: CrmClient, make: Callable[..., Deal], wait: Wait
) -> None:
    told = len(stub.audit())
    deal = make()
    made = crm.ai_insights.predictions.deals([deal.id])
    assert (made.status, made.progress, made.kind, made.model_version) == ("succeeded", 1, "deals", 0)
    assert some(made.expires_at) == some(made.created_at) + timedelta(hours=24)
    assert trail(stub, told)[-1] == "prediction.completed"
    wait(1.05)
    assert crm.ai_insights.predictions.get(made.id) == made
    assert refused(lambda: globex.ai_insights.predictions.get(made.id)).status == 404
    assert made.wait() is made


@pytest.mark.parametrize("kind", ["deals", "churn"])
def test_many_records_take_a_job(stub: StubServer, crm: CrmClient, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask: Any = getattr(crm.ai_insights.predictions, kind)
    at_once = ask()
    monkeypatch.setattr(predictions, "AT_ONCE", 20)
    told = len(stub.audit())
    queued = ask()
    assert (queued.status, queued.progress, trail(stub, told)) == ("queued", 0, [])
    seen: list[float | None] = []
    done = queued.wait(on_progress=lambda run: seen.append(run.progress))
    found = done.deals if kind == "deals" else done.customers
    assert found == (at_once.deals if kind == "deals" else at_once.customers)
    assert seen == sorted(seen, key=lambda share: share or 0) and len(set(seen)) > 2 and seen[-1] == 1
    assert trail(stub, told)[0] == "prediction.completed" and done == crm.ai_insights.predictions.get(done.id)


def test_what_was_deleted_or_closed_before_its_step_has_no_prediction(
    crm: CrmClient, make: Callable[..., Deal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "AT_ONCE", 2)
    deals = [make().id for _ in range(3)]
    people = [crm.contacts.create({"name": f"Person {number}"}).id for number in range(3)]
    of_deals = crm.ai_insights.predictions.deals(deals)
    of_people = crm.ai_insights.predictions.churn(contact_ids=people)
    crm.deals.delete(deals[0])
    crm.deals.move_stage(deals[1], "won")
    crm.contacts.delete(people[0])
    assert [found.deal_id for found in of_deals.wait().deals] == deals[2:]
    assert {found.entity.id for found in of_people.wait().customers} == {*people[1:]}


def test_a_prediction_that_its_job_cannot_make_has_failed(
    crm: CrmClient, make: Callable[..., Deal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "AT_ONCE", 1)
    queued = crm.ai_insights.predictions.deals([make().id, make().id])

    def lost(*given: object) -> list[dict[str, Any]]:
        raise Problem("AI_SERVICE_ERROR", "the model is lost")

    monkeypatch.setattr(predictions, "_predictions_of", lost)
    with pytest.raises(JobFailedError, match="the model is lost"):
        queued.wait()
    found: Any = crm.ai_insights.predictions.get(queued.id)
    assert (found.status, found.error and found.error.code) == ("failed", "AI_SERVICE_ERROR")
    assert found.finished_at is not None and not found.deals


def test_a_run_is_waited_for_by_both_clients(stub: StubServer, mode: str, call: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(predictions, "AT_ONCE", 20)
    client: Any = stub.client if mode == "sync" else stub.async_client
    made = call(client(dialects="platform", strict=True).ai_insights.predictions.deals())
    done = made.wait() if mode == "sync" else call(made.wait_async())
    assert done.status == "succeeded" and len(done.deals) > 20
    again = call(client(dialects="platform").ai_insights.predictions.deals())
    prediction = stored(stub, "prediction", again.id)
    (job,) = [
        doc for doc in stub.store.collection("tenant_acme", "job") if doc["payload"].get("prediction_id") == again.id
    ]
    stored(stub, "job", job["id"], status="cancelled")
    stored(stub, "prediction", again.id, status="failed", error={"code": "X", "message": "lost", "details": {}})
    with pytest.raises(JobFailedError, match=f"{prediction['id']} failed: lost"):
        again.wait() if mode == "sync" else call(again.wait_async())


def test_creating_one_needs_the_permission(stub: StubServer, sales: CrmClient) -> None:
    assert sales.ai_insights.predictions.revenue().status == "succeeded"
    rita = stub.client(dialects="platform", api_key=None)
    rita.auth.login("rita@acme.test", "demo-password")
    for call in (
        rita.ai_insights.predictions.deals,
        rita.ai_insights.predictions.churn,
        rita.ai_insights.predictions.revenue,
    ):
        assert refused(call).code == "FORBIDDEN"


@pytest.mark.parametrize(
    ("unread", "kinds"), [("deals", ("deals", "revenue")), ("contacts", ("churn",)), ("accounts", ("churn",))]
)
def test_creating_one_needs_to_read_what_it_is_about(
    stub: StubServer, unread: str, kinds: tuple[str, ...], crm: CrmClient
) -> None:
    words = {"contacts", "accounts", "deals"} - {unread}
    given = [{"resource": word, "action": "read", "scope": "all"} for word in words]
    given += [{"resource": "ai_insights", "action": action, "scope": "all"} for action in ("read", "create")]
    role = {"id": "role_blind", "key": "blind", "name": "Blind"}
    roles = stub.store.collection("tenant_acme", "role")
    roles.put(roles.all()[0] | role | {"permissions": given})
    stored(stub, "user", "user_sam", role="blind", roles=[role])
    sam = stub.client(api_key="acme-sales", dialects="platform", max_retries=0).ai_insights.predictions
    for kind in ("deals", "churn", "revenue"):
        if kind in kinds:
            assert refused(getattr(sam, kind)).code == "FORBIDDEN"
        else:
            assert getattr(sam, kind)().status in ("succeeded", "queued")


# -- churn -------------------------------------------------------------------------------------------------------------


def test_a_contacts_risk_is_stored_and_explained(stub: StubServer, crm: CrmClient) -> None:
    firm = crm.accounts.create({"name": "Firm"})
    silent, dealing = (crm.contacts.create({"name": name, "account_id": firm.id}).id for name in ("Silent", "Dealing"))
    crm.deals.create({"title": "Deal", "contact_id": dealing, "value": 1_000})
    made = crm.ai_insights.predictions.churn(contact_ids=[dealing, silent], horizon_days=30)
    first, second = made.customers
    assert (first.entity.id, first.churn_risk, first.risk_level) == (silent, 40, "medium")
    assert plain(second.churn_risk, second.value_at_risk, first.value_at_risk) == (35, 350, 0)
    assert first.risk_factors == ["Never contacted"] and first.recommendations == [
        "Introduce yourself and ask what they need"
    ]
    reasons = {reason.feature: reason for reason in first.reasons}
    assert (reasons["start"].points, reasons["factor"].points, reasons["outlook"].value) == (25, 15, 50)
    assert sum(reason.points for reason in first.reasons) == 40
    stored(stub, "contact", silent, created_at=stub.clock.now() - timedelta(days=60))
    late = crm.ai_insights.predictions.churn(contact_ids=[silent]).customers[0]
    assert late.churn_risk == 60 == crm.contacts.get(silent).churn_risk and late.risk_level == "high"
    assert [
        c.entity.id for c in crm.ai_insights.predictions.churn(contact_ids=[silent, dealing], min_risk=60).customers
    ] == [silent]


def test_an_accounts_risk_is_that_of_its_contacts(crm: CrmClient) -> None:
    firm = crm.accounts.create({"name": "Firm"})
    talking, dealing = (
        crm.contacts.create({"name": name, "account_id": firm.id}).id for name in ("Talking", "Dealing")
    )
    crm.deals.create({"title": "Deal", "contact_id": dealing, "value": 1_000})
    crm.deals.create(
        {"title": "Lost", "account_id": firm.id, "stage": "closed-lost", "lost_reason": "price", "value": 500}
    )
    crm.activities.calls.create({"title": "Talk", "contact_id": talking, "outcome": "connected"})
    (found,) = crm.ai_insights.predictions.churn(account_ids=[firm.id]).customers
    assert plain(found.churn_risk, found.value_at_risk) == (22, 220)  # (15 × 2 + 35 × 1) ÷ 3
    assert (found.entity.type, found.risk_level) == ("account", "low")
    assert [(reason.feature, reason.label, reason.value, reason.points) for reason in found.reasons] == [
        ("contacts", "Dealing", 35, 12), ("contacts", "Talking", 15, 10),
    ]  # fmt: skip
    crm.activities.calls.create({"title": "Talk", "contact_id": talking, "outcome": "connected"})
    (more,) = crm.ai_insights.predictions.churn(account_ids=[firm.id]).customers
    assert [reason.label for reason in more.reasons] == ["Talking", "Dealing"], "15 × 3 is more than 35 × 1"
    empty = crm.accounts.create({"name": "Empty"})
    (nobody,) = crm.ai_insights.predictions.churn(account_ids=[empty.id]).customers
    assert (nobody.churn_risk, nobody.risk_factors) == (50, ["Nobody there is known"])


def test_an_accounts_reasons_name_five_of_its_contacts_and_count_the_others(crm: CrmClient) -> None:
    firm = crm.accounts.create({"name": "Firm"})
    for number in range(7):
        crm.contacts.create({"name": f"Silent {number}", "account_id": firm.id})
    (found,) = crm.ai_insights.predictions.churn(account_ids=[firm.id]).customers
    *named, others = found.reasons
    assert [reason.feature for reason in named] == ["contacts"] * 5
    assert {text.partition(":")[0] for text in found.risk_factors} == {reason.label for reason in named}
    assert (others.feature, others.value) == ("others", 2)
    assert sum(reason.points for reason in found.reasons) == found.churn_risk


def test_without_names_all_customers_are_predicted(stub: StubServer, crm: CrmClient) -> None:
    gone = crm.accounts.create({"name": "Gone", "type": "customer", "status": "churned"})
    made = crm.ai_insights.predictions.churn()
    ids = {found.entity.id for found in made.customers}
    people = [
        doc["id"] for doc in stub.store.collection("tenant_acme", "contact") if doc["lifecycle_stage"] == "customer"
    ]
    firms = [doc["id"] for doc in stub.store.collection("tenant_acme", "account") if doc["type"] == "customer"]
    assert ids == {*people, *firms} - {gone.id} and len(ids) > 30
    risks = [found.churn_risk for found in made.customers]
    assert risks == sorted(risks, reverse=True)
    for found in made.customers:
        assert sum(reason.points for reason in found.reasons) == found.churn_risk, found
    for given in ({"contact_ids": ["contact_none"]}, {"account_ids": ["account_none"]}):
        assert refused(lambda given=given: crm.ai_insights.predictions.churn(**given)).code == "REFERENCE_NOT_FOUND"  # type: ignore[misc] # bound now
