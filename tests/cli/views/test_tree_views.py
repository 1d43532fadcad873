"""Trees of accounts and stages of pipelines, as they are drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from shell import Crm

from crm_cli import failures
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]


def test_a_tree_of_accounts_is_drawn_from_any_of_them(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    client = client.with_options(dialects="platform")
    group = client.accounts.create({"name": "Northwind Group"})
    branch = client.accounts.create({"name": "Northwind Madrid", "parent_id": group.id})
    client.accounts.create({"name": "Northwind Sevilla", "parent_id": group.id})
    leaf = client.accounts.create({"name": "Northwind Toledo", "parent_id": branch.id})
    client.deals.create({"title": "Chairs", "value": 1500, "account_id": leaf.id})
    lines = [text.rstrip() for text in drawn("accounts", "tree", branch.id).splitlines()]
    heads = [re.split(r"  ", text)[0] if not text.startswith("│") else text.split("  ")[1] for text in lines]
    assert heads[:2] == ["Northwind Group", "├─ ● Northwind Madrid"]
    assert lines[2].startswith("│  └─ Northwind Toledo  1,500 open") and lines[3].startswith("└─ Northwind Sevilla")
    assert lines[-1].startswith("2 accounts") and "1,500 USD open in 1 deal" in lines[-1]
    assert served("accounts", "tree", branch.id, "-o", "json").json["root"]["id"] == group.id
    ids = served("accounts", "tree", leaf.id, "-o", "jsonl").out.splitlines()
    assert [json.loads(row)["id"] for row in ids][:2] == [group.id, branch.id]
    assert served("accounts", "tree", "account_nobody").status == failures.NOT_FOUND


def test_a_pipeline_is_shown_with_its_stages_and_rules(client: CrmClient, drawn: Callable[..., str]) -> None:
    client = client.with_options(dialects="platform")
    made = client.pipelines.create(
        {
            "name": "Renewals by phone",
            "allow_backward": False,
            "stages": [
                {"name": "Due", "probability": 40, "required_fields": ["contact_id"]},
                {"name": "Renewed", "kind": "won"},
                {"name": "Left", "kind": "lost"},
            ],
        }
    )
    rule = {"name": "Tag it", "trigger": {"event": "deal_won"}, "actions": [{"type": "add_tag", "tag": "won"}]}
    client.pipelines.automation.create(made.id, {**rule, "enabled": False})  # type: ignore[typeddict-item] # a dict
    client.deals.create({"title": "Chairs", "value": 1500, "pipeline_id": made.id, "contact_id": "contact_123"})
    page = drawn("pipelines", "show", made.id)
    for told in (
        "Renewals by phone  no way back",
        "40 %      1           1,500",
        "needs contact_id",
        "1 deal",
        "1 rule",
    ):
        assert told in page
    assert "Tag it  Deal won → add tag  off" in page
    assert "default" in drawn("pipelines", "show").splitlines()[0]


def test_what_a_user_may_do_is_a_line_for_each_resource(served: Crm, drawn: Callable[..., str]) -> None:
    head, actions, *rows = [text.rstrip() for text in drawn("users", "access", "user_noor", width=120).splitlines()]
    assert head == "user_noor  Team lead"
    assert actions.split() == ["read", "create", "update", "delete", "export", "import", "manage"]
    cells = {words[0]: words[-7:] for row in rows if (words := row.split())}
    assert cells["Deals"] == ["all", "all", "team", "team", "team", "all", "–"]
    assert cells["Pipelines"] == ["all", "–", "–", "–", "–", "–", "–"]
    told = served("users", "access", "-o", "json").json
    assert (told["userId"], told["isAdmin"]) == ("user_ada", True)
    rows_of_csv = served("users", "access", "user_rita", "-o", "csv").out.splitlines()
    assert "contacts,read,all" in rows_of_csv
    assert served("users", "access", "user_nobody").status == failures.NOT_FOUND
