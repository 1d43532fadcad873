"""``crm doctor``: check what a command needs, from Python to the credential, and say what to do about each fault."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from ..failures import GENERIC, MisuseError, failure_of
from ..settings import Options, Settings, settle
from .layers import Layers
from .profiles import DEFAULT_PROFILE, project_file, user_file
from .status import shown_url

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.raw import RawReply

State: TypeAlias = Literal["ok", "warn", "fail"]
_SECONDS = 10.0
"""How long the server may take, unless --timeout says so."""
_SKEW = 30.0
"""So many seconds two clocks may differ: a code of a second factor is valid for about as long."""
_DAYS = 14
"""A certificate that ends within so many days is worth a warning."""
_EXTRAS = {
    "cli": ("jq", "jinja2", "yaml"),
    "stub": ("jwt", "phonenumbers", "openpyxl", "fpdf", "PIL"),
    "server": ("uvicorn", "starlette"),
    "redis": ("redis",),
}
"""Modules of each extra, by which it is known to be installed."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check has found."""

    check: str
    state: State
    found: str
    remedy: str = ""
    """What to do about it; nothing where it is well."""


def doctor(options: Options) -> int | None:
    """Check Python, the settings, the keyring, the way to the server and the credential; say what to do about faults.

    Fails: exit 1 where a check failed; a warning does not count.
    """
    from ..terminal.output import Printer

    checks: list[Check] = []
    try:
        format = settle(options).output
    except MisuseError:  # which a check says
        format = options.output or ("table" if sys.stdout.isatty() else "json")
    printer = Printer(format)
    for check in _checks(options):
        checks.append(check)
    if printer.is_for_people:
        _draw(checks)
    else:
        printer.rows({"check": c.check, "state": c.state, "found": c.found, "remedy": c.remedy or None} for c in checks)
    return GENERIC if any(check.state == "fail" for check in checks) else None


def _checks(options: Options) -> Iterator[Check]:
    yield _python()
    yield _package()
    yield from map(_extra, _EXTRAS)
    yield _file_of_user(options)
    yield _file_of_project(options)
    try:
        settings = settle(options)
    except MisuseError as error:
        yield Check("settings", "fail", str(error), "mend what it names; the checks of the server need it")
        return
    yield Check("settings", "ok", f"profile {settings.profile} ({settings.layers.find_one('profile').where})")
    yield _storage(settings)
    yield from _of_server(settings)


def _python() -> Check:
    found = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info.releaselevel != "final":
        return Check("python", "warn", f"{found}, not yet released", "use a released version from 3.11 on")
    return Check("python", "ok", found)


def _package() -> Check:
    from crm_sdk._version import __version__

    place = Path(__file__).parent.parent
    try:
        installed = version("crm-sdk")
    except PackageNotFoundError:
        return Check("version", "warn", f"{__version__} at {place}, not installed", "pip install crm-sdk")
    if installed != __version__:
        told = f"{__version__} runs at {place}, but {installed} is installed"
        return Check("version", "warn", told, "another copy is found first: see PYTHONPATH and the working folder")
    return Check("version", "ok", f"{__version__} at {place}")


def _extra(name: str) -> Check:
    missing = [module for module in _EXTRAS[name] if find_spec(module) is None]
    if not missing:
        return Check(f"extra {name}", "ok", "installed")
    state: State = "ok" if len(missing) == len(_EXTRAS[name]) else "warn"
    found = "not installed" if state == "ok" else f"installed in part: {', '.join(missing)} missing"
    return Check(f"extra {name}", state, found, f"pip install 'crm-sdk[{name}]' if you need it")


def _file_of_user(options: Options) -> Check:
    from .credentials import others_may

    path = user_file()
    if not path.exists():
        return Check("settings file", "ok", f"none at {path}")
    try:
        names = Layers(options, any_profile=True).user.profiles
    except MisuseError as error:
        return Check("settings file", "fail", str(error), f"mend it: $EDITOR {path}")
    if others_may(path, 0o022):
        told = f"{path} can be changed by others, who could name another server"
        return Check("settings file", "fail", told, f"chmod 600 {path}")
    return Check("settings file", "ok", f"{path}: {', '.join(names) or DEFAULT_PROFILE}")


