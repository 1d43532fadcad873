"""What a caller may ask of any answer of the platform: only some members, nothing it has already, a reason to keep."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.request.http import Request


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def answer(client: CrmClient, method: str, path: str, **sent: Any) -> Any:
    return client.request(method, f"/v1{path}", **sent)


WHOLE = {"address": {
    "street": "S", "street2": None, "city": "C", "state": None, "postalCode": None, "country": None,
}}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "members"),
    [
        ("name", {"name": "Ada"}),
        ("address.city,custom_fields.a.b", {"address": {"city": "C"}, "customFields": {"a.b": "x"}}),
        ("address", WHOLE),
        ("address,address.city", WHOLE),
        ("address.city,address", WHOLE),
        ("socialProfiles.url", {"socialProfiles": [{"url": "https://x.example/ada"}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["get", "list", "search"])
def test_only_the_members_asked_for_are_answered(client: CrmClient, way: str, fields: str, members: Any) -> None:
    made = client.contacts.create(
        {
            "name": "Ada",
            "address": {"street": "S", "city": "C"},
            "custom_fields": {"a.b": "x", "c": 1},
            "social_profiles": [{"network": "github", "url": "https://x.example/ada"}],
            "tags": ["asked"],
        }
    )
    path = {"get": f"/contacts/{made.id}?fields={fields}", "list": f"/contacts?tags=asked&fields={fields}"}.get(way)
    if path is not None:
        found = answer(client, "GET", path).json()["data"]
    else:
        body = {"q": "ada", "fields": fields.split(","), "filterGroups": [{"filters": [
            {"field": "tags", "op": "contains", "value": "asked"}]}]}  # fmt: skip
        found = answer(client, "POST", "/contacts/search", json=body).json()["data"]
    assert (found if way == "get" else found[0]) == {"id": made.id, "version": 1, **members}


@pytest.mark.parametrize("field", ["nope", "name.first", "address.planet"])
@pytest.mark.parametrize("path", ["/contacts/contact_123", "/contacts", "/leads", "/contacts/contact_123/activities"])
def test_a_member_that_is_none_is_refused(client: CrmClient, path: str, field: str) -> None:
    refused = answer(client, "GET", f"{path}?fields=id,{field}")
    assert (refused.status, refused.json()["errors"][0]["code"]) == (422, "UNKNOWN_FIELD")
    assert refused.json()["errors"][0]["field"] == "fields.1"


def test_other_documents_know_no_fields(stub: StubServer) -> None:
    whole = stub.client(dialects="flow").request("GET", "/api/contacts/contact_123?fields=name").json()
    assert "email" in whole


def test_a_reason_is_kept_with_everything_it_caused(client: CrmClient, stub: StubServer) -> None:
    before = len(stub.audit())
    reason = {"X-Audit-Reason": " asked by phone "}
    made = answer(client, "POST", "/contacts", json={"name": "Ada"}, headers=reason).json()["data"]
    answer(client, "PUT", f"/contacts/{made['id']}", json={"title": "x"})
    answer(client, "DELETE", f"/contacts/{made['id']}", headers=reason)
    assert [(entry["action"], entry["reason"]) for entry in stub.audit()[before:]] == [
        ("contact.created", "asked by phone"),
        ("contact.updated", None),
        ("contact.deleted", "asked by phone"),
    ]


@pytest.mark.parametrize("reason", ["Prüfung", "a\tb", "a\x00b"])
def test_a_reason_beyond_ascii_has_to_be_encoded(stub: StubServer, reason: str) -> None:
    headers = {"authorization": "Bearer acme-admin", "x-audit-reason": reason}
    before = len(stub.audit())
    reply = stub.handle(Request("POST", "/v1/leads", headers=headers, body=b'{"name": "Ada"}'))
    assert (reply.status, b"X-Audit-Reason" in reply.body, len(stub.audit())) == (422, True, before)


@pytest.mark.parametrize(("length", "status"), [(500, 201), (501, 422)])
def test_a_reason_has_an_end(client: CrmClient, length: int, status: int) -> None:
    headers = {"X-Audit-Reason": "x" * length}
    assert answer(client, "POST", "/contacts", json={"name": "Ada"}, headers=headers).status == status
