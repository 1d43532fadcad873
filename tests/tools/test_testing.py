"""Tools of tests that look at records."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from crm_sdk.models.leads import Lead


def test_hypothesis() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from hypothesis import strategies

    @hypothesis.settings(max_examples=20, deadline=None, database=None)
    @hypothesis.given(strategies.builds(Lead, id=strategies.just("lead_1"), name=strategies.text(min_size=1)))
    def holds(lead: Lead) -> None:
        assert Lead.model_validate_json(lead.model_dump_json()) == lead

    holds()


def test_syrupy(client: CrmClient, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("syrupy")
    snapshot = request.getfixturevalue("snapshot")
    extension = snapshot.extension
    lead = client.leads.get("lead_123")
    text = extension.serialize(lead)
    assert "Lead(" in text and lead.name in text
    assert extension.serialize(lead.model_copy(update={"name": "Ada"})) != text
    assert extension.serialize(client.leads.get("lead_123")) == text


def test_deepdiff(client: CrmClient) -> None:
    deepdiff = pytest.importorskip("deepdiff")
    before = client.leads.get("lead_123")
    after = client.leads.update("lead_123", {"name": "Grace Hopper"})
    changed = deepdiff.DeepDiff(before.model_dump(), after.model_dump())["values_changed"]
    assert changed["root['name']"] == {"old_value": before.name, "new_value": "Grace Hopper"}
    assert "root.name" in deepdiff.DeepDiff(before, after)["values_changed"]
