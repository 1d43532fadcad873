"""What a client is made with, its views, and raw requests."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import httpx
import pytest
from canned_answers import LEAD, Canned
from pydantic import SecretStr

from crm_sdk import ConfigurationError, CrmClient, InvalidInputError
from crm_sdk.network.retry import Retry
from crm_sdk.network.transports import proxy_for, ssl_context

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


LIMITS: list[tuple[str, list[float], list[float]]] = [
    ("timeout", [0.001, 1e6], [0.0009, 1e6 + 0.5]),
    ("max_retries", [0, 1e6], [-1, 1e6 + 1]),
    ("max_connections", [1, 1e6], [0, 1e6 + 1]),
    ("max_response_bytes", [1, 2**63], [0, 2**64]),
]


@pytest.mark.parametrize(("name", "allowed", "refused"), LIMITS, ids=[limit[0] for limit in LIMITS])
def test_numbers_have_their_limits(name: str, allowed: list[float], refused: list[float]) -> None:
    for number in allowed:
        options = CrmClient("http://crm.test", **{name: number})._settings  # type: ignore[arg-type] # one test of four options
        assert getattr(options, name) == number
    for number in refused:
        with pytest.raises(ConfigurationError, match=f"{name} must be a number from"):
            CrmClient("http://crm.test", **{name: number})  # type: ignore[arg-type] # as above


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://h:65535/", "http://h:65535"), ("http://h:0", "http://h:0"), ("https://h/a b%20/", None),
        ("https://h/é(1)/", "https://h/%C3%A9(1)"), ("https://h//", "https://h"),
    ],
)  # fmt: skip
def test_a_base_url_is_kept_as_it_can_be_sent(url: str, found: str | None) -> None:
    if found is not None:
        assert CrmClient(url).base_url == found
        return
    with pytest.raises(ConfigurationError, match="base_url must be like"):
        CrmClient(url)


@pytest.mark.parametrize(
    ("url", "dialects"), [("https://h/v1", ("platform",)), ("https://h/v1/x", ("platform", "flow", "mvp"))]
)
def test_a_url_that_ends_in_v1_is_that_of_the_platform(url: str, dialects: tuple[str, ...]) -> None:
    assert CrmClient(url, "key").dialects == dialects
    assert CrmClient(url, "key", dialects="mvp").dialects == ("mvp",)


def test_what_a_client_does_that_is_told_nothing(make: Make) -> None:
    """A call may take 30 seconds and is sent again twice, after at most half a second, a second, and so on up to 8."""
    terms = make().terms()
    assert (terms.timeout, terms.retry) == (30, Retry(limit=2, first=0.5, cap=8))
    assert (terms.idempotent_writes, make().strict) == (False, False)


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


@pytest.mark.parametrize("name", ["api_key", "tenant_id"])
def test_what_is_given_empty_is_refused_instead_of_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"CRM_{name.upper()}", "somebody-elses")
    with pytest.raises(ConfigurationError, match=f"{name} is empty"):
        CrmClient("https://crm.test", **{name: ""})  # type: ignore[arg-type] # by name, so that one test is about both


@pytest.mark.parametrize(
    "url", ["http://crm.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://[::2]", "http://test"]
)
def test_a_server_in_the_clear_has_to_be_here_or_allowed(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("CRM_ALLOW_HTTP")
    with pytest.raises(ConfigurationError, match="not encrypted"):
        CrmClient(url, "key")
    assert CrmClient(url, "key", allow_http=True).base_url == url
    monkeypatch.setenv("CRM_ALLOW_HTTP", "1")
    assert CrmClient(url, "key").base_url == url
    with pytest.raises(ConfigurationError, match="not encrypted"):
        CrmClient(url, "key", allow_http=False)


@pytest.mark.parametrize(
    ("said", "allows"), [("1", True), ("true", True), ("yes", True), ("", False), ("0", False), ("on", False)]
)
def test_the_environment_allows_what_is_in_the_clear(monkeypatch: pytest.MonkeyPatch, said: str, allows: bool) -> None:
    monkeypatch.setenv("CRM_ALLOW_HTTP", said)
    if allows:
        assert CrmClient("http://crm.example.com", "key").base_url == "http://crm.example.com"
        return
    with pytest.raises(ConfigurationError, match="not encrypted"):
        CrmClient("http://crm.example.com", "key")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1",
        "http://app.localhost",
        "http://crm.test",
        "http://127.0.0.1",
        "http://127.9.9.9",
        "http://[::1]:80",
        "http://localhost.",
        "http://crm.test.",
    ],
)
def test_this_machine_needs_no_encryption(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("CRM_ALLOW_HTTP")
    assert CrmClient(url, "key").base_url == url


@pytest.mark.parametrize(
    ("given", "variables", "found"),
    [
        (None, {"https_proxy": "p:1"}, "http://p:1"),
        (None, {}, None),
        (None, {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (None, {"HTTP_PROXY": "http://p:1"}, None),
        (None, {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        (None, {"ALL_PROXY": "http://p:1", "NO_PROXY": "crm.test"}, None),
        (None, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".other.test"}, "http://p:1"),
        (None, {"HTTPS_PROXY": "http://p:1", "CRM_PROXY": "http://q:2"}, "http://q:2"),
        (None, {"HTTPS_PROXY": "http://p:1", "CRM_PROXY": ""}, None),
        ("http://r:3", {"CRM_PROXY": "http://q:2", "NO_PROXY": "*"}, "http://r:3"),
        ("", {"CRM_PROXY": "http://q:2"}, None),
    ],
)
def test_which_proxy_leads_to_a_server(
    monkeypatch: pytest.MonkeyPatch, given: str | None, variables: dict[str, str], found: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https://crm.test/v1", given) == found


def test_a_proxy_that_cannot_be_used_is_said_without_its_password() -> None:
    with pytest.raises(ConfigurationError, match="gopher://p:1") as raised:
        CrmClient("http://crm.test", "key", proxy="gopher://user:s3cret@p:1").leads.list()
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "names", "message"),
    [
        ("SSL_CERT_FILE", "missing", r"SSL_CERT_FILE names '.*missing', which is not there"),
        ("SSL_CERT_FILE", "odd.pem", r"the certificate authorities of SSL_CERT_FILE \('.*odd.pem'\) cannot be loaded"),
        ("SSL_CERT_DIR", "missing", r"SSL_CERT_DIR names '.*missing', which is not there"),
        ("SSL_CERT_DIR", "odd.pem", r"SSL_CERT_DIR names '.*odd.pem', which is not there"),
    ],
)
def test_certificates_that_cannot_be_loaded_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, names: str, message: str
) -> None:
    (tmp_path / "odd.pem").write_text("no certificate")
    monkeypatch.setenv(variable, str(tmp_path / names))
    with pytest.raises(ConfigurationError, match=message):
        CrmClient("https://crm.test", "key").leads.list()
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert ssl_context("https://crm.test") is not False


def test_settings_of_other_types_are_taken_or_refused() -> None:
    client = CrmClient(httpx.URL("https://crm.test/"), SecretStr("key"))
    assert (client.base_url, "key" in repr(client)) == ("https://crm.test", False)
    others: list[Any] = [b"https://crm.test", Of(host="crm.test"), Of(scheme="https")]
    keys: list[Any] = [b"key", 5]
    for arguments in (*((other, "key") for other in others), *(("https://crm.test", key) for key in keys)):
        with pytest.raises(ConfigurationError, match="must be a string"):
            CrmClient(*arguments)


def test_copies_are_views_and_a_pickle_holds_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CrmClient("https://crm.test", "s3cret", proxy="http://u:pa55@p:1").with_options(headers={"X-A": "t0ken"})
    for copied in (copy.copy(client), copy.deepcopy(client)):
        assert copied._credentials is client._credentials
        assert copied._shared is client._shared
    text = pickle.dumps(client)
    assert not any(secret in text for secret in (b"s3cret", b"pa55", b"t0ken"))
    again = pickle.loads(text)
    with pytest.raises(ConfigurationError, match="set CRM_API_KEY"):
        again.leads.list()
    monkeypatch.setenv("CRM_API_KEY", "here")
    assert pickle.loads(text)._credentials.access == "here"
