"""Identify callers: passwords, tokens and API keys.

This is a stub: passwords are hashed with very few rounds, for a fast start, and the default secret of the tokens is
public. Neither is secure: do not copy this into a real server.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...clock import Clock
from ...data.document import Document
from ...data.store import Store
from ...problems import Problem

ACCESS_SECONDS = 3_600
_ROUNDS = 10
_SECRET = "the tokens of a server stub are signed with a public secret"
_CACHED = 4_096


def hash_password(password: str, salt: str) -> str:
    """Return the hash of a password; the salt is the user's id, so that demo data are reproducible."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS)
    return f"pbkdf2-sha256${_ROUNDS}${salt}${digest.hex()}"


def password_fits(password: str, hashed: str | None) -> bool:
    """Return whether a password matches a hash; False for a user without a password."""
    if not hashed:
        return False
    _, rounds, salt, digest = hashed.split("$")
    tried = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), int(rounds))
    return hmac.compare_digest(tried.hex(), digest)


def fingerprint(credential: str) -> str:
    """Return the hash of an API key or a refresh token, by which it is recognised; the credential is not stored."""
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def find_api_key(store: Store, key: str, kind: str = "api_key") -> Document | None:
    """Return the record of a key of a kind that is not revoked, of any company; None where there is none."""
    digest = fingerprint(key)
    for keys in store.across(kind):
        for found in (*keys.find("fingerprint", digest), *keys.find("previous_fingerprint", digest)):
            if found.get("revoked_at") is None:
                return found
    return None


def find_users(store: Store, email: str, tenant: str | None = None) -> list[Document]:
    """Return the users with an e-mail address, at most one per company; `tenant` (id or slug) selects a company.

    Those of companies that were ended are not among them.
    """
    return [
        user
        for users in store.across("user")
        if (company := store.collection(users.tenant_id, "tenant").get(users.tenant_id)) is not None
        and company["status"] != "cancelled"
        and tenant in (None, users.tenant_id, company["slug"])
        for user in users.find("email", email.strip())
    ]


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token."""

    user_id: str
    tenant_id: str
    role: str
    session_id: str
    token_id: str
    scope: str | None
    issued_at: int
    expires_at: int


class Tokens:
    """Issues and verifies access tokens: JWTs (HS256) with times of the stub's clock."""

    def __init__(self, clock: Clock, secret: str = _SECRET) -> None:
        if len(secret.encode()) < 32:
            raise ValueError("a secret for HS256 needs at least 32 bytes (RFC 7518, section 3.2)")
        self._clock = clock
        self._secret = secret
        self._verified: dict[str, Claims] = {}

    def issue(
        self, user: Mapping[str, Any], session_id: str, *, seconds: int = ACCESS_SECONDS, scope: str | None = None
    ) -> str:
        """Issue a token for the session of a user, or of an application that acts for itself."""
        import jwt  # imported here: with cryptography installed it takes 70 ms, and API keys do not need it

        now = int(self._clock.now().timestamp())
        return jwt.encode(
            {
                "sub": user["id"],
                "tenant": user["tenant_id"],
                "role": user["role"],
                "sid": session_id,
                **({"scope": scope} if scope is not None else {}),
                "iat": now,
                "exp": now + seconds,
                "jti": secrets.token_urlsafe(12),  # two tokens of one second differ (RFC 7519, section 4.1.7)
            },
            self._secret,
            algorithm="HS256",
        )

    def sign(self, claims: Mapping[str, Any], secret: str | None = None) -> str:
        """Return claims as a signed token, by the secret of an application, else by the server's own."""
        import jwt

        return jwt.encode(dict(claims), secret or self._secret, algorithm="HS256")

    def read(self, token: str) -> Claims:
        """Return the claims of a token, whether it has expired or not. Raises: 401 where it is not of this server."""
        return self._decode(token)

    def signature(self, text: str) -> str:
        """Return the signature of a text, for links."""
        return hmac.new(self._secret.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]

    def verify(self, token: str) -> Claims:
        """Return the claims of a token. Raises: 401 with the reason why it is not valid."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._decode(token)
            if len(self._verified) >= _CACHED:
                self._verified.clear()
            self._verified[token] = claims
        if self._clock.now().timestamp() >= claims.expires_at:
            at = datetime.fromtimestamp(claims.expires_at, UTC).isoformat().replace("+00:00", "Z")
            raise unauthorized_problem(f"the token expired at {at}; refresh it or sign in again", error="invalid_token")
        return claims

    def _decode(self, token: str) -> Claims:
        import jwt

        try:
            # `verify` compares the times with the stub's clock; PyJWT would use the system's.
            payload: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                options={
                    "require": ["sub", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": False,
                },
            )
        except jwt.InvalidSignatureError:
            raise unauthorized_problem("the token was signed by another server", error="invalid_token") from None
        except (jwt.InvalidTokenError, UnicodeError) as error:
            raise unauthorized_problem(f"the token is not valid: {error}", error="invalid_token") from None
        texts = [payload.get(name) for name in ("sub", "tenant", "role", "sid")]
        times = [payload.get(name) for name in ("iat", "exp")]
        if not all(isinstance(text, str) for text in texts) or not all(isinstance(time, int) for time in times):
            raise unauthorized_problem(
                "the token is not valid: it lacks claims of this server's tokens", error="invalid_token"
            )
        return Claims(
            payload["sub"], payload["tenant"], payload["role"], payload["sid"], str(payload.get("jti") or ""),
            payload.get("scope"), payload["iat"], payload["exp"],
        )  # fmt: skip


def is_token(credential: str) -> bool:
    """Return whether a bearer credential has the form of a token; otherwise it is an API key."""
    return credential.count(".") == 2 and credential.startswith("ey")


def unauthorized_problem(message: str, *, error: str | None = None) -> Problem:
    """Return a 401 with its challenge (RFC 6750, section 3)."""
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return Problem("UNAUTHORIZED", message, headers={"WWW-Authenticate": challenge})
