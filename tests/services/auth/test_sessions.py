"""Sessions: listed, ended at once wherever they are used, and what a token is good for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from auth_support import Bearer, signed_in
from refusals import refused
from stub_data import idle
from wire import opened

from crm_sdk import CrmClient
from crm_sdk.realtime.sockets import SocketClosedError
from server_stub import StubServer


def test_one_lists_one_s_own_the_last_used_first(stub: StubServer, bearer: Bearer) -> None:
    first, second = (signed_in(bearer(), "mia@acme.test") for _ in range(2))
    assert [session.current for session in second.auth.sessions.list()] == [True, False]
    stub.clock.advance(120)
    first.leads.list(limit=1)
    found = first.auth.sessions.list().items
    assert [session.current for session in found] == [True, False]
    assert found[0].id == first.auth.sessions.current().id
    assert next(iter(first.auth.sessions.list(sort="created_at", order="asc"))).id == found[0].id
    assert {session.user_id for session in found} == {"user_mia"}
    second.auth.logout()
    assert [session.current for session in first.auth.sessions.list()] == [True]
    ended = first.auth.sessions.list(active=False).items
    assert len(ended) == 1 and ended[0].revoked_at is not None


def test_a_key_was_last_seen_when_it_was_used(stub: StubServer) -> None:
    key = stub.client(api_key="acme-sales")
    for _ in range(2):
        stub.clock.advance(3600)
        listed = next(one for one in key.auth.sessions.list() if one.current)
        for session in (listed, key.auth.sessions.current()):
            assert session.last_seen_at is not None
            assert abs(session.last_seen_at - stub.clock.now()) < timedelta(seconds=1)


def test_another_s_are_for_those_who_manage_users(stub: StubServer, bearer: Bearer) -> None:
    sam, mia = signed_in(bearer(), "sam@acme.test"), signed_in(bearer(), "mia@acme.test")
    theirs = mia.auth.sessions.current().id
    assert refused(lambda: sam.auth.sessions.list(user_id="user_mia")).code == "FORBIDDEN"
    assert refused(lambda: sam.auth.sessions.delete(theirs)).status == 404
    assert [session.id for session in stub.client().auth.sessions.list(user_id="user_mia")] == [theirs]
    assert refused(lambda: stub.client(api_key="globex-admin").auth.sessions.delete(theirs)).status == 404
    stub.client().auth.sessions.delete(theirs)
    assert refused(mia.auth.userinfo).status == 401
    assert sam.auth.userinfo().sub == "user_sam"
    told = stub.audit()[-1]
    assert (told["action"], told["entity"]["id"], told["metadata"]["session_id"]) == (
        "auth.session_ended", "user_mia", theirs,
    )  # fmt: skip


@pytest.mark.parametrize("way", ["delete", "logout", "reset", "revoke", "reuse"])
def test_an_ended_session_closes_its_live_connections(stub: StubServer, bearer: Bearer, way: str) -> None:
    client = bearer()
    login = client.auth.login("ada@acme.test", "demo-password")
    refresh = str(login.refresh_token)
    if way == "reuse":
        client.auth.refresh(refresh)
    with opened(stub, f"/ws?token={login.access_token}", {}) as wire:
        if way == "delete":
            stub.client().auth.sessions.delete(str(login.session_id))
        elif way == "logout":
            signed_in(bearer()).auth.logout(all_sessions=True)
        elif way == "reset":
            bearer().auth.password.reset("ada@acme.test")
            bearer().auth.password.confirm(str(stub.mails[-1].token), "Correct-Horse-7!")
        elif way == "revoke":
            bearer().auth.revoke(refresh)
        else:
            assert refused(lambda: bearer().auth.refresh(refresh)).code == "TOKEN_REUSED"
        with pytest.raises(SocketClosedError) as closed:
            wire.all()
        assert closed.value.code == 4401


def test_a_key_is_a_session_that_cannot_be_ended(stub: StubServer) -> None:
    client = stub.client()
    key = client.auth.sessions.current()
    assert (key.auth_method, key.expires_at, key.current, key.device) == ("api_key", None, True, "acme-admin")
    error = refused(lambda: client.auth.sessions.delete(key.id))
    assert (error.status, error.code) == (409, "API_KEY_SESSION")
    app = stub.client(api_key="acme-ledgerline").auth.sessions.current()
    assert app.auth_method == "api_key"


def test_what_a_token_is_good_for(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    login = bearer().auth.login("ada@acme.test", "demo-password")
    access, refresh = str(login.access_token), str(login.refresh_token)

    def verdict(token: str, client: CrmClient | None = None) -> tuple[bool, str | None]:
        found = (client or bearer()).auth.sessions.validate(token)
        return found.valid, found.reason

    found = bearer().auth.sessions.validate(access)
    assert (found.valid, found.user_id, found.tenant_id) == (True, "user_ada", "tenant_acme")
    assert found.session is not None and found.session.id == login.session_id
    assert verdict(refresh) == verdict("acme-sales") == (True, None)
    assert verdict("nonsense") == verdict("ey.J.x") == (False, "unknown")
    assert verdict(access, stub.client(api_key="globex-admin")) == (False, "unknown")
    assert verdict(access, ada) == (True, None)
    stub.clock.advance(3600)
    assert verdict(access) == (False, "expired")
    bearer().auth.refresh(refresh)
    assert verdict(refresh) == (False, "revoked")
    users = stub.store.collection("tenant_acme", "user")
    user = users.get("user_mia")
    assert user is not None
    mia = bearer().auth.login("mia@acme.test", "demo-password")
    users.put(user | {"status": "inactive"})
    assert verdict(str(mia.access_token)) == (False, "user_inactive")
    stub.client().auth.sessions.delete(str(mia.session_id))
    assert verdict(str(mia.access_token)) == (False, "revoked")


def times_out_after(stub: StubServer, minutes: int) -> None:
    stub.client().tenants.config.update("tenant_acme", {"security": {"session_timeout_minutes": minutes}})


@pytest.mark.parametrize("minutes", [1, 20])
def test_a_session_ends_where_it_is_not_used_for_the_company_s_timeout(
    stub: StubServer, bearer: Bearer, minutes: int
) -> None:
    times_out_after(stub, minutes)
    client = bearer()
    login = client.auth.login("ada@acme.test", "demo-password")
    mine = bearer(str(login.access_token))
    for _ in range(3):  # in use
        stub.clock.advance(minutes * 54)
        assert mine.auth.userinfo().sub == "user_ada"
    stub.clock.advance(minutes * 60 + 1)
    for token in (login.access_token, login.refresh_token):
        judged = bearer().auth.sessions.validate(str(token))
        assert (judged.valid, judged.reason) == (False, "expired")
    assert refused(mine.auth.userinfo).status == 401
    assert refused(lambda: bearer().auth.refresh(str(login.refresh_token))).status == 401
    other = signed_in(bearer(), "ada@acme.test")
    lasting, ended = ([one.id for one in other.auth.sessions.list(active=active)] for active in (True, False))
    assert login.session_id in ended and login.session_id not in lasting


def test_a_live_connection_ends_with_its_session(stub: StubServer, bearer: Bearer) -> None:
    times_out_after(stub, 10)
    login = bearer().auth.login("ada@acme.test", "demo-password")
    with opened(stub, f"/ws?token={login.access_token}", {}) as wire:
        stub.clock.advance(601)
        stub.client().leads.create({"name": "Somebody"})
        with pytest.raises(SocketClosedError) as closed:
            wire.all()
    assert closed.value.code == 4401


def test_a_week_is_the_usual_timeout_and_an_application_has_none(stub: StubServer, bearer: Bearer) -> None:
    login = bearer().auth.login("ada@acme.test", "demo-password")
    idle(stub).clock.advance(6 * 86_400)
    fresh = bearer().auth.refresh(str(login.refresh_token))
    stub.clock.advance(7 * 86_400)
    assert refused(lambda: bearer().auth.refresh(str(fresh.refresh_token))).status == 401
    times_out_after(stub, 1)
    app = bearer().auth.token(grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret")
    stub.clock.advance(1_800)
    assert bearer(str(app.access_token)).leads.list(limit=1).items


def test_a_key_that_has_expired_is_said_to_be_so(stub: StubServer) -> None:
    made = stub.client().security.api_keys.create(
        {"name": "Short", "expires_at": stub.clock.now() + timedelta(hours=1)}
    )
    assert stub.client().auth.sessions.validate(str(made.key)).valid
    stub.clock.advance(3_600)
    judged = stub.client().auth.sessions.validate(str(made.key))
    assert (judged.valid, judged.reason) == (False, "expired")
