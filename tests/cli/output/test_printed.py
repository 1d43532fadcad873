"""What is printed: values in each format, what of a record is chosen, and where a table has room without end."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import Field
from shell import OPERATIONS, Terminal

from crm_cli.failures import PARTIAL, MisuseError
from crm_cli.settings import Options
from crm_cli.terminal import columns, fields, limits, shape, tables, values, writers
from crm_cli.terminal.columns import Columns
from crm_cli.terminal.limits import Wanted
from crm_cli.terminal.output import Printer, print_document, say_bulk_failures
from crm_cli.tree.parameters import Form
from crm_sdk.models.auth import Credential
from crm_sdk.models.record import Model

AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@contextmanager
def shaped(**chosen: str) -> Iterator[None]:
    token = shape.shape.set(shape.Shape(**chosen))
    try:
        yield
    finally:
        shape.shape.reset(token)


def printed(capsysbinary: pytest.CaptureFixture[bytes], format: str, value: Any, **chosen: str) -> str:
    with shaped(**chosen):
        Printer(format).show(value)
    return capsysbinary.readouterr().out.decode()


def test_one_value_in_each_format(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    record = {"id": "a", "at": AT, "day": date(2026, 1, 2), "part": 2.5, "name": "Jürgen\x1b"}
    for format, chosen, text in (
        ("yaml", {}, "id: a\nat: '2026-01-15T09:30:00Z'\nday: '2026-01-02'\npart: 2.5\nname: Jürgen\ufffd\n"),
        ("json", {"fields": "part"}, '{\n  "part": 2.5\n}\n'), ("jsonl", {"fields": "id"}, '{"id":"a"}\n'),
        ("csv", {"fields": "id,day"}, "id,day\na,2026-01-02\n"), ("tsv", {"fields": "name"}, "name\nJürgen\ufffd\n"),
        ("ids", {}, "a\n"), ("table", {"jq": "[.id, .part]"}, '["a", 2.5]\n'), ("table", {"jq": ".id"}, "a\n"),
        ("table", {"jq": "empty"}, ""), ("table", {"jq": ".id, .part"}, "a\n2.5\n"),
        ("json", {"jq": ".name"}, "Jürgen\ufffd\n"), ("json", {"jq": "[.day]"}, '["2026-01-02"]\n'),
        ("csv", {"template": "{{id}}{{none}}"}, "a\n"), ("table", {"template": "{{day}} {{at}}"},
                                                          "2026-01-02 2026-01-15T09:30:00Z\n"),
        ("json", {"template": "{{part|tojson}} {{record.id}}\\n\\t{{[1, 2.5]|tojson}}"}, "2.5 a\n\t[1,2.5]\n"),
    ):  # fmt: skip
        assert printed(capsysbinary, format, record, **chosen) == text, (format, chosen)
    for value, text in (("x\x1b", "x\ufffd\n"), (5, "5\n"), (True, "yes\n"), (date(2026, 1, 2), "2026-01-02\n")):
        assert printed(capsysbinary, "table", value) == text
    assert printed(capsysbinary, "csv", "x", template="{{value}}!") == "x!\n"
    assert printed(capsysbinary, "csv", "x") == "value\nx\n" and printed(capsysbinary, "json", None) == ""
    assert printed(capsysbinary, "table", ["a", 1]) == "a\n1\n" and printed(capsysbinary, "csv", ["a"]) == "value\na\n"
    assert printed(capsysbinary, "json", []) == "[]\n" and printed(capsysbinary, "yaml", []) == "[]\n"
    assert printed(capsysbinary, "jsonl", {"name": "\x1b\ud800"}) == '{"name":"\\u001b\\ud800"}\n'


def test_numbers_in_yaml_keep_their_digits(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    record = {"a": Decimal("1.50"), "b": Decimal("1E+3"), "c": 0.1, "d": 5, "e": [None, "5"], "f": datetime(2026, 1, 2)}
    text = "a: 1.50\nb: 1000\nc: 0.1\nd: 5\ne:\n- null\n- '5'\nf: '2026-01-02T00:00:00'\nz: x\n"
    assert printed(capsysbinary, "yaml", record | {"z": "x"}) == text
    long = " ".join(["word"] * 30)
    lines = printed(capsysbinary, "yaml", {"a": long}).splitlines()
    assert len(lines) == 2 and 90 < len(lines[0]) <= 102


def test_a_member_that_one_record_does_not_have_is_refused(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for format in ("table", "json", "yaml", "csv"):
        with pytest.raises(MisuseError, match="--fields: no such column: odd"):
            printed(capsysbinary, format, {"id": "a"}, fields="odd")
    assert printed(capsysbinary, "table", {"id": "a", "b": 1}, fields="b").split() == ["b", "1"]
    known = Columns(("id", "ownerId", "addr"), (), frozenset(), frozenset())
    assert fields.resolved_fields(["owner", "addr.city", "id"], known, "--fields") == ["owner", "addr.city", "id"]
    assert fields.resolved_fields(["owner_id", "ownerId.x"], known, "--fields") == ["ownerId", "ownerId.x"]
    with pytest.raises(MisuseError, match="--fields: no such column: oddd"):
        fields.resolved_fields(["id", "oddd.city"], known, "--fields")
    assert fields.project({"ownerId": "u"}, ["owner"], known) == {"owner": "u"}
    assert fields.at([{"a": 1}, 5], "a") == [1, None] and fields.at({"a": [1]}, "a.0") == 1


def test_later_records_may_have_more_members(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"a": n} for n in range(50)]
    for more, noted in (([], ""), ([{"a": 1, "b": 2}, {"c": 3}],
                                   "note: later records also have b, c: choose with --columns\n")):  # fmt: skip
        Printer("csv").rows([*rows, *more])
        out, err = capsys.readouterr()
        assert err == noted and len(out.splitlines()) == 51 + len(more) and out.startswith("a\n0\n")
    Printer("csv").rows([*rows[:49], {"a": 1, "b": 2}])
    out, err = capsys.readouterr()
    assert err == "" and out.startswith("a,b\n0,\n")
    Printer("csv", "a").rows([*rows, {"a": 1, "b": 2}])
    assert capsys.readouterr().err == ""
    Printer("tsv").rows([])
    assert capsys.readouterr().out == ""


def test_failures_of_many_are_one_line_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    error = SimpleNamespace(code="TAKEN", message="is taken")
    failures = [SimpleNamespace(index=0, key="k", error=error), SimpleNamespace(index=1, key=None, error=None)]
    result = SimpleNamespace(failures=failures, failed=2, total=5)
    assert say_bulk_failures(result, as_json=True) == PARTIAL
    told = json.loads(capsys.readouterr().err)
    assert (told["code"], told["message"], told["exit"]) == (
        "PARTIAL_FAILURE", "2 of 5 failed, the others are done", PARTIAL,
    )  # fmt: skip
    assert told["fields"] == [{"field": "0", "option": "k", "message": "is taken", "rule": "TAKEN"}]


def test_a_document_is_json_unless_somebody_chose(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    document = {"a": 1}
    plain = b'{\n  "a": 1\n}\n'
    for options, text in (
        (Options(), plain), (Options(output="json"), plain), (Options(output="table"), plain),
        (Options(output="yaml"), b"a: 1\n"), (Options(output="jsonl"), b'{"a":1}\n'),
    ):  # fmt: skip
        print_document(document, options)
        assert capsysbinary.readouterr().out == text
    for options in (Options(jq=".a"), Options(jq=".a", output="table")):
        with shaped(jq=".a"):
            print_document(document, options)
        assert capsysbinary.readouterr().out == b"1\n"
    with shaped(fields="a"):
        print_document({"a": 1, "b": 2}, Options(fields="a"))
    assert capsysbinary.readouterr().out == plain


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, make, said in (
        ("jq", lambda: shape.jq_program("."), "--jq needs jq: pip install 'crm-sdk[cli]'"),
        ("jinja2", lambda: shape.template_of("{{a}}"), "--template needs jinja2: pip install 'crm-sdk[cli]'"),
        ("yaml", lambda: writers.write_yaml({}), "--output yaml needs pyyaml: pip install 'crm-sdk[cli]'"),
    ):
        import_module(name)
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, name, None)
            with pytest.raises(MisuseError) as refused:
                make()
        assert str(refused.value) == said


def test_an_expression_that_is_wrong_is_told_in_its_first_line() -> None:
    with pytest.raises(MisuseError) as refused:
        shape.jq_program(".[")
    assert str(refused.value).startswith("--jq: error: ") and "\n" not in str(refused.value)
    with pytest.raises(MisuseError, match=r"^--jq: Cannot index number"):
        list(shape.jq_program(".a")(5))
    for text, said in (("{{", "--template: "), ("{{ 1 // 0 }}", "--template: .*zero"), ("name", "prints no member")):
        with pytest.raises(MisuseError, match=said):
            shape.template_of(text)({"a": 1})
    assert shape.template_of("{% if a %}{{a}}{% endif %}{{b.c}}")({"a": True}) == "true"
    assert shape.template_of("{{a}}")({"a": "<b>\x1b"}) == "<b>\ufffd"


def test_a_cell_is_a_text_for_people() -> None:
    secret = Credential("canary")
    for value, text in (
        (True, "yes"), (False, "no"), (None, ""), (datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04"),
        (AT, f"{AT.astimezone():%Y-%m-%d %H:%M}"), (date(2026, 1, 2), "2026-01-02"), ([1, [True]], "1, yes"), (0, "0"),
        ({"a": 0, "b": None, "c": [], "d": {}, "e": ""}, "a: 0, e: "), ("a\x1b", "a\ufffd"),
    ):  # fmt: skip
        assert values.cell(value) == text, value
    assert values.cell(secret) == ("canary" if secret.shown else "***")
    model: Any = SimpleNamespace(model_dump=lambda **given: given)
    dumped = {"by_alias": True, "exclude_unset": True, "warnings": False}
    assert values.plain([{"a": model}]) == [{"a": dumped}]


# -- tables


def test_a_table_is_as_wide_as_a_terminal_and_without_one_as_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert tables.room() == 100_000
    tables.print_rows([{"id": "a", "note": "n" * 300}], None, None)
    assert "n" * 300 in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "50")
    assert tables.room() == 50
    monkeypatch.delenv("COLUMNS")
    terminal = Terminal(io.BytesIO())
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", terminal)
        patched.setattr("shutil.get_terminal_size", lambda: SimpleNamespace(columns=77))
        width = tables.room()
    assert width == 77


def test_rows_that_are_no_records_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.print_rows([1, "a\x1b", None, [1, 2]], None, None)
    assert capsys.readouterr().out == "1\na\ufffd\n\n1, 2\n"
    assert not tables.print_rows([], None, None) and capsys.readouterr().out == ""


def test_rows_in_the_columns_that_are_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    rows = [{"id": "a", "name": "Ada", "addr": {"city": "Ulm"}, "note": None}, {"id": "b", "name": "x" * 26}]
    assert tables.print_rows(rows, ["name", "addr.city"], None)
    out, err = capsys.readouterr()
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0].split() == ["name", "addr.city"] and "…" not in out and err == ""
    assert sum(line.count("x") for line in lines) == 26
    known = Columns(("id", "name", "value", "addr"), ("name", "value", "id"), frozenset({"value"}), frozenset())
    many = [{"id": "a", "name": "Ada", "value": 5}] * 50 + [{"id": "b", "name": "Bo", "value": 1200}]
    assert tables.print_rows(many, ["name", "value"], known)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == ["name  value", "Ada       5"] and lines[-1] == "Bo    1,200"
    assert tables.sort_columns(["version", "a", "createdAt", "b"]) == ["a", "b", "version", "createdAt"]


def test_records_within_a_card_are_tables_below_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    card = {"id": "a", "note": "x" * 60, "empty": {}, "zero": 0, "lines": [{"n": 1, "text": "one"}], "mixed": [1, {}]}
    tables.print_card(card, None)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "id     a" and sum(line.count("x") for line in lines[1:4]) == 60 and "…" not in "".join(lines)
    assert lines[-3] == "lines" and lines[-2].split() == ["n", "text"] and lines[-1].split() == ["1", "one"]
    assert not any(line.startswith("empty") for line in lines) and "zero   0" in lines
    tables.print_card(card, ["zero", "empty"])
    assert capsys.readouterr().out.split() == ["zero", "0"]


# -- columns and limits


def test_the_columns_of_a_call_are_those_of_its_model() -> None:
    listed, got = columns.columns_of(OPERATIONS["deals.list"]), columns.columns_of(OPERATIONS["deals.get"])
    assert listed is not None and listed == got
    assert listed.chosen == ("title", "company", "stage", "value", "probability", "owner", "age", "id")
    assert "value" in listed.amounts and "probability" in listed.numbers - listed.amounts
    assert columns.columns_of_type(str) is None and columns.columns_of_type(dict[str, int]) is None
    job = next(call for call in OPERATIONS.values() if call.kind == "job" and columns.columns_of(call) is not None)
    assert columns.columns_of(job) != columns.columns_of(job, result=False)
    hidden = Columns(("owner", "id"), (), frozenset(), frozenset())
    assert hidden.resolve(["owner"]) == ["owner"]
    with pytest.raises(MisuseError, match="--columns: no such column: age, odd"):
        hidden.resolve(["age", "id", "odd"])
    assert hidden.text("age", {"createdAt": datetime(2026, 1, 1)}) is None and hidden.text("id", {"id": 5}) is None
    assert hidden.text("age", {"createdAt": datetime.now(UTC)}) == "now"


def test_a_model_of_few_columns_is_shown_whole() -> None:
    """Its columns are named as on the wire; of three that would be shown, those are, and the id."""

    class Two(Model):
        id: str
        name: str
        company: str
        part_of: str = Field(alias="within")

    class Three(Two):
        status: str

    two, three = columns.columns_of_type(Two), columns.columns_of_type(list[Three])
    assert two is not None and (two.every, two.chosen) == (("id", "name", "company", "within"), ())
    assert three is not None and three.chosen == ("name", "company", "status", "id")


def test_how_many_are_wanted_is_told_to_the_server_as_pages_can_be() -> None:
    listed = Form(OPERATIONS["leads.list"])
    most = limits._greatest(listed)
    cases: list[tuple[str | None, dict[str, Any], Wanted, dict[str, Any]]] = [
        (None, {}, Wanted(None), {}), (None, {"limit": 5}, Wanted(5), {"limit": 5}),
        ("7", {"limit": 5}, Wanted(7), {"limit": 7}), ("ALL", {"limit": 5}, Wanted(None, every=True), {}),
        (str(most), {}, Wanted(most), {"limit": most}), (str(most + 1), {}, Wanted(most + 1), {"limit": most}),
        ("9" * 30, {}, Wanted(sys.maxsize), {"limit": most}), ("0", {}, Wanted(None), {}), ("x", {}, Wanted(None), {}),
        ("٣", {}, Wanted(None), {}),
    ]  # fmt: skip
    for typed, arguments, wanted, left in cases:
        assert (Wanted.take(listed, arguments, typed), arguments) == (wanted, left), typed
    without = Form(next(
        call for call in OPERATIONS.values() if call.kind == "page" and "limit" not in call.signature.parameters
    ))  # fmt: skip
    given: dict[str, Any] = {}
    assert (Wanted.take(without, given, "7"), given) == (Wanted(7), {})
    for odd in ("0", "x"):
        with pytest.raises(MisuseError, match="--limit must be a number of records above 0, or all"):
            Wanted.take(without, {}, odd)
