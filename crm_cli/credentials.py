"""The secret of a sign-in: an API key or a session's tokens, in the system's keyring and nowhere else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from crm_sdk import CrmClient
from crm_sdk.errors import ConfigurationError
from crm_sdk.route import Session

if TYPE_CHECKING:
    from typing import Self

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


class SessionClient(CrmClient):
    """A client that stores the tokens of its session in the keyring, since each refresh token can be used once."""

    keeps = False
    """Whether this client's tokens are those in the keyring."""

    def resume(self, secret: Secret) -> None:
        """Continue a session from the keyring."""
        CrmClient.session(self, "start", secret)
        self.keeps = True

    def with_options(self, **options: Any) -> Self:
        """Return a view of this client, which stores its tokens in the keyring unless it has its own API key."""
        view = super().with_options(**options)
        view.keeps = self.keeps and options.get("api_key") is None
        return view

    def session(self, change: Session, result: Any) -> None:
        """Use the tokens of a sign-in or renewal, or forget them at the end; the keyring is updated as well."""
        super().session(change, result)
        if not self.keeps:
            return
        if change == "end":
            forget(self.base_url)
        elif result.access_token:
            refresh = result.refresh_token
            if not refresh and change == "renew":  # the present one stays valid
                before = load(self.base_url)
                refresh = before.refresh_token if before is not None else None
            save(self.base_url, Secret(str(result.access_token), str(refresh) if refresh else None, True))
