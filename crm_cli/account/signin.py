"""``crm login`` and ``crm logout``."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from ..discovery.live_words import forget_answers
from ..failures import MisuseError, complain, conceal
from ..settings import Options, Settings, settle
from ..terminal.prompts import may_ask, read_secret
from .profiles import DEFAULT_PROFILE, SignIn, check_profile_name, read_sign_in, write_members, write_sign_in

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import LoginResult
    from crm_sdk.sign_in import SignIn as SignInWay

    from .credentials import Account, Secret

_ATTEMPTS = 3
"""So many codes of a second factor may be typed at a terminal; servers lock out after five."""
_WAYS = ("web", "email", "key")


def login(
    options: Options,
    email: Annotated[
        str | None, typer.Option("--email", help="Sign in as this user, with a password; without it with an API key.")
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", help="Sign in with the browser, which comes back to a port of this machine.")
    ] = False,
    no_browser: Annotated[
        bool,
        typer.Option(
            "--no-browser", help="With --web where no browser can reach this machine: paste the address it ends at."
        ),
    ] = False,
    with_token: Annotated[
        bool, typer.Option("--with-token", help="Read the API key or token from stdin, and ask nothing.")
    ] = False,
    client_id: Annotated[
        str | None, typer.Option("--client-id", help="As which application --web asks for access (CRM_CLIENT_ID).")
    ] = None,
    insecure_storage: Annotated[
        bool,
        typer.Option(
            "--insecure-storage",
            help="Keep the secret in a file that only you can read, not encrypted, instead of the keyring.",
        ),
    ] = False,
) -> None:
    """Sign in to a server, and store the secret in the system's keyring.

    On a terminal the command asks what it has to know. Elsewhere it reads the API key, or the password and the code of
    the second factor, from stdin, a line each. `--profile NAME` keeps several servers or accounts apart.
    """
    from crm_sdk import CrmClient

    from .credentials import Account, check_keyring, forget

    settings = settle(options, any_profile=True)
    if settings.offline:
        raise MisuseError("the embedded server of --offline needs no sign-in")
    refuse_key_of_environment(settings)
    if sum([web, email is not None, with_token]) > 1:
        raise MisuseError(
            "--web asks for the address in the browser: leave --email and --with-token out"
            if web
            else "--email reads a password from stdin, and --with-token a token: type one of them"
        )
    if no_browser and not web:
        raise MisuseError("--no-browser is how to use --web: type both")
    if not check_profile_name(settings.profile):
        raise MisuseError(f"a profile is named by letters, digits, - and _, not {settings.profile!r}")
    if not insecure_storage:
        check_keyring()
    base_url = _server(settings)
    way = _way(web, email, with_token or options.api_key is not None)
    if way == "email" and email is None:
        email = _line("E-mail")
    browser = _browser(settings, client_id, no_browser) if way == "web" else None
    dialect = options.dialect
    with CrmClient(
        base_url, tenant_id=options.tenant, dialects=dialect, timeout=settings.timeout, auth=browser
    ) as client:
        if browser is not None:
            secret, name = _with_browser(client)
        elif way == "email":
            secret, name = _session(client, str(email), options)
        else:
            secret, name = _with_key(client, options, with_token)
        account = Account(settings.profile, client.base_url)
        before, was_in_file = read_sign_in(settings.profile).base_url, account.file.exists()
        _store(client, account, secret, in_file=insecure_storage)
        if before is not None and before.rstrip("/") != client.base_url and not was_in_file:
            forget(Account(settings.profile, before.rstrip("/")), in_file=False)
        found = client.finding
        dialects = (found.spoken, found.lacking) if found is not None else ((), ())
        forget_answers()
        write_sign_in(SignIn(client.base_url, options.tenant, dialect, *dialects), settings.profile)
    told, plain = f" as {name}" if name else "", ", not encrypted" if insecure_storage else ""
    complain(f"signed in to {client.base_url}{told}; the secret is in {account.place}{plain}")
    _tell_profile(settings)


def logout(options: Options) -> None:
    """Sign out: end the session, and delete the secret. The profile's settings stay."""
    from crm_sdk.errors import CrmError

    from ..connection import open_client
    from .credentials import forget, load

    settings = settle(options)
    account = settings.account
    if account is None or settings.offline:
        raise MisuseError("not signed in")
    refuse_key_of_environment(settings)
    secret, in_file = load(account), account.file.exists()
    if secret is not None and secret.is_session:
        try:
            with open_client(settings) as client:
                client.auth.logout()
        except CrmError as error:
            complain(f"note: the server was not told: {error}")
    forget(account, in_file=in_file)
    forget_answers()
    complain(f"signed out of {account.base_url}" if secret is not None else f"not signed in to {account.base_url}")


def refuse_key_of_environment(settings: Settings) -> None:
    """Refuse to change the sign-in where commands would not use it. Raises: MisuseError."""
    if settings.layers.find_one("api_key").layer == "environment":
        raise MisuseError(
            "CRM_API_KEY is set, and commands use it instead of a sign-in: unset it to sign in or out (with it the "
            "keyring is left alone)"
        )


