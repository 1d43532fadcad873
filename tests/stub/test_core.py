"""The stub's core: where a request goes, who may ask, how often, the same call twice, and going back in time."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import server_stub
from crm_sdk import ConfigurationError
from server_stub import StubServer
from server_stub.__main__ import main
from server_stub.request.http import Reply, Request


def ask(
    stub: StubServer, method: str, target: str, body: Any = None, key: str | None = "acme-admin", **headers: str
) -> Reply:
    path, _, query = target.partition("?")
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    content = json.dumps(body).encode() if body is not None else b""
    if content:
        sent.setdefault("content-type", "application/json")
    return stub.handle(Request(method, path, query, sent, content))


@pytest.mark.parametrize(
    ("path", "known"), [("/leads", "/v1/leads"), ("/leads/x", "/v1/leads/x"), ("/ai/agents", None)]
)
def test_a_path_without_its_beginning_is_told_the_whole(stub: StubServer, path: str, known: str | None) -> None:
    reply = stub.handle(Request("GET", path, headers={"authorization": "Bearer acme-admin"}))
    told = json.loads(reply.body)["error"]["message"]
    assert reply.status == 404
    assert told.endswith(f"did you mean {known}?" if known else "see the documents for the routes there are"), told


@pytest.mark.parametrize(
    ("path", "headers", "face"),
    [
        ("/flow/api/nothing", {}, "flow"), ("/mvp/api/nothing", {}, "mvp"), ("/api/nothing", {}, "mvp"),
        ("/api/nothing", {"x-crm-dialect": "flow"}, "flow"), ("/v1/nothing", {}, "platform"),
        ("/platform/v1/nothing", {}, "platform"),
    ],
)  # fmt: skip
def test_an_unknown_path_is_told_as_its_document_tells_errors(
    stub: StubServer, path: str, headers: dict[str, str], face: str
) -> None:
    reply = stub.handle(Request("GET", path, headers={"authorization": "Bearer acme-admin", **headers}))
    body = json.loads(reply.body)
    entry = body["errors"][0] if face == "platform" else body["error"]
    assert (reply.status, entry["code"]) == (404, "ROUTE_NOT_FOUND")
    assert "see the documents" in entry["message"]
    if face == "platform":
        assert (body["success"], body["data"], len(body["errors"])) == (False, None, 1)
        assert body["meta"]["requestId"] == reply.headers["X-Request-ID"]
    else:
        assert body.keys() == {"error"} and entry.keys() == {"code", "message", "details"}


def code(reply: Reply) -> str:
    body = json.loads(reply.body)
    return str((body.get("error") or body["errors"][0])["code"])


# -- where a request goes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "header", "dialect"),
    [
        ("/api/contacts", "", "mvp"),
        ("/api/contacts", "mvp", "mvp"),
        ("/api/contacts", "flow", "flow"),
        ("/mvp/api/contacts", "flow", "mvp"),
        ("/flow/api/contacts", "mvp", "flow"),
        ("/v1/contacts", "mvp", "platform"),
        ("/platform/v1/contacts", "", "platform"),
        ("/api/contacts/stats", "", "flow"),
        ("/api/leads", "flow", "mvp"),
    ],
)
def test_mount_path_and_header_choose_the_dialect(stub: StubServer, target: str, header: str, dialect: str) -> None:
    reply = ask(stub, "GET", target, x_crm_dialect=header)
    assert reply.status == 200
    assert stub.journal[-1].dialect == dialect
    body = json.loads(reply.body)
    if "stats" not in target and "leads" not in target:
        kinds = {"mvp": isinstance(body, dict) and "contacts" in body, "flow": isinstance(body, list)}
        assert kinds[dialect] if dialect in kinds else body["success"]


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/v1/leads/x/nothing", "/", "/v2/leads", "/api/leads/x/y", "/flow/v1/leads"]
)
def test_a_path_no_document_has_is_route_not_found(stub: StubServer, path: str) -> None:
    reply = ask(stub, "GET", path)
    assert (reply.status, code(reply)) == (404, "ROUTE_NOT_FOUND")


def test_a_wrong_method_names_the_right_ones(stub: StubServer) -> None:
    reply = ask(stub, "PATCH", "/api/leads/lead_123")
    assert (reply.status, code(reply), reply.headers["Allow"]) == (405, "METHOD_NOT_ALLOWED", "DELETE, GET, PUT")


def test_a_literal_segment_wins_over_a_placeholder(stub: StubServer) -> None:
    assert ask(stub, "GET", "/v1/contacts/export").headers["Content-Type"] != "application/json"
    assert code(ask(stub, "GET", "/v1/contacts/bulk")) == "NOT_FOUND"


def test_an_id_is_decoded_once(stub: StubServer) -> None:
    assert ask(stub, "GET", "/api/leads/lead%5F123").status == 200
    assert code(ask(stub, "GET", "/api/leads/lead%255F123")) == "NOT_FOUND"


# -- who asks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["", "Basic abc", "Bearer", "Bearer nobody", "Bearer ey.x.y", "bearer  "])
def test_without_a_known_credential_it_is_401_with_a_challenge(stub: StubServer, sent: str) -> None:
    reply = ask(stub, "GET", "/api/leads", key=None, authorization=sent)
    assert (reply.status, code(reply)) == (401, "UNAUTHORIZED")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_tenant_header_must_be_the_credentials_own(stub: StubServer) -> None:
    for own in ("acme", "tenant_acme"):
        assert ask(stub, "GET", "/v1/leads", x_tenant_id=own).status == 200
    for other in ("globex", "tenant_globex", "nobody"):
        reply = ask(stub, "GET", "/v1/leads", x_tenant_id=other)
        assert (reply.status, code(reply)) == (403, "TENANT_MISMATCH")


def test_only_version_one_is_spoken(stub: StubServer) -> None:
    reply = ask(stub, "GET", "/v1/leads", x_api_version="v2")
    assert (reply.status, code(reply)) == (400, "UNSUPPORTED_VERSION")


# -- what arrives --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"{not json", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"<xml/>", "application/xml", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b'{"name": "\xed\xa0\x80"}', "application/json", 400),
        (b'{"nickname": "\\ud83d\\ude00"}', "application/json", 422),
        (b"{}", "application/json", 422),
    ],
)
def test_a_body_that_cannot_be_read_is_400_and_one_that_is_wrong_422(
    stub: StubServer, body: bytes, kind: str, expected: int
) -> None:
    request = Request("POST", "/v1/leads", "", {"authorization": "Bearer acme-admin", "content-type": kind}, body)
    reply = stub.handle(request)
    assert reply.status == expected, reply.body
    before = len(stub.store.collection("tenant_acme", "lead"))
    assert before == len(StubServer().store.collection("tenant_acme", "lead"))


def test_every_wrong_field_is_named_in_each_dialects_body(stub: StubServer) -> None:
    wrong = {"email": "nobody", "value": -5, "status": "bogus", "emial": "x"}
    platform = json.loads(ask(stub, "POST", "/v1/leads", wrong).body)
    named = {entry["field"]: entry["rule"] for entry in platform["errors"]}
    assert named.keys() >= {"name", "emial", "email"} and named["name"] == "required" and named["emial"] == "unknown"
    mvp = json.loads(ask(stub, "POST", "/api/leads", wrong).body)["error"]
    assert mvp["code"] == "VALIDATION_ERROR" and mvp["details"]["field"] and mvp["details"]["reason"]


def test_a_word_outside_a_closed_vocabulary_is_refused_and_an_open_one_kept(stub: StubServer) -> None:
    refused = ask(stub, "POST", "/v1/leads", {"name": "x", "status": "bogus"})
    entry = json.loads(refused.body)["errors"][0]
    assert (refused.status, entry["field"], entry["rule"]) == (422, "status", "choice")
    assert "qualified" in entry["details"]["choices"]
    kept = ask(stub, "POST", "/v1/leads", {"name": "x", "source": "carrier-pigeon"})
    assert json.loads(kept.body)["data"]["source"] == "carrier-pigeon"


def test_a_fetched_record_may_be_sent_back_and_a_stale_one_may_not(stub: StubServer) -> None:
    seen = json.loads(ask(stub, "GET", "/v1/leads/lead_123").body)["data"]
    writable = {name: value for name, value in seen.items() if value not in (None, [], {})}
    assert ask(stub, "PUT", "/v1/leads/lead_123", {**writable, "title": "CTO"}).status == 200
    stale = ask(stub, "PUT", "/v1/leads/lead_123", {**writable, "title": "CEO"})
    assert (stale.status, code(stale)) == (409, "VERSION_CONFLICT")
    mvp = ask(stub, "PUT", "/api/leads/lead_123", {"name": "New", "updatedAt": seen["updatedAt"]})
    assert (mvp.status, code(mvp)) == (422, "VERSION_CONFLICT")


def test_if_match_locks_optimistically(stub: StubServer) -> None:
    version = json.loads(ask(stub, "GET", "/v1/leads/lead_123").body)["data"]["version"]
    assert ask(stub, "PUT", "/v1/leads/lead_123", {"title": "CTO"}, if_match=f'"{version}"').status == 200
    again = ask(stub, "PUT", "/v1/leads/lead_123", {"title": "CEO"}, if_match=f'"{version}"')
    assert (again.status, code(again)) == (409, "VERSION_CONFLICT")
    assert json.loads(again.body)["errors"][0]["details"]["currentVersion"] == version + 1
    assert ask(stub, "PUT", "/v1/leads/lead_123", {"title": "CEO"}, if_match='"x"').status == 422


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "page=0", "sort=nothing", "nothing=1", "limit=%zz%"]
)
def test_paging_has_bounds(stub: StubServer, query: str) -> None:
    assert ask(stub, "GET", f"/v1/leads?{query}").status in (400, 422)


def test_a_page_past_the_end_is_empty_and_knows_the_total(stub: StubServer) -> None:
    body = json.loads(ask(stub, "GET", "/v1/leads?page=999").body)
    window = body["meta"]["pagination"]
    assert body["data"] == [] and window["total"] >= 200 and not window["hasNext"] and window["hasPrev"]


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_time_that_nothing_can_be_reckoned_from_is_refused_where_it_stands(stub: StubServer, when: str) -> None:
    event = {"title": "x", "startTime": when, "endTime": "2026-01-20T10:00:00Z"}
    refused = ask(stub, "POST", "/flow/api/calendar/events", event)
    assert refused.status == 422 and json.loads(refused.body)["error"]["details"]["field"] == "startTime"
    refused = ask(stub, "GET", f"/v1/contacts?createdAfter={when}")
    (error,) = json.loads(refused.body)["errors"]
    assert (refused.status, error["field"], error["rule"] in ("min", "max")) == (422, "createdAfter", True)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/contacts", "createdAfter"), ("/v1/audit/logs", "since"), ("/v1/audit/reports/changes", "startDate")],
)
@pytest.mark.parametrize("number", ["2020", "1.5", "-1", "1999987200"])
def test_a_number_is_no_time_in_a_query(stub: StubServer, path: str, name: str, number: str) -> None:
    refused = ask(stub, "GET", f"{path}?{name}={number}")
    assert refused.status == 422 and [one["field"] for one in json.loads(refused.body)["errors"]] == [name]


# -- how often -----------------------------------------------------------------------------------------------------


def test_the_headers_count_down_and_refill_on_the_clock(stub: StubServer) -> None:
    first, second = (ask(stub, "GET", "/api/leads?limit=1").headers for _ in range(2))
    assert int(first["X-RateLimit-Limit"]) == 100_000
    assert int(first["X-RateLimit-Remaining"]) - int(second["X-RateLimit-Remaining"]) == 1
    stub.clock.advance(3601)
    third = ask(stub, "GET", "/api/leads?limit=1").headers
    assert int(third["X-RateLimit-Remaining"]) == 99_999
    assert int(third["X-RateLimit-Reset"]) > int(second["X-RateLimit-Reset"])


def test_beyond_a_limit_it_is_429_until_the_window_ends() -> None:
    stub = StubServer(enforce_limits=True)
    statuses = [ask(stub, "GET", "/flow/api/contacts/stats").status for _ in range(101)]
    assert statuses == [200] * 100 + [429]
    refused = ask(stub, "GET", "/flow/api/contacts/stats")
    assert code(refused) == "RATE_LIMIT_EXCEEDED"
    stub.clock.advance(int(refused.headers["Retry-After"]))
    assert ask(stub, "GET", "/flow/api/contacts/stats").status == 200


def test_in_process_limits_are_only_counted(stub: StubServer) -> None:
    answers = [ask(stub, "GET", "/flow/api/contacts/stats") for _ in range(101)]
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].headers["X-RateLimit-Remaining"] == "0"


def test_bulk_work_has_a_class_of_its_own() -> None:
    stub = StubServer(enforce_limits=True)
    body = {"leadIds": ["lead_123"]}
    statuses = {ask(stub, "POST", "/v1/leads/bulk-qualify", body).status for _ in range(100)}
    assert statuses == {200}
    assert ask(stub, "POST", "/v1/leads/bulk-qualify", body).status == 429
    assert ask(stub, "GET", "/v1/leads?limit=1").status == 200


# -- the same call again -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/api/leads", "/v1/leads", "/flow/api/contacts"])
def test_an_idempotency_key_does_the_work_once(stub: StubServer, target: str) -> None:
    kind = "contact" if "contacts" in target else "lead"
    before = len(stub.store.collection("tenant_acme", kind))
    first = ask(stub, "POST", target, {"name": "Once"}, idempotency_key="k1")
    again = ask(stub, "POST", target, {"name": "Once"}, idempotency_key="k1")
    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"] == "k1"
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    assert len(stub.store.collection("tenant_acme", kind)) == before + 1


def test_a_key_is_one_callers_one_requests_and_lasts_a_day(stub: StubServer) -> None:
    assert ask(stub, "POST", "/v1/leads", {"name": "A"}, idempotency_key="k").status == 201
    other = ask(stub, "POST", "/v1/leads", {"name": "B"}, idempotency_key="k")
    assert (other.status, code(other)) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert ask(stub, "POST", "/v1/leads", {"name": "B"}, key="globex-admin", idempotency_key="k").status == 201
    stub.clock.advance(24 * 3600 + 1)
    assert ask(stub, "POST", "/v1/leads", {"name": "B"}, idempotency_key="k").status == 201


# -- going back, and looking back ----------------------------------------------------------------------------------


def test_a_snapshot_brings_everything_back(stub: StubServer) -> None:
    before = ask(stub, "GET", "/v1/leads?limit=200").body
    snapshot = stub.snapshot()
    made = [json.loads(ask(stub, "POST", "/v1/leads", {"name": f"n{n}"}).body)["data"]["id"] for n in range(3)]
    assert ask(stub, "DELETE", "/v1/leads/lead_123").status == 200
    stub.clock.advance(5000)
    stub.restore(snapshot)
    again = [json.loads(ask(stub, "POST", "/v1/leads", {"name": f"n{n}"}).body)["data"]["id"] for n in range(3)]
    assert made == again
    stub.reset()
    after = ask(stub, "GET", "/v1/leads?limit=200")
    assert json.loads(after.body)["data"] == json.loads(before)["data"]
    assert len(stub.journal) == 1


def test_without_its_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.core.find_spec", lambda name: None if name == "phonenumbers" else object())
    with pytest.raises(ConfigurationError, match=r"needs phonenumbers: pip install 'crm-sdk\[stub\]'"):
        StubServer()


@pytest.mark.parametrize("arguments", [["--port", "0"], ["--run", __file__]])
def test_started_without_its_extra_it_says_so_in_a_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("server_stub.core.find_spec", lambda name: None if name == "jwt" else object())
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("error: the stub needs jwt")


def test_a_port_there_is_not_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "70000"]) == 1
    assert capsys.readouterr().err == "error: cannot listen on 127.0.0.1:70000: no such port\n"


def test_a_script_there_is_not_is_a_mistake_of_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--run", "nowhere.py"])
    assert ended.value.code == 2 and "there is no script nowhere.py" in capsys.readouterr().err


def test_what_writes_and_reads_files_is_imported_by_the_first_that_is(tmp_path: Path) -> None:
    """A server starts in less than a second: what takes long to import waits for a call that needs it."""
    late = {"PIL", "email_validator", "fpdf", "icalendar", "jinja2", "jwt", "nh3", "openpyxl", "phonenumbers", "pypdf"}
    script = f"import sys; from server_stub import StubServer; StubServer(); print(sorted({late} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


def test_two_servers_start_alike() -> None:
    one, other = StubServer(), StubServer()
    for target in ("/v1/leads?limit=200", "/v1/contacts?limit=200", "/api/agents"):
        assert ask(one, "GET", target).body == ask(other, "GET", target).body


def test_every_write_is_in_the_audit_trail_which_is_a_chain(stub: StubServer) -> None:
    created = json.loads(ask(stub, "POST", "/v1/leads", {"name": "Ada"}).body)["data"]
    ask(stub, "PUT", f"/api/leads/{created['id']}", {"status": "qualified"})
    ask(stub, "DELETE", f"/v1/leads/{created['id']}")
    refused = ask(stub, "PUT", f"/v1/leads/{created['id']}", {"name": "late"})
    trail = [entry for entry in stub.audit("tenant_acme") if entry["entity"]["id"] == created["id"]]
    actions = [entry["action"] for entry in trail]
    assert refused.status == 404
    assert [actions[0], actions[-1]] == ["lead.created", "lead.deleted"] and "lead.updated" in actions
    changed = next(entry for entry in trail if entry["action"] == "lead.updated")
    assert {"field": "status", "before": "new", "after": "qualified"} in changed["changes"]
    assert changed["source"]["dialect"] == "mvp" and changed["actor"]["id"] == "apikey_acme_admin"
    hashes = [entry["hash"] for entry in stub.audit("tenant_acme")]
    assert [entry["previous_hash"] for entry in stub.audit("tenant_acme")] == ["", *hashes[:-1]]


def test_the_journal_tells_what_was_asked_and_keeps_no_credential(stub: StubServer) -> None:
    ask(stub, "GET", "/api/leads?limit=1&token=secret-thing")
    entry = stub.journal[-1]
    assert (entry.method, entry.path, entry.status, entry.operation) == ("GET", "/api/leads", 200, "leads.list")
    assert "secret-thing" not in repr(entry) and "acme-admin" not in repr(entry)


def test_a_plain_httpx_client_can_use_it(stub: StubServer) -> None:
    with httpx.Client(transport=stub.transport(), base_url="http://anywhere.test") as client:
        found = client.get("/api/leads", params={"limit": 2}, headers={"Authorization": "Bearer your-api-key"})
    assert found.json()["pagination"] == {"limit": 2, "offset": 0, "hasMore": True}


def test_what_is_sent_and_answered_has_its_former_place_too() -> None:
    with pytest.warns(DeprecationWarning, match=r"from server_stub import Request, Reply"):
        messages: Any = importlib.import_module("server_stub.messages")
    assert (messages.Request, messages.Reply) == (server_stub.Request, server_stub.Reply) == (Request, Reply)
    assert StubServer().handle(server_stub.Request("GET", "/openapi.json")).status == 200
    with pytest.raises(AttributeError, match="no attribute 'Requests'"):
        _ = server_stub.Requests
