"""What the credentials of a client keep of a sign-in, and when it is tried again."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace as Of
from typing import Any

import pytest
from canned_answers import LEAD, Canned

from crm_sdk import ApiError, AuthenticationError, ConnectionFailedError, CrmError
from crm_sdk.credentials import Credentials
from crm_sdk.sign_in import Password

Make = Callable[..., Any]
Call = Callable[[Any], Any]

NEWER, PASSWORD = "tok-cccc", "pw-eeee"


def bearers(server: Canned) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.requests]


def tokens(access: str | None, refresh: str | None = None) -> Any:
    return Of(access_token=access, refresh_token=refresh)


@pytest.mark.parametrize(
    ("change", "result", "after"),
    [
        ("start", tokens("a2", "r2"), ("a2", "r2", True)),
        ("start", tokens("a2"), ("a2", None, True)),
        ("renew", tokens("a2", "r2"), ("a2", "r2", True)),
        ("renew", tokens("a2"), ("a2", "r1", True)),
        ("start", Of(login=tokens("a2", "r2"), id="company"), ("a2", "r2", True)),
        ("start", tokens(None, "r2"), ("a1", "r1", False)),
        ("start", tokens(""), ("a1", "r1", False)),
        ("start", None, ("a1", "r1", False)),
        ("end", None, ("a1", "r1", False)),
    ],
)
def test_which_tokens_a_call_brings(change: Any, result: Any, after: tuple[str, str | None, bool]) -> None:
    credentials = Credentials("a1", "r1")
    credentials.refused = CrmError("before")
    credentials.take(change, result)
    assert (credentials.access, credentials.refresh, credentials.signed_in) == after
    assert (credentials.refused is None) is credentials.signed_in, "who has signed in is not refused any more"
    credentials.resume("a3", None)
    credentials.take("end", None)
    assert (credentials.access, credentials.refresh) == (None, None)


@pytest.mark.parametrize(("access", "refresh", "way", "renewable"), [
    ("a", None, False, False), (None, None, False, False), ("a", "r", False, True), ("a", None, True, True),
])  # fmt: skip
def test_what_can_be_renewed(access: str | None, refresh: str | None, way: bool, renewable: bool) -> None:
    credentials = Credentials(access, refresh, way=Password("a@b.co", PASSWORD) if way else None)
    assert credentials.renewable is renewable
    assert repr(credentials) == f"<Credentials {'set' if access else 'none'}>"


class Way(Password):
    """A way that fails as it is told to, and counts how often it is tried."""

    tries = 0
    fails: CrmError | None = None

    def renew(self, client: Any, credentials: Credentials, timeout: float) -> Any:
        type(self).tries += 1
        if (error := type(self).fails) is not None:
            raise error
        credentials.resume(NEWER, None)
        yield from ()


@pytest.mark.parametrize(
    ("error", "is_tried_again"),
    [
        (AuthenticationError("no", status=401, code="X"), False),
        (ApiError("no", status=400, code="X"), False),
        (ApiError("no", status=499, code="X"), False),
        (ApiError("busy", status=429, code="X"), True),
        (ApiError("down", status=500, code="X"), True),
        (ConnectionFailedError("reset"), True),
    ],
    ids=lambda value: getattr(value, "message", None) or type(value).__name__,
)
def test_who_was_refused_is_not_signed_in_again_and_again(
    make: Make, call: Call, server: Canned, error: CrmError, is_tried_again: bool
) -> None:
    Way.tries, Way.fails = 0, error
    client = make(api_key=None, auth=Way("a@b.co", PASSWORD), max_retries=0)
    for _ in range(2):
        with pytest.raises(type(error)):
            call(client.leads.get("x"))
    assert Way.tries == 1 + is_tried_again and server.requests == []
    Way.fails = None
    if is_tried_again:
        server.says(LEAD)
        assert call(client.leads.get("x")).id == "lead_1" and bearers(server) == [f"Bearer {NEWER}"]


def test_a_session_that_cannot_be_renewed_ends_in_the_401_of_the_call(make: Make, call: Call, server: Canned) -> None:
    Way.tries, Way.fails = 0, None
    client = make(api_key=None, auth=Way("a@b.co", PASSWORD), max_retries=0)
    server.says(LEAD).says({"error": {"code": "EXPIRED", "message": "the first answer"}}, 401)
    call(client.leads.get("x"))
    Way.fails = AuthenticationError("no", status=401, code="X")
    for _ in range(2):
        with pytest.raises(AuthenticationError, match="the first answer"):
            call(client.leads.get("x"))
    assert Way.tries == 2 and client._credentials.refused is Way.fails