def _server(settings: Settings) -> str:
    """Return the server to sign in to; where only the project's file names it, somebody has to agree."""
    if settings.base_url is None:
        return _line("Server (base URL)")
    told = settings.layers.find_one("base_url")
    if told.layer == "project" and str(told.value) not in settings.layers.user.servers():
        if not may_ask():
            raise MisuseError(f"{told.where} names the server {told.value}: type --base-url if you mean it")
        if not typer.confirm(f"Sign in to {told.value}, which {told.where} names?", err=True):
            raise KeyboardInterrupt
    return settings.base_url


def _way(web: bool, email: str | None, key: bool) -> str:
    """Return how to sign in, which is asked for at a terminal."""
    if web or email is not None or key or not may_ask():
        return "web" if web else "email" if email is not None else "key"
    from typer import prompt

    while True:
        told = prompt("How: web (with the browser), email (and password), or key (an API key)", "web", err=True)
        found = [way for way in _WAYS if told.strip() and way.startswith(told.strip().lower())]
        if found:
            return found[0]
        complain(f"type one of {', '.join(_WAYS)}")


def _browser(settings: Settings, client_id: str | None, no_browser: bool) -> SignInWay:
    """Return the way to sign in with the browser; its address is printed, as the browser may not open."""
    import webbrowser

    from crm_sdk.sign_in import AuthorizationCode

    def show(address: str) -> None:
        complain(f"sign in with the browser; if none opens, go to {address}")
        try:
            webbrowser.open(address)
        except (OSError, webbrowser.Error):
            return  # it was said where to go

    def ask(address: str) -> str:
        complain(f"open this address in any browser, and sign in: {address}")
        complain("the browser then ends at a page of 127.0.0.1 that it cannot load; its address has a code")
        return _line("The address that the browser ended at")

    application = client_id or str(settings.layers.value("client_id"))
    return AuthorizationCode(application, ask=ask) if no_browser else AuthorizationCode(application, open=show)


def _with_browser(client: CrmClient) -> tuple[Secret, str | None]:
    from .credentials import Secret

    user = client.auth.userinfo()
    access, refresh = client.secrets
    conceal(access, refresh)
    return Secret(access or "", refresh, True), user.name or user.email


def _with_key(client: CrmClient, options: Options, with_token: bool) -> tuple[Secret, str | None]:
    from crm_sdk.errors import ApiError, AuthenticationError, InvalidResponseError

    from .credentials import Secret

    if with_token and sys.stdin.isatty():
        raise MisuseError("--with-token reads stdin: crm login --with-token < FILE")
    secret = Secret(options.api_key or read_secret("API key"))
    only = None if options.dialect is None else "flow"  # only the flow document has this call
    try:
        user = client.with_options(api_key=secret.access_token, dialects=only).auth.me()
    except AuthenticationError:
        raise
    except (ApiError, InvalidResponseError):
        # This server does not check a key here: the first command will show whether it is valid.
        return secret, None
    return secret, user.name or user.email


def _session(client: CrmClient, email: str, options: Options) -> tuple[Secret, str | None]:
    from .credentials import Secret

    password = read_secret("Password")
    result = client.auth.login(email, password, tenant=options.tenant)
    if result.mfa_required:
        result = _second_factor(client, email, password, options, result)
    if result.access_token is None:
        raise MisuseError("the server gave no session")
    user = result.user
    secret = Secret(str(result.access_token), result.refresh_token and str(result.refresh_token), True)
    return secret, (user.name or user.email) if user is not None else None


def _store(client: CrmClient, account: Account, secret: Secret, *, in_file: bool) -> None:
    """Store the secret; a session that cannot be stored is ended, since nobody could end it later."""
    from crm_sdk.errors import ConfigurationError, CrmError

    from .credentials import save

    try:
        save(account, secret, in_file=in_file)
    except (ConfigurationError, OSError):
        if secret.is_session:
            with suppress(CrmError):
                client.auth.logout()
        raise


def _second_factor(client: CrmClient, email: str, password: str, options: Options, result: LoginResult) -> LoginResult:
    """Complete a sign-in with a code. Whoever sits at a terminal may mistype it."""
    from crm_sdk.errors import AuthenticationError

    left = _ATTEMPTS
    while True:
        code = _line("Code of the second factor (or a backup code)", secret=True)
        try:
            if result.mfa_token is None:
                return client.auth.login(email, password, tenant=options.tenant, mfa_code=code)
            return client.auth.mfa.verify(code, mfa_token=str(result.mfa_token)).login or result
        except AuthenticationError as error:
            left -= 1
            if error.code != "INVALID_MFA_CODE" or not may_ask() or not left:
                raise
            complain("this code is not valid, or was used; type the next one")


def _tell_profile(settings: Settings) -> None:
    """Make the first profile the one that commands use; say how to use another."""
    if settings.profile == DEFAULT_PROFILE:
        return
    config = settings.layers.user
    if not config.profiles and "profile" not in config.general:
        write_members(config.path, None, {"profile": settings.profile})
        complain(f"commands use the profile {settings.profile}")
    elif settings.layers.find_one("profile").layer == "flag":
        complain(f"use it with --profile {settings.profile}, or always: crm config set profile {settings.profile}")


def _line(what: str, *, secret: bool = False) -> str:
    typed = typer.prompt(what, err=True) if may_ask() else sys.stdin.readline() if not sys.stdin.isatty() else ""
    if not str(typed).strip():
        raise MisuseError(f"no {what} given")
    if secret:
        conceal(str(typed).strip())
    return str(typed).strip()
