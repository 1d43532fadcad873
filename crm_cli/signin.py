"""``crm login``, ``crm logout`` and ``crm status``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import MisuseError, complain
from .settings import Options, Settings, SignIn, forget_sign_in, settle, write_sign_in
from .terminal.prompts import may_ask, read_secret

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.sign_in import SignIn as SignInWay

    from .credentials import Secret


def login(
    options: Options,
    email: Annotated[
        str | None, typer.Option("--email", help="Sign in as this user, with a password; without it with an API key.")
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", help="Sign in with the browser, which comes back to a port of this machine.")
    ] = False,
    client_id: Annotated[
        str, typer.Option("--client-id", help="As which application --web asks for access (CRM_CLIENT_ID).")
    ] = "",
) -> None:
    """Sign in to a server, and store the secret in the system's keyring.

    The command prompts for the API key or the password; where stdin is not a terminal, it reads the first line of it.
    """
    from crm_sdk import CrmClient
    from crm_sdk.errors import ApiError, AuthenticationError, InvalidResponseError

    from .credentials import Secret, save

    settings = settle(options)
    if settings.offline:
        raise MisuseError("the embedded server of --offline needs no sign-in")
    base_url = settings.base_url or _line("Server (base URL)")
    if web and email is not None:
        raise MisuseError("--web asks for the address in the browser: leave --email out")
    way = _browser(client_id or os.environ.get("CRM_CLIENT_ID") or "demo-web") if web else None
    with CrmClient(base_url, tenant_id=options.tenant, dialects=options.dialect, auth=way) as client:
        if web:
            client.auth.userinfo()
            access, refresh = client.secrets
            secret = Secret(access or "", refresh, True)
        elif email is not None:
            secret = _session(client, email, options)
        else:
            secret = Secret(options.api_key or read_secret("API key"))
            try:
                only = None if options.dialect is None else "flow"  # only the flow document has this call
                client.with_options(api_key=secret.access_token, dialects=only).auth.me()
            except AuthenticationError:
                raise
            except (ApiError, InvalidResponseError):
                pass  # this server does not check a key here: the first command will show whether it is valid
        save(client.base_url, secret)
        found = client.finding
        dialects = (found.spoken, found.lacking) if found is not None else ((), ())
        write_sign_in(SignIn(client.base_url, options.tenant, options.dialect, *dialects))
    complain(f"signed in to {base_url}; the secret is in the keyring")


def logout(options: Options) -> None:
    """Sign out: end the session, and delete the secret from the keyring."""
    from crm_sdk.errors import CrmError

    from .connection import open_client
    from .credentials import forget, load

    settings = settle(options)
    if settings.base_url is None or settings.offline:
        raise MisuseError("not signed in")
    base_url = settings.base_url.rstrip("/")
    secret = load(base_url)
    if secret is not None and secret.is_session:
        try:
            with open_client(settings) as client:
                client.auth.logout()
        except CrmError as error:
            complain(f"note: the server was not told: {error}")
    forget(base_url)
    if settings.stored.base_url == base_url:
        forget_sign_in()
    complain(f"signed out of {base_url}" if secret is not None else f"not signed in to {base_url}")


def status(options: Options) -> None:
    """Show the server, the dialects and the credential that commands use."""
    from crm_sdk.discovery import Finding

    from .offline import state_file
    from .terminal.output import Printer

    settings = settle(options)
    if settings.offline:
        found = {"server": "embedded", "state": str(state_file()), "credential": "demo"}
    else:
        found = {
            "server": settings.base_url or "none: see `crm`",
            "tenant": settings.tenant or "",
            "dialects": settings.dialect or ",".join(Finding(settings.stored.speaks, settings.stored.lacks).dialects),
            "credential": _credential(settings),
        }
    Printer(settings.output).show(found)


def _credential(settings: Settings) -> str:
    from .credentials import load

    if settings.typed.api_key is not None:
        return "--api-key"
    if settings.api_key is not None:
        return "CRM_API_KEY"
    secret = load(settings.base_url) if settings.base_url is not None else None
    if secret is None:
        return "none"
    return "session in the keyring" if secret.is_session else "API key in the keyring"


def _browser(client_id: str) -> SignInWay:
    """Return the way to sign in with the browser; its address is printed, as the browser may not open."""
    import webbrowser

    from crm_sdk.sign_in import AuthorizationCode

    def show(address: str) -> None:
        complain(f"sign in with the browser; if none opens, go to {address}")
        webbrowser.open(address)

    return AuthorizationCode(client_id, open=show)


def _session(client: CrmClient, email: str, options: Options) -> Secret:
    from .credentials import Secret

    password = read_secret("Password")
    result = client.auth.login(email, password, tenant=options.tenant)
    if result.mfa_required:
        code = _line("Code of the second factor (or a backup code)")
        if result.mfa_token is not None:
            result = client.auth.mfa.verify(code, mfa_token=str(result.mfa_token)).login or result
        else:
            result = client.auth.login(email, password, tenant=options.tenant, mfa_code=code)
    if result.access_token is None:
        raise MisuseError("the server gave no session")
    return Secret(str(result.access_token), result.refresh_token and str(result.refresh_token), True)


def _line(what: str) -> str:
    typed = typer.prompt(what, err=True) if may_ask() else sys.stdin.readline() if not sys.stdin.isatty() else ""
    if not str(typed).strip():
        raise MisuseError(f"no {what} given")
    return str(typed).strip()
