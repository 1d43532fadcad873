"""The settings of a command (server, credential, output), and the options of every command."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from dataclasses import fields as _members
from typing import TYPE_CHECKING

from .account.layers import DIALECTS, FORMATS, LAYERS, Layers
from .account.profiles import DEFAULT_PROFILE
from .failures import MisuseError, sign_in_hint
from .terminal.prompts import production

if TYPE_CHECKING:
    from .account.credentials import Account


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
        f"How to print: {', '.join(FORMATS)}; a table on a terminal, json otherwise (CRM_OUTPUT).",
        short="-o",
        choices=FORMATS,
    ),
    GlobalOption(
        "fields", "--fields", "Which members are printed, in every format, separated by commas: id,name,address.city."
    ),
    GlobalOption("jq", "--jq", "A jq expression over what is printed: of a list, over the records of all pages."),
    GlobalOption("template", "--template", "A Jinja template for each record: '{{name}} {{owner.email}}'."),
    GlobalOption(
        "profile", "--profile", "Which server and account, as `crm config profiles` lists them (CRM_PROFILE)."
    ),
    GlobalOption("base_url", "--base-url", "Address of the server (CRM_BASE_URL); a proxy is CRM_PROXY's."),
    GlobalOption("api_key", "--api-key", "Key to call with; better in the environment, as CRM_API_KEY."),
    GlobalOption("tenant", "--tenant", "Id of the company (CRM_TENANT_ID)."),
    GlobalOption(
        "dialect",
        "--dialect",
        "How the server talks: mvp, flow, platform, or several in order (CRM_DIALECTS); found out without it.",
        choices=DIALECTS,
    ),
    GlobalOption(
        "timeout",
        "--timeout",
        "How long a call may take, retries included, such as 90 or 10m (CRM_TIMEOUT); 30 seconds without it.",
    ),
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
    profile: str | None = None
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
    profile: str
    layers: Layers = field(repr=False)
    """Where each of them is from."""

    @property
    def account(self) -> Account | None:
        """Whose secret the command uses where it has no API key; None without a server."""
        from .account.credentials import Account

        return Account(self.profile, self.base_url.rstrip("/")) if self.base_url is not None else None


def settle(typed: Options, *, any_profile: bool = False) -> Settings:
    """Return the settings: what is typed, else the environment's, else the project's, else the user's.

    `any_profile`: the profile need not exist.
    """
    layers = Layers(typed, any_profile=any_profile)
    base_url, language = layers.value("base_url"), layers.value("language")
    offline = is_offline(layers)
    settings = Settings(
        layers.value("output") or ("table" if sys.stdout.isatty() else "json"),
        base_url,
        layers.value("api_key"),
        layers.value("tenant"),
        layers.value("dialects"),
        layers.value("timeout"),
        language,
        offline,
        bool(typed.debug),
        typed,
        layers.profile,
        layers,
    )
    sign_in_hint.set(_hint(settings))
    production.set(None if offline or not layers.value("production") else f"{settings.profile}, {base_url}")
    return settings


def _hint(settings: Settings) -> str:
    """Return what to do where the credential is refused: to sign in is no use where a key is used instead."""
    key = settings.layers.find_one("api_key")
    if key.value is not None:
        instead = "unset it" if key.layer == "environment" else "leave it out"
        return f"{key.where} is used here: replace it, or {instead} and sign in with `crm login`"
    profile = "" if settings.profile == DEFAULT_PROFILE else f" --profile {settings.profile}"
    return f"sign in with `crm login{profile}`, or set CRM_API_KEY"


def is_offline(layers: Layers) -> bool:
    """Return whether the embedded server is meant: not where a stronger layer names a server or a key."""
    said = layers.find_one("offline")
    if said.value and said.layer == "flag" and layers.find_one("base_url").layer == "flag":
        raise MisuseError("--offline and --base-url name two servers: type one of them")
    rank = LAYERS.index(said.layer)
    named = any(LAYERS.index(layers.find_one(name).layer) < rank for name in ("base_url", "api_key"))
    return bool(said.value) and not named
