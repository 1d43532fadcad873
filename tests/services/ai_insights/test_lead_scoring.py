"""Lead scoring: the configuration, the model and what it is worth, and the scores of many leads."""

from __future__ import annotations

from datetime import timedelta
from statistics import pstdev
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient, JobFailedError
from crm_sdk.models import LeadScore, LeadScoringModel
from server_stub import StubServer
from server_stub.services.ai_insights.regression import Sample, fit, metrics_of, split, weights_of

NAMED: Any = {"name": "Ada", "email": "ada@works.example", "phone": "+4930123456", "title": "CEO", "company": "Works"}


def score(crm: CrmClient, *ids: str, **how: Any) -> list[LeadScore]:
    return [some(item.result) for item in crm.ai_insights.lead_scoring.score(ids, **how).raise_for_failed().items]


def points(found: LeadScore) -> dict[str, int]:
    return {reason.feature: reason.points for reason in found.reasons}


def configure(crm: CrmClient, **changes: Any) -> None:
    given: Any = {"auto_rescore": False, **changes}
    crm.ai_insights.lead_scoring.config.update(given)


def teach(crm: CrmClient, count: int = 12) -> LeadScoringModel:
    """Let referrals convert and others not, and train on them."""
    for number in range(count):
        good = number % 2 == 0
        crm.leads.create(
            {"name": f"Past {number}", "source": "referral" if good else "other", "title": "CEO" if good else None,
             "status": "converted" if good else "unqualified"}
        )  # fmt: skip
    return crm.ai_insights.lead_scoring.train(min_samples=count).wait()


# -- scores by rules ---------------------------------------------------------------------------------------------------


def test_a_companys_own_rules_and_exclusions_move_the_points(crm: CrmClient) -> None:
    lead = crm.leads.create(NAMED | {"source": "referral", "value": 50_000, "employees": 1_000})
    assert (lead.score, lead.rating) == (88, "hot")
    rules: Any = [
        {"name": "ours", "filter": {"field": "annualRevenue", "op": "is_not_set"}, "points": -40},
        {"name": "off", "filter": {"field": "company", "op": "eq", "value": "Works"}, "points": 50, "active": False},
        {"name": "other", "filter": {"field": "company", "op": "eq", "value": "Elsewhere"}, "points": 50},
    ]
    configure(crm, rules=rules, excluded_features=["company", "source=referral", "title"])
    (now,) = score(crm, lead.id, persist=False)
    assert points(now)["rule=ours"] == -40 and "company" not in points(now) and "title" not in points(now)
    assert (now.score, now.previous_score, now.source, now.model_version) == (88 - 40 - 8 - 15, 88, "rules", None)
    assert sum(points(now).values()) == now.score and now.rating == "cold"
    assert crm.leads.get(lead.id).score == 88, "nothing was written"


def test_a_score_is_bounded_after_the_companys_rules(crm: CrmClient) -> None:
    lead = crm.leads.create({"name": "Ada"})
    configure(crm, rules=[{"name": "x", "filter": {"field": "name", "op": "is_set"}, "points": -100}])
    (low,) = score(crm, lead.id)
    assert (low.score, points(low)) == (0, {"rule=x": -100, "bounds": 100})


@pytest.mark.parametrize(("hot", "warm", "rating"), [(88, 40, "hot"), (89, 88, "warm"), (95, 89, "cold")])
def test_thresholds_are_the_companys(crm: CrmClient, hot: int, warm: int, rating: str) -> None:
    lead = crm.leads.create(NAMED | {"source": "referral", "value": 50_000, "employees": 1_000})
    configure(crm, hot_threshold=hot, warm_threshold=warm)
    assert score(crm, lead.id)[0].rating == rating == crm.leads.get(lead.id).rating


