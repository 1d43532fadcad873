"""What goes wrong in the command line itself is no success; and tables on terminals with little room."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import Context
from types import SimpleNamespace
from typing import Any

import pytest
from shell import Crm

from crm_cli import failures
from crm_cli.settings import _hint
from crm_cli.showing import _in_lines
from crm_sdk import errors
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


@pytest.mark.parametrize("words", [("leads", "list"), ("leads", "get", "lead_123"), ("accounts", "list", "-o", "json")])
@pytest.mark.parametrize("error", [KeyError("name"), RuntimeError("no sense"), AttributeError("'x' has no 'y'")])
def test_a_fault_of_the_program_is_no_success(
    offline: Crm, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("crm_sdk.client.CrmClient._run", broken)
    done = offline(*words)
    assert (done.status, done.out) == (1, "")
    assert type(error).__name__ in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("noun", ["leads", "contacts", "deals", "accounts"])
def test_a_table_fits_a_narrow_terminal(drawn: Callable[..., str], noun: str, width: int) -> None:
    lines = drawn(noun, "list", "--limit", "5", width=width).splitlines()
    assert len(lines) >= 6 and max(map(len, lines)) <= width


def test_a_cell_with_an_object_or_a_list_is_readable(drawn: Callable[..., str], stub: StubServer) -> None:
    made = stub.client().contacts.create(
        {"name": "Cell Object", "tags": ["a", "b"], "address": {"city": "Bonn", "country": "DE"}}
    )
    shown = drawn("contacts", "list", "--search", "Cell Object", "--columns", "id,tags,address")
    row = next(line for line in shown.splitlines() if made.id in line)
    assert "Bonn" in row and "a" in row and "{'" not in row and "['" not in row


FIELD = errors.FieldError("email", "is taken", "unique", "TAKEN")


FAULT = "(a fault of this program; --debug shows where)"
ERRORS: list[tuple[BaseException, str, int, int | None, bool, str]] = [
    (errors.ConfigurationError("base_url= is not set"), "CONFIGURATION", 2, None, False, "--base-url is not set"),
    (errors.ConfigurationError("use allow_http=True (CRM_ALLOW_HTTP=1)"), "CONFIGURATION", 2, None, False,
     "use set CRM_ALLOW_HTTP=1"),
    (errors.UnsupportedOperationError("no: dialects='mvp'", operation="x", dialects=["mvp"]),
     "UNSUPPORTED_OPERATION", 2, None, False, "no: --dialect mvp"),
    (errors.InvalidInputError("leads.create(): email is odd", fields=[FIELD]), "INVALID_INPUT", 7, None, False,
     "leads.create(): not valid, nothing was sent"),
    (errors.InvalidInputError("odd"), "INVALID_INPUT", 7, None, False, "odd"),
    (errors.AuthenticationError("no", status=401, code="X"), "X", 4, 401, False, "401 X: no"),
    (errors.PermissionDeniedError("no", status=403, code="X"), "X", 4, 403, False, "403 X: no"),
    (errors.NotFoundError("no", status=404, code="X"), "X", 5, 404, False, "404 X: no"),
    (errors.ConflictError("no", status=409, code="X"), "X", 6, 409, False, "409 X: no"),
    (errors.ValidationError("no", status=422, code="X", fields=[FIELD]), "X", 7, 422, False, "422 X: no"),
    (errors.RateLimitError("no", status=429, code="X", retry_after=1.5), "X", 75, 429, True, "429 X: no"),
    (errors.ServerError("no", status=500, code="X"), "X", 75, 500, True, "500 X: no"),
    (errors.ServerError("no", status=501, code="X"), "X", 75, 501, False, "501 X: no"),
    (errors.ServerError("no", status=505, code="X"), "X", 75, 505, False, "505 X: no"),
    (errors.ApiError("no", status=418, code="X"), "X", 7, 418, False, "418 X: no"),
    (errors.ConnectionFailedError("gone"), "CONNECTION_FAILED", 75, None, True, "gone"),
    (errors.DeadlineExceededError("late"), "DEADLINE_EXCEEDED", 8, None, False, "late"),
    (errors.NetworkError("odd"), "NETWORK", 75, None, True, "odd"),
    (errors.InvalidResponseError("odd; dialects= helps", status=200), "INVALID_RESPONSE", 1, 200, False,
     "odd; --dialect helps"),
    (errors.CrmError("odd"), "CRM", 1, None, False, "odd"),
    (failures.MisuseError("what?"), "USAGE", 2, None, False, "what?"),
    (failures.CommandError("MINE", "no", 6, hint="do"), "MINE", 6, None, False, "no"),
    (FileNotFoundError(2, "No such file", "x.csv"), "USAGE", 2, None, False, "x.csv: No such file"),
    (OSError("odd"), "USAGE", 2, None, False, "odd"),
    (ModuleNotFoundError("no", name="openpyxl.x"), "USAGE", 2, None, False, "openpyxl.x is not installed"),
    (ModuleNotFoundError("no", name="crm_cli.x"), "INTERNAL", 1, None, False, f"ModuleNotFoundError: no {FAULT}"),
    (ZeroDivisionError("odd"), "INTERNAL", 1, None, False, f"ZeroDivisionError: odd {FAULT}"),
]  # fmt: skip


def test_each_error_has_its_code_its_exit_status_and_its_words() -> None:
    for error, code, exit, status, retryable, said in ERRORS:
        failure = failures.failure_of(error, {"email": "--email"})
        assert (failure.code, failure.exit, failure.status, failure.retryable) == (code, exit, status, retryable), error
        assert failure.message == said
        assert failure.members() == {
            "code": code, "status": status, "message": said, "fields": list(failure.fields), "requestId": None,
            "retryable": retryable, "hint": failure.hint, "exit": exit,
        }  # fmt: skip
        if isinstance(error, errors.ApiError) and error.fields:
            assert list(failure.fields) == [
                {"field": "email", "option": "--email", "message": "is taken", "rule": "unique"}
            ]
            assert failure.lines() == ["error: 422 X: no", "  --email: is taken"]


def test_hints_say_what_to_do_and_not_to_who_does_it() -> None:
    def hint(error: BaseException) -> str | None:
        return Context().run(failures.failure_of, error, {}).hint  # no command has read settings here

    sign_in = "sign in with `crm login`, or set CRM_API_KEY"
    assert hint(errors.AuthenticationError("no", status=401, code="X", operation="leads.get")) == sign_in
    for operation in ("auth.login", "auth.token", "auth.mfa.verify"):
        assert hint(errors.AuthenticationError("no", status=401, code="X", operation=operation)) is None
    for code in ("INVALID_STATE", "NO_CODE", "ACCESS_DENIED"):
        assert hint(errors.AuthenticationError("no", status=400, code=code)) is None
    assert hint(errors.RateLimitError("no", status=429, code="X", retry_after=1.5)) == "try again in 1.5 s"
    assert hint(errors.RateLimitError("no", status=429, code="X")) is None
    noted = errors.NotFoundError("no", status=404, code="X")
    noted.add_note("look elsewhere")
    assert hint(noted) == "look elsewhere"
    assert failures.failure_of(noted, {}).lines() == ["error: 404 X: no; look elsewhere"]


def test_a_wrong_type_is_told_in_words_and_an_unknown_member_with_the_one_that_was_meant() -> None:
    def told(field: str, message: str) -> tuple[str, str]:
        found = failures._of_field(errors.FieldError(field, message), {"email": "--email", "address": "--address"})
        return found["option"], found["message"]

    assert told("email", "input should be a valid integer, odd") == ("--email", "must be a whole number")
    assert told("email", "input should be a valid datetime")[1].startswith("must be a day or a time")
    assert told("email", "input should be a valid date or datetime")[1].startswith("must be a day, such as")
    assert told("address.city", "is odd") == ("--address city", "is odd") and told("odd", "is odd")[0] == "odd"
    extra = "extra inputs are not permitted"
    assert told("emial", extra) == ("emial", "there is no such member; did you mean 'email'?")
    assert told("address.ctiy", extra)[1] == extra


def test_secrets_of_four_letters_and_more_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    failure = failures.Failure("X", "no s3cret-long, s3cret, abc", 1, fields=[{"option": "s3cret", "message": "abcd"}])
    failures._CONCEALED.clear()
    failures.conceal("abc", "abcd", None, "")
    assert failures.say(failure, ["s3cret", "s3cret-long"], as_json=False) == 1
    assert capsys.readouterr().err == "error: no ***, ***, abc\n  ***: ***\n"
    failures.say(failure, ["s3cret", "s3cret-long"], as_json=True)
    shown = json.loads(capsys.readouterr().err)
    assert (shown["message"], shown["fields"]) == ("no ***, ***, abc", [{"option": "***", "message": "***"}])
    failures._CONCEALED.clear()


def test_notes_are_held_while_something_else_has_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    with failures.holding_notes():
        failures.complain("first\x1b[2J")
        with failures.catching_notes() as notes:
            failures.complain("second")
        assert capsys.readouterr().err == "" and notes == ["second"]
    assert capsys.readouterr().err == "first\ufffd[2J\n"


@pytest.mark.parametrize(
    ("profile", "layer", "value", "hint"),
    [
        ("default", "default", None, "sign in with `crm login`, or set CRM_API_KEY"),
        ("home", "default", None, "sign in with `crm login --profile home`, or set CRM_API_KEY"),
        ("home", "environment", "k", "CRM_API_KEY is used here: replace it, or unset it and sign in with `crm login`"),
        ("home", "flag", "k", "CRM_API_KEY is used here: replace it, or leave it out and sign in with `crm login`"),
    ],
)
def test_who_is_refused_is_told_how_to_sign_in_here(profile: str, layer: str, value: str | None, hint: str) -> None:
    told = SimpleNamespace(value=value, layer=layer, where="CRM_API_KEY")
    settings: Any = SimpleNamespace(profile=profile, layers=SimpleNamespace(find_one=lambda name: told))
    assert _hint(settings) == hint


def test_what_an_update_would_change_is_a_line_each_or_nothing() -> None:
    assert list(_in_lines({})) == ["nothing would change"]
    changes = {"name": {"before": "a\x1b", "after": None}, "n": {"before": 1, "after": [2]}}
    assert list(_in_lines(changes)) == ['name: "a\\u001b" -> null', "n: 1 -> [2]"]
