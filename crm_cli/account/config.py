"""``crm config``: show and change the settings, and say which layer has set one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..failures import NOT_FOUND, MisuseError, complain
from ..help import Command, Group
from ..settings import Options, settle
from ..tree.global_options import by_hand
from ..tree.near import refusal
from .layers import LAYERS, SETTINGS, Layers, Setting, Told, checked_setting, setting_named
from .profiles import (
    DEFAULT_PROFILE,
    PROJECT_FILE,
    project_file,
    user_file,
    write_members,
)
from .status import shown_url

_KEY = Annotated[str, typer.Argument(metavar="KEY", help="The setting; `crm config list` has all of them.")]
_PROJECT = Annotated[
    bool, typer.Option("--project", help=f"In the project's file, {PROJECT_FILE}, instead of the user's.")
]


def commands() -> typer.Typer:
    """Return the commands of the settings."""
    app = typer.Typer(
        cls=Group,
        no_args_is_help=True,
        help="The settings: an option beats the environment, that the project's file, and that the user's.",
    )
    for name, command in (
        ("get", get),
        ("set", change),
        ("unset", unset),
        ("list", show_all),
        ("explain", explain),
        ("profiles", profiles),
        ("path", path),
    ):
        app.command(name, cls=Command)(by_hand(command))
    return app


def get(options: Options, key: _KEY) -> int | None:
    """Print the value that a setting has in this folder. Fails: exit 5 where it has none."""
    from ..terminal.output import Printer

    setting, layers = setting_named(key), Layers(options)
    value = _shown_setting(setting, _setting_in_force(layers, setting.name))
    if value is None:
        complain(f"{setting.name} is not set")
        return NOT_FOUND
    if options.output is None:
        typer.echo(_text(value))
    else:
        Printer(settle(options).output).show({"key": setting.name, "value": value})
    return None


def change(
    options: Options,
    key: _KEY,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The value it is to have.")],
    project: _PROJECT = False,
) -> None:
    """Set a setting in the user's file, in the profile if it is one of a server.

    `output`, `timeout`, `language` and `offline` are set for all profiles, with `--profile` for that one.
    """
    setting = setting_named(key)
    read = checked_setting(setting, value, setting.name)
    if setting.name == "profile":
        _known_profile(options, str(read))
    _write(options, setting, read, project)


def unset(options: Options, key: _KEY, project: _PROJECT = False) -> None:
    """Remove a setting from the user's file, or with `--project` from the project's."""
    _write(options, setting_named(key), None, project)


def show_all(options: Options) -> None:
    """List every setting with its value and with the layer that has set it. No credential is shown."""
    from ..terminal.output import Printer

    layers = Layers(options)
    rows: list[dict[str, Any]] = []
    for setting in SETTINGS.values():
        told = _setting_in_force(layers, setting.name)
        rows.append(
            {"key": setting.name, "value": _shown_setting(setting, told), "layer": told.layer, "from": told.where}
        )
    Printer(settle(options).output).rows(rows)


def explain(options: Options, key: _KEY) -> None:
    """Say what each layer has for a setting, which of them won, and why the others did not."""
    from ..terminal.output import Printer

    setting, layers = setting_named(key), Layers(options)
    Printer(settle(options).output).rows(_layer_rows(setting, layers))


def profiles(options: Options) -> None:
    """List the profiles: the server of each, whether it is production, and which one commands use."""
    from ..terminal.output import Printer

    layers = Layers(options)
    named: Mapping[str, Mapping[str, Any]] = layers.user.profiles or {DEFAULT_PROFILE: {}}
    rows: list[dict[str, Any]] = [
        {
            "profile": name,
            "used": name == layers.profile,
            "baseUrl": shown_url(members.get("base_url")),
            "tenant": members.get("tenant"),
            "production": bool(members.get("production", False)),
        }
        for name, members in named.items()
    ]
    Printer(settle(options).output).rows(rows)


def path(options: Options, project: _PROJECT = False) -> int | None:
    """Print the path of the user's file, or of the project's. Fails: exit 5 where there is no project's file."""
    found: Path | None = project_file() if project else user_file()
    if found is None:
        complain(f"there is no {PROJECT_FILE} in this folder or one above it")
        return NOT_FOUND
    typer.echo(str(found))
    return None


def _setting_in_force(layers: Layers, name: str) -> Told:
    """Return what a setting is; a profile has to exist."""
    if name == "profile":
        assert layers.profile  # refuses one that does not exist
    return layers.find_one(name)


def _layer_rows(setting: Setting, layers: Layers) -> Iterator[dict[str, Any]]:
    """Yield a row for each layer, also for those that say nothing."""
    told = list(layers.sayings_of(setting.name))
    winner = layers.find_one(setting.name)
    for layer in LAYERS:
        found = [item for item in told if item.layer == layer]
        for item in found:
            why = "used" if item == winner else item.unused or f"beaten by {winner.where}"
            yield {"layer": layer, "from": item.where, "value": _shown_setting(setting, item), "result": why}
        if not found:
            place, why = _unsaid(setting, layer)
            yield {"layer": layer, "from": place, "value": None, "result": why}


def _unsaid(setting: Setting, layer: str) -> tuple[str, str]:
    """Return where a layer would have a setting that it does not have, and why it has not."""
    places = {"flag": setting.flag, "environment": setting.variable}
    if layer in places:
        return (places[layer] or "", "not set") if places[layer] else ("", "cannot be set there")
    if layer not in setting.files:
        return "", "cannot be set there"
    return (str(project_file() or PROJECT_FILE) if layer == "project" else str(user_file())), "not set"


def _shown_setting(setting: Setting, told: Told) -> Any:
    """Return a value as it may be shown: a credential never."""
    if told.value is None:
        return None
    if setting.kind == "secret":
        return "***"
    return shown_url(told.value) if setting.kind == "url" else told.value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _write(options: Options, setting: Setting, value: Any, project: bool) -> None:
    """Write a setting into a file, and say which; say too where another layer beats it."""
    where = "project" if project else "user"
    if setting.kind == "secret":
        raise MisuseError("no credential is kept in a file of settings: use `crm login`, or set CRM_API_KEY")
    if where not in setting.files:
        raise MisuseError(f"{setting.name} cannot be set in a project's file")
    layers = Layers(options, any_profile=value is not None)
    if project:
        layers.project  # noqa: B018 # a damaged file, or one with a credential, is not written to
        file, table = project_file() or Path.cwd() / PROJECT_FILE, None
    else:
        layers.user  # noqa: B018 # as above
        file = user_file()
        everywhere = setting.general and (options.profile is None or setting.name == "profile")
        table = None if everywhere else f"profiles.{layers.profile}"
    write_members(file, table, {setting.name: value})
    of = f" of {table.partition('.')[2]}" if table is not None else ""
    complain(f"{'set' if value is not None else 'removed'} {setting.name}{of} in {file}")
    # The option that chose the profile to write to is no setting of later commands.
    after = Layers(Options(profile=None if setting.name == "profile" else options.profile), any_profile=True)
    told = after.find_one(setting.name)
    written = f"[{table}] of {file}" if table is not None else str(file)
    if value is not None and told.where != written and LAYERS.index(told.layer) <= LAYERS.index(where):
        complain(f"note: {told.where} beats it")


def _known_profile(options: Options, name: str) -> None:
    known = [DEFAULT_PROFILE, *Layers(options, any_profile=True).user.profiles]
    if name not in known:
        raise refusal(f"there is no profile {name!r}", name, known)