def _file_of_project(options: Options) -> Check:
    path = project_file()
    try:
        project = Layers(options, any_profile=True).project
    except MisuseError as error:
        return Check("project file", "fail", str(error), f"mend it: $EDITOR {path}")
    return Check("project file", "ok", str(path) if project is not None else "none in this folder or above it")


def _storage(settings: Settings) -> Check:
    """Check where secrets are kept. The keyring is left alone where a key of the environment is used."""
    from crm_sdk.errors import ConfigurationError

    from .credentials import credentials_folder, keyring_name, others_may

    told = settings.layers.find_one("api_key")
    if told.value is not None:
        return Check("keyring", "ok", f"not used: {told.where} is set")
    account = settings.account
    if account is not None and account.file.exists():
        if others_may(account.file, 0o077) or others_may(credentials_folder(), 0o077):
            remedy = f"chmod 700 {credentials_folder()}; chmod 600 {account.file}; and replace the secret"
            return Check("keyring", "fail", f"{account.file} can be read by others", remedy)
        return Check("keyring", "warn", f"not used: the secret is in {account.file}, not encrypted", "crm login")
    try:
        name, keeps = keyring_name()
    except ConfigurationError as error:
        return Check("keyring", "fail", str(error), "unlock it, or set CRM_API_KEY")
    if not keeps:
        remedy = "set CRM_API_KEY, or crm login --insecure-storage"
        return Check("keyring", "warn", f"{name} is none that keeps secrets", remedy)
    return Check("keyring", "ok", name)


def _of_server(settings: Settings) -> Iterator[Check]:
    from crm_sdk.errors import ConfigurationError, CrmError

    from ..connection import open_client, refuse_strange_server

    if settings.offline:
        yield Check("server", "ok", f"embedded ({settings.layers.find_one('offline').where})")
    elif settings.base_url is None:
        yield Check("server", "fail", "none is known", "crm login, or set CRM_BASE_URL")
        return
    else:
        source = settings.layers.find_one("base_url").where
        yield Check("server", "ok", f"{shown_url(settings.base_url)} ({source})")
        yield _proxy(settings.base_url)
    try:
        refuse_strange_server(settings)
        theirs: datetime | None = None
        with open_client(settings) as client:
            if not settings.offline:
                reply, check = _reach(client, settings)
                yield check
                yield _tls(settings.base_url or "", reply is not None)
                if reply is None:
                    return
                theirs = _time_of(reply)
            yield from _of_caller(client, settings, theirs)
    except (MisuseError, ConfigurationError) as error:
        yield Check("client", "fail", failure_of(error, {}).message, "mend what it names")
    except CrmError as error:
        yield Check("client", "fail", failure_of(error, {}).message)


def _proxy(base_url: str) -> Check:
    from crm_sdk.network.transports import proxy_for

    found = proxy_for(base_url, None)
    if found is None:
        return Check("proxy", "ok", "none")
    if urlsplit(found).hostname is None:
        return Check("proxy", "fail", "CRM_PROXY or HTTPS_PROXY is no address", "set it like http://proxy:3128")
    return Check("proxy", "ok", f"through {shown_url(found)}")


def _reach(client: CrmClient, settings: Settings) -> tuple[RawReply | None, Check]:
    """Ask the server for anything: every answer shows that it is there."""
    from crm_sdk.errors import CrmError

    timeout = settings.timeout if settings.typed.timeout is not None else _SECONDS
    began = time.monotonic()
    try:
        reply = client.with_options(timeout=timeout, max_retries=0).request("GET", "/v1/configuration/environment")
    except CrmError as error:
        remedy = "check the address, the network and the proxy"
        if "CERTIFICATE" in str(error).upper():
            remedy = "if the server's authority is your company's own, name its file: SSL_CERT_FILE=/path/ca.pem"
        return None, Check("reachable", "fail", str(error), remedy)
    took = (time.monotonic() - began) * 1000
    if reply.status >= 500:
        return reply, Check("reachable", "fail", f"it answered {reply.status} in {took:.0f} ms", "try again later")
    return reply, Check("reachable", "ok", f"it answered in {took:.0f} ms")


