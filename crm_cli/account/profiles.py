"""The files of settings: the user's ``config.toml`` with its profiles, and a project's ``.crm.toml``."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm_sdk.wire import is_array, is_object

from ..failures import MisuseError
from ..folders import cache_folder, config_folder, write_whole

DEFAULT_PROFILE = "default"
PROJECT_FILE = ".crm.toml"
_SECRET = re.compile(r"api[_-]?key|token|password|passwd|secret|credential|private[_-]?key", re.IGNORECASE)
_LOCK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class UserConfig:
    """The user's file: members for all profiles, and the profiles."""

    path: Path
    general: Mapping[str, Any]
    profiles: Mapping[str, Mapping[str, Any]]

    def where(self, profile: str | None) -> str:
        """Return how a message names the file, or the part that is a profile."""
        return str(self.path) if profile is None else f"[profiles.{profile}] of {self.path}"

    def servers(self) -> set[str]:
        """Return the servers of the profiles."""
        return {str(members["base_url"]).rstrip("/") for members in self.profiles.values() if "base_url" in members}


@dataclass(frozen=True, slots=True)
class Project:
    """A project's file."""

    path: Path
    members: Mapping[str, Any]


def user_file() -> Path:
    """Return the path of the user's file, which may not exist."""
    return Path(config_folder()) / "config.toml"


def read_user_config() -> UserConfig:
    """Return what the user's file says; nothing where there is none. Raises: MisuseError where it is damaged."""
    path = user_file()
    data = read_toml(path)
    refuse_secrets(data, path, "it is not encrypted, so no credential belongs in it")
    profiles: Any = data.pop("profiles", {})
    if not is_object(profiles) or not all(map(is_object, profiles.values())):
        raise MisuseError(f"{path}: a profile is a table, such as [profiles.{DEFAULT_PROFILE}]")
    odd = next((name for name in profiles if not check_profile_name(name)), None)
    if odd is not None:
        raise MisuseError(f"{path}: a profile is named by letters, digits, - and _, not {odd!r}")
    return UserConfig(path, data, profiles)


def project_file() -> Path | None:
    """Return the nearest project's file, from the working folder upwards."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was deleted
        return None
    return next((path for folder in (here, *here.parents) if (path := folder / PROJECT_FILE).is_file()), None)


def read_project() -> Project | None:
    """Return what the project's file says; None where there is none. Raises: MisuseError for one with a credential."""
    path = project_file()
    if path is None:
        return None
    data = read_toml(path)
    refuse_secrets(data, path, "a project's file is shared, so no credential belongs in it")
    return Project(path, data)


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a file says; nothing where there is none. Raises: MisuseError where it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MisuseError(f"{path} cannot be read: {error.strerror or error}") from None
    import tomllib

    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MisuseError(f"{path} is damaged: it is not UTF-8; mend it or remove it") from None
    except tomllib.TOMLDecodeError as error:
        # The message has the line and the column. What stands there may be a secret, and is not shown.
        place = re.search(r"\(at (.*)\)$", str(error))
        raise MisuseError(
            f"{path} is damaged: it is not TOML{f' ({place[1]})' if place else ''}; mend it or remove it"
        ) from None


def refuse_secrets(data: Mapping[str, Any], path: Path, why: str) -> None:
    """Refuse a file that has a credential. Raises: MisuseError, which does not show it."""
    for name, value in data.items():
        if _SECRET.search(name):
            raise MisuseError(
                f"{path} has {name!r}: {why}. Remove it, replace the credential if others could read it, and use "
                "`crm login` or CRM_API_KEY"
            )
        if is_object(value):
            refuse_secrets(value, path, why)
        elif is_array(value):
            for item in value:
                if is_object(item):
                    refuse_secrets(item, path, why)


def check_profile_name(name: str) -> bool:
    """Tell whether a profile can be named so: it names a file as well."""
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", name) is not None


def write_members(path: Path, table: str | None, members: Mapping[str, Any]) -> None:
    """Set members of a table of a file, or with None remove them; comments and all else stay. Other commands wait.

    Raises: MisuseError where the file is damaged.
    """
    from .editing import with_member

    with file_lock(path.with_name(f"{path.name}.lock") if path.name != PROJECT_FILE else None):
        before = read_toml(path)
        text = path.read_text("utf-8-sig") if path.exists() else ""
        for name, value in members.items():
            text, before = with_member(text, before, table, name, value, path)
        write_whole(str(path), text.encode(), mode=0o644 if path.name == PROJECT_FILE else 0o600)


@contextmanager
def file_lock(path: Path | None) -> Generator[None]:
    """Let one command at a time change a file."""
    if path is None:
        yield
        return
    from crm_sdk.sign_in.stored import FileLock

    until = time.monotonic() + _LOCK_SECONDS
    while (lock := FileLock.try_acquire(path)) is None:
        if time.monotonic() >= until:
            raise MisuseError(f"another command has been changing {path.with_suffix('')} for too long")
        time.sleep(0.02)
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a profile says of its server, and what commands have found out about it. The secret is elsewhere."""

    base_url: str | None = None
    tenant: str | None = None
    dialect: str | None = None
    speaks: tuple[str, ...] = ()
    """The dialects in which the server has answered a command."""
    lacks: tuple[str, ...] = ()
    """The dialects that the server was found to lack. A new sign-in resets both."""


def read_sign_in(profile: str = DEFAULT_PROFILE) -> SignIn:
    """Return the sign-in of a profile; an empty one where there is none."""
    members = read_user_config().profiles.get(profile, {})
    base_url = members.get("base_url")
    named = (base_url, members.get("tenant"), members.get("dialects"))
    return SignIn(*named, *finding_of(base_url)) if base_url is not None else SignIn()


def write_sign_in(sign_in: SignIn, profile: str = DEFAULT_PROFILE) -> None:
    """Store a sign-in as a profile, without its secret."""
    members = {"base_url": sign_in.base_url, "tenant": sign_in.tenant, "dialects": sign_in.dialect}
    write_members(user_file(), f"profiles.{profile}", members)
    if sign_in.base_url is not None:
        note_finding(sign_in.base_url, sign_in.speaks, sign_in.lacks)


def finding_of(base_url: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the dialects that a server was found to speak and to lack."""
    found = _findings().get((base_url or "").rstrip("/"))
    members = found if is_object(found) else {}
    lists = [members.get("speaks"), members.get("lacks")]
    speaks, lacks = (tuple(map(str, item)) if is_array(item) else () for item in lists)
    return speaks, lacks


def note_finding(base_url: str, speaks: tuple[str, ...], lacks: tuple[str, ...]) -> None:
    """Store the dialects that a server was found to speak and to lack; without a folder for it nothing is."""
    found = {**_findings(), base_url.rstrip("/"): {"speaks": speaks, "lacks": lacks}}
    with suppress(OSError):
        write_whole(_findings_file(), (json.dumps(found, indent=2) + "\n").encode())


def _findings_file() -> str:
    return os.path.join(cache_folder(), "servers.json")  # noqa: PTH118 # as the folders are


def _findings() -> Mapping[str, Any]:
    """Return what was found out about servers; nothing where it cannot be read: it is found out again."""
    try:
        found: Any = json.loads(Path(_findings_file()).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if is_object(found) else {}
