"""Passwords and keys, kept out of what a traceback shows and of what a server says.

Tools that report errors (Sentry, rich, `traceback` with ``capture_locals``) show the local variables of each frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

REDACTED = b"[redacted]"
_SHORTEST = 6
"""What is shorter is not a secret, and may be anywhere."""


class Hidden(Generic[T]):
    """A value that shows itself to nobody who looks at the variables of a frame."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value: T = value

    def __repr__(self) -> str:
        return "<hidden>"


Given = Hidden[dict[str, Any]]
"""The arguments of a call by name, of which one may be a password."""


def without_frames(error: E) -> E:
    """Return an error without its traceback and those of its causes, whose frames hold what was being sent."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = None
        seen = seen.__cause__ or seen.__context__
    return error


def redacted_content(content: bytes, secrets: Iterable[str | None]) -> bytes:
    """Return an answer without secrets that the server repeats."""
    for secret in secrets:
        if secret is not None and len(secret) >= _SHORTEST:
            content = content.replace(secret.encode(), REDACTED)
    return content


_SECRET = frozenset({
    "client_secret", "code_verifier", "invitation_token", "mfa_token", "new_password", "password", "refresh_token",
    "token",
})  # fmt: skip
"""The arguments that nobody else may see, of whatever call."""


def secrets_of(given: Mapping[str, Any], *, whole: bool) -> list[str]:
    """Return the arguments of a call that nobody else may see; with `whole`, of a sign-in, all but who it is."""
    return [str(value) for name, value in given.items() if (whole and name != "email") or name in _SECRET]
