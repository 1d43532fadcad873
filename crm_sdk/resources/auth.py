"""Sign-in: sessions, OAuth 2.0, registration, passwords, and the second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import Unpack

from ..declare import operation, paginated
from ..listing import Sorting
from ..paging import Page
from ..resource import Mode, Resource, part
from .auth_mfa import AuthMfa

if TYPE_CHECKING:
    from ..models.auth import Authorization, LoginResult, Registration, SignInEmail, TokenSet, UserInfo
    from ..models.sessions import Session, SessionSort, SessionValidation
    from ..models.users import User
    from ..models.values import LanguageTag, Name, TimeZone


class AuthPassword(Resource[Mode]):
    """Set a new password with a token that comes by mail."""

    @operation(platform="POST /auth/password/reset", status=200, auth=False, rate="auth")
    def reset(self, email: SignInEmail) -> None:
        """Mail a token for a new password to a user.

        The answer is the same whether there is such a user or not. The token works once, for an hour; a further one
        voids it.
        """

    @operation(
        platform="POST /auth/password/confirm",
        auth=False,
        rate="auth",
        errors=("INVALID_TOKEN", "TOKEN_EXPIRED", "WEAK_PASSWORD", "PASSWORD_REUSED"),
        texts={"token": "The token of the mail.", "new_password": "The password from now on."},
    )
    def confirm(self, token: str, new_password: str) -> None:
        """Set a new password with the token of a mail; every session of the user ends.

        Raises: BadRequestError for a token that is unknown, used, void or late; ValidationError for a password that is
        weaker than the company asks for, or one of the last five.
        """


class AuthEmail(Resource[Mode]):
    """Confirm an e-mail address with a token that comes by mail."""

    @operation(
        platform="POST /auth/email/verify",
        auth=False,
        rate="auth",
        errors=("INVALID_TOKEN", "TOKEN_EXPIRED"),
        texts={"token": "The token of the mail."},
    )
    def verify(self, token: str) -> User:
        """Confirm an e-mail address with the token of a mail, which works once, for 24 hours.

        Raises: BadRequestError for a token that is unknown, used or late.
        """


class AuthSessions(Resource[Mode]):
    """The sessions of a user: where one is signed in. An API key counts as a session without an end."""

    @paginated(
        platform="GET /auth/sessions",
        role="everybody",
        rate="auth",
        errors=("FORBIDDEN",),
        texts={
            "user_id": "Another user, whose sessions only those with `users:manage` see.",
            "active": "Whether to list the sessions that last, or those that have ended.",
        },
    )
    def list(
        self,
        *,
        user_id: str | None = None,
        active: bool | None = True,
        sort: SessionSort | None = None,
        **common: Unpack[Sorting],
    ) -> Page[Session]:
        """List the caller's sessions, the last used one first.

        Raises: PermissionDeniedError for another user's without `users:manage`.
        """

    @operation(
        platform="DELETE /auth/sessions/{session_id}", role="everybody", rate="auth", errors=("API_KEY_SESSION",)
    )
    def delete(self, session_id: str) -> None:
        """End a session: its tokens stop working at once, and its live connections are closed.

        Raises: NotFoundError, also for another user's without `users:manage`; ConflictError for that of an API key.
        """

    @operation(
        platform="POST /auth/sessions/validate",
        safe=True,
        auth="optional",
        role="everybody",
        rate="auth",
        texts={"token": "An access token, a refresh token or an API key."},
    )
    def validate(self, token: str) -> SessionValidation:
        """Check whether a token works; a token of another company than the caller's is unknown."""

    @operation(platform="GET /auth/sessions/current", role="everybody", rate="auth")
    def current(self) -> Session:
        """Fetch the session in which this call is made."""


