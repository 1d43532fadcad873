"""The rules of OAuth 2.0 (RFC 6749, 7009, 7636) and of OpenID Connect's claims."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crm_sdk.resources.auth import Auth

from ...answers import Answer
from ...caller import Caller
from ...data.collection import Collection
from ...data.document import Document
from ...problems import Problem, invalid
from ...request.access.callers import REVOKED_TOKEN, SESSION
from ...request.access.identity import ACCESS_SECONDS, fingerprint, is_token, unauthorized_problem
from ...request.access.oauth import Redirected
from ...serving import Context, Members, serves
from .clients import OAuthClient, authenticated_client, find_client
from .sign_in import own_user
from .tokens import access_token, begin_session, caller_as, end_session, find_refresh_token, rotate, token_set

_CODE = "authorization_code"
"""The kind of the records of codes."""
_LASTS = timedelta(seconds=60)
_CHALLENGE, _VERIFIER = re.compile(r"[A-Za-z0-9_-]{43}"), re.compile(r"[A-Za-z0-9._~-]{43,128}")


# -- the code ----------------------------------------------------------------------------------------------------------


@serves(Auth.authorize)
def authorize(
    call: Context,
    client_id: str,
    redirect_uri: str,
    response_type: str,
    scope: str | None,
    state: str | None,
    code_challenge: str | None,
    code_challenge_method: str,
    nonce: str | None,
) -> Answer:
    """Give an application a code, by a redirect."""
    if call.caller.auth != "token":
        raise unauthorized_problem("a user has to sign in: send the token of a session", error="invalid_token")
    user = own_user(call)
    client = find_client(call, client_id)
    if client is None:
        raise Problem("UNKNOWN_CLIENT", f"no application has the client_id {client_id!r}", field="client_id")
    if not client.has_redirect(redirect_uri):
        message = f"{client.name} has not registered this address"
        raise Problem("INVALID_REDIRECT_URI", message, field="redirect_uri")

    def refused(error: str, message: str, code: str = "BAD_REQUEST") -> Redirected:
        said = {"error": error, "error_description": message}
        return Redirected(code, message, error=error, location=_with_query(redirect_uri, said, state))

    if response_type != "code":
        raise refused("unsupported_response_type", "only the response type code is known")
    if code_challenge is None or not _CHALLENGE.fullmatch(code_challenge):
        raise refused("invalid_request", "a code_challenge is needed (RFC 7636): the SHA-256 of a verifier in Base64")
    if code_challenge_method != "S256":
        raise refused("invalid_request", "the only code_challenge_method is S256")
    try:
        granted = client.grants(scope)
    except Problem as problem:
        raise refused("invalid_scope", problem.message, "INVALID_SCOPE") from None
    if call.caller.granted is not None and not _is_within(granted, call.caller.granted):
        raise refused("invalid_scope", "the session's own token is limited to less", "INVALID_SCOPE")
    code, until = f"code_{secrets.token_urlsafe(24)}", call.now + _LASTS
    call.collection(_CODE).put(
        Document(
            id=call.new_id("code_"), fingerprint=fingerprint(code), client_id=client_id, redirect_uri=redirect_uri,
            user_id=user["id"], scope=granted, code_challenge=code_challenge, nonce=nonce, expires_at=until,
            session_id=None, authorized_by=call.caller.session_id,
        )
    )  # fmt: skip
    place = _with_query(redirect_uri, {"code": code}, state)
    value = {
        "code": code, "state": state, "redirect_uri": redirect_uri, "redirect_to": place, "expires_at": until,
    }  # fmt: skip
    return Answer(value, headers={"Location": place})


def _is_within(scope: str, granted: frozenset[str]) -> bool:
    words = {word for word in scope.split() if word == "api" or ":" in word}
    return words <= granted


def _with_query(uri: str, members: Mapping[str, str], state: str | None) -> str:
    """Return an address with members added to its query."""
    parts = urlsplit(uri)
    more = {**members, **({"state": state} if state is not None else {})}
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *more.items()]
    return urlunsplit(parts._replace(query=urlencode(pairs)))


# -- tokens ------------------------------------------------------------------------------------------------------------


@serves(Auth.token)
def token(
    call: Context,
    grant_type: str,
    code: str | None,
    redirect_uri: str | None,
    code_verifier: str | None,
    client_id: str | None,
    client_secret: str | None,
    refresh_token: str | None,
    scope: str | None,
) -> dict[str, Any]:
    """Issue tokens for a code, for a refresh token, or to an application for itself."""
    if grant_type not in ("authorization_code", "refresh_token", "client_credentials"):
        raise Problem("UNSUPPORTED_GRANT_TYPE", f"the grant type {grant_type!r} is not known", field="grant_type")
    client = authenticated_client(call, client_id, client_secret)
    if grant_type not in client.grant_types:
        raise Problem("UNSUPPORTED_GRANT_TYPE", f"{client.name} may not use this grant type", field="grant_type")
    if grant_type == "client_credentials":
        return _for_itself(call, client, scope)
    if grant_type == "refresh_token":
        return _for_refresh_token(call, client, _needed_value(refresh_token, "refresh_token"), scope)
    return _for_code(call, client, _needed_value(code, "code"), redirect_uri, code_verifier)


def _needed_value(value: str | None, name: str) -> str:
    if value is None:
        raise invalid(name, "required", "is needed for this grant type")
    return value


def _for_code(
    call: Context, client: OAuthClient, code: str, redirect_uri: str | None, code_verifier: str | None
) -> dict[str, Any]:
    codes, held = _find_code(call, code)
    user = call.server.store.collection(codes.tenant_id, "user").get(held["user_id"])
    if user is None or held["client_id"] != client.client_id:
        raise _invalid_grant("the code is not known to this application")
    mine = caller_as(call, user)
    if held["session_id"] is not None:
        session = mine.collection(SESSION).get(held["session_id"])
        with call.server.store.keep_despite_rollback():
            if session is not None and session["revoked_at"] is None:
                end_session(mine, session)
                _tell_revoked(mine, user, session, "code_reused")
        raise _invalid_grant("the code was used already: its tokens are revoked")
    if held["expires_at"] <= call.now:
        raise _invalid_grant("the code is too old")
    if held["redirect_uri"] != redirect_uri:
        raise _invalid_grant("the redirect_uri is not the one of the authorization")
    verifier = code_verifier or ""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(challenge, held["code_challenge"]):
        raise _invalid_grant("the code_verifier does not fit the code_challenge")
    if user["status"] == "inactive":
        raise Problem("USER_INACTIVE", "this user has been deactivated")
    by = mine.collection(SESSION).get(held["authorized_by"] or "")
    factor = bool(by and by["mfa_verified"])
    session = begin_session(mine, user["id"], "oauth", client_id=client.client_id, mfa_verified=factor)
    codes.put(held | {"session_id": session["id"]})
    mine = caller_as(call, user, session["id"])
    _tell_issued(mine, "user", user, session, "authorization_code")
    found = token_set(mine, user, session["id"], held["scope"])
    return found | _id_token(call, client, user, held)


def _find_code(call: Context, code: str) -> tuple[Collection, Document]:
    digest = fingerprint(code)
    for codes in call.server.store.across(_CODE):
        if found := codes.find("fingerprint", digest):
            return codes, found[0]
    raise _invalid_grant("the code is not known")


def _id_token(call: Context, client: OAuthClient, user: Document, held: Members) -> dict[str, Any]:
    if "openid" not in held["scope"].split():
        return {}
    now = int(call.now.timestamp())
    host = call.headers.get("host", "stub.test")
    claims = {
        "iss": f"http://{host}",
        "aud": client.client_id,
        "iat": now,
        "exp": now + ACCESS_SECONDS,
        **({"nonce": held["nonce"]} if held["nonce"] is not None else {}),
        **{name: value for name, value in _claims(user, held["scope"]).items() if value is not None},
    }
    return {"id_token": call.server.tokens.sign(claims, client.client_secret)}


def _for_refresh_token(call: Context, client: OAuthClient, refresh_token: str, scope: str | None) -> dict[str, Any]:
    held = find_refresh_token(call, refresh_token)
    session = (
        call.server.store.collection(held.tenant_id, SESSION).get(held.doc["session_id"]) if held is not None else None
    )
    if held is None or session is None or session["client_id"] != client.client_id:
        raise _invalid_grant("the refresh token is not known to this application")
    try:
        return rotate(call, held, scope)
    except Problem as problem:
        if problem.status != 401:
            raise
        raise _invalid_grant(problem.message) from None


def _for_itself(call: Context, client: OAuthClient, scope: str | None) -> dict[str, Any]:
    """Issue an access token with which an application acts for itself, in the company that X-Tenant-ID names."""
    granted, named = client.grants(scope), call.headers.get("x-tenant-id")
    companies = [doc for companies in call.server.store.across("tenant") for doc in companies.all()]
    tenant = next((doc for doc in companies if named in (None, doc["id"], doc["slug"])), None)
    if tenant is None:
        raise Problem("INVALID_CLIENT", f"the client is not one of the company {named!r}")
    actor = {"id": client.actor_id, "tenant_id": tenant["id"], "role": "app", "name": client.name}
    mine = call.acting_as(Caller(tenant["id"], client.actor_id, None, "app", client.name, auth="app"))
    until = call.now + timedelta(seconds=ACCESS_SECONDS)
    session = begin_session(
        mine, client.actor_id, "oauth", client_id=client.client_id, acting_for=client.name, expires_at=until
    )
    _tell_issued(mine, "app", actor, session, "client_credentials")
    return access_token(mine, actor, session["id"], granted) | {"refresh_token": None}


def _tell_issued(call: Context, kind: str, entity: Members, session: Members, grant_type: str) -> None:
    said = {"session_id": session["id"], "client_id": session["client_id"], "grant_type": grant_type}
    call.emit("auth.token_issued", kind, entity, metadata=said)


def _tell_revoked(call: Context, entity: Members, session: Members, why: str) -> None:
    said = {"session_id": session["id"], "client_id": session["client_id"]}
    kind = "app" if session.get("acting_for") is not None else "user"
    call.emit("auth.token_revoked", kind, entity, metadata={**said, "cause": why})


def _invalid_grant(message: str) -> Problem:
    return Problem("INVALID_GRANT", message)


@serves(Auth.revoke)
def revoke(call: Context, token: str, token_type_hint: str | None) -> None:
    """Make a token stop working; a refresh token takes its session along."""
    if call.headers.get("authorization", "").lower().startswith("basic "):
        authenticated_client(call, None, None)
    if is_token(token):
        _revoke_access(call, token)
        return
    held = find_refresh_token(call, token)
    found = _owner(call, held.tenant_id, held.doc["session_id"]) if held is not None else None
    if found is not None:
        mine, owner, session = found
        end_session(mine, session)
        _tell_revoked(mine, owner, session, "refresh_token")


def _revoke_access(call: Context, token: str) -> None:
    try:
        claims = call.server.tokens.verify(token)
    except Problem:
        return
    revoked = call.server.store.collection(claims.tenant_id, REVOKED_TOKEN)
    found = _owner(call, claims.tenant_id, claims.session_id)
    if found is None or claims.token_id in revoked:
        return
    for old in revoked.all():
        if old["expires_at"] <= call.now:
            revoked.remove(old["id"])
    until = call.now + timedelta(seconds=ACCESS_SECONDS)
    revoked.put(Document(id=claims.token_id, session_id=claims.session_id, expires_at=until))
    mine, owner, session = found
    _tell_revoked(mine, owner, session, "access_token")


def _owner(call: Context, tenant_id: str, session_id: str) -> tuple[Context, Members, Document] | None:
    """Return whose a session is, with the call as theirs; None for one that has ended."""
    session = call.server.store.collection(tenant_id, SESSION).get(session_id)
    if session is None or session["revoked_at"] is not None:
        return None
    user = call.server.store.collection(tenant_id, "user").get(session["user_id"])
    if user is not None:
        return caller_as(call, user, session_id), user, session
    actor: dict[str, str] = {"id": session["user_id"], "name": session.get("acting_for") or ""}
    caller = Caller(tenant_id, actor["id"], None, "app", actor["name"], auth="app", session_id=session_id)
    return call.acting_as(caller), actor, session


# -- claims ------------------------------------------------------------------------------------------------------------


@serves(Auth.userinfo)
def userinfo(call: Context) -> dict[str, Any]:
    """Return the claims about the user, as far as the token's scope goes."""
    user = own_user(call)
    _, _, bearer = call.headers.get("authorization", "").partition(" ")
    scope = call.server.tokens.read(bearer.strip()).scope if call.caller.auth == "token" else None
    return _claims(user, scope)


def _claims(user: Document, scope: str | None) -> dict[str, Any]:
    words = None if scope is None else set(scope.split())
    given, _, family = user["name"].strip().rpartition(" ")
    claims: dict[str, Any] = {
        "sub": user["id"],
        "tenant_id": user["tenant_id"],
        "role": user["role"],
        "roles": [role["key"] for role in user.get("roles") or ()] or [user["role"]],
        "scope": scope,
    }
    if words is None or "profile" in words:
        claims |= {
            "name": user["name"],
            "given_name": user.get("first_name") or given or family,
            "family_name": user.get("last_name") or (family if given else None),
            "preferred_username": user["email"],
            "picture": user.get("avatar"),
            "locale": user.get("locale"),
            "zoneinfo": user.get("timezone"),
            "updated_at": int(user["updated_at"].timestamp()),
        }
    if words is None or "email" in words:
        claims |= {"email": user["email"], "email_verified": bool(user.get("email_verified"))}
    return claims