def _tls(base_url: str, answered: bool) -> Check:
    """Check how the way to the server is encrypted, and for how long its certificate is valid."""
    from crm_sdk.network.transports import proxy_for
    from crm_sdk.options import is_private

    parts = urlsplit(base_url)
    if parts.scheme != "https":
        if is_private(base_url):
            return Check("tls", "ok", "none: the server is on this machine")
        return Check("tls", "warn", "none: whoever is on the way can read the key and the records", "use https://")
    if not answered:
        return Check("tls", "fail", "not checked: the server was not reached", "see reachable")
    if proxy_for(base_url, None) is not None:
        return Check("tls", "ok", "the certificate is valid (its end is not looked at through a proxy)")
    try:
        protocol, ends = _certificate(parts.hostname or "", parts.port or 443)
    except OSError as error:
        return Check("tls", "warn", f"the certificate could not be looked at: {error}", "see reachable")
    left = (ends - datetime.now(UTC)).days
    told = f"{protocol}, the certificate is valid until {ends:%Y-%m-%d}"
    if left < _DAYS:
        return Check("tls", "warn", told, "whoever runs the server should renew it")
    return Check("tls", "ok", told)


def _certificate(host: str, port: int) -> tuple[str, datetime]:
    import ssl

    import httpx

    with (
        socket.create_connection((host, port), timeout=_SECONDS) as plain,
        httpx.create_ssl_context().wrap_socket(plain, server_hostname=host) as secured,
    ):
        found: Any = secured.getpeercert()
        return secured.version() or "TLS", datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)


def _time_of(reply: RawReply) -> datetime | None:
    """Return the time that the header ``Date`` of an answer tells."""
    try:
        return parsedate_to_datetime(reply.headers.get("date") or "")
    except ValueError:
        return None


def _clock(theirs: datetime | None) -> Check:
    """Compare this machine's clock with the server's."""
    if theirs is None:
        return Check("clock", "ok", "not compared: the server does not tell the time")
    skew = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(skew) > _SKEW:
        way = "ahead of" if skew > 0 else "behind"
        told = f"this machine is {abs(skew):.0f} s {way} the server"
        return Check("clock", "warn", told, "set the clock by the network: codes of a second factor depend on it")
    return Check("clock", "ok", f"within {max(1, round(abs(skew)))} s of the server's")


def _of_caller(client: CrmClient, settings: Settings, theirs: datetime | None) -> Iterator[Check]:
    from crm_sdk.errors import AuthenticationError, CrmError

    from .identity import identify

    try:
        who = identify(client)
    except AuthenticationError as error:
        told = settings.layers.find_one("api_key")
        remedy = f"replace what {told.where} holds" if told.value is not None else f"crm login{_for(settings)}"
        yield Check("credential", "fail", str(error), remedy)
    except CrmError as error:
        yield Check("credential", "fail", str(error), "see `crm help exit-codes` for what such a failure means")
    else:
        company = f" at {who.company}" if who.company else ""
        yield Check("credential", "ok", f"{who.label}{company}")
        theirs = theirs or who.server_time
    if not settings.offline:
        yield _clock(theirs)
    found = client.finding
    chosen = settings.dialect
    spoken = ", ".join(found.spoken) if found is not None else ""
    if chosen is not None:
        where = settings.layers.find_one("dialects").where
        yield Check("dialects", "ok", f"{chosen}, as {where} says")
    elif spoken:
        yield Check("dialects", "ok", f"it speaks {spoken}")
    else:
        yield Check("dialects", "warn", "it has shown none", "check that the address is that of a CRM")


def _for(settings: Settings) -> str:
    return f" --profile {settings.profile}" if settings.profile != DEFAULT_PROFILE else ""


_SIGNS: dict[State, tuple[str, str]] = {"ok": ("ok", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


def _draw(checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ..console import stdout
    from ..failures import visible

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        found = Text(visible(check.found))
        if check.remedy:
            found.append(f"\n→ {visible(check.remedy)}", "cyan" if check.state != "ok" else "dim")
        table.add_row(Text(*_SIGNS[check.state]), check.check, found)
    stdout().print(table)
