"""Ways to sign in, for ``CrmClient(auth=…)``: by password, OAuth 2.0, a refresh token, or a session that is stored.

::

    from crm_sdk.sign_in import FileStore, Password, StoredSession

    CrmClient(url, auth=Password("ada@acme.test", "…"))
    CrmClient(url, auth=StoredSession(Password("ada@acme.test", "…"), FileStore("session.json")))

The first call signs in, and a call whose token has expired renews it, once for all that wait.
"""

from __future__ import annotations

from .browser import AuthorizationCode
from .stored import FileStore, StoredSession, StoredTokens, TokenStore
from .ways import ClientCredentials, Password, RefreshToken, SignIn

__all__ = [
    "AuthorizationCode",
    "ClientCredentials",
    "FileStore",
    "Password",
    "RefreshToken",
    "SignIn",
    "StoredSession",
    "StoredTokens",
    "TokenStore",
]
