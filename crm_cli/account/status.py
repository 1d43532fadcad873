"""``crm status`` and ``crm whoami``: who calls which server, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..failures import complain, failure_of, say
from ..settings import Options, Settings, secrets, settle

if TYPE_CHECKING:
    from .identity import Identity


def status(options: Options) -> int | None:
    """Show the user, the company, the server, its dialects and the credential, and try it.

    Of each it is shown where it comes from: an option, a variable, a file or the server. Exit 4 where the credential is
    refused or there is none, 75 where the server does not answer.
    """
    from crm_sdk.errors import CrmError

    from ..terminal.output import Printer

    settings = settle(options)
    printer = Printer(settings.output)
    found: dict[str, Any] = {}
    failed: CrmError | None = None
    seen: tuple[str, ...] = ()
    who: Identity | None = None
    if settings.offline or settings.base_url is not None:
        try:
            who, seen = _ask(settings)
        except CrmError as error:
            failed = error
    rows = list(_rows(settings, who, failed, seen))
    found = {name: value for name, value, _ in rows}
    found["sources"] = {name: source for name, value, source in rows if source and value not in ("", None)}
    if printer.is_for_people:
        _draw(rows)
    else:
        printer.show(found)
    if failed is not None:
        failure = failure_of(failed, {})
        say(failure, secrets(options), as_json=bool(options.json_errors))
        return failure.exit
    if not settings.offline and settings.base_url is None:
        complain("no server is known: sign in with `crm login`, or set CRM_BASE_URL")
        return _NOT_CONFIGURED
    return None


_NOT_CONFIGURED = 2


def whoami(options: Options) -> None:
    """Show the user whose credential commands use, with the company and the server. Fails: exit 4 for nobody."""
    from ..connection import open_client, server_name
    from ..terminal.output import Printer
    from ..terminal.writers import write_text
    from .identity import identify

    settings = settle(options)
    printer = Printer(settings.output)
    with open_client(settings) as client:
        who = identify(client)
        server = server_name(settings, client)
    found = {
        "id": who.id,
        "name": who.name,
        "email": who.email,
        "role": who.role,
        "company": who.company,
        "tenantId": who.tenant_id,
        "server": server,
        "profile": settings.profile,
    }
    if printer.is_for_people:
        role = f", {who.role}" if who.role else ""
        company = f" at {who.company}" if who.company else ""
        write_text(f"{who.label}{role}{company} on {server}\n")
    else:
        printer.show(found)


def _ask(settings: Settings) -> tuple[Identity, tuple[str, ...]]:
    """Try the credential; return who it is, and the dialects that the server may speak."""
    from ..connection import open_client
    from .identity import identify

    with open_client(settings) as client:
        return identify(client), tuple(client.dialects)


def _rows(
    settings: Settings, who: Identity | None, failed: Exception | None, seen: tuple[str, ...]
) -> Iterator[tuple[str, Any, str]]:
    """Yield the name, the value and the source of each line."""
    from crm_sdk._version import __version__
    from crm_sdk.discovery import Finding

    from ..offline import state_file
    from .profiles import finding_of

    layers = settings.layers
    yield "user", who.label if who is not None else "", "the server"
    yield "role", (who.role or "") if who is not None else "", "the server"
    yield "company", (who.company or "") if who is not None else "", "the server"
    if settings.offline:
        yield "server", "embedded", layers.find_one("offline").where
        yield "state", str(state_file()), "CRM_DATA_DIR or the system"
    else:
        yield "server", shown_url(settings.base_url) or "none: see `crm`", _where(settings, "base_url")
    yield "profile", settings.profile, layers.find_one("profile").where
    yield "production", bool(layers.value("production")) and not settings.offline, layers.find_one("production").where
    yield "tenant", settings.tenant or "", _where(settings, "tenant")
    known = ",".join(seen or Finding(*finding_of(settings.base_url)).dialects)
    chosen = settings.dialect
    yield "dialects", chosen or known, layers.find_one("dialects").where if chosen else "found out"
    credential, source = _credential(settings)
    yield "credential", credential, source
    works = "works" if failed is None and who is not None else _in_short(failed)
    yield "tried", works, ""
    yield "version", f"crm {__version__}" + (f", server {who.server_version}" if who and who.server_version else ""), ""


def _in_short(error: Exception | None) -> str:
    from crm_sdk.errors import CrmError

    from ..failures import in_short

    return in_short(error) if isinstance(error, CrmError) else "not tried"


def _where(settings: Settings, name: str) -> str:
    told = settings.layers.find_one(name)
    return told.where if told.value is not None else ""


def _credential(settings: Settings) -> tuple[str, str]:
    """Return which credential is used, and where it is from; never the credential."""
    from crm_sdk.errors import ConfigurationError

    from .credentials import load

    if settings.offline and settings.typed.api_key is None:
        return "demo", "the embedded server"
    told = settings.layers.find_one("api_key")
    if told.value is not None:
        return ("CRM_API_KEY" if told.layer == "environment" else "--api-key"), told.where
    account = settings.account
    try:
        secret = load(account) if account is not None else None
    except ConfigurationError as error:
        return f"none: {error}", ""
    if account is None or secret is None:
        return "none", ""
    place = "the keyring" if account.place == "the keyring" else "a file"
    return f"{'session' if secret.is_session else 'API key'} in {place}", account.place


def shown_url(url: str | None) -> str | None:
    """Return an address as it may be shown: without the credentials that somebody has put into it."""
    import re

    return re.sub(r"(?<=//)[^/@]*@", "***@", url) if url is not None else None


def _draw(rows: list[tuple[str, Any, str]]) -> None:
    from rich.table import Table

    from ..console import stdout
    from ..failures import visible

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    for name, value, source in rows:
        shown = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        if shown:
            table.add_row(name, visible(shown), visible(source))
    stdout().print(table)
