"""The demo data tell one story with the rest, the examples of the page run on them, and tables have their columns."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from shell import Crm

from crm_sdk import CrmClient
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


@pytest.mark.parametrize("key", ["acme-admin", "globex-admin"])
def test_every_subscription_is_a_won_deal_and_young_ones_are_onboarded(stub: StubServer, key: str) -> None:
    client = stub.client(api_key=key, dialects="platform", strict=True)
    won = {deal.id: deal for deal in client.deals.list(status="won") if deal.account_id}
    records = client.custom_objects.records
    subscriptions = {one.id: one for one in records.list("subscription")}
    assert {one.fields["deal"] for one in subscriptions.values()} == won.keys()
    for one in subscriptions.values():
        deal = won[str(one.fields["deal"])]
        assert (one.fields["customer"], one.owner_id) == (deal.account_id, deal.owner_id)
        assert one.fields["starts_on"] == (deal.closed_at or stub.clock.now()).date().isoformat()
    onboardings = list(records.list("onboarding"))
    assert onboardings and {one.fields["status"] for one in onboardings} <= {"planned", "running", "done"}
    for one in onboardings:
        assert one.id in (subscriptions[str(one.fields["subscription"])].fields["onboardings"] or ())  # type: ignore[operator] # a list
        begun = date.fromisoformat(str(subscriptions[str(one.fields["subscription"])].fields["starts_on"]))
        assert stub.clock.now().date() - begun <= timedelta(days=120)


def test_what_the_demo_data_hold_keeps_their_own_rules(stub: StubServer) -> None:
    client = stub.client(dialects="platform", strict=True)
    fields = client.custom_objects.fields
    for thing in client.custom_objects.list():
        for one in fields.list(thing.id):
            assert fields.validate(thing.id, {"required": one.required}, field_id=one.id).valid
            strict: Any = {"help_text": "x", "pattern": "(?s).*"} if one.type == "text" else {"help_text": "x"}
            assert fields.validate(thing.id, strict, field_id=one.id).valid, one.api_name
        for record in client.custom_objects.records.list(thing.id):
            sent = client.custom_objects.records.update(thing.id, record.id, {"fields": record.fields})
            assert sent.version == 1, "what is there is valid, and in its stored form"
    count = client.custom_objects.get("subscription").record_count or 0
    new = client.custom_objects.records.create("subscription", {"fields": {"name": "New", "starts_on": "2026-02-01"}})
    assert new.fields["number"] == f"SUB-{count + 1:04}"


def test_the_examples_of_the_page_run(stub: StubServer) -> None:
    text = (Path(__file__).parents[3] / "docs" / "custom-objects.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/custom-objects.md", "exec"), names)  # noqa: S102 # our own document
    client: CrmClient = stub.client(dialects="platform")
    assert len(blocks) == 3
    assert names["define_vehicles"](client) == "Van V-001, ready"
    found = names["renewals"](client)
    assert found and all(line.startswith("SUB-00") for line in found)
    assert names["require_notes"](client) == (False, client.custom_objects.get("onboarding").record_count)


def test_a_table_has_the_columns_of_the_definition(offline: Crm) -> None:
    shown = offline("custom-objects", "records", "list", "onboarding", "-o", "csv", "--limit", "2").out
    rows = list(csv.DictReader(io.StringIO(shown)))
    assert len(rows) == 2
    columns = ["id", "name", "status", "coach", "kickoff_at", "go_live", "topics", "notes", "people", "subscription"]
    assert list(rows[0])[: len(columns)] == columns and rows[0]["id"].startswith("record_")
    offline("custom-objects", "fields", "create", "onboarding", "--api-name", "mood", "--label", "Mood",
            "--type", "text", "--default", "fine", "--position", "1")  # fmt: skip
    drawn = offline("custom-objects", "records", "search", "onboarding", "--limit", "1", "-o", "table").out
    assert drawn.split()[:4] == ["id", "name", "mood", "status"] and "fine" in drawn
    chosen = offline("custom-objects", "records", "list", "onboarding", "--columns", "mood,name", "-o", "csv").out
    assert chosen.splitlines()[0] == "mood,name" and chosen.splitlines()[1].startswith("fine,")
    made = offline(
        "custom-objects", "records", "create", "onboarding", "--fields", '{"name": "Own"}', "-o", "table"
    ).out
    assert re.search(r"^mood +fine *$", made, flags=re.M) and re.search(r"^status +planned *$", made, flags=re.M)
    assert '"fields"' in offline("custom-objects", "records", "list", "onboarding", "-o", "json").out
    assert offline("custom-objects", "records", "list", "onboarding", "--search", "zzz", "-o", "table").out == ""
