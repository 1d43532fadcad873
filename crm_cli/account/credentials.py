"""The secret of a sign-in: an API key or a session's tokens, in the system's keyring; in a file only where told so."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from crm_sdk.errors import ConfigurationError
from crm_sdk.sign_in.stored import FileLock, StoredTokens

from ..failures import conceal
from ..folders import config_folder, write_whole
from .profiles import DEFAULT_PROFILE

T = TypeVar("T")

_SERVICE = "crm"
KEYRINGS = {
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
}
"""The modules of the keyrings that may have a secret: those of the operating systems and desktops."""
KEYRING_SECONDS = 3.0
"""How long a keyring may take: one that is locked may wait for somebody who is not there."""
_CHAINER = "keyring.backends.chainer.ChainerBackend"
_NO_KEYRING = (
    "this system has no keyring that works; set CRM_API_KEY instead, or sign in with --insecure-storage, which keeps "
    "the secret in a file that is not encrypted"
)
_LOCKED = "unlock it and run the command again, or set CRM_API_KEY, which leaves the keyring alone"


@dataclass(frozen=True, slots=True)
class Secret:
    """The credential of a sign-in."""

    access_token: str = field(repr=False)
    """An API key, or a session's access token."""
    refresh_token: str | None = field(default=None, repr=False)
    is_session: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Whose secret it is: a profile's, for one server."""

    profile: str
    base_url: str

    @property
    def entry(self) -> str:
        """The name of the keyring's entry."""
        server = self.base_url.rstrip("/")
        return server if self.profile == DEFAULT_PROFILE else f"{server}#{self.profile}"

    @property
    def file(self) -> Path:
        """The file that has the secret where the user wants no keyring."""
        return credentials_folder() / f"{self.profile}.json"

    @property
    def place(self) -> str:
        """Where the secret is, for messages."""
        return str(self.file) if self.file.exists() else "the keyring"


def credentials_folder() -> Path:
    """Return the folder of the secrets that are in files."""
    return Path(config_folder()) / "credentials"


def load(account: Account) -> Secret | None:
    """Return an account's secret; None where there is none, or no keyring.

    Raises: ConfigurationError where the keyring is locked, or others can read the file.
    """
    secret = _from_file(account) if account.file.exists() else _from_keyring(account)
    if secret is not None:
        conceal(secret.access_token, secret.refresh_token)
    return secret


def save(account: Account, secret: Secret, *, in_file: bool = False) -> None:
    """Store an account's secret. Raises: ConfigurationError when there is no keyring."""
    conceal(secret.access_token, secret.refresh_token)
    if in_file:
        folder = credentials_folder()
        folder.mkdir(parents=True, exist_ok=True)
        if os.name == "posix":
            folder.chmod(0o700)
        kept = {"base_url": account.base_url.rstrip("/"), **asdict(secret)}
        write_whole(str(account.file), (json.dumps(kept) + "\n").encode(), mode=0o600)
        return
    _to_keyring(account, secret)
    account.file.unlink(missing_ok=True)


def forget(account: Account, *, in_file: bool) -> None:
    """Remove an account's secret from where it is, if there is one."""
    if in_file:
        account.file.unlink(missing_ok=True)
        return
    import keyring
    from keyring.errors import KeyringError

    try:
        _in_time(lambda: keyring.delete_password(_SERVICE, account.entry))
    except (KeyringError, RuntimeError):
        return  # no secret was stored, or there is no keyring


def _from_file(account: Account) -> Secret | None:
    if others_may(account.file, 0o077):
        raise ConfigurationError(f"{account.file} can be read by others: chmod 600 it, and replace what it holds")
    try:
        kept: dict[str, Any] = json.loads(account.file.read_text("utf-8"))
        server = kept.pop("base_url")
        return Secret(**kept) if server == account.base_url.rstrip("/") else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def others_may(path: Path, rights: int) -> bool:
    """Tell whether users other than the owner have rights to a file; where rights are no bits, they do not."""
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & rights)


def _from_keyring(account: Account) -> Secret | None:
    import keyring
    from keyring.errors import KeyringError, KeyringLocked

    def get() -> str | None:
        return keyring.get_password(_SERVICE, account.entry) if _keeps_secrets(keyring.get_keyring()) else None

    try:
        text = _in_time(get)
        return Secret(**json.loads(text)) if text else None
    except KeyringLocked:
        raise ConfigurationError(f"the system's keyring is locked: {_LOCKED}") from None
    except (KeyringError, RuntimeError, ValueError, TypeError):
        return None


def _to_keyring(account: Account, secret: Secret) -> None:
    import keyring
    from keyring.errors import KeyringError

    text = json.dumps(asdict(secret))

    def put() -> str | None:
        if not _keeps_secrets(keyring.get_keyring()):
            return None
        keyring.set_password(_SERVICE, account.entry, text)
        return keyring.get_password(_SERVICE, account.entry)

    try:
        stored = _in_time(put)
    except (KeyringError, RuntimeError):
        # Not chained: what a keyring says may hold what it was given.
        raise ConfigurationError(_NO_KEYRING) from None
    if stored != text:
        raise ConfigurationError(_NO_KEYRING)


def keyring_name() -> tuple[str, bool]:
    """Return the name of the system's keyring, and whether it may have secrets.

    Raises: ConfigurationError where it takes too long.
    """
    import keyring

    ring = _in_time(keyring.get_keyring)
    return f"{ring.__class__.__module__}.{ring.__class__.__qualname__}", _keeps_secrets(ring)


def check_keyring() -> None:
    """Refuse where a secret could not be stored, before anybody signs in. Raises: ConfigurationError."""
    if not keyring_name()[1]:
        raise ConfigurationError(_NO_KEYRING)


def _in_time(work: Callable[[], T]) -> T:
    """Return what a keyring says. Raises: ConfigurationError where it takes too long."""
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="keyring", daemon=True)  # one that hangs must not keep the process
    thread.start()
    thread.join(KEYRING_SECONDS)
    if failed:
        raise failed[0]
    if not found:
        raise ConfigurationError(f"the system's keyring has not answered within {KEYRING_SECONDS:g} s: {_LOCKED}")
    return found[0]


def _keeps_secrets(ring: Any) -> bool:
    """Return whether a keyring is one of those that are known to keep what they are given, and not in the clear."""
    kind = ring.__class__
    if f"{kind.__module__}.{kind.__qualname__}" == _CHAINER:
        # It stores in the first of them that works; another one must not be the next to try.
        return bool(ring.backends) and all(map(_keeps_secrets, ring.backends))
    return kind.__module__ in KEYRINGS


class SessionStore:
    """The tokens of an account's session: commands that run at once share them, and one of them renews them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._in_file = account.file.exists()

    def load(self) -> StoredTokens | None:
        """Return the tokens; None where there are none."""
        secret = load(self._account)
        if secret is None or not secret.is_session:
            return None
        return StoredTokens(secret.access_token, secret.refresh_token)

    def save(self, tokens: StoredTokens) -> None:
        """Keep the tokens where they were. Raises: ConfigurationError when there is no keyring."""
        secret = Secret(tokens.access_token, tokens.refresh_token, True)
        save(self._account, secret, in_file=self._in_file)

    def clear(self) -> None:
        """Forget the tokens."""
        forget(self._account, in_file=self._in_file)

    def try_lock(self) -> FileLock | None:
        """Return the lock of all sessions of this user; None while another command has it."""
        return FileLock.try_acquire(Path(config_folder()) / "session.lock")
