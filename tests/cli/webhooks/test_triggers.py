"""What triggers an event, and what events are posted with."""

from __future__ import annotations

from typing import Any

import pytest
from shell import Crm

from crm_cli.failures import MisuseError
from crm_cli.views.webhooks import development
from crm_cli.views.webhooks.triggers import CAUSES, _first, cause_of
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


def test_what_is_triggered_happens() -> None:
    stub = StubServer()
    client = stub.client(dialects="mvp,flow,platform")
    events = stub.store.collection("tenant_acme", "event")
    for event in CAUSES:
        before = len([entry for entry in events.all() if entry["type"] == event])
        assert cause_of(event)(client, {}) is not None
        assert len([entry for entry in events.all() if entry["type"] == event]) > before, event
    with pytest.raises(MisuseError, match=r"did you mean 'lead\.created'"):
        cause_of("lead.craeted")


def test_what_is_triggered_has_the_values_that_are_given(stub: StubServer) -> None:
    client = stub.client(dialects="mvp,flow,platform")
    lead = client.leads.create({"name": "Ann", "notes": "seen"}).id
    assert _first(client, "leads", {}) == next(iter(client.leads.list())).id
    given: dict[str, Any] = {"id": lead, "name": "Bea"}
    assert _first(client, "leads", given) == lead and given == {"name": "Bea"}
    assert CAUSES["lead.updated"](client, {"id": lead}).notes == ["seen triggered"]
    platform = client.with_options(dialects="platform")
    assert CAUSES["lead.updated"](platform, {"id": lead}).notes == ["seen triggered triggered"]
    assert CAUSES["lead.updated"](client, {"id": lead, "name": "Bea"}).name == "Bea"
    assert CAUSES["lead.created"](client, {"name": "Cid"}).name == "Cid"
    assert CAUSES["message.received"](client, {"lead_id": lead, "content": "Hi"}).content == "Hi"
    assert CAUSES["deal.stage_changed"](client, {"stage": "negotiation"}).stage == "negotiation"
    deal = client.deals.create({"title": "Tea", "value": 7})
    assert CAUSES["deal.updated"](client, {"id": deal.id}).value == 8
    assert CAUSES["deal.won"](client, {"id": deal.id}).id == deal.id
    contact = client.contacts.create({"name": "Jo"}).id
    assert CAUSES["contact.updated"](client, {"id": contact}).title == "triggered"
    assert CAUSES["contact.deleted"](client, {"id": contact}) == {"id": contact}
    assert CAUSES["lead.deleted"](client, {"id": lead}) == {"id": lead}
    start = CAUSES["event.created"](client, {})
    assert (start.end_time - start.start_time).total_seconds() == 3600


def test_what_is_forwarded_is_signed_with_the_secret_that_is_given_or_with_one_that_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "http://localhost:3000/hook"
    monkeypatch.delenv(development._SECRET, raising=False)
    with development._open_forwarder(url, "whsec_YQ=="):
        assert capsys.readouterr().err == ""
    with development._open_forwarder(url, None):
        assert capsys.readouterr().err.startswith("signing with whsec_")
    monkeypatch.setenv(development._SECRET, "whsec_YQ==")
    with development._open_forwarder(url, None), development._open_forwarder(None, None) as nothing:
        assert capsys.readouterr().err == "" and nothing is None
    for odd in ("localhost:3000", "ftp://localhost/x", "http://", "http://[x", "http://h:x"):
        with pytest.raises(MisuseError, match="--forward-to must be a URL"):
            development._open_forwarder(odd, None)


@pytest.mark.parametrize(
    ("url", "is_here"),
    [("http://127.0.0.1:8410", True), ("http://[::1]", True), ("http://localhost", True), ("http://a.localhost", True),
     ("http://localhost.example", False), ("http://10.0.0.1", False), ("https://crm.test", False), (None, False)],
)  # fmt: skip
def test_what_writes_asks_first_where_the_server_is_elsewhere(url: str | None, is_here: bool) -> None:
    assert development._is_here(url) is is_here


def test_a_server_elsewhere_is_written_to_with_force_only(served: Crm) -> None:
    refused = served("webhooks", "trigger", "lead.created")
    assert refused.status == 2 and "http://crm.test is not on this machine" in refused.err
    done = served("webhooks", "trigger", "lead.created", "--force", "--set", "name=Ann", "--set", 'tags=["a"]')
    assert (done.json["name"], done.json["tags"]) == ("Ann", ["a"])
    assert served("webhooks", "trigger", "lead.created", "--force", "--set", "name").status == 2
