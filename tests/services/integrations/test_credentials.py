"""Credentials: what is kept of them, which are refused, and what a connection test says, step by step."""

from __future__ import annotations

from typing import Any

from stub_data import some, stored

from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.integrations.credentials import (
    REQUIRED,
    is_refused,
    kept_credentials,
    mask,
    masked_config,
    missing,
)


def test_a_mask_shows_the_end_of_what_is_long() -> None:
    assert [mask(text) for text in ("", "x" * 11, "x" * 8 + "1234", 123456789012)] == [
        "••••", "••••", "••••1234", "••••9012",
    ]  # fmt: skip
    assert masked_config({"apiKey": "x" * 12, "my_TOKEN": 5, "Password": "x", "name": "x" * 12}) == {
        "apiKey": "••••xxxx", "my_TOKEN": 5, "Password": "••••", "name": "x" * 12,
    }  # fmt: skip


def test_a_system_refuses_what_says_so_itself_or_is_too_short() -> None:
    for name, value, refused in (
        ("api_key", "x" * 7, True), ("api_key", "x" * 8, False), ("access_token", "x" * 7, True),
        ("password", "x", False), ("username", "x", False), ("api_key", "an_invalid_key", True),
        ("api_key", "my-EXPIRED-key", True),
        ("password", "wrong", True), ("password", "wrongly", False), ("password", "revoked.", True),
        ("host", "mail.invalid", True), ("host", "invalid.example", True), ("host", "mail.example", False),
        ("webhook_url", "https://x.invalidated", False), ("username", "refused_one", True),
    ):  # fmt: skip
        assert is_refused(name, value) is refused, (name, value)


def test_a_mask_that_comes_back_stands_for_what_was_given() -> None:
    first = kept_credentials({"username": "ada", "password": "an invalid word", "client_id": "", "host": None}, None)
    assert first["credentials"] == {"password": "••••word", "username": "••••"}
    assert (sorted(first["credential_prints"]), first["rejected"]) == (["password", "username"], ["password"])
    again = kept_credentials(first["credentials"], Document(id="1", **first))
    assert again == first
    other = kept_credentials({**first["credentials"], "password": "a good one"}, Document(id="1", **first))
    assert (other["credentials"]["password"], other["rejected"]) == ("••••", [])
    assert other["credential_prints"]["username"] == first["credential_prints"]["username"]
    assert other["credential_prints"]["password"] != first["credential_prints"]["password"]


def test_what_is_missing_is_of_the_way_that_lacks_the_fewest() -> None:
    for given, fields in (
        ([], ["access_token"]), (["client_id", "client_secret"], ["access_token"]), (["access_token"], []),
        (["client_id", "client_secret", "refresh_token"], []),
    ):  # fmt: skip
        found = list(missing(REQUIRED["google"], dict.fromkeys(given, "x"), "Google"))
        assert [(one.field, one.rule) for one in found] == [(f"credentials.{name}", "required") for name in fields]
    (first, second) = missing(REQUIRED["twilio"], {}, "Twilio")
    assert (first.message, second.field) == ("Twilio asks for username and password", "credentials.password")
    (only,) = missing(REQUIRED["slack"], {}, "Slack")
    assert only.message == "Slack asks for webhook_url, or access_token"


def test_a_connection_test_goes_as_far_as_it_can(stub: StubServer) -> None:
    client = stub.client(dialects="platform", max_retries=0)
    made: Any = client.integrations.create({
        "name": "Post", "type": "email", "provider": "imap", "auth_type": "basic",
        "credentials": {"host": "mail.example", "username": "ada", "password": "a long secret"},
    })  # fmt: skip
    fine = ["the address is known", "Post answers", "the credentials are accepted", "records may be read and written",
            "there are calls left"]  # fmt: skip
    kept = some(stub.store.collection("tenant_acme", "integration").get(made.id))["credentials"]

    def tested(**members: Any) -> list[tuple[bool, str | None]]:
        stored(stub, "integration", made.id, **members)
        return [(one.ok, one.message) for one in client.integrations.test(made.id).checks]

    assert tested() == [(True, text) for text in fine]
    for members, passed, message in (
        ({"rejected": ["host"]}, 0, "the host of Post is not known"),
        ({"rejected": ["webhook_url"]}, 0, "the webhook_url of Post is not known"),
        ({"rejected": [], "credentials": {"username": "x"}}, 0, "Post has no host"),
        ({"rejected": ["password"], "credentials": kept}, 2, "Post refused the password"),
        ({"rejected": [], "auth_type": "none"}, 2, "Post asks for credentials"),
        ({"provider": "hubspot", "auth_type": "basic", "credentials": None}, 2, "Post has no credentials"),
    ):  # fmt: skip
        assert tested(**members) == [*((True, text) for text in fine[:passed]), (False, message)], members