def test_activities_fade_as_fast_as_the_company_says(stub: StubServer, crm: CrmClient) -> None:
    lead = crm.leads.create({"name": "Ada"})
    call = crm.activities.calls.create({"title": "Hello", "lead_id": lead.id, "direction": "inbound"})
    at = stub.clock.now() - timedelta(days=10)
    stored(stub, "activity", call.id, occurred_at=at)
    stored(stub, "lead", lead.id, last_activity_at=at)
    seen = {}
    for days in (10, 20):
        configure(crm, decay_days=days)
        seen[days] = points(score(crm, lead.id, persist=False)[0])
    assert seen[10] == {"last_activity_at": 5, "activities": 4}
    assert seen[20] == {"last_activity_at": 7, "activities": 6}


def test_what_is_scored_is_written_once(stub: StubServer, crm: CrmClient) -> None:
    lead = crm.leads.create(NAMED)
    configure(crm, excluded_features=["title"])
    told = len(stub.audit())
    (first,) = score(crm, lead.id)
    assert (first.score, first.previous_score) == (28, 43) and trail(stub, told) == ["lead.scored"]
    version = crm.leads.get(lead.id).version
    assert score(crm, lead.id) == [first]
    assert crm.leads.get(lead.id).version == version and trail(stub, told) == ["lead.scored"]
    assert [entry.score for entry in crm.leads.scoring_history(lead.id)] == [28, 43]


def test_a_score_by_hand_stays(crm: CrmClient) -> None:
    lead = crm.leads.create(NAMED)
    crm.leads.score(lead.id, score=5, reason="met")
    for persist in (True, False):
        (found,) = score(crm, lead.id, persist=persist)
        assert (found.score, found.source, found.rating) == (5, "manual", "cold")


def test_each_lead_needs_its_own_right(crm: CrmClient, sales: CrmClient) -> None:
    theirs, mine = crm.leads.create(NAMED), sales.leads.create({"name": "Mine", "owner_id": "user_sam"})
    result = sales.ai_insights.lead_scoring.score([theirs.id, mine.id, "lead_none"])
    assert [item.error and item.error.code for item in result.items] == ["FORBIDDEN", None, "NOT_FOUND"]
    assert score(sales, theirs.id, persist=False)[0].score == theirs.score, "what would be may be asked by all"
    assert refused(lambda: crm.ai_insights.lead_scoring.score(["lead_1"] * 1_001)).code == "TOO_MANY_ITEMS"


# -- the configuration -------------------------------------------------------------------------------------------------


def test_a_configuration_that_cannot_be_is_refused(stub: StubServer, crm: CrmClient) -> None:
    def check(changes: Any, code: str, field: str) -> None:
        before, told = crm.ai_insights.lead_scoring.model().config, len(stub.audit())
        error = refused(lambda: crm.ai_insights.lead_scoring.config.update(changes))
        assert (error.status, error.code, error.fields[0].field) == (422, code, field)
        assert crm.ai_insights.lead_scoring.model().config == before and trail(stub, told) == []

    cases: list[tuple[Any, str, str]] = [
        ({"hot_threshold": 40}, "THRESHOLD_ORDER", "hot_threshold"),
        ({"warm_threshold": 70}, "THRESHOLD_ORDER", "warm_threshold"),
        ({"rules": [{"name": "r", "filter": {"field": "shoe_size", "op": "eq", "value": "x"}, "points": 1}]},
         "UNKNOWN_FIELD", "rules.0.filter.field"),
        ({"rules": [{"name": "r", "filter": {"field": "score", "op": "gt", "value": 1}, "points": 1}]},
         "UNKNOWN_FIELD", "rules.0.filter.field"),
        ({"rules": [{"name": "r", "filter": {"field": "company", "op": "gt", "value": "x"}, "points": 1}]},
         "INVALID_OPERATOR", "rules.0.filter.op"),
        ({"excluded_features": ["phone", "shoe_size"]}, "UNKNOWN_FIELD", "excluded_features.1"),
    ]  # fmt: skip
    for case in cases:
        check(*case)


