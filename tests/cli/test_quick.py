"""A plain command line is read without Typer just as Typer reads it; all others are left to Typer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shell import OPERATIONS
from typer import TyperException
from typer.main import get_command

from crm_cli.app import application
from crm_cli.settings import GLOBALS
from crm_cli.tree import quick
from crm_cli.tree.parameters import Form

pytest_plugins = ["cli_fixtures"]

VALUES = ["", "7", "new", "a,b", "Ünïcode é", "two words", "x=y", '{"name": "Ada"}', "@file", "-", "-1", "--all", "$1"]
ODD = ["--", "--nonsense", "-x", "-ojson", "--watch", "--jobs", "--help", "--output=", "--status=", "-", "--no-all"]
FORMS = [Form(operation) for operation in OPERATIONS.values()]


def command_line(form: Form, chance: random.Random) -> list[str]:
    """Return a command line of a call: mostly a sound one."""
    flags = [p.flag for p in form.parameters if p.place != "argument"]
    flags += [f"--no-{p.flag[2:]}" for p in form.parameters if p.kind == "flag"]
    flags += [alias for p in form.parameters for alias in p.aliases]
    takes = dict.fromkeys(flags, True) | {p.flag: p.kind != "flag" for p in form.parameters}
    takes |= {f"--no-{p.flag[2:]}": False for p in form.parameters if p.kind == "flag"}
    takes |= {flag: words is not False for flag, words in form.own.items()} | ({"-y": False} if form.destroys else {})
    everywhere = {flag: o.kind is not bool for o in GLOBALS for flag in (o.flag, o.short, o.negative) if flag}
    after: list[list[str]] = [
        [chance.choice(VALUES[:8])] for p in form.parameters if p.place == "argument" and chance.random() < 0.9
    ]
    own = {**takes, **everywhere}
    for flag in chance.sample(sorted(own), min(len(own), chance.randrange(5))):
        after.append(_typed(flag, own[flag], chance))
    if chance.random() < 0.1:
        after.append([chance.choice(ODD)])
    chance.shuffle(after)
    before = [
        _typed(flag, everywhere[flag], chance)
        for flag in chance.sample(sorted(everywhere), chance.choice((0, 0, 1, 2)))
    ]
    return [*_flat(before), *form.path.split(), *_flat(after)]


def _typed(flag: str, takes_value: bool, chance: random.Random) -> list[str]:
    if not takes_value:
        return [flag]
    value = chance.choice(VALUES)
    return [f"{flag}={value}"] if flag.startswith("--") and chance.random() < 0.3 else [flag, value]


def _flat(parts: list[list[str]]) -> Iterator[str]:
    return (word for part in parts for word in part)


def none_of(value: Any) -> Any:
    """Return what was typed of a parameter; Typer has an empty list where nothing was."""
    return None if value == [] else value


class ReadError(Exception):
    """Carries what Typer has read in place of making the call."""


@pytest.fixture
def by_typer(monkeypatch: pytest.MonkeyPatch) -> Any:
    def stop(form: Form, options: Any, given: Any, **own: Any) -> Any:
        raise ReadError(form.path, options, {p.flag: none_of(value) for p, value in given.items()}, own)

    monkeypatch.setattr("crm_cli.tree.declared.Run", stop)
    tree = get_command(application())

    def read(arguments: list[str]) -> Any:
        try:
            tree.main(args=list(arguments), prog_name="crm", standalone_mode=False)
        except ReadError as read:
            return read.args
        except TyperException:
            return None
        return None

    return read


def at_once(arguments: list[str]) -> Any:
    try:
        typed = quick.read(list(arguments))
    except quick.NotPlainError:
        return None
    given = {p.flag: none_of(value) for p, value in typed.given.items()}
    return typed.form.path, typed.options, given, dict(typed.own)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(8))
def test_a_command_line_is_read_as_typer_reads_it(seed: int, by_typer: Any, folder: Path) -> None:
    chance = random.Random(seed)
    plain = 0
    for form in FORMS[seed::8]:
        for _ in range(4):
            arguments = command_line(form, chance)
            found = at_once(arguments)
            if found is None:
                continue
            plain += 1
            path, options, given, own = by_typer(arguments)
            more = {name: own.pop(name) for name in ("watch", "jobs", "stdin") if name in own}
            assert not any(more.values()), arguments
            assert found == (path, options, given, own), arguments
    assert plain > 50
