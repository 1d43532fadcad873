"""Settings by layer: what is typed beats the environment, that the project's file, and that the user's file.

Every command settles its settings here, so this module imports nothing heavy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from crm_sdk.wire import is_array

from ..failures import MisuseError
from ..times import seconds_of
from ..tree.near import question_for
from .profiles import DEFAULT_PROFILE, Project, UserConfig, check_profile_name, read_project, read_user_config

if TYPE_CHECKING:
    from ..settings import Options

Layer: TypeAlias = Literal["flag", "environment", "project", "user", "default"]
LAYERS: tuple[Layer, ...] = ("flag", "environment", "project", "user", "default")
"""The layers, the strongest first."""
FORMATS = ("table", "json", "jsonl", "csv", "tsv", "yaml", "ids")
DIALECTS = ("mvp", "flow", "platform")
_NOTHING: Mapping[str, Any] = {}
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting, and where it can be set."""

    name: str
    about: str
    flag: str | None = None
    option: str | None = None
    """The member of `Options` that holds what was typed."""
    variable: str | None = None
    kind: Literal["text", "url", "format", "dialects", "seconds", "switch", "profile", "secret"] = "text"
    files: tuple[Layer, ...] = ("project", "user")
    """The files that may have it."""
    of_server: bool = False
    """Whether a file means it for the server that the file names, and for no other."""
    general: bool = False
    """Whether the user's file may have it for all profiles."""
    default: Any = None


SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "profile", "Which of the profiles commands use.", "--profile", "profile", "CRM_PROFILE", "profile",
            general=True, default=DEFAULT_PROFILE,
        ),
        Setting("base_url", "Address of the server.", "--base-url", "base_url", "CRM_BASE_URL", "url"),
        Setting(
            "api_key", "Key to call with, instead of a sign-in.", "--api-key", "api_key", "CRM_API_KEY", "secret",
            files=(),
        ),
        Setting("tenant", "Id of the company.", "--tenant", "tenant", "CRM_TENANT_ID", of_server=True),
        Setting(
            "dialects", "How the server talks: mvp, flow, platform, or several in order.", "--dialect", "dialect",
            "CRM_DIALECTS", "dialects", of_server=True,
        ),
        Setting(
            "production", "Whether questions before a call that deletes name the server.", kind="switch",
            of_server=True, default=False,
        ),
        Setting(
            "client_id", "As which application `crm login --web` asks for access.", "--client-id", None,
            "CRM_CLIENT_ID", files=("user",), of_server=True, default="demo-web",
        ),
        Setting(
            "offline", "Whether the embedded server is used instead.", "--offline", "offline", "CRM_OFFLINE", "switch",
            general=True, default=False,
        ),
        Setting("output", "How to print.", "--output", "output", "CRM_OUTPUT", "format", general=True),
        Setting(
            "timeout", "Seconds a call may take, retries included.", "--timeout", "timeout", "CRM_TIMEOUT", "seconds",
            general=True, default=30.0,
        ),
        Setting(
            "language", "Language of messages and labels, such as de.", "--language", "language", "CRM_LANGUAGE",
            general=True,
        ),
    )
}  # fmt: skip
"""All settings, by name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a layer says of a setting."""

    layer: Layer
    where: str
    """The option, the variable, or the file."""
    value: Any
    unused: str | None = None
    """Why it is not used, though no stronger layer has the setting; None where it would be."""


def setting_named(name: str) -> Setting:
    """Return a setting; a hyphen is as good as an underscore. Raises: MisuseError, with what may have been meant."""
    found = SETTINGS.get(name.replace("-", "_").lower())
    if found is None:
        raise MisuseError(f"there is no setting {name!r}{question_for(name, SETTINGS)}")
    return found


def checked_setting(setting: Setting, value: Any, where: str) -> Any:
    """Return the value of a setting as it is used. Raises: MisuseError, which names where the value is."""
    wanted, read = _CHECKS[setting.kind]
    found = read(value)
    if found is None:
        shown = "" if setting.kind == "url" and "@" in str(value) else f", not {value!r}"
        raise MisuseError(f"{where} must be {wanted}{shown}")
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _url(value: Any) -> str | None:
    from crm_sdk.errors import ConfigurationError
    from crm_sdk.options import checked_url

    try:
        return checked_url(value) if isinstance(value, str) else None
    except ConfigurationError:
        return None


def _format(value: Any) -> str | None:
    return value if value in FORMATS else None


def _dialects(value: Any) -> str | None:
    given: Any = value.split(",") if isinstance(value, str) else value
    names = [str(name).strip() for name in given] if is_array(given) else []
    return ",".join(names) if names and all(name in DIALECTS for name in names) else None


def _seconds(value: Any) -> float | None:
    try:
        seconds = 0.0 if isinstance(value, bool) else seconds_of(str(value))
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < float("inf") else None


