"""The settings of a command (server, credential, output): from options, the environment, or the stored sign-in."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field, replace
from dataclasses import fields as _members
from pathlib import Path
from typing import Any

from .failures import MisuseError
from .folders import config_folder, write_whole

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "yaml", "ids")
DIALECTS = ("mvp", "flow", "platform")
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class GlobalOption:
    """An option of every command."""

    name: str
    flag: str
    help: str
    kind: type = str
    short: str | None = None
    choices: tuple[str, ...] = ()
    negative: str | None = None
    """The option that says the opposite."""


GLOBALS = (
    GlobalOption(
        "output",
        "--output",
        f"How to print: {', '.join(FORMATS)}; a table on a terminal, json otherwise.",
        short="-o",
        choices=FORMATS,
    ),
    GlobalOption(
        "fields", "--fields", "Which members are printed, in every format, separated by commas: id,name,address.city."
    ),
    GlobalOption("jq", "--jq", "A jq expression over what is printed: of a list, over the records of all pages."),
    GlobalOption("template", "--template", "A Jinja template for each record: '{{name}} {{owner.email}}'."),
    GlobalOption("base_url", "--base-url", "Address of the server (CRM_BASE_URL); a proxy is CRM_PROXY's."),
    GlobalOption("api_key", "--api-key", "Key to call with; better in the environment, as CRM_API_KEY."),
    GlobalOption("tenant", "--tenant", "Id of the company (CRM_TENANT_ID)."),
    GlobalOption(
        "dialect",
        "--dialect",
        "How the server talks: mvp, flow, platform, or several in order (CRM_DIALECTS); found out without it.",
        choices=DIALECTS,
    ),
    GlobalOption("timeout", "--timeout", "Seconds a call may take, retries included; 30 without it."),
    GlobalOption("reason", "--reason", "Why a write is done, for the audit trail."),
    GlobalOption("language", "--language", "Language of messages and labels, such as de (CRM_LANGUAGE)."),
    GlobalOption(
        "offline",
        "--offline",
        "Use the embedded server instead (CRM_OFFLINE=1, unless --base-url or --api-key is typed), or never.",
        kind=bool,
        negative="--no-offline",
    ),
    GlobalOption(
        "dry_run", "--dry-run", "Show the request of a write and what it would change; write nothing.", kind=bool
    ),
    GlobalOption("explain", "--explain", "Print the call as curl and as Python that run; send nothing.", kind=bool),
    GlobalOption(
        "no_input",
        "--no-input",
        "Ask nothing, as where CI is set: what has to be confirmed needs --yes.",
        kind=bool,
    ),
    GlobalOption("no_pager", "--no-pager", "Print long output at once (CRM_PAGER names another pager).", kind=bool),
    GlobalOption("json_errors", "--json-errors", "Print an error as one line of JSON on standard error.", kind=bool),
    GlobalOption("debug", "--debug", "Show the traceback of an error.", kind=bool),
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of every command, as typed."""

    output: str | None = None
    fields: str | None = None
    jq: str | None = None
    template: str | None = None
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    tenant: str | None = None
    dialect: str | None = None
    timeout: str | None = None
    reason: str | None = None
    language: str | None = None
    offline: bool | None = None
    dry_run: bool | None = None
    explain: bool | None = None
    no_input: bool | None = None
    no_pager: bool | None = None
    json_errors: bool | None = None
    debug: bool | None = None

    @property
    def sends_nothing(self) -> bool:
        """Whether the call is only shown."""
        return bool(self.dry_run or self.explain)

    def over(self, outer: object) -> Options:
        """Return these options, completed by those before the command."""
        if not isinstance(outer, Options):
            return self
        return replace(outer, **{f.name: v for f in _members(self) if (v := getattr(self, f.name)) is not None})


def secrets(typed: Options) -> list[str]:
    """Return the secrets, which no message may show."""
    return [key for key in (typed.api_key, os.environ.get("CRM_API_KEY")) if key]


@dataclass(frozen=True, slots=True)
class SignIn:
    """The sign-in that `crm login` stores in a file. The secret is in the keyring."""

    base_url: str | None = None
    tenant: str | None = None
    dialect: str | None = None
    speaks: tuple[str, ...] = ()
    """The dialects in which the server has answered a command."""
    lacks: tuple[str, ...] = ()
    """The dialects that the server was found to lack. A new sign-in resets both."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a command."""

    output: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    tenant: str | None
    dialect: str | None
    timeout: float
    language: str | None
    offline: bool
    debug: bool
    typed: Options
    stored: SignIn


def settle(typed: Options) -> Settings:
    """Return the settings from the typed options, the environment and the stored sign-in, in this order."""
    stored, environment = read_sign_in(), os.environ
    base_url = typed.base_url or environment.get("CRM_BASE_URL") or stored.base_url
    here = base_url is not None and base_url.rstrip("/") == stored.base_url
    if not here:
        stored = SignIn(stored.base_url)  # the rest of the sign-in is about another server
    return Settings(
        _format(typed.output),
        base_url,
        typed.api_key or environment.get("CRM_API_KEY") or None,
        typed.tenant or environment.get("CRM_TENANT_ID") or stored.tenant,
        typed.dialect or environment.get("CRM_DIALECTS") or stored.dialect,
        _seconds(typed.timeout),
        typed.language or environment.get("CRM_LANGUAGE") or None,
        _offline(typed),
        bool(typed.debug),
        typed,
        stored,
    )


def _offline(typed: Options) -> bool:
    """Return whether the embedded server is meant. What is typed is stronger than the environment."""
    said = os.environ.get("CRM_OFFLINE", "")
    if said.lower() not in (*_YES, *_NO):
        raise MisuseError(f"CRM_OFFLINE must be 1 or 0, not {said!r}")
    if typed.offline and typed.base_url is not None:
        raise MisuseError("--offline and --base-url name two servers: type one of them")
    if typed.offline is not None:
        return typed.offline
    return said.lower() in _YES and typed.base_url is None and typed.api_key is None


def _format(typed: str | None) -> str:
    if typed is None:
        return "table" if sys.stdout.isatty() else "json"
    if typed not in FORMATS:
        raise MisuseError(f"--output must be one of {', '.join(FORMATS)}, not {typed!r}")
    return typed


def _seconds(typed: str | None) -> float:
    try:
        seconds = 30.0 if typed is None else float(typed)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise MisuseError(f"--timeout must be a number of seconds above 0, not {typed!r}")
    return seconds


def sign_in_file() -> Path:
    """Return the path of the file of the stored sign-in."""
    return Path(config_folder()) / "sign-in.json"


def read_sign_in() -> SignIn:
    """Return the stored sign-in; an empty one where there is none."""
    try:
        found: Any = json.loads(sign_in_file().read_text(encoding="utf-8"))
        named = (found.get(name) for name in ("base_url", "tenant", "dialect"))
        return SignIn(*named, *(tuple(map(str, found.get(name) or ())) for name in ("speaks", "lacks")))
    except (OSError, ValueError, AttributeError, TypeError):
        return SignIn()


def write_sign_in(sign_in: SignIn) -> None:
    """Store a sign-in, without its secret."""
    write_whole(str(sign_in_file()), (json.dumps(asdict(sign_in), indent=2) + "\n").encode())


def forget_sign_in() -> None:
    """Remove the stored sign-in."""
    sign_in_file().unlink(missing_ok=True)
