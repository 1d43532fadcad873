"""The declarations against the inventory of the documents: every endpoint of a noun that claims to be complete."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from crm_sdk.catalogue import declared_operations
from server_stub.core import StubServer

INVENTORY = json.loads((Path(__file__).parent / "endpoints.json").read_text())
OURS = json.loads((Path(__file__).parent / "own-endpoints.json").read_text())
"""What the documents ask for and give no route: the routes of our own."""

COMPLETE = {
    ("mvp", "Leads"),
    ("mvp", "Contacts"),
    ("mvp", "AI Agents"),
    ("mvp", "Messages"),
    ("mvp", "Authentication"),
    ("flow", "AI Services (Internal/External)"),
    ("flow", "Calendar"),
    ("mvp", "Achievements"),
    ("mvp", "Analytics"),
    ("mvp", "Integrations"),
    ("mvp", "Notifications"),
    ("flow", "Contacts"),
    ("flow", "Messages"),
    ("flow", "Authentication"),
    ("flow", "Dashboard"),
    ("flow", "Deals"),
    ("flow", "Notifications"),
    ("flow", "Search"),
    ("platform", "Accounts"),
    ("platform", "Activities"),
    ("platform", "Authentication"),
    ("platform", "AI Insights"),
    ("platform", "Custom Objects"),
    ("platform", "Deals"),
    ("platform", "File Management"),
    ("platform", "Analytics"),
    ("platform", "Audit"),
    ("platform", "Communication"),
    ("platform", "Collaboration"),
    ("platform", "Contacts"),
    ("platform", "Dashboard"),
    ("platform", "Integration"),
    ("platform", "Leads"),
    ("platform", "Marketplace"),
    ("platform", "User Management"),
    ("platform", "Notification"),
    ("platform", "Pipelines"),
    ("platform", "Tenant Management"),
    ("platform", "Reporting"),
    ("platform", "Search"),
    ("platform", "Social CRM"),
    ("platform", "Workflow"),
}
"""What claims to be complete: (dialect, service of its document)."""


def key(dialect: str, method: str, path: str) -> tuple[str, str, str]:
    return dialect, method, re.sub(r"{\w+}", "{}", path)


DOCUMENTED = {key(entry["api"], entry["method"], entry["path"]): entry["service"] for entry in INVENTORY}
DECLARED = [
    (key(dialect, route.method, route.full_path), operation)
    for operation in declared_operations()
    for dialect, route in operation.routes.items()
]


def test_the_inventory_is_whole() -> None:
    assert Counter(entry["api"] for entry in INVENTORY) == {"mvp": 21, "flow": 59, "platform": 383}


def test_no_route_is_declared_twice_or_made_up() -> None:
    keys = [found for found, _ in DECLARED]
    assert len(keys) == len(set(keys))
    ours = {found for found, operation in DECLARED if operation.is_ours(found[0])}
    assert set(keys) - ours <= set(DOCUMENTED), set(keys) - ours - set(DOCUMENTED)
    assert not ours & set(DOCUMENTED), "a document has it: then it is not ours"


@pytest.mark.parametrize(("dialect", "service"), sorted(COMPLETE))
def test_a_noun_that_claims_to_be_complete_is(dialect: str, service: str) -> None:
    wanted = {found for found, name in DOCUMENTED.items() if found[0] == dialect and name == service}
    assert wanted, f"the inventory has no service {service} in {dialect}"
    assert wanted <= {found for found, _ in DECLARED}


def test_every_noun_that_is_complete_claims_to_be() -> None:
    """So that none loses an endpoint without a word."""
    declared = {found for found, _ in DECLARED}
    services = {(found[0], name) for found, name in DOCUMENTED.items()}
    lacking = {(found[0], name) for found, name in DOCUMENTED.items() if found not in declared}
    assert services - lacking == COMPLETE


def test_every_declared_operation_has_a_rule() -> None:
    server = StubServer()
    without = [operation.id for _, operation in DECLARED if not server.has_rule(operation)]
    assert without == []


TO_COME: set[str] = set()
"""The services of our own that lack a route."""


def test_every_route_of_our_own_is_declared_as_ours() -> None:
    ours = {found for found, operation in DECLARED if operation.is_ours(found[0])}
    lacking = {entry["service"] for entry in OURS if key(entry["api"], entry["method"], entry["path"]) not in ours}
    assert lacking == TO_COME