def test_a_configuration_is_the_companys_and_written_once(
    stub: StubServer, crm: CrmClient, globex: CrmClient, sales: CrmClient
) -> None:
    rule: Any = {"name": "r", "filter": {"field": "company", "op": "eq", "value": "x"}, "points": 100}
    told = len(stub.audit())
    new = crm.ai_insights.lead_scoring.config.update({"rules": [rule], "model_weight": 0.25, "auto_rescore": False})
    assert (new.model_weight, new.rules[0].active, new.rules[0].filter.values) == (0.25, True, [])
    sent: Any = new.model_dump(exclude={"updated_at"})
    assert crm.ai_insights.lead_scoring.config.update(sent) == new, "what was fetched can be sent back"
    assert trail(stub, told) == ["model.config_updated"]
    assert some(globex.ai_insights.lead_scoring.model().config).rules == []
    assert crm.ai_insights.lead_scoring.config.update({"rules": None}).rules == []
    new = crm.ai_insights.lead_scoring.config.update({"rules": [rule]})
    for call in (lambda: sales.ai_insights.lead_scoring.config.update({}), sales.ai_insights.lead_scoring.train):
        assert refused(call).code == "FORBIDDEN"
    assert sales.ai_insights.lead_scoring.model().config == new


def test_open_leads_are_scored_anew(stub: StubServer, crm: CrmClient) -> None:
    opened, ended = crm.leads.create(NAMED), crm.leads.create(NAMED | {"status": "unqualified"})
    told = len(stub.audit())
    crm.ai_insights.lead_scoring.config.update({"excluded_features": ["company"]})
    assert (crm.leads.get(opened.id).score, crm.leads.get(ended.id).score) == (35, 3)
    scored = [entry["entity"]["id"] for entry in stub.audit()[told:] if entry["action"] == "lead.scored"]
    assert opened.id in scored and ended.id not in scored
    crm.ai_insights.lead_scoring.config.update({"auto_rescore": False, "excluded_features": []})
    assert crm.leads.get(opened.id).score == 35


# -- the model ---------------------------------------------------------------------------------------------------------


def test_training_learns_from_the_leads_that_ended(stub: StubServer, crm: CrmClient, globex: CrmClient) -> None:
    configure(crm)
    before = crm.ai_insights.lead_scoring.model()
    assert (before.status, before.version, before.metrics, before.job) == ("untrained", 0, None, None)
    told = len(stub.audit())
    after = teach(crm)
    assert (after.status, after.version) == ("ready", 1) and "model.trained" in trail(stub, told)
    leads = list(crm.leads.list(limit=200))
    ends = [lead.status for lead in leads if lead.status in ("converted", "unqualified")]
    assert (after.sample_count, after.positive_count) == (len(ends), ends.count("converted"))
    weights = {feature.feature: feature.weight for feature in after.features}
    assert weights["source=referral"] > 0 > weights["source=other"] and weights["title=decides"] > 0
    assert sum(feature.importance for feature in after.features) == pytest.approx(1, abs=0.001)
    assert after.features == sorted(after.features, key=lambda feature: (-feature.importance, feature.feature))
    metrics = some(after.metrics)
    assert abs(metrics.holdout_count - 0.2 * len(ends)) <= 1
    shown = crm.ai_insights.lead_scoring.model()
    assert some(shown.job).status == "succeeded" and some(some(shown.job).result).version == 1
    assert shown.model_copy(update={"job": None}) == after
    assert crm.ai_insights.lead_scoring.train().wait().version == 2
    assert globex.ai_insights.lead_scoring.model().version == 0


def test_the_same_leads_give_the_same_model() -> None:
    models = []
    for _ in range(2):
        crm = StubServer().client(dialects="platform")
        made = crm.ai_insights.lead_scoring.train().wait()
        models.append((made.features, made.metrics))
    assert models[0] == models[1]


