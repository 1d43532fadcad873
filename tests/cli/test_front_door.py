"""The front door prints what the tree of commands prints, or leaves it to the tree."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from shell import Terminal, process
from typer.main import get_command

from crm_cli.app import application, run
from crm_cli.discovery import manifest as written
from crm_cli.front import door, manifest, pages, shell_lines

pytest_plugins = ["cli_fixtures"]

COMMANDS = [
    line.partition("\t")[2].split()
    for line in Path(manifest.PATH).read_text(encoding="utf-8").splitlines()
    if line.startswith("command\t")
]
SAMPLE = [words for number, words in enumerate(COMMANDS) if number % 59 == 0]


class Piped(io.TextIOWrapper):
    """A stdout that is no terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n", write_through=True)

    @property
    def text(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(self.encoding)


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The file is taken to be that of these sources, as in what is installed."""
    monkeypatch.setattr(manifest, "is_trusted", lambda: True)


def at_the_door(arguments: list[str], encoding: str = "utf-8") -> str | None:
    out = Piped(encoding)
    with redirect_stdout(out):
        status = door.answer(arguments)
    assert (status is None) == (out.text == "")
    return out.text if status == 0 else None


def by_the_tree(arguments: list[str], tree: Any = None) -> str:
    """Return what a tree of commands prints: one that was made before, or a new one."""
    out = Piped()
    with redirect_stdout(out):
        if tree is None:
            assert run(arguments) == 0
        else:
            tree.main(args=arguments, prog_name="crm", standalone_mode=False)
    return out.text


@pytest.mark.thorough
def test_the_file_is_that_of_the_tree(folder: Path) -> None:
    assert Path(manifest.PATH).read_text(encoding="utf-8") == written.text(), "run `make docs`"


@pytest.mark.thorough
@pytest.mark.parametrize("start", range(0, len(COMMANDS), 75))
def test_the_help_of_every_command_is_that_of_the_tree(
    start: int, packaged: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tree = get_command(application())
    for words in COMMANDS[start : start + 75]:
        assert at_the_door([*words, "--help"]) == by_the_tree([*words, "--help"], tree), words


@pytest.mark.thorough
@pytest.mark.parametrize("width", ["59", "60", "120"])
def test_help_fits_the_terminal_as_the_tree_has_it(width: str, packaged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for words in SAMPLE:
        found = at_the_door([*words, "-h"])
        assert found == by_the_tree([*words, "-h"]) if int(width) >= 60 else found is None, words


@pytest.mark.parametrize("arguments", [["help"], ["help", "leads"], ["help", "leads", "list"], ["--help"], ["-h"]])
def test_help_that_is_asked_for_in_another_way(arguments: list[str], packaged: None) -> None:
    assert at_the_door(arguments) == by_the_tree(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["leads"],
        ["leads", "list"],
        ["--offline", "leads", "--help"],
        ["leads", "list", "--help", "--limit"],
        ["leads", "list", "lead_123", "--help"],
        ["lead", "--help"],
        ["help", "exit-codes"],
        ["help", "--help", "leads"],
        ["leads", "", "--help"],
        ["leads list", "--help"],
        ["leads\tlist", "--help"],
        ["--", "--help"],
    ],
)
def test_what_the_door_does_not_know_is_the_trees(arguments: list[str], packaged: None) -> None:
    assert at_the_door(arguments) is None


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "JUPYTER_COLUMNS"])
def test_colours_are_drawn_by_the_tree(name: str, packaged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_the_door(["--help"]) is not None
    monkeypatch.setenv(name, "1")
    assert at_the_door(["--help"]) is None


def test_a_terminal_and_an_8_bit_stdout_are_served_by_the_tree(packaged: None) -> None:
    assert at_the_door(["leads", "--help"], "latin-1") is None
    with redirect_stdout(Terminal(io.BytesIO(), encoding="utf-8")):
        assert door.answer(["leads", "--help"]) is None


@pytest.mark.parametrize(
    "damage", [lambda whole: whole.replace("1 ", "1 9.", 1), lambda whole: "", None], ids=["version", "empty", "none"]
)
def test_a_file_of_another_version_is_not_used(
    damage: Callable[[str], str] | None, packaged: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at_the_door(["leads", "--help"]) is not None
    path = tmp_path / "commands.txt"
    if damage is not None:
        path.write_text(damage(Path(manifest.PATH).read_text(encoding="utf-8")), encoding="utf-8")
    monkeypatch.setattr(manifest, "PATH", str(path))
    assert at_the_door(["leads", "--help"]) is None


def test_in_a_checkout_the_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "_HERE", str(tmp_path / "crm_cli" / "front"))
    assert manifest.is_trusted()
    (tmp_path / "pyproject.toml").touch()
    assert not manifest.is_trusted()


@pytest.mark.parametrize("arguments", [["--help"], ["leads", "--help"], ["help", "leads", "list"]])
def test_help_loads_nothing(arguments: list[str], folder: Path) -> None:
    heavy = {"typer", "rich", "pydantic", "httpx", "keyring", "typing", "re", "pathlib", "json", "crm_cli.app"}
    code = (
        "import sys; before = set(sys.modules)\n"
        "from crm_cli.front import manifest; manifest.is_trusted = lambda: True\n"
        f"sys.argv[1:] = {arguments}; from crm_cli.__main__ import main; status = main()\n"
        f"print(status, sorted({heavy} & sys.modules.keys() - before), file=sys.stderr)"
    )
    done = process(code, env={**os.environ})
    assert done.stderr == "0 []\n"
    assert "Usage: crm" in done.stdout


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 4, ["one ", "two"]),
        ("abcdefgh ij", 4, ["abcd", "efgh", " ij"]),
        ("a abcdefgh", 4, ["a ", "abcd", "efgh"]),
        ("", 4, [""]),
    ],
)
def test_lines_are_broken_between_words(text: str, width: int, lines: list[str]) -> None:
    from rich.console import Console
    from rich.text import Text

    by_rich = [line.plain for line in Text(text).wrap(Console(), width)]
    assert list(pages.wrap(text, width)) == by_rich
    assert [line.rstrip() for line in by_rich] == [line.rstrip() for line in lines]


@pytest.mark.parametrize(
    ("terminal", "variables", "width"),
    [
        (None, {}, 80), (None, {"COLUMNS": "100"}, 100), (None, {"COLUMNS": "odd"}, 80), (None, {"COLUMNS": "0"}, 80),
        (None, {"COLUMNS": "60"}, 60), (None, {"COLUMNS": "59"}, None), (120, {}, 120), (120, {"COLUMNS": "70"}, 70),
        (50, {}, None), (0, {}, 80), (None, {"FORCE_COLOR": "1"}, None), (None, {"TTY_COMPATIBLE": "1"}, None),
    ],
)  # fmt: skip
def test_a_page_is_as_wide_as_where_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, terminal: int | None, variables: dict[str, str], width: int | None
) -> None:
    def size(stream: int) -> os.terminal_size:
        if terminal is None or stream != 2:
            raise OSError("no terminal")
        return os.terminal_size((terminal, 24))

    for name in ("COLUMNS", *door._DRAWN_OTHERWISE):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "get_terminal_size", size)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert door.width() == width
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert door.width() is None


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("--help", []), ("-h", []), ("help", []), ("leads --help", ["leads"]), ("leads list -h", ["leads", "list"]),
        ("help leads list", ["leads", "list"]), ("", None), ("leads list", None), ("--json --help", None),
        ("leads --limit 5 --help", None), ("help --x", None),
    ],
)  # fmt: skip
def test_whose_help_is_asked_for(words: str, asked: list[str] | None) -> None:
    assert door.help_asked_for(words.split()) == asked
    assert door.help_asked_for(["two words", "--help"]) is None and door.help_asked_for(["a\n", "-h"]) is None


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two", 7, ["one two"]), ("one two", 6, ["one ", "two"]), ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a abcdefgh b", 3, ["a ", "abc", "def", "gh ", "b"]), ("", 5, [""]), ("  one", 5, ["  one"]),
        ("one   two", 4, ["one ", "two"]), ("one two three", 7, ["one two", "three"]), ("abc def", 3, ["abc", "def"]),
    ],
)  # fmt: skip
def test_a_text_is_broken_between_words_and_within_those_that_are_too_long(
    text: str, width: int, lines: list[str]
) -> None:
    assert list(pages.wrap(text, width)) == lines
    padded = list(pages._pad(text, width + 2))
    assert padded == [f" {line:<{width + 1}}" for line in lines] and {len(line) for line in padded} == {width + 2}


@pytest.mark.parametrize(
    ("command", "width", "lines"),
    [
        ("crm leads list --status new", 40, ["  crm leads list --status new"]),
        ("crm leads list --status new", 31, ["  crm leads list --status new"]),
        ("crm leads list --status new", 30, ["  crm leads list \\", "    --status new"]),
        ("crm x - --a 1 --b 2", 17, ["  crm x - --a 1 \\", "    --b 2"]),
        ("crm xy - --a 1 --b 2", 17, ["  crm xy - \\", "    --a 1 --b 2"]),
        ("crm xy - --a 1 --b 2", 16, ["  crm xy - \\", "    --a 1 \\", "    --b 2"]),
        ("crm x --a 'b --c' -d", 14, ["  crm x \\", "    --a 'b --c' \\", "    -d"]),
        ('crm x --a "$(y --z 1)" --b', 12, ["  crm x \\", '    --a "$(y --z 1)" \\', "    --b"]),
    ],
)  # fmt: skip
def test_a_command_that_is_long_goes_on_in_the_next_line_with_its_options(
    command: str, width: int, lines: list[str]
) -> None:
    assert list(shell_lines.in_lines([command], width)) == lines
