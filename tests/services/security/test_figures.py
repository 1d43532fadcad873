"""Figures that are made of many records are made of those that the caller may read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import PASSWORD, New, permission

OWNED = ("contacts", "leads", "accounts", "deals", "activities")
FIGURES: dict[str, Callable[[CrmClient], Any]] = {
    "sales": lambda crm: crm.analytics.metrics.sales().pipeline_value.value,
    "leads": lambda crm: crm.analytics.metrics.leads().total_leads.value,
    "activities": lambda crm: crm.analytics.metrics.activities().total.value,
    "forecast": lambda crm: crm.deals.forecast().total_pipeline,
    "won and lost": lambda crm: crm.deals.analytics.win_loss().won_value,
    "velocity": lambda crm: crm.deals.analytics.velocity().opportunities,
    "sources": lambda crm: crm.leads.sources().total,
    "pipelines": lambda crm: sum(one.total_value or 0 for one in crm.pipelines.list()),
}
OLDER: dict[str, tuple[str, Callable[[CrmClient], Any]]] = {
    "summary": ("flow", lambda crm: crm.dashboard.summary().total_deals_value),
    "deals of the summary": ("flow", lambda crm: len(crm.dashboard.summary().deals)),
    "revenue": ("flow", lambda crm: crm.dashboard.forecast().revenue),
    "dashboard": ("mvp", lambda crm: crm.analytics.dashboard().summary.total_leads),
}


@pytest.mark.parametrize("name", [*FIGURES, *OLDER])
def test_a_figure_counts_what_the_caller_may_read(stub: StubServer, admin: CrmClient, new: New, name: str) -> None:
    dialect, figure = OLDER[name] if name in OLDER else ("platform", FIGURES[name])
    rest = (permission(word, "read") for word in ("analytics", "pipelines", "dashboards"))
    somebody = new(*(permission(word, "read", "own") for word in OWNED), *rest)
    with stub.client(api_key=None, dialects="platform,flow,mvp") as crm:
        crm.auth.login(str(somebody.user.email), PASSWORD)
        owned = [doc for kind in ("lead", "deal", "contact") for doc in stub.store.collection("tenant_acme", kind)]
        assert any(doc["owner_id"] not in (None, somebody.id) for doc in owned)
        for kind in ("lead", "deal", "contact", "activity"):  # nobody's record is everybody's
            records = stub.store.collection("tenant_acme", kind)
            for doc in records.all():
                records.put(doc | {"owner_id": "user_ada"})
        mine = figure(crm.with_options(dialects=dialect))
        everything = figure(stub.client(dialects=dialect))
        assert (mine, everything > 0) == (0, True)