class Auth(Resource[Mode]):
    """Sign in and out, see who is signed in, register; OAuth 2.0 for applications."""

    password: AuthPassword[Mode] = part(AuthPassword)
    email: AuthEmail[Mode] = part(AuthEmail)
    sessions: AuthSessions[Mode] = part(AuthSessions)
    mfa: AuthMfa[Mode] = part(AuthMfa)

    @operation(
        platform="GET /auth/authorize client_id:client_id redirect_uri:redirect_uri response_type:response_type! scope "
        "state code_challenge:code_challenge code_challenge_method:code_challenge_method nonce",
        status=302,
        role="everybody",
        rate="auth",
        oauth=True,
        errors=("UNKNOWN_CLIENT", "INVALID_REDIRECT_URI", "INVALID_SCOPE"),
        texts={
            "client_id": "The application.",
            "redirect_uri": "Where the browser is sent; one of the addresses the application has registered.",
            "response_type": "What is asked for; only `code`.",
            "scope": "What the application may do: words with spaces between them; all that it may without it.",
            "state": "A text that comes back unchanged.",
            "code_challenge": "The SHA-256 of the verifier, in Base64 for URLs (RFC 7636).",
            "code_challenge_method": "How the challenge was made; only `S256`.",
            "nonce": "A text for the id token (OpenID Connect).",
        },
    )
    def authorize(
        self,
        *,
        client_id: str,
        redirect_uri: str,
        response_type: str = "code",
        scope: str | None = None,
        state: str | None = None,
        code_challenge: str | None = None,
        code_challenge_method: str = "S256",
        nonce: str | None = None,
    ) -> Authorization:
        """Let an application act for the user who is signed in (RFC 6749, section 4.1; RFC 7636).

        The answer redirects the browser to the application; this call returns what it says instead of following it. The
        caller needs a session, not an API key.

        Raises: BadRequestError for an unknown application or address, without redirecting; ApiError (302) for what the
        application is told by a redirect.
        """

    @operation(
        platform="POST /auth/token grant_type:grant_type code redirect_uri:redirect_uri code_verifier:code_verifier "
        "client_id:client_id client_secret:client_secret refresh_token:refresh_token scope",
        auth=False,
        rate="auth",
        oauth=True,
        errors=("INVALID_GRANT", "INVALID_CLIENT", "UNSUPPORTED_GRANT_TYPE", "INVALID_SCOPE", "USER_INACTIVE"),
        texts={
            "grant_type": "`authorization_code`, `refresh_token` or `client_credentials`.",
            "code": "The code of an authorization.",
            "redirect_uri": "The address that the code was asked for with.",
            "code_verifier": "The text of which the code's challenge is the SHA-256.",
            "client_id": "The application.",
            "client_secret": "The secret of the application, where it has one.",
            "scope": "What the tokens are to be good for; it can only narrow.",
        },
    )
    def token(
        self,
        *,
        grant_type: str,
        code: str | None = None,
        redirect_uri: str | None = None,
        code_verifier: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        refresh_token: str | None = None,
        scope: str | None = None,
    ) -> TokenSet:
        """Issue tokens to an application (RFC 6749, section 3.2): for a code, for a refresh token, or for itself.

        The client does not use them itself: `CrmClient(auth=…)` does.

        Raises: BadRequestError for a grant that is not valid; AuthenticationError for a wrong application or secret.
        """

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
            "FORBIDDEN",
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
        `tenant` is needed; PermissionDeniedError for a user who is inactive or not verified, or whose password is
        older than the company allows; RateLimitError after five failures in 15 minutes.
        """

    @operation(
        flow="POST /api/auth/refresh refresh_token",
        platform="POST /auth/token/refresh",
        session="renew",
        auth=False,
        rate="auth",
        oauth=True,
        errors=("UNAUTHORIZED", "TOKEN_REUSED", "USER_INACTIVE", "INVALID_SCOPE"),
    )
    def refresh(self, refresh_token: str, *, scope: str | None = None) -> TokenSet:
        """Exchange a refresh token for new tokens.

        A refresh token can be used once; the answer holds the next one. `scope` can only narrow the scope of the token.
        The client calls this itself when its access token has expired.

        Raises: AuthenticationError when the token has expired, or was used before, which ends its session.
        """

    @operation(
        platform="POST /auth/token/revoke token token_type_hint:token_type_hint",
        auth=False,
        rate="auth",
        oauth=True,
        errors=("INVALID_CLIENT",),
        texts={
            "token": "The access token or refresh token.",
            "token_type_hint": "Which of the two it is: `access_token` or `refresh_token`; a wrong hint does no harm.",
        },
    )
    def revoke(self, token: str, *, token_type_hint: str | None = None) -> None:
        """Make a token stop working (RFC 7009); an unknown one is no error.

        A refresh token takes its access tokens along.
        """

    @operation(platform="GET /auth/userinfo", role="everybody", rate="auth", oauth=True, errors=("NO_USER",))
    def userinfo(self) -> UserInfo:
        """Fetch the claims about the user who is signed in (OpenID Connect), as far as the token's scope goes.

        Raises: PermissionDeniedError for an application that acts for itself.
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

    @operation(
        platform="POST /auth/register",
        status=201,
        auth=False,
        rate="auth",
        errors=(
            "INVALID_TOKEN",
            "TOKEN_EXPIRED",
            "USER_EXISTS",
            "WEAK_PASSWORD",
            "DOMAIN_NOT_ALLOWED",
            "LIMIT_EXCEEDED",
        ),
        texts={
            "email": "The address to sign in with.",
            "name": "The name of the user.",
            "company": "The name of a company to found; the user becomes its admin.",
            "invitation_token": "The token of a mail that invites to a company.",
        },
    )
    def register(
        self,
        *,
        email: SignInEmail,
        password: str,
        name: Name,
        company: Name | None = None,
        invitation_token: str | None = None,
        locale: LanguageTag | None = None,
        timezone: TimeZone | None = None,
    ) -> Registration:
        """Register a user: with `company` its first admin, with `invitation_token` one who was invited.

        The client does not use the new session; `session.access_token` of the result is good for `api_key=`.

        Raises: ValidationError unless exactly one of the two is given, or for a weak password; ConflictError for an
        address that the company knows; BadRequestError for an invitation that is unknown, used or late.
        """

    @operation(flow="GET /api/auth/me", role="everybody", rate="auth", errors=("NO_USER",))
    def me(self) -> User:
        """Fetch the user who is signed in."""
