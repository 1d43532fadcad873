"""Integrations on the platform: credentials that are tested and never shown, the status, and the connection test."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused

from crm_sdk import ConflictError, CrmClient, ValidationError
from crm_sdk.errors import ApiError
from crm_sdk.models import Integration
from server_stub import StubServer

KEY = "sk-live-0123456789abcdef"
BODY: Any = {"name": "Link", "type": "crm", "provider": "hubspot", "credentials": {"api_key": KEY}}


def create(client: CrmClient, **members: Any) -> Integration:
    body: Any = {**BODY, **members}
    return client.integrations.create(body)


def deeds(stub: StubServer, id: str) -> list[str]:
    return [entry["action"].partition(".")[2] for entry in stub.audit() if entry["entity"]["id"] == id]


def test_a_new_one_has_its_defaults_and_is_tested_at_once(client: CrmClient, stub: StubServer) -> None:
    made = client.integrations.create(BODY)
    assert made.id.startswith("integration_") and made.status == "connected" and made.version == 1
    assert (made.auth_type, made.direction, made.conflict_resolution, made.sync_frequency) == (
        "api_key", "bidirectional", "newest_wins", "manual",
    )  # fmt: skip
    assert (made.credentials_set, made.mapping_count, made.last_sync, made.next_sync_at, made.entity_types) == (
        True, 0, None, None, [],
    )  # fmt: skip
    assert deeds(stub, made.id) == ["created", "connected"]
    with pytest.raises(ConflictError) as caught:
        create(client, name="LINK")
    assert caught.value.code == "INTEGRATION_EXISTS"


def test_one_that_is_refused_is_there_with_its_error(client: CrmClient, stub: StubServer) -> None:
    made = create(client, credentials={"api_key": "an-invalid-key"})
    assert made.status == "error" and made.last_error is not None and made.last_error.code == "CONNECTION_REFUSED"
    assert deeds(stub, made.id) == ["created", "error"]
    found = client.integrations.test(made.id)
    assert found.ok is False and found.account_name is None
    assert [(step.name, step.ok) for step in found.checks] == [
        ("dns", True),
        ("connect", True),
        ("authenticate", False),
    ]
    assert deeds(stub, made.id)[2:] == ["error"], "each failure is told"
    mended = client.integrations.update(made.id, {"credentials": {"api_key": KEY}})
    assert (mended.status, mended.last_error) == ("connected", None)
    assert deeds(stub, made.id)[3:] == ["updated", "connected"]


def test_credentials_are_required_by_the_kind_of_sign_in(client: CrmClient) -> None:
    cases: list[tuple[Any, str]] = [
        ({"credentials": None}, "credentials"),
        ({"credentials": {"username": "x"}}, "credentials.api_key"),
        ({"auth_type": "basic", "credentials": {"username": "x"}}, "credentials.password"),
        ({"auth_type": "oauth2", "credentials": {"api_key": KEY}}, "credentials.access_token"),
    ]
    for members, field in cases:
        with pytest.raises(ValidationError) as caught:
            create(client, **members)
        assert [(error.field, error.rule) for error in caught.value.fields] == [(field, "required")]


def test_what_the_system_asks_for_decides_the_status(client: CrmClient) -> None:
    cases: list[tuple[Any, str]] = [
        ({"provider": "demo_crm", "auth_type": "none"}, "connected"),
        ({"provider": "hubspot", "auth_type": "none"}, "disconnected"),
        ({"provider": "our_own", "auth_type": "none"}, "disconnected"),
        ({"auth_type": "basic", "credentials": {"username": "ada", "password": "pw"}}, "connected"),
        ({"auth_type": "oauth2", "credentials": {"client_id": "a", "client_secret": "b"}}, "connected"),
        ({"credentials": {"api_key": "short"}}, "error"),
        ({"provider": "imap", "auth_type": "basic", "credentials": {"username": "a", "password": "b"}}, "error"),
    ]
    for members, status in cases:
        made = create(client, **{"credentials": None, **members})
        assert made.status == status, members
        client.integrations.delete(made.id)


def test_one_without_credentials_is_connected_by_a_test(client: CrmClient, stub: StubServer) -> None:
    made = client.integrations.create({"name": "Own", "type": "custom", "provider": "our_own", "auth_type": "none"})
    found = client.integrations.test(made.id)
    assert found.ok and (found.account_name, found.latency_ms) == ("Acme (our_own)", 134)
    assert all(step.ok for step in found.checks) and found.checked_at <= stub.clock.now()
    after = client.integrations.get(made.id)
    assert (after.status, after.version) == ("connected", 2)
    assert client.integrations.test(made.id).ok and client.integrations.get(made.id).version == 2
    assert deeds(stub, made.id) == ["created", "connected"]


def test_nobody_sees_what_was_given(client: CrmClient, stub: StubServer) -> None:
    made = client.integrations.create(BODY)
    other: Any = {"api_key": "sk-live-another-one-xyz", "client_secret": "shh-client-secret"}
    client.integrations.update(made.id, {"credentials": other})
    seen = [
        client.request(method, f"/v1/integrations/connectors{path}", json={} if method == "POST" else None).content
        for method, path in (("GET", f"/{made.id}"), ("GET", ""), ("POST", f"/{made.id}/test"))
    ]
    stored = stub.store.collection("tenant_acme", "integration").get(made.id)
    said = b"".join(seen).decode() + repr(stub.audit())
    kept = repr(stored) + repr([*stub.store.collection("tenant_acme", "event")])
    for secret in (KEY, *other.values()):
        assert secret not in said + kept and f"••••{secret[-4:]}" not in said
    assert b'"credentials"' not in b"".join(seen)


def test_credentials_merge_and_the_same_ones_are_no_change(client: CrmClient, stub: StubServer) -> None:
    made = client.integrations.create(BODY)
    assert client.integrations.update(made.id, {"credentials": {"api_key": KEY}}).version == 1
    assert client.integrations.update(made.id, {"credentials": {"username": "ada"}}).version == 2
    twin = "sk-test-0123456789abcdef"
    assert client.integrations.update(made.id, {"credentials": {"api_key": twin}}).version == 3, "its mask is the same"
    stored = stub.store.collection("tenant_acme", "integration").get(made.id)
    assert stored is not None and stored["credentials"] == {"api_key": "••••cdef", "username": "••••"}
    with pytest.raises(ValidationError):
        client.integrations.update(made.id, {"credentials": {"api_key": None}})
    with pytest.raises(ValidationError):
        client.integrations.update(made.id, {"credentials": None})
    free = client.integrations.update(made.id, {"auth_type": "none", "credentials": None})
    assert (free.status, free.credentials_set) == ("error", False), "HubSpot asks for credentials"


def test_what_is_fixed_and_what_merges(client: CrmClient) -> None:
    made = create(client, config={"a": 1, "b": {"c": 2}})
    new = client.integrations.update(made.id, {"config": {"b": {"d": 3}, "a": None}})
    assert new.config == {"b": {"c": 2, "d": 3}}
    answer = client.request("PUT", f"/v1/integrations/connectors/{made.id}", json={"provider": "slack"})
    error = json.loads(answer.content)["errors"][0]
    assert (answer.status, error["field"], error["rule"]) == (422, "provider", "read_only")
    with pytest.raises(ConflictError) as caught:
        client.integrations.update(made.id, {"name": "x"}, version=1)
    assert caught.value.code == "VERSION_CONFLICT"


def test_the_frequency_is_read_from_the_configuration_too(client: CrmClient) -> None:
    made = create(client, config={"syncFrequency": "daily"})
    assert made.sync_frequency == "daily" and made.next_sync_at is not None
    assert client.integrations.update(made.id, {"config": {"syncFrequency": "hourly"}}).sync_frequency == "hourly"
    chosen = client.integrations.update(made.id, {"sync_frequency": "manual"})
    assert (chosen.sync_frequency, chosen.next_sync_at) == ("manual", None)
    assert client.integrations.update(made.id, {"config": {"syncFrequency": "now and then"}}).sync_frequency == "manual"


def test_kinds_of_records_that_nobody_has_are_refused(client: CrmClient) -> None:
    made, calls = create(client), client.integrations
    for given in (["contact", "zebra"], ["zebra", "contact"]):
        for call in (
            lambda given=given: create(client, name="Other", entity_types=given),
            lambda given=given: calls.update(made.id, {"entity_types": given}),
            lambda given=given: calls.sync.start(made.id, entity_types=given),
        ):
            with pytest.raises(ValidationError) as caught:
                call()
            (error,) = caught.value.fields
            assert (error.field, error.rule) == (f"entity_types.{given.index('zebra')}", "choice")
    client.custom_objects.create({"api_name": "zebra", "label": "Zebra", "plural_label": "Zebras"})
    assert create(client, name="Other", entity_types=["zebra", "file"]).entity_types == ["zebra", "file"]


def test_lists_filter_and_search(client: CrmClient) -> None:
    more_of: dict[str, Any] = {"b": {}, "a": {"credentials": {"api_key": "wrong"}}, "c": {"provider": "salesforce"}}
    made = [create(client, name=f"Zed {name}", category="zed", **more) for name, more in more_of.items()]

    def names(**query: Any) -> list[str]:
        return [one.name[-1] for one in client.integrations.list(**query)]

    assert names(search="zed") == ["c", "a", "b"] and names(category="zed", sort="name") == ["a", "b", "c"]
    assert names(category="zed", status="error") == ["a"] and names(category="zed", provider="salesforce") == ["c"]
    assert names(category="zed", type="email") == [] and names(category="zed", created_before=made[0].created_at) == []
    page = client.integrations.list(category="zed", sort="name", order="desc", limit=2, page=2)
    assert [one.name for one in page.items] == ["Zed a"] and page.total == 3


@pytest.mark.parametrize("key", ["acme-sales", "globex-admin"])
def test_others_read_at_most(stub: StubServer, client: CrmClient, key: str) -> None:
    made, other = client.integrations.create(BODY), stub.client(api_key=key)
    code = "FORBIDDEN" if key == "acme-sales" else "NOT_FOUND"
    for call in (lambda: other.integrations.update(made.id, {"name": "x"}), lambda: other.integrations.delete(made.id)):
        with pytest.raises(ApiError) as caught:
            call()
        assert caught.value.code == code
    if key == "acme-sales":
        assert other.integrations.get(made.id).name == "Link" and other.integrations.test(made.id).ok
        with pytest.raises(ApiError):
            create(other, name="Mine")
    assert client.integrations.get(made.id) == made


def test_it_is_the_same_record_in_the_mvp_dialect(client: CrmClient, stub: StubServer) -> None:
    mvp = stub.client(dialects="mvp", strict=True)
    made = client.integrations.create(BODY)
    (seen,) = [one for one in mvp.integrations.list() if one.id == made.id]
    assert (seen.name, seen.status) == ("Link", "connected")
    mvp.integrations.connect("integration_hubspot", credentials={"api_key": KEY}, config={"syncFrequency": "daily"})
    found: Integration = client.integrations.get("integration_hubspot")
    assert (found.status, found.credentials_set, found.sync_frequency) == ("connected", True, "daily")
    assert found.next_sync_at is not None


@pytest.mark.parametrize("mode", ["sync", "async"], indirect=True)
def test_both_clients_have_every_call(stub: StubServer, mode: str, call: Callable[[Any], Any]) -> None:
    client: Any = stub.client() if mode == "sync" else stub.async_client()
    made = call(client.integrations.create({**BODY, "provider": "demo_crm"}))
    mapping = call(client.integrations.mappings.create(
        made.id, {"entity_type": "contact", "source_field": "email", "target_field": "email", "direction": "inbound"}
    ))  # fmt: skip
    assert [one.id for one in call(client.integrations.mappings.list(made.id))] == [mapping.id]
    assert call(client.integrations.mappings.validate(made.id)).unmapped_required == ["contact.name"]
    run = call(client.integrations.sync.start(made.id))
    assert call(client.integrations.sync.pause(made.id)).id == run.id
    assert call(client.integrations.sync.resume(made.id)).status == "queued"
    ended = run.wait() if mode == "sync" else call(run.wait_async())
    assert (ended.id, ended.status) == (run.id, "succeeded")
    assert call(client.integrations.sync.status(made.id)).last.id == run.id
    assert [one.id for one in call(client.integrations.sync.history(made.id))] == [run.id]
    call(client.integrations.mappings.update(made.id, mapping.id, {"active": False}))
    call(client.integrations.mappings.delete(made.id, mapping.id))
    assert call(client.integrations.test(made.id)).ok
    call(client.integrations.delete(made.id))


def test_who_may_not_manage_integrations_gives_no_credentials(stub: StubServer) -> None:
    admin = stub.client(dialects="platform", max_retries=0)
    grants: Any = [
        {"resource": "integrations", "action": action, "scope": "all"} for action in ("create", "read", "update")
    ]
    role = admin.security.roles.create({"key": "linker", "name": "Linker", "permissions": grants})
    _, linker = signed_in(stub, admin, role.key)
    plain: Any = {"name": "Link", "type": "crm", "provider": "demo_crm", "auth_type": "none"}
    made = linker.integrations.create(plain)
    assert made.credentials_set is False and linker.integrations.update(made.id, {"name": "Other"}).name == "Other"
    changes: Any = {"credentials": {"api_key": KEY}}
    for call in (partial(linker.integrations.create, BODY), partial(linker.integrations.update, made.id, changes)):
        error = refused(call)
        assert (error.status, error.code) == (403, "FORBIDDEN")
    assert admin.integrations.update(made.id, changes).credentials_set is True