def _switch(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else None
    return None if word not in (*_YES, *_NO) else word in _YES


def _profile(value: Any) -> str | None:
    return value if isinstance(value, str) and check_profile_name(value) else None


_CHECKS: Mapping[str, tuple[str, Any]] = {
    "text": ("a text", _text),
    "secret": ("a text", _text),
    "url": ("like 'https://crm.example.com', without credentials", _url),
    "format": (f"one of {', '.join(FORMATS)}", _format),
    "dialects": (f"one of {', '.join(DIALECTS)}, or several in order", _dialects),
    "seconds": ("a number of seconds above 0, or a time such as 90s or 10m", _seconds),
    "switch": ("1 or 0", _switch),
    "profile": ("a name of letters, digits, - and _", _profile),
}
"""What is wanted of the values of each kind, and what reads one; None is no value of the kind."""


class Layers:
    """What the layers say in a command."""

    def __init__(self, typed: Options, *, any_profile: bool = False) -> None:
        """`any_profile`: the profile need not exist, as where it is made."""
        self._typed = typed
        self._any_profile = any_profile

    @cached_property
    def user(self) -> UserConfig:
        """The user's file. Raises: MisuseError where it is damaged."""
        config = read_user_config()
        for name, value in config.general.items():
            self._check(name, value, config.where(None), "user", general=True)
        for profile, members in config.profiles.items():
            for name, value in members.items():
                self._check(name, value, config.where(profile), "user")
        return config

    @cached_property
    def project(self) -> Project | None:
        """The file of the project that the working folder belongs to. Raises: MisuseError where it is damaged."""
        project = read_project()
        for name, value in project.members.items() if project is not None else ():
            self._check(name, value, str(project and project.path), "project")
        return project

    @cached_property
    def profile(self) -> str:
        """The profile that the command uses. Raises: MisuseError for one that does not exist."""
        told = self.find_one("profile")
        name = str(told.value)
        if not self._any_profile and name != DEFAULT_PROFILE and name not in self.user.profiles:
            known = question_for(name, [DEFAULT_PROFILE, *self.user.profiles])
            raise MisuseError(
                f"there is no profile {name!r} ({told.where}){known or f'; `crm login --profile {name}` makes it'}"
            )
        return name

    def find_one(self, name: str) -> Told:
        """Return what a setting is, with the layer that says so."""
        return next(told for told in self.sayings_of(name) if told.unused is None)

    def value(self, name: str) -> Any:
        """Return what a setting is."""
        return self.find_one(name).value

    def sayings_of(self, name: str) -> Iterator[Told]:
        """Yield what each layer says of a setting, the strongest first; layers that say nothing are left out."""
        setting = SETTINGS[name]
        typed = getattr(self._typed, setting.option) if setting.option is not None else None
        if typed == "":
            raise MisuseError(f"{setting.flag or name} is empty: leave it out, or give it a value")
        if typed is not None:
            # The address is the client's to check: `crm status` shows what is wrong with it beside the others.
            where = setting.flag or name
            yield Told("flag", where, typed if name == "base_url" else checked_setting(setting, typed, where))
        given = os.environ.get(setting.variable, "") if setting.variable is not None else ""
        if given:
            where = str(setting.variable)
            yield Told("environment", where, checked_setting(setting, given, where))
        project = self.project if "project" in setting.files else None
        if project is not None and name in project.members:
            value = checked_setting(setting, project.members[name], f"{name} in {project.path}")
            yield Told("project", str(project.path), value, self._elsewhere(setting, self._server_of_project))
        if "user" in setting.files:
            yield from self._of_user(setting)
        yield Told("default", "default", setting.default)

    def _of_user(self, setting: Setting) -> Iterator[Told]:
        config, name = self.user, setting.name
        profile = None if name == "profile" else self.profile
        members: Mapping[str, Any] = config.profiles.get(profile, _NOTHING) if profile is not None else _NOTHING
        if name in members:
            where = config.where(profile)
            value = checked_setting(setting, members[name], f"{name} in {where}")
            yield Told("user", where, value, self._elsewhere(setting, lambda: members.get("base_url")))
        if setting.general and name in config.general:
            where = config.where(None)
            yield Told("user", where, checked_setting(setting, config.general[name], f"{name} in {where}"))

    def _server_of_project(self) -> Any:
        """Return the server that the project means: its own, or that of its profile."""
        members = self.project.members if self.project is not None else _NOTHING
        named = self.user.profiles.get(str(members.get("profile", self.profile)), _NOTHING)
        return members.get("base_url", named.get("base_url"))

    def _elsewhere(self, setting: Setting, of: Callable[[], Any]) -> str | None:
        """Return why a setting of a server is not used: the command calls another one."""
        if not setting.of_server:
            return None
        server = of()
        called = self.value("base_url")
        same = called is not None and server is not None and str(called).rstrip("/") == str(server).rstrip("/")
        return None if same else f"it is about {server or 'no server'}, and this is {called or 'none'}"

    def _check(self, name: str, value: Any, where: str, layer: Layer, *, general: bool = False) -> None:
        """Refuse a member of a file that is no setting, has no such value, or belongs elsewhere."""
        setting = SETTINGS.get(name)
        if setting is None:
            raise MisuseError(f"{where}: there is no setting {name!r}{question_for(name, SETTINGS)}")
        if layer not in setting.files:
            raise MisuseError(f"{where}: {name} cannot be set in this file")
        if general and not setting.general:
            raise MisuseError(f"{where}: {name} belongs to a profile: put it below [profiles.{DEFAULT_PROFILE}]")
        if layer == "user" and not general and name == "profile":
            raise MisuseError(f"{where}: profile stands at the beginning of the file")
        checked_setting(setting, value, f"{name} in {where}")