def test_the_model_moves_scores_by_its_weight(stub: StubServer, crm: CrmClient) -> None:
    configure(crm, rules=[])
    teach(crm)
    lead = crm.leads.create({"name": "Ada", "source": "referral", "title": "CEO"})
    seen = {}
    for weight in (0.0, 0.5, 1.0):
        configure(crm, model_weight=weight)
        seen[weight] = score(crm, lead.id, persist=False)[0]
    likely = seen[1.0].score
    assert (seen[0.0].score, seen[0.0].source, seen[0.0].model_version) == (30, "rules", None)
    (of_model,) = (reason for reason in seen[1.0].reasons if reason.feature == "model")
    assert likely == of_model.value and points(seen[1.0])["model"] == likely - 30
    assert likely > 50 and seen[0.5].score in (
        round(15 + likely / 2) - 1,
        round(15 + likely / 2),
        round(15 + likely / 2) + 1,
    )
    assert (seen[0.5].source, seen[0.5].model_version) == ("model", 1)
    assert points(seen[0.5])["model"] == seen[0.5].score - 30 and sum(points(seen[0.5]).values()) == seen[0.5].score
    configure(crm, model_weight=1.0, excluded_features=["source", "title"])
    assert score(crm, lead.id, persist=False)[0].score < likely
    configure(crm, use_model=False, excluded_features=[])
    assert score(crm, lead.id)[0].source == "rules"


def test_a_new_model_scores_the_open_leads(crm: CrmClient) -> None:
    lead = crm.leads.create({"name": "Ada", "source": "referral", "title": "CEO"})
    teach(crm)
    assert (crm.leads.get(lead.id).score or 0) > 30
    assert crm.leads.score(lead.id).source == "model"
    assert crm.leads.scoring_history(lead.id).items[0].model_version == 1


def test_too_few_leads_or_only_one_outcome_are_refused(stub: StubServer, crm: CrmClient) -> None:
    start = stub.clock.now() + timedelta(seconds=1)
    stub.clock.advance(2)
    error = refused(lambda: crm.ai_insights.lead_scoring.train(since=start))
    assert (error.code, error.details) == ("NOT_ENOUGH_TRAINING_DATA", {"samples": 0, "positives": 0})
    for number in range(3):
        crm.leads.create({"name": f"Past {number}", "status": "converted"})
    error = refused(lambda: crm.ai_insights.lead_scoring.train(since=start, min_samples=2))
    assert (error.status, error.details) == (409, {"samples": 3, "positives": 3})
    crm.leads.create({"name": "Lost", "status": "unqualified"})
    assert refused(lambda: crm.ai_insights.lead_scoring.train(since=start, min_samples=5)).details["samples"] == 4
    made = crm.ai_insights.lead_scoring.train(since=start, min_samples=4, holdout=0).wait()
    assert (made.sample_count, made.positive_count, made.metrics) == (4, 3, None)


def test_one_training_at_a_time(stub: StubServer, crm: CrmClient) -> None:
    job = crm.ai_insights.lead_scoring.train()
    assert (job.kind, job.status, job.status_url) == ("training", "queued", "/ai-insights/lead-scoring/model")
    assert crm.ai_insights.lead_scoring.model().status == "training"
    error = refused(crm.ai_insights.lead_scoring.train)
    assert (error.code, error.details["jobId"]) == ("TRAINING_IN_PROGRESS", job.id)
    job.wait()
    assert crm.ai_insights.lead_scoring.train().wait().version == 2


def test_a_training_that_fails_leaves_the_model(stub: StubServer, crm: CrmClient) -> None:
    crm.ai_insights.lead_scoring.train().wait()
    job = crm.ai_insights.lead_scoring.train()
    for lead in crm.leads.list(status="unqualified"):
        stored(stub, "lead", lead.id, status="new")
    with pytest.raises(JobFailedError) as caught:
        job.wait()
    assert caught.value.code == "NOT_ENOUGH_TRAINING_DATA"
    shown = crm.ai_insights.lead_scoring.model()
    assert (shown.status, shown.version, bool(shown.features)) == ("failed", 1, True)


# -- the regression ----------------------------------------------------------------------------------------------------


