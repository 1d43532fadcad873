"""Who gets JSON:API, who gets the envelope, and what is refused: by `Accept` and `Content-Type`."""

from __future__ import annotations

import json

import pytest
from jsonapi_rules import MEDIA, ask, resource

from server_stub import StubServer
from server_stub.request.http import Reply, Request

PATH = "/v1/contacts/contact_123"
AS_ADA = {"authorization": "Bearer acme-admin"}


def get(stub: StubServer, accept: str, path: str = PATH) -> Reply:
    return stub.handle(Request("GET", path, "", {**AS_ADA, "accept": accept}))


@pytest.mark.parametrize(
    "accept",
    [
        MEDIA, MEDIA.upper(), f"{MEDIA};q=0.1", f"{MEDIA}, */*", f"*/*, {MEDIA}", f"{MEDIA}, application/json",
        f"application/json;q=0.5, {MEDIA}", f'{MEDIA}; profile="https://a.example/b,c"', f"text/html, {MEDIA};q=0.2",
        f"{MEDIA}; charset=utf-8, {MEDIA}", f'{MEDIA};ext="https://a.example/e", {MEDIA};q=0.3', f"{MEDIA}; q=high",
    ],
)  # fmt: skip
def test_who_names_it_gets_it(stub: StubServer, accept: str) -> None:
    reply = get(stub, accept)
    assert (reply.status, reply.headers["Content-Type"], reply.headers["Vary"].split(", ")[0]) == (200, MEDIA, "Accept")


@pytest.mark.parametrize(
    "accept",
    [
        "", "*/*", "application/json", "application/*", "text/html", f"{MEDIA};q=0", f"{MEDIA};q=0, */*",
        f"application/json, {MEDIA}", f"{MEDIA};q=0.5, application/json", f"*/*, {MEDIA};q=0.5", "application/vnd.api",
    ],
)  # fmt: skip
def test_everybody_else_gets_the_envelope(stub: StubServer, accept: str) -> None:
    reply = get(stub, accept)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(reply.body)["success"] is True
    assert "Accept" in reply.headers["Vary"].split(", "), "a cache must not give one for the other"


@pytest.mark.parametrize(
    "accept",
    [f"{MEDIA}; charset=utf-8", f'{MEDIA}; ext="https://a.example/e"', f'{MEDIA};ext="", application/json',
     f"{MEDIA};charset=utf-8, {MEDIA};version=1, */*"],
)  # fmt: skip
def test_what_no_answer_can_be_is_406(stub: StubServer, accept: str) -> None:
    refused = ask(stub, "GET", PATH, headers={"accept": accept})
    assert (refused.status, refused.error["code"]) == (406, "NOT_ACCEPTABLE")
    assert refused.error["source"] == {"header": "Accept"}
    assert "X-RateLimit-Remaining" in refused.headers


@pytest.mark.parametrize("more", ["; charset=utf-8", '; ext="https://a.example/e"', "; profile=a; q=1"])
def test_a_body_with_other_parameters_is_415(stub: StubServer, more: str) -> None:
    body = resource("contact", {"name": "Never"})
    refused = ask(stub, "POST", "/v1/contacts", body, sent=MEDIA + more)
    assert (refused.status, refused.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert refused.error["source"] == {"header": "Content-Type"}
    assert not ask(stub, "GET", "/v1/contacts", search="Never").data


def test_a_profile_is_ignored(stub: StubServer) -> None:
    body = resource("contact", {"name": "Profiled"})
    assert ask(stub, "POST", "/v1/contacts", body, sent=f'{MEDIA}; profile="https://a.example/p"').status == 201


def test_body_and_answer_are_negotiated_apart(stub: StubServer) -> None:
    plain = ask(stub, "POST", "/v1/contacts", {"name": "Plain body"}, sent="application/json")
    assert (plain.status, plain.data["attributes"]["name"]) == (201, "Plain body")
    headers = {**AS_ADA, "content-type": MEDIA}
    body = json.dumps(resource("contact", {"name": "Plain answer"})).encode()
    reply = stub.handle(Request("POST", "/v1/contacts", "", headers, body))
    assert json.loads(reply.body)["data"]["name"] == "Plain answer"


def test_the_other_dialects_do_not_have_it(stub: StubServer) -> None:
    assert get(stub, MEDIA, "/api/leads").headers["Content-Type"] == "application/json"
    headers = {**AS_ADA, "content-type": MEDIA}
    assert stub.handle(Request("POST", "/api/leads", "", headers, b"{}")).status == 400


def test_files_texts_and_descriptions_stay_what_they_are(stub: StubServer) -> None:
    assert "csv" in get(stub, MEDIA, "/v1/contacts/export").headers["Content-Type"]
    assert get(stub, MEDIA, "/openapi.json").status == 200


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [(PATH, "nobody", 401), ("/v1/contacts/contact_none", "acme-admin", 404), ("/v1/nothing", "acme-admin", 404),
     (PATH, "globex-admin", 404), ("/v1/audit/logs", "acme-sales", 403)],
)  # fmt: skip
def test_refusals_are_documents_too(stub: StubServer, path: str, key: str, status: int) -> None:
    refused = ask(stub, "GET", path, who=key)
    assert refused.status == status
    assert refused.error["id"] == f"{refused.headers['X-Request-ID']}-1"


def test_an_unchanged_record_is_304(stub: StubServer) -> None:
    tag = ask(stub, "GET", PATH).headers["ETag"]
    reply = stub.handle(Request("GET", PATH, "", {**AS_ADA, "accept": MEDIA, "if-none-match": tag}))
    assert (reply.status, reply.body, reply.headers["Vary"].split(", ")[0]) == (304, b"", "Accept")


def test_a_repeated_request_gets_its_answer_in_the_form_it_asks_for(stub: StubServer) -> None:
    headers = {"idempotency-key": "k-1"}
    body = resource("contact", {"name": "Once"})
    first, again = (ask(stub, "POST", "/v1/contacts", body, headers=headers) for _ in range(2))
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    used = ask(stub, "POST", "/v1/contacts", resource("contact", {"name": "Other"}), headers=headers)
    assert (used.status, used.error["source"]) == (409, {"header": "Idempotency-Key"})
