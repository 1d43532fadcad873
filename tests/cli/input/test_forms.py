"""How a call is typed: its arguments, options and members, and what they make together with ``--data``."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from shell import OPERATIONS

from crm_cli.failures import MisuseError
from crm_cli.tree.parameters import Form, Parameter, kebab

FORMS: dict[str, tuple[str, str, list[str]]] = {
    "privacy.erase": ("--columns --data --to --wait --no-wait", "job starts file writes", [
        "argument PERSON person", "option --subject json required", "option --dry-run flag True",
        "option --confirm text",
        "option --reason text", "option --block flag True",
    ]),
    "files.upload": ("--columns --data", "writes", [
        "argument FILE file required", "option --name text", "option --folder text '/'", "option --related-to json",
        "option --visibility text private|team|tenant 'tenant'", "option --description text",
        "option --tags text many commas", "option --metadata json",
        "option --on-conflict text rename|replace|new_version|reject 'rename'",
    ]),
    "auth.login": ("--columns --data", "writes asks", [
        "argument EMAIL text", "option --tenant text", "option --mfa-code text",
    ]),
    "deals.delete": ("--columns --yes --jobs", "writes destroys ids", [
        "argument DEAL_ID text required", "option --if-version int --version",
    ]),
    "deals.bulk_update": ("--columns --data", "writes", [
        "option --updates json many required", "option --atomic flag False",
    ]),
    "users.teams.members.remove": ("--columns --yes --jobs", "writes destroys ids", [
        "argument TEAM_ID text required", "argument USER_ID text required",
    ]),
    "contacts.imports.get": ("--columns --wait --no-wait --jobs", "job ids", ["argument JOB_ID text required"]),
    "dashboards.create": ("--columns --data", "writes", [
        "member --name text required", "member --description text null", "member --set-columns int",
        "member --widgets json many null", "member --filters json null", "member --refresh-seconds int",
        "member --visibility text private|team|tenant", "member --is-default flag", "member --owner-id text null",
        "member --tags text many commas null",
    ]),
}  # fmt: skip


def told(p: Parameter) -> str:
    marks = [mark for mark, has in (("many", p.many), ("commas", p.commas), ("required", p.required)) if has]
    choices = ["|".join(p.choices)] if p.choices else []
    null, default = ["null"] if p.nullable else [], [repr(p.default)] if p.default is not None else []
    return " ".join([p.place, p.flag, p.kind, *marks, *null, *choices, *default, *p.aliases])


def test_a_call_is_typed_as_its_declaration_says() -> None:
    for call, (own, facts, parameters) in FORMS.items():
        form = Form(OPERATIONS[call])
        has = {
            "job": form.is_job, "starts": form.waits, "run": form.is_run, "file": form.makes_file,
            "writes": form.writes, "destroys": form.destroys, "asks": bool(form.asked), "ids": form.ids is not None,
        }  # fmt: skip
        assert (" ".join(form.own), " ".join(name for name, so in has.items() if so)) == (own, facts), call
        assert [told(p) for p in form.parameters] == parameters, call
        taken = {"--dry-run", "--reason", "--tenant"} & {p.flag for p in form.parameters}
        assert {option.flag for option in form.globals}.isdisjoint(taken)
    backup, sync = Form(OPERATIONS["backups.create"]), Form(OPERATIONS["integrations.sync.start"])
    assert backup.is_run and backup.makes_file and not backup.is_job and "--to" in backup.own and "--wait" in backup.own
    assert sync.is_run and not sync.makes_file and "--to" not in sync.own and "--wait" not in sync.own
    assert Form(OPERATIONS["deals.list"]).own.keys() >= {"--all", "--watch"}
    assert "--watch" in Form(OPERATIONS["deals.get"]).own and "--watch" not in Form(OPERATIONS["deals.create"]).own
    assert Form(OPERATIONS["custom_objects.records.list"]).path == "custom-objects records list"
    assert kebab("from_") == "from" and kebab("bulk_upsert") == "bulk-upsert"


def made(call: str, data: str | None = None, **typed: Any) -> dict[str, Any]:
    form = Form(OPERATIONS[call])
    return form.arguments({p: typed.get(p.name) for p in form.parameters}, data)


def test_options_and_data_are_one_body() -> None:
    for data, typed, body in (
        (None, {"title": "Tea", "value": "5"}, {"title": "Tea", "value": "5"}),
        ('{"title": "Tea", "contactId": "c"}', {}, {"title": "Tea", "contact_id": "c"}),
        ('{"title": "Tea", "value": 1}', {"value": "5"}, {"title": "Tea", "value": "5"}),
        ('{"title": "Tea", "odd": 1}', {"tags": ["a, b", "", "c"]}, {"title": "Tea", "odd": 1, "tags": ["a", "b",
        "c"]}),
        ('{"title": "Tea"}', {"tags": []}, {"title": "Tea"}),
    ):  # fmt: skip
        assert made("deals.create", data, **typed) == {"deal": body}
    assert made("deals.update", None, deal_id="d", description="") == {"deal_id": "d", "changes": {"description": None}}
    assert made("deals.update", "{}", deal_id="d")["deal_id"] == "d"
    with pytest.raises(MisuseError, match="nothing to change: give a member, such as --"):
        made("deals.update", deal_id="d")
    with pytest.raises(MisuseError, match="missing: DEAL_ID"):
        made("deals.update", '{"value": 5}')
    for wrong in ("5", "[1]"):
        with pytest.raises(MisuseError, match="--data must be a JSON object"):
            made("deals.create", wrong)
    assert made("deals.bulk_update", '[{"id": "d"}]') == {"updates": [{"id": "d"}]}
    assert made("deals.bulk_update", '{"updates": [{"id": "d"}], "atomic": true}')["atomic"] is True
    with pytest.raises(MisuseError, match="--data: no such member: odd, more"):
        made("deals.bulk_update", '{"updates": [], "odd": 1, "more": 2}')


def test_options_of_an_inner_object_go_before_those_of_data() -> None:
    data = '{"name": "N", "request": {"fileName": "a", "view": "v"}, "schedule": {}}'
    found = made("exports.schedules.create", data, file_name="b", delimiter=";")
    [body] = [value for value in found.values() if isinstance(value, dict)]
    assert body["request"] == {"view": "v", "file_name": "b", "delimiter": ";"}


def test_what_is_secret_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"s3cret\n")))
    assert made("auth.login", email="a@b.test") == {"email": "a@b.test", "password": "s3cret"}
    assert made("auth.login", '{"password": "x"}', email="a@b.test")["password"] == "x"


def test_one_value_of_each_kind() -> None:
    def value(kind: Any, typed: Any, **more: Any) -> Any:
        return Parameter("p", "option", "--p", kind, **more).value(typed)

    for kind, typed, more, found in (
        ("text", "", {}, ""), ("text", "", {"nullable": True}, None), ("flag", True, {}, True), ("text",
        "@@x", {}, "@@x"),
        ("text", ["@@x", "a,b"], {"many": True}, ["@x", "a,b"]),
        ("text", ["a, b,,"], {"many": True, "commas": True}, ["a", "b"]),
        ("json", ['[1, 2]', "3"], {"many": True}, [1, 2, 3]), ("any", "{}", {}, {}), ("any", "[1]", {}, [1]), ("any",
        "5", {}, "5"),
        ("person", "a@b.test", {}, {"email": "a@b.test"}), ("text", ["", "x"], {"many": True}, ["x"]),
        ("person", "contact_7", {}, {"entity": {"type": "contact", "id": "contact_7"}}), ("date",
        "2026-01-31", {}, "2026-01-31"),
        ("text", "other", {"choices": ("won", "lost")}, "other"), ("file", "a.csv", {}, "a.csv"),
    ):  # fmt: skip
        assert value(kind, typed, **more) == found, (kind, typed)
    with pytest.raises(MisuseError, match="--p: there is no 'wno'; did you mean 'won'"):
        value("text", "wno", choices=("won", "lost"))
