"""The commands: one for every declaration, what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shell import OPERATIONS, ROOT, Crm, Result, process
from typer.main import get_command

from crm_cli import completion, failures
from crm_cli.app import application
from crm_cli.tree import near
from crm_cli.tree.declared import shown_choice
from crm_cli.tree.nouns import nouns
from crm_cli.tree.parameters import Form
from crm_sdk import errors

# -- a command for every declaration

pytest_plugins = ["cli_fixtures"]


@pytest.mark.thorough
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_declared_call_is_a_command_with_help_and_all_its_arguments(name: str, crm: Crm) -> None:
    form = Form(OPERATIONS[name])
    shown = crm(*form.path.split(), "--help")
    assert shown.status == 0
    for parameter in form.parameters:
        assert parameter.flag in shown.out
        assert all(shown_choice(choice) in shown.out for choice in parameter.choices)
    secrets = {"password", "client_secret", "refresh_token"}  # those that need not be given come by --data
    given = {p.name for p in form.parameters} | {*form.asked} | {OPERATIONS[name].arguments.body} | secrets
    assert given >= OPERATIONS[name].signature.parameters.keys()
    assert all(error not in shown.out for error in vars(errors) if error.endswith("Error"))


@pytest.mark.thorough
def test_no_two_options_of_a_command_are_typed_alike() -> None:
    def leaves(command: Any, words: str) -> Iterator[tuple[str, list[str]]]:
        within = getattr(command, "commands", None)
        if within is None:
            yield words, [flag for option in command.params for flag in (*option.opts, *option.secondary_opts)]
        else:
            for name in within:
                yield from leaves(within[name], f"{words} {name}")

    every = dict(leaves(get_command(application()), "crm"))
    assert len(every) > len(OPERATIONS)  # the hand-made ones, too
    twice = {words: [flag for flag in flags if flags.count(flag) > 1] for words, flags in every.items()}
    assert {words: flags for words, flags in twice.items() if flags} == {}


def test_no_hand_made_command_hides_a_noun(crm: Crm) -> None:
    listed = completion.names()["commands"]
    assert all(listed[name].get("noun") for name in nouns())
    shown = crm("--help").out.replace(",", " ").split()
    assert {*listed, "--offline", "login", "stub"} <= set(shown)


# -- the embedded server, output


def test_what_is_created_offline_is_there_in_the_next_command(offline: Crm) -> None:
    made = offline("leads", "create", "--name", "Grace", "--value", "12.10", "--dialect", "platform").json
    found = offline("leads", "get", made["id"], "--output", "json").json
    assert (found["name"], found["value"]) == ("Grace", 12.1)
    deleted = offline("leads", "delete", made["id"], "--yes")
    assert deleted == Result(0, "", f"deleted lead {made['id']}\n")
    assert offline("offline", "reset", "--yes").status == 0
    assert not Path(offline("offline", "path").out.strip()).exists()


def test_the_reason_of_a_write_is_sent(offline: Crm) -> None:
    made = offline("leads", "create", "--name", "Grace", "--reason", "Prüfung").json
    assert made["name"] == "Grace"
    long = offline("leads", "delete", made["id"], "--yes", "--reason", "x" * 501)
    assert long.status != 0 and "at most 500 characters" in long.err
    assert offline("leads", "get", made["id"]).status == 0


def test_the_language_of_messages_is_that_of_the_option_or_the_environment(
    offline: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "kein Kontakt hat" in offline("contacts", "get", "contact_none", "--language", "de").err
    monkeypatch.setenv("CRM_LANGUAGE", "es")
    assert "ningún contacto tiene" in offline("contacts", "get", "contact_none").err
    assert "no contact has" in offline("contacts", "get", "contact_none", "--language", "en").err


def test_output_formats(offline: Crm) -> None:
    listed = ("leads", "list", "--limit", "2")
    records = offline(*listed).json
    assert len(records) == 2
    lines = offline("-o", "jsonl", *listed).out.splitlines()
    assert [json.loads(line) for line in lines] == records
    header, *rows = offline(*listed, "-o", "csv", "--columns", "id,notes").out.splitlines()
    assert header == "id,notes"
    assert [row.split(",")[0] for row in rows] == [record["id"] for record in records]
    table = offline(*listed, "-o", "table").out
    assert all(record["id"] in table for record in records)
    card = offline("leads", "get", records[0]["id"], "-o", "table").out
    assert records[0]["name"] in card
    assert offline(*listed, "--columns", "id").status == failures.USAGE


def test_all_follows_the_pages_and_one_page_says_that_there_are_more(offline: Crm) -> None:
    total = offline("api", "GET", "/api/leads", "-q", "limit=1").json["total"]
    everything = offline("leads", "list", "--limit", "100", "--all", "-o", "csv").out.splitlines()
    assert len(everything) == total + 1
    assert offline("leads", "list", "--limit", "3").err == f"showing 3 of {total}: --limit all for all\n"


def test_what_a_server_sends_cannot_steer_the_terminal(offline: Crm) -> None:
    made = offline("leads", "create", "--name", "Eve\x1b[31m[bold]", "-o", "table")
    assert "\x1b" not in made.out
    assert "[bold]" in made.out


# -- arguments


def test_options_go_before_data_and_both_name_members_either_way(offline: Crm, folder: Path) -> None:
    (folder / "lead.json").write_text('{"name": "A", "firstName": "B", "last_name": "C", "tags": ["t"]}')
    made = offline(
        *("leads", "create", "--data", f"@{folder}/lead.json", "--first-name", "Z", "--dialect", "platform"),
        *(
            "--custom-fields",
            '{"budget": 1.10}',
            "--no-email-opt-out",
            "--notes",
            "one, two",
            "--tags",
            "x,y",
            "--tags=z",
        ),
    ).json
    assert (made["name"], made["firstName"], made["lastName"]) == ("A", "Z", "C")
    assert (made["tags"], made["notes"], made["emailOptOut"]) == (["x", "y", "z"], ["one, two"], False)
    cleared = offline("leads", "update", made["id"], "--first-name", "", "--data", "@-", stdin='{"notes": []}').json
    assert (cleared["firstName"], cleared["notes"]) == (None, [])


def test_lists_of_ids_and_of_objects(offline: Crm) -> None:
    ids = [record["id"] for record in offline("leads", "list", "--status", "new", "--limit", "3").json]
    done = offline(
        "leads", "bulk-qualify", ids[0], f"{ids[1]},{ids[2]}", "--no-qualified", "--reason", "no budget"
    ).json
    assert [item["id"] for item in done["items"]] == ids
    checked = offline("contacts", "validate", "--data", '{"name": "A"}\n{"name": "B", "email": "bad"}').json
    assert [item["valid"] for item in checked] == [True, False]
    assert offline("contacts", "validate", "--contacts", '{"name": "A"}').json[0]["valid"]


LISTS = [
    name for name, operation in OPERATIONS.items()
    for form in [Form(operation)] if any(p.many and p.place == "argument" for p in form.parameters)
]  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_an_argument_is_an_option_as_well(name: str) -> None:
    form = Form(OPERATIONS[name])
    (words,) = (p for p in form.parameters if p.many and p.place == "argument")
    (option,) = (p for p in form.parameters if p.name == words.name and p.place == "option")
    assert option.many and option.kind == words.kind
    assert form.flags[words.name] == words.flag, "messages and texts call it by the argument"


@pytest.mark.parametrize(("words", "options", "data", "found"), [
    (["a"], None, None, ["a"]), (None, ["b", "c,d"], None, ["b", "c", "d"]), (["a"], ["b"], None, ["a", "b"]),
    (None, ["b"], '{"ids": ["x"]}', ["b"]), (None, None, '{"ids": ["x"]}', ["x"]),
])  # fmt: skip
def test_what_is_typed_both_ways_is_one_list(words: Any, options: Any, data: Any, found: list[str]) -> None:
    form = Form(OPERATIONS["contacts.bulk_delete"])
    argument, option = (p for p in form.parameters if p.name == "ids")
    assert form.arguments({argument: words, option: options}, data)["ids"] == found


def test_the_lists_of_the_documents_are_options(served: Crm) -> None:
    made = served("accounts", "create", "--name", "Listed", "--external-id", "acc-1").json
    got = served("objects", "batch-get", "account", "--keys", "acc-1", "--keys", "acc-2", "--match-on", "external_id")
    assert [item["id"] for item in got.json["items"]] == [made["id"], None]
    assert served("accounts", "delete", made["id"], "--yes").status == 0
    assert served("objects", "restore", "account", "--ids", made["id"]).json["succeeded"] == 1
    refused = served("objects", "restore", "account")
    assert refused.status == 2 and "IDS" in refused.err


def test_a_job_that_made_no_file_shows_its_result(served: Crm, folder: Path) -> None:
    done = served("privacy", "export", "nobody@none.example", "--to", str(folder / "none.zip"))
    assert done.status == 0 and done.json["identities"] == [] and not (folder / "none.zip").exists()


def test_uploads_jobs_and_downloads(offline: Crm, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = offline(
        "contacts", "imports", "create", "-", "--format", "csv", stdin="name,email\nA B,a@b.example\nC D,bad\n"
    )
    assert len(done.json["createdIds"]) == 1
    assert done.err.startswith("1 of 2 failed\n  row 2, email: ")
    Path("more.csv").write_text("name,email\nE F,e@f.example\n")
    job = offline("contacts", "imports", "create", "more.csv", "--no-wait").json
    assert offline("contacts", "imports", "get", job["id"]).json["id"] == job["id"]
    assert len(offline("contacts", "imports", "get", job["id"], "--wait").json["createdIds"]) == 1
    saved = offline("contacts", "export", "--format", "csv").json
    assert "a@b.example" in Path(saved["file"]).read_text()
    assert offline("contacts", "export", "--format", "csv").status == failures.USAGE  # it would overwrite
    assert (
        offline("contacts", "export", "--format", "csv", "--to", "-").out == Path(saved["file"]).read_bytes().decode()
    )
    assert offline("contacts", "imports", "create", "nowhere.csv").status == failures.INVALID


# -- what goes wrong


@pytest.mark.parametrize(("words", "kind"), sorted(near.JOBS.items()))
def test_a_refused_list_names_one_that_there_is(words: str, kind: str, offline: Crm) -> None:
    said = f"crm jobs list --kind {kind}"
    assert f"`{said}`" in offline(*words.split(), "list").err
    assert offline(*said.split()[1:]).status == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("leads get nobody", 5, "404 NOT_FOUND"),
        ("--offline --api-key wrong leads list", 4, "401 UNAUTHORIZED"),
        ("leads create", 7, "leads.create: not valid, nothing was sent\n  --name: "),
        ("leads create --name x --email bad", 7, "  --email: "),
        ("leads list --limit ten", 7, "  --limit: "),
        ("leads list --limit 0", 7, "  --limit: must be at least 1"),
        ("leads list --dialect flow", 2, "--dialect mvp"),
        ("leads list --no-such", 2, "No such option: --no-such"),
        ("leads lst", 2, "Did you mean 'list'"),
        ("leed list", 2, "Did you mean 'leads'"),
        ("leads get", 2, "Missing argument 'LEAD_ID'"),
        ("auth login", 2, "missing: EMAIL"),
        ("leads convert lead_1 --data []", 2, "--data must be a JSON object"),
        ("leads convert lead_1 --data {\"bogus\":1}", 2, "no such member: bogus"),
        ("leads create --data {oops", 2, "this is not JSON"),
        ("leads create --data @nowhere.json", 2, "nowhere.json: No such file"),
        ("leads list -o xml", 2, "--output must be one of table, json, jsonl, csv"),
        ("leads list --timeout never", 2, "--timeout must be a number"),
        ("api GET /api/leads/nobody", 5, "404 NOT_FOUND"),
        ("completion tcsh", 2, "bash, zsh, fish"),
    ],
)  # fmt: skip
def test_errors_are_one_line_and_an_exit_status(words: str, status: int, said: str, offline: Crm) -> None:
    failed = offline(*words.split())
    assert failed.status == status
    assert said in failed.err
    first, *others = failed.err.splitlines()
    assert first.startswith("error: ")
    assert all(line.startswith("  ") for line in others)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ConfigurationError("x"), 2),
        (errors.UnsupportedOperationError("x", operation="a.b"), 2),
        (errors.InvalidInputError("x"), 7),
        (errors.ConnectionFailedError("x"), 75),
        (errors.NetworkError("x"), 75),
        (errors.DeadlineExceededError("x"), 8),
        (errors.InvalidResponseError("x"), 1),
        (errors.JobFailedError("x", job=None), 1),
        *(
            (errors.error_class(code, "X")("x", status=code, code="X"), status)
            for code, status in {
                400: 7,
                401: 4,
                403: 4,
                404: 5,
                409: 6,
                413: 7,
                422: 7,
                429: 75,
                500: 75,
                501: 75,
            }.items()
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_error_of_the_sdk_has_its_exit_status(error: errors.CrmError, status: int) -> None:
    assert failures.status_of(error) == status


def test_no_answer_and_no_server(crm: Crm) -> None:
    assert crm("--base-url", "http://127.0.0.1:9", "leads", "list").status == failures.RETRYABLE
    assert crm("leads", "list").err.startswith("error: no server is known: use --offline")
    assert crm("leads", "list").status == failures.USAGE


def test_debug_shows_where_and_never_a_credential(offline: Crm) -> None:
    failed = offline("leads", "list", "--offline", "--api-key", "very-secret", "--debug")
    assert "Traceback" in failed.err
    assert "very-secret" not in failed.err


@pytest.mark.thorough
def test_ctrl_c_and_a_reader_that_goes_away(offline: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = "import sys; from crm_cli.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", everything, "contacts", "list", "--all", "-o", "jsonl"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stderr is not None  # for the type checker
        writer.stdout.close()
        assert writer.stderr.read() == b""
    assert writer.returncode == 141
    monkeypatch.setattr("crm_cli.tree.calling.settle", lambda options: (_ for _ in ()).throw(KeyboardInterrupt))
    assert offline("leads", "list") == Result(130, "", "interrupted\n")


def test_a_missing_extra_is_named(offline: Crm) -> None:
    code = "import sys; sys.modules['jwt'] = None; from crm_cli.app import run; sys.exit(run(sys.argv[1:]))"
    failed = process(code, "auth", "login", "user@example.com", input="securepassword\n")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("error: the stub needs jwt: pip install 'crm-sdk[stub]'")


# -- calls of which a part fails


def test_a_bulk_call_that_fails_in_part_says_what_and_ends_with_its_own_status(served: Crm) -> None:
    body = '{"contacts": [{"name": "Ada"}, {"id": "contact_gone", "name": "x"}]}'
    done = served("contacts", "bulk-upsert", "--data", body, "--dialect", "platform", "-o", "json")
    assert done.status == failures.PARTIAL
    assert json.loads(done.out)["succeeded"] == 1
    assert "1 of 2 failed, the others are done" in done.err
    assert "item 1 (contact_gone): NOT_FOUND: no contact has the id 'contact_gone'" in done.err
    assert (
        served(
            "contacts", "bulk-delete", "--yes", json.loads(done.out)["items"][0]["id"], "--dialect", "platform"
        ).status
        == 0
    )


def test_an_import_that_fails_in_part_ends_with_the_same_status(served: Crm, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,email\nAda,ada@new.example\nNobody,no-address\n")
    done = served("contacts", "imports", "create", str(file), "--dialect", "platform", "-o", "json")
    assert done.status == failures.PARTIAL
    assert "1 of 2 failed" in done.err
    assert "all of them: file file_" in done.err
    assert len(json.loads(done.out)["createdIds"]) == 1
