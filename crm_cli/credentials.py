"""The secret of a sign-in: an API key or a session's tokens, in the system's keyring and nowhere else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crm_sdk.errors import ConfigurationError
from crm_sdk.sign_in.stored import FileLock, StoredTokens

from .folders import config_folder

_SERVICE = "crm"
KEYRINGS = {
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
}
"""The modules of the keyrings that may have a secret: those of the operating systems and desktops."""
_CHAINER = "keyring.backends.chainer.ChainerBackend"
_NO_KEYRING = "this system has no keyring that works; set CRM_API_KEY instead (no secret is ever written to a file)"


@dataclass(frozen=True, slots=True)
class Secret:
    """The credential of a sign-in."""

    access_token: str = field(repr=False)
    """An API key, or a session's access token."""
    refresh_token: str | None = field(default=None, repr=False)
    is_session: bool = False


def load(base_url: str) -> Secret | None:
    """Return the secret for a server; None where there is none, or no keyring."""
    import keyring
    from keyring.errors import KeyringError

    try:
        text = keyring.get_password(_SERVICE, base_url.rstrip("/"))
        return Secret(**json.loads(text)) if text else None
    except (KeyringError, RuntimeError, ValueError, TypeError):
        return None


def save(base_url: str, secret: Secret) -> None:
    """Store the secret for a server in the keyring. Raises: ConfigurationError when there is no keyring."""
    import keyring
    from keyring.errors import KeyringError

    if not _keeps_secrets(keyring.get_keyring()):
        raise ConfigurationError(_NO_KEYRING)
    name, text = base_url.rstrip("/"), json.dumps(asdict(secret))
    try:
        keyring.set_password(_SERVICE, name, text)
        stored = keyring.get_password(_SERVICE, name)
    except (KeyringError, RuntimeError) as error:
        raise ConfigurationError(_NO_KEYRING) from error
    if stored != text:
        raise ConfigurationError(_NO_KEYRING)


def _keeps_secrets(ring: Any) -> bool:
    """Return whether a keyring is one of those that are known to keep what they are given, and not in the clear."""
    kind = ring.__class__
    if f"{kind.__module__}.{kind.__qualname__}" == _CHAINER:
        # It stores in the first of them that works; another one must not be the next to try.
        return bool(ring.backends) and all(map(_keeps_secrets, ring.backends))
    return kind.__module__ in KEYRINGS


def forget(base_url: str) -> None:
    """Remove the secret for a server, if there is one."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.delete_password(_SERVICE, base_url.rstrip("/"))
    except (KeyringError, RuntimeError):
        return  # no secret was stored, or there is no keyring


class KeyringStore:
    """The tokens of a session in the keyring: commands that run at once share them, and one of them renews them."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def load(self) -> StoredTokens | None:
        """Return the tokens; None where the keyring has none."""
        secret = load(self._base_url)
        if secret is None or not secret.is_session:
            return None
        return StoredTokens(secret.access_token, secret.refresh_token)

    def save(self, tokens: StoredTokens) -> None:
        """Keep the tokens. Raises: ConfigurationError when there is no keyring."""
        save(self._base_url, Secret(tokens.access_token, tokens.refresh_token, True))

    def clear(self) -> None:
        """Forget the tokens."""
        forget(self._base_url)

    def try_lock(self) -> FileLock | None:
        """Return the lock of all sessions of this user; None while another command has it."""
        return FileLock.try_acquire(Path(config_folder()) / "session.lock")
