"""The audit trail: a chain that shows what was changed or taken away, and still holds when somebody is erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from stub_data import idle

from crm_sdk import ConfigurationError, CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.history.audit import DIGESTED, PURGED, is_intact, value_at
from server_stub.services.audit.retention import RETAINED

Edit = Callable[[list[Document]], Any]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


@pytest.fixture
def trail(stub: StubServer, client: CrmClient) -> list[Document]:
    """Return a trail of some entries, with every kind of value that is digested."""
    lead = client.leads.create({"name": "Ada", "email": "ada@x.example"})
    client.with_options(reason="She asked us to").leads.update(lead.id, {"email": "ada@y.example"})
    client.leads.qualify(lead.id, reason="budget")
    client.leads.delete(lead.id)
    stub.client(dialects="flow").auth.login("ada@acme.test", "demo-password")
    return stub.audit()


def altered(entry: Document, path: str, value: object) -> Document:
    head, _, member = path.partition(".")
    return entry | ({head: {**entry[head], member: value}} if member else {head: value})


def test_a_trail_is_numbered_and_intact(trail: list[Document]) -> None:
    assert [entry["sequence"] for entry in trail] == list(range(1, len(trail) + 1))
    assert is_intact(trail)
    assert {path for entry in trail for path in entry["digests"]} == set(DIGESTED) - {"actor.ip_address"}
    for entry in trail:
        digested = {path for path in DIGESTED if value_at(entry, path) not in (None, "", [], {})}
        assert set(entry["digests"]) == digested


@pytest.mark.parametrize(
    ("path", "value"),
    [(path, "something else") for path in DIGESTED]
    + [("action", "lead.other"), ("sequence", 99), ("occurred_at", None), ("salt", "salt_other"), ("hash", "0" * 64)]
    + [("entity.id", "lead_other"), ("actor.id", "user_other"), ("source.path", "/elsewhere"), ("digests", {})],
)
def test_whatever_is_changed_in_an_entry_shows(trail: list[Document], path: str, value: object) -> None:
    for n, entry in enumerate(trail):
        assert not is_intact([*trail[:n], altered(entry, path, value), *trail[n + 1 :]])


@pytest.mark.parametrize(
    "edit",
    [
        lambda trail: trail.pop(1),
        lambda trail: trail.pop(0),
        lambda trail: trail.insert(1, trail[1]),
        lambda trail: trail.insert(0, trail.pop(1)),
    ],
    ids=["one is missing", "the first is missing", "one is there twice", "two have changed places"],
)
def test_what_is_missing_or_moved_shows(trail: list[Document], edit: Edit) -> None:
    changed = list(trail)
    edit(changed)
    assert not is_intact(changed)


def test_an_erased_person_leaves_the_chain_as_it_was(trail: list[Document]) -> None:
    erased: list[Document] = []
    for entry in trail:
        empty: Any = entry | {"salt": None, "changes": [], "initial": [], "reason": None, "metadata": {}}
        for path in DIGESTED:
            if "." in path and value_at(entry, path) is not None:
                empty = altered(empty, path, None)
        erased.append(empty)
    assert is_intact(erased)
    assert not is_intact([altered(erased[0], "entity.name", "somebody else"), *erased[1:]])


def test_equal_values_have_different_digests(trail: list[Document]) -> None:
    names = [entry["digests"]["actor.name"] for entry in trail if entry["actor"]["name"] == trail[0]["actor"]["name"]]
    assert len(set(names)) == len(names) > 1


@pytest.mark.thorough
def test_a_purge_is_the_anchor_of_what_is_left(stub: StubServer, client: CrmClient, trail: list[Document]) -> None:
    idle(stub).clock.advance((RETAINED - timedelta(days=1)).total_seconds())
    client.leads.create({"name": "Later"})
    before = stub.audit()
    stub.clock.advance(2 * 86_400)
    client.leads.create({"name": "Last"})
    left = stub.audit()
    anchors = [entry for entry in left if entry["action"] == PURGED and "last_sequence" in entry["metadata"]]
    assert anchors and is_intact(left)
    assert left[0]["sequence"] > 1 and trail[0]["id"] not in [entry["id"] for entry in left]
    assert anchors[-1]["metadata"]["last_sequence"] == left[0]["sequence"] - 1
    assert left[-1]["sequence"] > before[-1]["sequence"], "the numbers go on"
    numbers = [entry["sequence"] for entry in left]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert not is_intact([entry for entry in left if entry["action"] != PURGED])
    assert not is_intact(left[1:])


@pytest.mark.thorough
def test_the_trail_goes_on_when_all_of_it_was_purged(
    stub: StubServer, client: CrmClient, trail: list[Document]
) -> None:
    idle(stub).clock.advance(2 * RETAINED.total_seconds())
    client.leads.create({"name": "Last"})
    left = stub.audit()
    assert is_intact(left) and left[-1]["sequence"] > len(trail)


def test_the_trail_of_a_company_is_its_own(stub: StubServer, client: CrmClient, trail: list[Document]) -> None:
    stub.client(dialects="platform", api_key="globex-admin").leads.create({"name": "Grace"})
    theirs = stub.audit("tenant_globex")
    assert is_intact(theirs) and theirs[0]["sequence"] == 1


# -- X-Audit-Reason --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["She asked us to", "Prüfung: 100 % ‘neu’", "ثقة", "a\nb", "x" * 500])
def test_the_reason_of_a_write_is_in_the_trail(stub: StubServer, client: CrmClient, reason: str) -> None:
    lead = client.with_options(reason=reason).leads.create({"name": "Ada"})
    client.leads.update(lead.id, {"name": "Ada L"})
    made, changed = (entry for entry in stub.audit() if entry["entity"]["id"] == lead.id)
    assert (made["reason"], changed["reason"]) == (reason, None)


def test_a_job_has_the_reason_of_the_call_that_began_it(stub: StubServer, client: CrmClient) -> None:
    client.with_options(reason="the fair").contacts.imports.create(("people.csv", b"Name\nAda New\n")).wait()
    (made,) = (entry for entry in stub.audit() if entry["action"] == "contact.created")
    assert (made["reason"], made["source"]["operation"]) == ("the fair", "job:contact_import")


def test_the_callers_reason_goes_before_the_rules(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ada"})
    client.with_options(reason="after the call").leads.qualify(lead.id, reason="budget")
    (entry,) = (entry for entry in stub.audit() if entry["action"] == "lead.qualified")
    assert entry["reason"] == "after the call"


def test_a_reason_is_short(stub: StubServer, client: CrmClient) -> None:
    with pytest.raises(ConfigurationError, match="at most 500 characters, not 501"):
        client.with_options(reason="x" * 501)
    reply = client.request("POST", "/v1/leads", json={"name": "Ada"}, headers={"X-Audit-Reason": "x" * 501})
    assert reply.status == 422 and b"X-Audit-Reason" in reply.content


def test_views_of_a_view_keep_the_reason(client: CrmClient) -> None:
    view = client.with_options(reason="one")
    assert (view.with_options(timeout=5).reason, view.with_options(reason="two").reason, client.reason) == (
        "one", "two", None,
    )  # fmt: skip
