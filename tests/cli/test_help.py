"""What help says: a sentence for everything that is typed, the errors with their exit status, and a true example."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from shell import OPERATIONS, Crm

from crm_cli.tree import declared as commands
from crm_cli.tree.parameters import Form
from crm_sdk import CrmClient
from crm_sdk.vocabulary import texts
from crm_sdk.vocabulary.codes import STATUSES, codes_of
from crm_sdk.vocabulary.error_glossary import MEANINGS

pytest_plugins = ["cli_fixtures"]
PYTHON_WORDS = re.compile(r"\bNone\b|\bRaises:|\bbase_url\b|\bkwargs\b|\w=(True|False|None)\b|``")


def words_of(text: str) -> str:
    """Return what is printed as one line, without the frames around it."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


@pytest.mark.parametrize("name", OPERATIONS)
def test_everything_that_is_typed_has_a_sentence(name: str, crm: Crm) -> None:
    form = Form(OPERATIONS[name])
    shown = crm(*form.path.split(), "--help").out
    for parameter in form.parameters:
        about = commands.about(form, parameter)
        assert re.match(r"\S[^.]*\S", about) and not about.startswith("("), parameter.flag
        # The left column stands between the words of a sentence that takes several lines.
        assert all(word in shown for word in about.replace("`", " ").split()), parameter.flag
    assert PYTHON_WORDS.search(shown) is None, PYTHON_WORDS.search(shown)


def test_help_says_what_is_required_and_gives_an_example(crm: Crm) -> None:
    shown = crm("contacts", "relationships", "create", "--help").out
    assert "required; reports_to, manages" in words_of(shown)
    lines = shown[shown.index(" Example") :].replace("\\\n", "").split()
    assert " ".join(lines).startswith(
        'Example crm contacts relationships create "Alice Johnson" --related-contact-id contact_mq2ll66pvd5y --type'
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_help_has_the_errors_of_the_document(name: str, crm: Crm) -> None:
    operation = OPERATIONS[name]
    codes = {code for route in operation.routes.values() for code in codes_of(operation, route)}
    shown = words_of(crm(*Form(operation).path.split(), "--help").out)
    assert {code for code in STATUSES if re.search(rf"\b{code}\b", shown)} >= codes
    for code in operation.flags.errors:
        assert texts.of_code(code).replace("`", "") in shown
    assert re.search(r"\(exit \d+\)", shown)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--base-url", "foo"), "--base-url must be like"),
        (("--base-url", "https://a:b@crm.test"), "--base-url must not hold credentials: use --api-key"),
        (("--base-url", "https://crm.test", "--tenant", "Prüfung"), "--tenant has a character"),
    ],
)
def test_what_is_wrong_is_called_as_it_is_typed(crm: Crm, words: tuple[str, ...], told: str) -> None:
    assert f"error: {told}" in crm(*words, "--api-key", "secret-key", "leads", "list").err


def test_every_code_has_a_meaning_and_nothing_else_has() -> None:
    assert MEANINGS.keys() == STATUSES.keys()
    assert all(re.fullmatch(r"[A-Z].*[^.]\.", text) for text in MEANINGS.values())


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("words", [(), ("leads",), ("leads", "create"), ("accounts", "merge"), ("webhooks", "listen")])
def test_help_fits_the_terminal(crm: Crm, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert max(map(len, crm(*words, "--help").out.splitlines())) <= width


def test_help_of_commands_made_by_hand_has_sentences(crm: Crm) -> None:
    for words in ("stub serve", "login", "api", "deals board", "events tail", "webhooks sign"):
        shown = words_of(crm(*words.split(), "--help").out)
        assert "Options of every command" in shown
        assert PYTHON_WORDS.search(shown) is None


def test_the_help_of_a_noun_builds_no_command_and_loads_no_declaration(crm: Crm) -> None:
    crm("leads", "--help")  # the names are kept from here on
    script = (
        "import sys; from crm_cli.app import run; run(['leads', '--help']);"
        "heavy = ('crm_cli.tree.parameters', 'crm_sdk.models', 'crm_sdk.catalogue');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "bulk-convert" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.thorough
def test_a_call_does_not_pay_for_the_texts_of_its_help(client: CrmClient) -> None:
    script = (
        "import sys; from crm_cli.app import run; run(['--offline', 'leads', 'list', '--limit', '1']);"
        "print([name for name in sys.modules if name in ('crm_sdk.vocabulary.texts', 'crm_sdk.openapi')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
