"""What a setting is: an option beats the environment, that the project's file, that the user's, that the default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from shell import ROOT, Crm

from crm_cli import failures
from crm_cli.account.layers import LAYERS, SETTINGS, Layer, Layers, Setting
from crm_cli.settings import Options, is_offline

pytest_plugins = ["cli_fixtures"]

UNKNOWN_SERVER = "no server is known"
NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("typed", "variables", "status", "said"),
    [
        ("", {"CRM_OFFLINE": "1"}, 0, ""),
        ("", {"CRM_OFFLINE": "Yes"}, 0, ""),
        ("", {"CRM_OFFLINE": "0"}, failures.USAGE, UNKNOWN_SERVER),
        ("", {"CRM_OFFLINE": "off"}, failures.USAGE, UNKNOWN_SERVER),
        ("", {"CRM_OFFLINE": "maybe"}, failures.USAGE, "CRM_OFFLINE must be 1 or 0, not 'maybe'"),
        ("--offline", {"CRM_OFFLINE": "0"}, 0, ""),
        ("--offline", {"CRM_BASE_URL": "http://127.0.0.1:9"}, 0, ""),
        ("--no-offline", {"CRM_OFFLINE": "1"}, failures.USAGE, UNKNOWN_SERVER),
        ("--no-offline", {"CRM_OFFLINE": "1", "CRM_BASE_URL": "http://127.0.0.1:9"}, failures.RETRYABLE, "127.0.0.1"),
        ("--base-url http://127.0.0.1:9", {"CRM_OFFLINE": "1"}, failures.RETRYABLE, "127.0.0.1"),
        (
            "--api-key another-key",
            {"CRM_OFFLINE": "1", "CRM_BASE_URL": "http://127.0.0.1:9"},
            failures.RETRYABLE,
            "127.0.0.1",
        ),
        ("--api-key another-key", {"CRM_OFFLINE": "1"}, failures.USAGE, UNKNOWN_SERVER),
        ("--offline --api-key acme-admin", {}, 0, ""),
        ("--offline --base-url http://127.0.0.1:9", {}, failures.USAGE, "--offline and --base-url name two servers"),
    ],
)
def test_what_is_typed_beats_the_environment(
    typed: str, variables: dict[str, str], status: int, said: str, offline: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRM_OFFLINE")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for words in ([*typed.split(), "leads", "list"], ["leads", "list", *typed.split()]):
        done = offline(*words)
        assert done.status == status, done.err
        assert said in done.err


# -- every setting, every pair of layers

VALUES: Mapping[str, tuple[Any, Any]] = {
    "profile": ("one", "two"),
    "base_url": ("https://one.test", "https://two.test"),
    "api_key": ("key-one", "key-two"),
    "tenant": ("tenant_one", "tenant_two"),
    "dialects": ("mvp", "flow"),
    "production": (True, False),
    "client_id": ("app-one", "app-two"),
    "offline": (True, False),
    "output": ("yaml", "csv"),
    "timeout": (5.0, 7.0),
    "language": ("de", "es"),
}
"""Two values of each setting: that of the stronger layer, and that of the weaker."""
ABOUT = "https://about.test"
"""The server that the settings of a server are about."""


def has(setting: Setting, layer: Layer) -> bool:
    if layer == "flag":
        return setting.option is not None
    if layer == "environment":
        return setting.variable is not None
    return layer == "default" or layer in setting.files


def literal(value: Any) -> str:
    return json.dumps(value)


class Layered:
    """The layers as a user has them: options, variables, and two files."""

    def __init__(self, folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.typed: dict[str, Any] = {}
        self._lines: dict[Layer, list[str]] = {"project": [], "user": []}
        self._folder, self._project, self._monkeypatch = folder, project, monkeypatch

    def put(self, setting: Setting, layer: Layer, value: Any) -> None:
        if layer == "flag":
            self.typed[str(setting.option)] = str(value) if setting.kind == "seconds" else value
        elif layer == "environment":
            self._monkeypatch.setenv(str(setting.variable), str(value))
        elif layer != "default":
            self._lines[layer].append(f"{setting.name} = {literal(value)}")
            if setting.of_server:
                self._lines[layer].append(f"base_url = {literal(ABOUT)}")

    def layers(self, setting: Setting) -> Layers:
        user = "\n".join(self._lines["user"])
        profiles = "[profiles.one]\n[profiles.two]\n[profiles.default]\n"
        text = f"{user}\n{profiles}" if setting.name == "profile" else f"{profiles}{user}\n"
        (self._folder / "config.toml").write_text(text)
        (self._project / ".crm.toml").write_text("\n".join(self._lines["project"]))
        if setting.of_server:
            self.typed["base_url"] = ABOUT
        return Layers(Options(**self.typed))


PAIRS = [
    (setting.name, stronger, weaker)
    for setting in SETTINGS.values()
    for stronger, weaker in combinations(LAYERS, 2)
    if has(setting, stronger) and has(setting, weaker)
]


@pytest.fixture
def layered(folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Layered:
    return Layered(folder, project, monkeypatch)


@pytest.mark.parametrize(("name", "stronger", "weaker"), PAIRS)
def test_the_stronger_of_two_layers_wins(name: str, stronger: Layer, weaker: Layer, layered: Layered) -> None:
    setting = SETTINGS[name]
    first, second = VALUES[name]
    layered.put(setting, stronger, first)
    layered.put(setting, weaker, second)
    layers = layered.layers(setting)
    told = list(layers.sayings_of(name))
    assert (layers.find_one(name).layer, layers.value(name)) == (stronger, first)
    assert [item.layer for item in told] == list(dict.fromkeys([stronger, weaker, "default"]))
    if weaker != "default":
        assert told[1].value == second


def test_each_setting_is_in_the_table() -> None:
    assert VALUES.keys() == SETTINGS.keys()
    assert {name for name, _, _ in PAIRS} == SETTINGS.keys()


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.of_server])
@pytest.mark.parametrize("layer", ["project", "user"])
def test_a_file_that_is_about_another_server_says_nothing_of_this_one(
    name: str, layer: Layer, layered: Layered
) -> None:
    setting = SETTINGS[name]
    if not has(setting, layer):
        return
    layered.put(setting, layer, VALUES[name][0])
    layers = layered.layers(setting)
    layered.typed["base_url"] = "https://another.test"
    elsewhere = Layers(Options(**layered.typed))
    assert layers.value(name) == VALUES[name][0]
    assert elsewhere.value(name) == setting.default
    assert ABOUT in str(next(iter(elsewhere.sayings_of(name))).unused)


@pytest.mark.parametrize(
    ("offline_in", "server_in", "offline"),
    [
        ("environment", "flag", False),
        ("environment", "environment", True),
        ("project", "environment", False),
        ("project", "project", True),
        ("user", "project", False),
        ("user", "user", True),
        ("project", "user", True),
    ],
)
def test_a_server_of_a_stronger_layer_beats_offline(
    offline_in: Layer, server_in: Layer, offline: bool, layered: Layered
) -> None:
    layered.put(SETTINGS["offline"], offline_in, True)
    layered.put(SETTINGS["base_url"], server_in, "https://crm.test")
    assert is_offline(layered.layers(SETTINGS["offline"])) is offline


def test_config_explains_which_layer_won(
    crm: Crm, folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".crm.toml").write_text('language = "fr"\n')
    (folder / "config.toml").write_text('language = "es"\n[profiles.default]\nlanguage = "it"\n')
    monkeypatch.setenv("CRM_LANGUAGE", "de")
    rows = crm("config", "explain", "language").json
    assert [(row["layer"], row["value"], row["result"]) for row in rows] == [
        ("flag", None, "not set"),
        ("environment", "de", "used"),
        ("project", "fr", "beaten by CRM_LANGUAGE"),
        ("user", "it", "beaten by CRM_LANGUAGE"),
        ("user", "es", "beaten by CRM_LANGUAGE"),
        ("default", None, "beaten by CRM_LANGUAGE"),
    ]
    assert crm("config", "get", "language").out == "de\n"
    assert crm("config", "get", "language", "--language", "pt").out == "pt\n"
    monkeypatch.delenv("CRM_LANGUAGE")
    (project / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(project / "deep" / "er")
    assert crm("config", "get", "language").out == "fr\n", "upwards from the working folder"
    listed = {row["key"]: row for row in crm("config", "list").json}
    assert (listed["language"]["layer"], listed["language"]["from"]) == ("project", str(project / ".crm.toml"))
    assert listed.keys() == SETTINGS.keys()


def test_the_page_has_the_table_of_settings() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for setting in SETTINGS.values():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{setting.name}` |")]
        cells = [cell.strip(" `") for cell in row.strip("|").split("|")]
        files = ["yes" if file in setting.files else "" for file in ("project", "user")]
        assert cells[:5] == [setting.name, setting.flag or "", setting.variable or "", *files]
        assert cells[5].startswith(setting.about.split("`")[0].strip())
