"""What a client is made with, its views, and raw requests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from canned_answers import LEAD, Canned

from crm_sdk import ConfigurationError, CrmClient, InvalidInputError

Make = Callable[..., Any]
Call = Callable[[Any], Any]


def test_the_environment_fills_in_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_BASE_URL", "https://env.test/")
    monkeypatch.setenv("CRM_API_KEY", "env-key")
    monkeypatch.setenv("CRM_TENANT_ID", "env-tenant")
    monkeypatch.setenv("CRM_DIALECTS", "flow, mvp")
    client = CrmClient()
    assert (client.base_url, client.tenant_id, client.dialects) == ("https://env.test", "env-tenant", ("flow", "mvp"))
    assert client._credentials.access == "env-key"
    client = CrmClient("http://given.test", "given", tenant_id="t", dialects=["platform"])
    assert (client.base_url, client.tenant_id, client.dialects) == ("http://given.test", "t", ("platform",))
    assert client._credentials.access == "given"


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": None}, {"base_url": ""}, {"base_url": "crm.test"}, {"base_url": "ftp://crm.test"},
        {"base_url": "http://"}, {"base_url": "http://[::1"}, {"base_url": "http://h:99999"},
        {"base_url": "http://a b"},
        {"base_url": "http://h/?x=1"}, {"base_url": "http://h/#x"}, {"base_url": "http://h\\x"},
        {"dialects": "graphql"}, {"dialects": ()}, {"dialects": ""}, {"timeout": 0}, {"timeout": -1},
        {"timeout": float("nan")}, {"timeout": float("inf")}, {"timeout": "5"}, {"timeout": True}, {"max_retries": -1},
        {"max_connections": 0},
    ],
    ids=str,
)  # fmt: skip
def test_options_that_cannot_be_right_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        CrmClient(**{"base_url": "http://crm.test"} | options)


def test_a_view_has_other_options_and_the_same_connections(make: Make, call: Call, server: Canned) -> None:
    server.says(LEAD)
    client = make()
    view = client.with_options(
        dialects="platform", timeout=5, max_retries=0, tenant_id="t", strict=True, idempotent_writes=True
    )
    assert (view.dialects, view.tenant_id, view.strict) == (("platform",), "t", True)
    assert (view.terms().timeout, view.terms().retry.limit, view.terms().idempotent_writes) == (5, 0, True)
    assert (client.dialects, client.tenant_id, client.strict) == (("mvp", "flow", "platform"), None, False)
    assert view._shared is client._shared
    assert client.with_options().with_options(timeout=9).terms().timeout == 9
    for wrong in ({"timeout": 0}, {"dialects": "x"}, {"max_retries": -1}):
        with pytest.raises(ConfigurationError):
            client.with_options(**wrong)
    call(view.close())
    assert call(client.leads.get("x")).id == "lead_1"


def test_a_raw_request(make: Make, call: Call, server: Canned) -> None:
    server.says({"ok": 1}, 418, x_odd="y")
    client = make(tenant_id="acme")
    reply = call(
        client.request(
            "post", "/api/odd path/é?x=1", query={"a": True, "b": ["c", "d"], "n": None}, json={"v": Decimal("1.5")}
        )
    )
    assert (reply.status, reply.headers["x-odd"], reply.json()) == (418, "y", {"ok": 1})
    sent = server.requests[0]
    assert (sent.method, server.paths) == ("POST", ["/api/odd%20path/%C3%A9?x=1&a=true&b=c%2Cd"])
    assert (sent.content, sent.headers["x-tenant-id"]) == (b'{"v":1.5}', "acme")
    assert len(sent.headers["idempotency-key"]) == 36
    own = {"authorization": "Basic x", "IDEMPOTENCY-KEY": "mine", "content-type": "text/csv"}
    call(client.request("POST", "/x", content=b"a,b", headers=own))
    sent = server.requests[1]
    assert [sent.headers.get_list(name) for name in own] == [["Basic x"], ["mine"], ["text/csv"]]
    for wrong in ({"path": "x"}, {"path": "/x", "json": 1, "content": b""}, {"path": "/x", "json": object()}):
        with pytest.raises(InvalidInputError):
            call(client.request("POST", **wrong))
    assert len(server.requests) == 2
