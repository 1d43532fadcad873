"""What tests of authentication stand on: somebody who signs in, and an authenticator app."""

from __future__ import annotations

from collections.abc import Callable

import pyotp

from crm_sdk import CrmClient
from server_stub import StubServer

Bearer = Callable[..., CrmClient]


def signed_in(client: CrmClient, email: str = "ada@acme.test", password: str = "demo-password") -> CrmClient:
    """Sign in, and return the client."""
    client.auth.login(email, password)
    return client


class Authenticator:
    """An authenticator app: pyotp's codes by the stub's clock."""

    def __init__(self, stub: StubServer, secret: str) -> None:
        self._stub, self._totp = stub, pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """Return the code of the present step, or of one so many steps away."""
        return str(self._totp.at(int(self._stub.clock.now().timestamp()) + 30 * steps))

    def next_code(self) -> str:
        """Return the code of the next step, once it has begun."""
        self._stub.clock.advance(30)
        return self.code()

    def wrong_code(self) -> str:
        """Return six digits that are the code of no step around the present one."""
        near = {self.code(steps) for steps in range(-2, 3)}
        return next(code for code in (f"{number:06d}" for number in range(10)) if code not in near)


def enrolled(stub: StubServer, client: CrmClient) -> tuple[Authenticator, list[str]]:
    """Turn on the second factor of whoever has signed in; return their app and their backup codes."""
    app = Authenticator(stub, str(client.auth.mfa.setup().secret))
    codes = client.auth.mfa.verify(app.code()).backup_codes
    assert codes is not None
    return app, [str(code) for code in codes]
