"""The second factor of a sign-in (seed 002, Authentication Service): setup, verification, backup codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..declare import operation
from ..resource import Mode, Resource, part

if TYPE_CHECKING:
    from ..models.mfa import BackupCodes, MfaMethod, MfaSetup, MfaVerification

_CODE = {"code": "The six digits that the authenticator app shows."}
_PASSWORD = {"password": "The user's password, to be asked for once more."}


class AuthMfaBackupCodes(Resource[Mode]):
    """Ten codes that stand in for the second factor, once each."""

    @operation(
        platform="GET /auth/mfa/backup-codes", role="everybody", rate="auth", errors=("NO_USER", "MFA_NOT_ENABLED")
    )
    def get(self) -> BackupCodes:
        """Fetch the backup codes, masked, and which of them were used.

        Raises: ConflictError without a second factor.
        """

    @operation(
        platform="POST /auth/mfa/backup-codes/regenerate",
        role="everybody",
        rate="auth",
        errors=("NO_USER", "MFA_NOT_ENABLED", "INVALID_MFA_CODE", "TOO_MANY_ATTEMPTS"),
        texts=_CODE,
    )
    def regenerate(self, *, code: str) -> BackupCodes:
        """Make ten new backup codes; only this answer shows them whole, and the former ones stop working.

        Raises: AuthenticationError for a wrong code; ConflictError without a second factor.
        """


class AuthMfa(Resource[Mode]):
    """The second factor: codes by time (RFC 6238)."""

    backup_codes: AuthMfaBackupCodes[Mode] = part(AuthMfaBackupCodes)

    @operation(
        platform="POST /auth/mfa/setup",
        role="everybody",
        rate="auth",
        errors=("NO_USER", "MFA_ALREADY_ENABLED", "INVALID_CREDENTIALS"),
        texts=_PASSWORD,
    )
    def setup(self, *, method: MfaMethod = "totp", password: str | None = None) -> MfaSetup:
        """Begin to set up the second factor; it is on once a code is confirmed by `verify`, within ten minutes.

        A further call voids the secret of the one before.

        Raises: ConflictError if there is a second factor; AuthenticationError for a wrong password.
        """

    @operation(
        platform="POST /auth/mfa/verify",
        session="start",
        auth="optional",
        role="everybody",
        rate="auth",
        errors=(
            "NO_USER",
            "INVALID_MFA_CODE",
            "TOO_MANY_ATTEMPTS",
            "MFA_NOT_PENDING",
            "INVALID_TOKEN",
            "TOKEN_EXPIRED",
            "EMAIL_NOT_VERIFIED",
        ),
        texts={**_CODE, "mfa_token": "The token of the sign-in that waits for the second factor."},
    )
    def verify(self, code: str, *, mfa_token: str | None = None) -> MfaVerification:
        """Confirm a code: it turns the second factor on, or with `mfa_token` it completes a sign-in.

        A code works once, in its half minute and in those before and after. Only with `mfa_token` a backup code serves
        as well; further calls then use the new session.

        Raises: AuthenticationError for a wrong code; RateLimitError after five; ConflictError where nothing was set up;
        BadRequestError for an `mfa_token` that is unknown, used or late.
        """

    @operation(
        platform="POST /auth/mfa/disable",
        role="everybody",
        rate="auth",
        errors=(
            "NO_USER",
            "MFA_NOT_ENABLED",
            "MFA_REQUIRED",
            "INVALID_MFA_CODE",
            "INVALID_CREDENTIALS",
            "TOO_MANY_ATTEMPTS",
        ),
        texts={**_CODE, **_PASSWORD},
    )
    def disable(self, *, code: str, password: str | None = None) -> None:
        """Turn the second factor off; the backup codes stop working, and all other sessions end.

        Raises: ConflictError where it is off; PermissionDeniedError where the company asks for it; AuthenticationError
        for a wrong code or password.
        """