def samples(*outcomes: tuple[str, bool, int]) -> list[Sample]:
    """Return samples of one feature each."""
    counted = [(name, converted) for name, converted, count in outcomes for _ in range(count)]
    return [Sample(f"{name}{number}", [name], converted) for number, (name, converted) in enumerate(counted)]


def test_a_regression_finds_what_tells_the_outcomes_apart() -> None:
    known = samples(("good", True, 9), ("good", False, 1), ("bad", True, 1), ("bad", False, 9), ("once", True, 1))
    found = fit(known)
    assert found.weights.keys() == {"good", "bad"}, "what one sample has tells nothing"
    assert found.weights["good"] == pytest.approx(-found.weights["bad"], abs=0.5) and found.weights["good"] > 0.9
    assert 0.7 < found.probability(["good"]) < 0.9 and 0.1 < found.probability(["bad"]) < 0.3
    rows = weights_of(found, known, {"good": "Good", "bad": "Bad"})
    assert sum(row["importance"] for row in rows) == pytest.approx(1)
    uneven = samples(("often", True, 9), ("often", False, 3), ("some", True, 1), ("some", False, 4), ("rare", True, 3))
    found = fit(uneven)
    rows = weights_of(found, uneven, {"often": "O", "some": "S", "rare": "R"})
    spread = {
        name: abs(found.weights[name]) * pstdev([1] * count + [0] * (20 - count))
        for name, count in (("often", 12), ("some", 5), ("rare", 3))
    }
    told = {row["feature"]: row["importance"] for row in rows}
    assert told == {name: pytest.approx(spread[name] / sum(spread.values()), abs=2e-6) for name in spread}
    assert list(told) == sorted(spread, key=lambda name: -spread[name]), "the most important first"
    whole = [Sample(str(number), ["a", "b"], number > 5) for number in range(10)]
    rows = weights_of(fit(whole), whole, {"a": "A", "b": "B"})
    assert [row["importance"] for row in rows] == [0.5, 0.5], "what all have tells nothing, and all of it as little"
    even = fit(samples(("same", True, 5), ("same", False, 5)))
    assert even.probability(["same"]) == pytest.approx(0.5)


def test_metrics_are_counted() -> None:
    found = fit(samples(("good", True, 20), ("bad", False, 20)))
    good, bad = found.probability(["good"]), found.probability(["bad"])
    seen = some(metrics_of(found, samples(("good", True, 2), ("good", False, 1), ("bad", True, 1), ("bad", False, 4))))
    assert (seen["accuracy"], seen["precision"], seen["recall"]) == (0.75, 0.6667, 0.6667)
    assert seen["auc"] == round((2 * 4 + 2 * 0.5 + 4 * 0.5) / 15, 4) and seen["holdout_count"] == 8
    assert seen["log_loss"] > 0.3 and good > 0.8 > 0.2 > bad
    assert metrics_of(found, []) is None
    only = some(metrics_of(found, samples(("bad", False, 3))))
    assert (only["accuracy"], only["precision"], only["recall"], only["auc"]) == (1, 0, 0, 0.5)


def test_of_each_outcome_a_share_is_held_out() -> None:
    def check(holdout: float, held: int) -> None:
        known = samples(("good", True, 20), ("bad", False, 10))
        train, measure = split(known, holdout)
        assert len(measure) == held and sorted(train + measure, key=lambda one: one.id) == sorted(
            known, key=lambda one: one.id
        )
        assert sum(one.converted for one in measure) in (held * 2 // 3, 1, 19)
        assert {one.converted for one in train} == {True, False}
        assert split(list(reversed(known)), holdout) == (train, measure)
        assert [len(part) for part in split(samples(("good", True, 1), ("bad", False, 1)), 0.5)] == [2, 0]

    cases: list[tuple[float, int]] = [(0, 0), (0.2, 6), (0.01, 2), (0.5, 15), (0.99, 28)]
    for case in cases:
        check(*case)
