"""The second factor: one-time codes by time (RFC 6238), and backup codes."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .auth import LoginResult, ShownCredential
from .record import Model
from .values import EMPTY

MfaMethod: TypeAlias = Literal["totp"] | str


class MfaSetup(Model):
    """A second factor that is being set up: what an authenticator app needs to know."""

    method: MfaMethod
    """How codes are made; `totp` is by time."""
    secret: ShownCredential
    """The shared secret in Base32, 160 bits."""
    otpauth_uri: ShownCredential
    """The secret with its parameters, as authenticator apps read it."""
    qr_code: ShownCredential
    """`otpauth_uri` as a QR code: a data URI with an SVG image."""
    expires_at: AwareDatetime
    """When the set-up lapses unless it was confirmed by `auth.mfa.verify`."""


class MfaVerification(Model):
    """What a code of the second factor has brought about."""

    enabled: bool
    """Whether sign-in requires a second factor."""
    method: MfaMethod
    """How codes are made."""
    verified_at: AwareDatetime
    """When the code was accepted."""
    backup_codes: list[ShownCredential] | None = None
    """Ten codes that work once each; only in the answer that turned the second factor on."""
    login: LoginResult | None = None
    """The session, where the code completed a sign-in."""


class BackupCode(Model):
    """A code that stands in for the second factor, once."""

    code: ShownCredential
    """The code: whole right after it was made, else only its end."""
    used: bool
    """Whether the code was used."""
    used_at: AwareDatetime | None = None
    """When the code was used."""


class BackupCodes(Model):
    """The backup codes of a user."""

    total: int
    remaining: int
    """How many of the codes were not used yet."""
    generated_at: AwareDatetime
    """When the codes were made."""
    codes: list[BackupCode] = Field(default_factory=EMPTY)
    """The codes, in the order in which they were made."""
