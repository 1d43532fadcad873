"""Who a client is: by Basic or by the body, and what it is granted."""

from __future__ import annotations

from base64 import b64encode

import httpx
import pytest

from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.auth.clients import OAuthClient


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


def test_a_client_is_known_by_its_secret_alone(stub: StubServer) -> None:
    grant, challenge = {"grant_type": "client_credentials"}, 'Basic realm="crm"'
    service, secret = {"client_id": "demo-service"}, {"client_secret": "demo-secret"}
    refresh = {"grant_type": "refresh_token", "refresh_token": "rt_none", "client_id": "demo-web"}
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test/v1") as http:
        for header, body, status, told, code in (
            (basic("demo-service:demo-secret"), grant, 200, None, None),
            (basic("demo%2Dservice:demo%2Dsecret").replace("Basic", "bAsIc"), {**grant, **service}, 200, None, None),
            (None, {**grant, **service, **secret}, 200, None, None),
            (basic("demo-service:demo-secret"), {**grant, "client_id": "demo-web"}, 401, challenge, "INVALID_CLIENT"),
            (basic("demo-service:wrong"), grant, 401, challenge, "INVALID_CLIENT"),
            (basic("demo-service:"), grant, 401, challenge, "INVALID_CLIENT"),
            (basic("nobody:demo-secret"), grant, 401, challenge, "INVALID_CLIENT"),
            (basic("demo-service"), grant, 401, challenge, "INVALID_CLIENT"),
            ("Basic ???", grant, 401, challenge, "INVALID_CLIENT"),
            (None, {**grant, **service}, 401, None, "INVALID_CLIENT"),
            (None, {**grant, **service, "client_secret": "wrong"}, 401, None, "INVALID_CLIENT"),
            (None, {**grant, "client_id": "nobody", **secret}, 401, None, "INVALID_CLIENT"),
            (None, {**grant, **secret}, 401, None, "INVALID_CLIENT"),
            (None, {**refresh, "client_secret": "x"}, 401, None, "INVALID_CLIENT"),
            (basic("demo-web:x"), refresh, 401, challenge, "INVALID_CLIENT"),
            (None, {**refresh, "client_secret": ""}, 400, None, "INVALID_GRANT"),
            (basic("demo-web:"), refresh, 400, None, "INVALID_GRANT"),
        ):
            reply = http.post("/auth/token", data=body, headers={"Authorization": header} if header else {})
            found = reply.json()
            assert (reply.status_code, reply.headers.get("www-authenticate")) == (status, told), (header, body)
            assert (found["errors"][0]["code"] if code else None) == code, (header, body)
            if code is not None:
                assert found["error"] == code.lower()


def test_a_client_is_granted_what_it_may_have() -> None:
    client = OAuthClient("c", "Client", ["http://127.0.0.1:8765/back?x=1", "https://app.example/back"],
                         ["openid", "email", "api"], [], default_scopes=["openid"])  # fmt: skip
    for asked, granted in (
        (None, "openid"), (" ", "openid"), ("email openid", "email openid"), ("email email", "email"),
        ("leads:read  email", "leads:read email"),
    ):  # fmt: skip
        assert client.grants(asked) == granted, asked
    plain = OAuthClient("c", "Client", [], ["openid", "email"], [])
    assert plain.grants(None) == "openid email"
    for scope, asked, strange in (
        (plain, "leads:read email", "leads:read"),
        (client, "nonsense openid odd", "nonsense odd"),
    ):
        with pytest.raises(Problem) as caught:
            scope.grants(asked)
        assert (caught.value.code, caught.value.message) == (
            "INVALID_SCOPE", f"Client may not have the scope {strange}",
        )  # fmt: skip
        assert caught.value.details == {"scopes": list(scope.scopes)}
    for uri, known in (
        ("https://app.example/back", True), ("https://app.example:444/back", False), ("https://app.example/", False),
        ("http://127.0.0.1:8765/back?x=1", True), ("http://127.0.0.1:1/back?x=1", True),
        ("http://127.0.0.1/back?x=1", True), ("http://127.0.0.1:1/back", False),
        ("http://127.0.0.1:1/other?x=1", False),
        ("http://127.0.0.1:1/back?x=1#f", False), ("http://localhost:8765/back?x=1", False),
        ("https://127.0.0.1:1/back?x=1", False), ("http://127.0.0.1:123456/back?x=1", False),
    ):  # fmt: skip
        assert client.has_redirect(uri) is known, uri
    assert not plain.has_redirect("http://127.0.0.1/")
