"""Sign-in: start, renew and end a session, and fetch the user who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource

if TYPE_CHECKING:
    from ..models.auth import LoginResult, TokenSet
    from ..models.users import User


class Auth(Resource[Mode]):
    """Sign in and out, and see who is signed in."""

    @operation(
        mvp="POST /api/auth/login email password",
        flow="POST /api/auth/login email password",
        platform="POST /auth/login",
        session="start",
        auth=False,
        rate="auth",
        errors=(
            "INVALID_CREDENTIALS",
            "INVALID_MFA_CODE",
            "TENANT_REQUIRED",
            "TOO_MANY_ATTEMPTS",
            "USER_INACTIVE",
            "EMAIL_NOT_VERIFIED",
        ),
        texts={
            "tenant": "The company to sign in to; needed where the same address exists in several.",
            "mfa_code": "The code of the second factor.",
        },
    )
    def login(
        self, email: str, password: str, *, tenant: str | None = None, mfa_code: str | None = None
    ) -> LoginResult:
        """Sign in with an e-mail address and a password; further calls use the new session.

        `tenant` is needed where the same address exists in several companies. If the result has `mfa_required`, call
        again with the `mfa_code` of the second factor.

        Raises: AuthenticationError for a wrong address or password (it does not tell which); ConflictError when
        `tenant` is needed; PermissionDeniedError for a user who is inactive or not verified; RateLimitError after
        five failures in 15 minutes.
        """

    @operation(
        flow="POST /api/auth/refresh refresh_token",
        platform="POST /auth/token/refresh",
        session="renew",
        auth=False,
        rate="auth",
        errors=("UNAUTHORIZED", "TOKEN_REUSED", "USER_INACTIVE", "INVALID_SCOPE"),
    )
    def refresh(self, refresh_token: str, *, scope: str | None = None) -> TokenSet:
        """Exchange a refresh token for new tokens.

        A refresh token can be used once; the answer holds the next one. `scope` can only narrow the scope of the token.
        The client calls this itself when its access token has expired.

        Raises: AuthenticationError when the token has expired, or was used before, which ends its session.
        """

    @operation(
        flow="POST /api/auth/logout -",
        platform="POST /auth/logout",
        session="end",
        role="everybody",
        rate="auth",
        texts={
            "all_sessions": "End every session of the user, rather than this one alone.",
        },
    )
    def logout(self, *, all_sessions: bool = False) -> None:
        """Sign out: the session's tokens stop working at once.

        `all_sessions` ends every session of the user. With an API key this has no effect.
        """

    @operation(flow="GET /api/auth/me", role="everybody", rate="auth", errors=("NO_USER",))
    def me(self) -> User:
        """Fetch the user who is signed in."""
