"""A POST is done once: its key, what its error says of it, and what becomes of an answer that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from canned_answers import LEAD, Canned

from crm_sdk import ApiError, ConfigurationError, CrmError, InvalidResponseError, NetworkError
from server_stub import StubServer

Make = Callable[..., Any]
Call = Callable[[Any], Any]
NEW: Any = {"name": "Ada", "email": "ada@example.com"}


@pytest.mark.parametrize(
    ("kind", "error"),
    [("status", ApiError), ("refuse", NetworkError), ("drop", NetworkError), ("garble", InvalidResponseError)],
)
@pytest.mark.parametrize("dialects", [None, "mvp", "platform"])
def test_what_a_post_ended_in_says_its_key_and_is_done_once_with_it(
    stub: StubServer, kind: Any, error: type[CrmError], dialects: Any
) -> None:
    client = stub.client(dialects=dialects, max_retries=0)
    before = len(list(client.leads.list(limit=200)))
    stub.faults.add(kind, operation="leads.create", status=500, times=1)
    with pytest.raises(error) as raised:
        client.leads.create(NEW)
    key = raised.value.idempotency_key
    assert key is not None
    made = client.with_options(idempotency_key=key).leads.create(NEW)
    assert client.with_options(idempotency_key=key).leads.create(NEW).id == made.id
    assert len(list(client.leads.list(limit=200))) == before + 1


@pytest.mark.parametrize("known", ["vouched", "seen"])
def test_an_answer_that_cannot_be_read_is_asked_for_again_where_keys_are_honoured(stub: StubServer, known: str) -> None:
    client = stub.client(idempotent_writes=known == "vouched")
    if known == "seen":
        client.leads.create({"name": "First"})
    before = len(list(client.leads.list(limit=200)))
    stub.faults.add("garble", operation="leads.create", times=1)
    assert client.leads.create(NEW).name == "Ada"
    assert len(list(client.leads.list(limit=200))) == before + 1


def test_one_that_stays_unreadable_is_an_error(make: Make, call: Call, server: Canned) -> None:
    server.says(content=b"<p>")
    with pytest.raises(InvalidResponseError) as raised:
        call(make(idempotent_writes=True).leads.create(NEW))
    assert raised.value.idempotency_key == server.requests[0].headers["Idempotency-Key"]
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1
    assert len(server.requests) == 2


def test_a_get_has_no_key(make: Make, call: Call, server: Canned) -> None:
    server.says({"error": {"code": "NOT_FOUND", "message": "m"}}, 404)
    client = make(dialects="mvp").with_options(idempotency_key="k1")
    with pytest.raises(ApiError) as raised:
        call(client.leads.get("lead_1"))
    assert raised.value.idempotency_key is None
    assert "Idempotency-Key" not in server.requests[0].headers


def test_headers_of_a_view_go_with_its_requests(make: Make, call: Call, server: Canned) -> None:
    server.does(lambda request: httpx.Response(200, json=LEAD))
    client = make(dialects="mvp")
    call(client.with_options(headers={"X-Trace": "t1", "x-source": "nightly"}).leads.get("lead_1"))
    call(client.with_options(headers={"X-Trace": "t1"}).request("GET", "/api/leads"))
    call(client.leads.get("lead_1"))
    assert [request.headers.get("X-Trace") for request in server.requests] == ["t1", "t1", None]
    assert server.requests[0].headers["X-Source"] == "nightly"


def test_what_no_request_can_have_is_refused(make: Make) -> None:
    refused: list[tuple[Any, str]] = [
        ({"idempotency_key": ""}, "1 to 255"),
        ({"idempotency_key": "a" * 256}, "1 to 255"),
        ({"idempotency_key": "a b"}, "1 to 255"),
        ({"headers": {"authorization": "Bearer x"}}, "use api_key="),
        ({"headers": {"Content-Length": "1"}}, "Content-Length is set by the client$"),
        ({"headers": {"content-type": "1"}}, "set by the client$"),
        ({"headers": {"Transfer-Encoding": "1"}}, "set by the client$"),
        ({"headers": {"HOST": "x"}}, "use base_url="),
        ({"headers": {"Idempotency-Key": "x"}}, "use idempotency_key="),
        ({"headers": {"If-Match": "x"}}, "use version="),
        ({"headers": {"X-Audit-Reason": "x"}}, "use reason="),
        ({"headers": {"X-Tenant-Id": "x"}}, "use tenant_id="),
        ({"headers": {"X Y": "1"}}, "not a name of a header"),
        ({"headers": {"": "1"}}, "not a name of a header"),
        ({"headers": {"X-Y": "a\r\nb"}}, "line break"),
        ({"headers": {"X-Y": "a "}}, "line break"),
        ({"headers": {"X-Y": "\u00e4"}}, "beyond ASCII"),
        ({"language": "d"}, "BCP 47"),
        ({"language": "de_DE"}, "BCP 47"),
        ({"reason": "a" * 501}, "at most 500 characters, not 501"),
    ]
    for options, said in refused:
        with pytest.raises(ConfigurationError, match=said):
            make().with_options(**options)
    made = make().with_options(idempotency_key="a" * 255, headers={"x-y": ""}, language="pt-BR", reason="a" * 500)
    assert made.headers == {"X-Y": ""} and made.language == "pt-BR"
