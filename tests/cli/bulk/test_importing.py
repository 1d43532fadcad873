"""Imports: how the mapping is settled and shown, what is sent, and how one that was interrupted goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import pytest
from shell import Crm, Result

from crm_cli import failures
from crm_cli.bulk import importing, mapping, wrong_rows
from crm_cli.bulk.exporting import _column_value
from crm_cli.bulk.ids import Each, _message, _rows
from crm_cli.bulk.journal import FAILED, READY, Entry, Wrong
from crm_cli.bulk.mapping import Mapped
from crm_cli.bulk.sending import Sending, _by_place
from crm_cli.bulk.sources import Source
from crm_cli.failures import MisuseError
from crm_sdk import CrmClient, errors
from crm_sdk.errors import FieldError

pytest_plugins = ["cli_fixtures"]

COMMAND = ("contacts", "import", "people.csv")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a file of three people."""
    made = tmp_path / "work"
    made.mkdir()
    monkeypatch.chdir(made)
    people = "".join(f"P{number},p{number}@bulk.example\n" for number in range(3))
    Path("people.csv").write_text(f"name,email\n{people}", "utf-8")
    return made


def described(**given: Any) -> Any:
    keys = [Of(field="number", unique=True), Of(field="email", unique=False), Of(field="company", unique=False)]
    return Of(**{"entity": "contact", "plural_label": "Contacts", "custom": False, "keys": keys} | given)


def previewed(**given: Any) -> Any:
    return Of(**{"columns": [], "unmapped_required": [], "errors": [], "mapping": []} | given)


# -- the mapping


def test_a_row_has_its_key_where_the_entity_keeps_it() -> None:
    cases: list[tuple[str | None, bool, tuple[str, ...], Any, Any]] = [
        (None, False, (), {"email": "a"}, None), ("email", False, ("email",), {"email": "a"}, "a"),
        ("api_name", False, ("apiName",), {"apiName": "a"}, "a"),
        ("plate", True, ("fields", "plate"), {"plate": "a"}, None),
        ("plate", True, ("fields", "plate"), {"fields": {"plate": "a"}}, "a"), ("id", True, ("id",), {"id": "r"}, "r"),
        ("plate", True, ("fields", "plate"), None, None),
    ]  # fmt: skip
    for key, custom, path, members, found in cases:
        mapped = Mapped(described(custom=custom), [], key, previewed())
        assert (mapped.key_path, mapped.key_in(members)) == (path, found), key


def test_rows_have_the_entries_of_their_columns() -> None:
    entries: Any = [{"column": "a", "field": "name"}, {"column": "b", "field": "email"}]
    mapped = Mapped(described(), entries, None, previewed(unmapped_required=["email", "company"]))
    assert mapped.of([["x"]]) == entries and mapped.of([{"a": 1}, {"c": 2}]) == entries[:1]
    assert mapped.of([{"a": 1}, ["x"]]) == entries and mapped.lacking == ["company"]


def test_the_mapping_is_shown_with_samples_and_keys(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def column(name: str, index: int, *samples: str) -> Any:
        return Of(column=name, index=index, samples=samples)

    columns = [column("Name", 1, "x" * 30, "y" * 31, "z"), column("E", 2), column("_row", 3), column("F", 4, "1")]
    entries: Any = [{"column": "Name", "field": "name"}, {"column": "4", "field": "company"}]
    preview = previewed(columns=columns, unmapped_required=["email"])
    source = Source(tmp_path, "a.csv", "csv")
    Mapped(described(), entries, "email", preview).show(source)
    assert capsys.readouterr().err.splitlines() == [
        "a.csv: csv, 3 columns → contacts", f"  Name  → name  ({'x' * 30}, {'y' * 29}…)", "  E     → not read",
        "  F     → company  (1)", "  email is needed by new records, and no column gives it",
        "rows find their records by email",
    ]  # fmt: skip
    Mapped(described(), [], None, previewed()).show(source)
    Mapped(described(keys=[]), [], None, previewed()).show(source)
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "no column is a key (number, email, company): every row makes a new record"
    assert lines[3] == "every row makes a new record"


def test_rows_find_their_records_by_what_only_one_can_have() -> None:
    for given, key in (
        (["name", "id", "email"], "id"), (["email", "number"], "number"), (["email"], "email"), (["company"], None),
        (["fields.number"], "number"), ([], None),
    ):  # fmt: skip
        assert mapping._key(described(), given) == key, given


def test_a_mapping_is_read_from_what_was_typed_or_from_a_file() -> None:
    assert mapping._pair("a=b= name ") == {"column": "a=b", "field": "name"}
    assert mapping._pair(" a =") == {"column": "a", "field": None}
    for odd in ("name", "=name", " =x"):
        with pytest.raises(MisuseError, match="--map is Column=member"):
            mapping._pair(odd)
    entries = [{"column": "A", "field": "name", "more": 1}, {"column": "B", "field": None}]
    plain = [{"column": "A", "field": "name"}, {"column": "B", "field": None}]
    for content, found in (
        ({"A": "name", "B": None}, plain),
        ({"mapping": entries}, entries),
        (entries, entries),
        ([], []),
        ({"mapping": {"A": "name"}}, [{"column": "mapping", "field": {"A": "name"}}]),
    ):
        Path("m.json").write_text(json.dumps(content))
        assert mapping._read("m.json") == found
    for text in ("{", "5", '[{"column": "A"}]', "[5]", '[{"column": "A", "field": "b"}, 5]'):
        Path("m.json").write_text(text)
        with pytest.raises(MisuseError, match=r"--mapping: m\.json"):
            mapping._read("m.json")


def test_a_column_that_is_mapped_anew_takes_the_place_of_the_old_one() -> None:
    preview = previewed(columns=[Of(index=1, column="A"), Of(index=2, column="B")])
    old = [{"column": "A", "field": "name"}, {"column": "B", "field": "email"}]
    for column, member, found in (
        ("A", "company", [old[1]]), ("1", "company", [old[1]]), ("C", "name", [old[1]]), ("C", "x", old),
    ):  # fmt: skip
        wanted = {"column": column, "field": member}
        assert mapping._with(old, wanted, preview) == [*found, wanted]
    assert mapping._with(old, {"column": "2", "field": None}, preview) == old[:1]


def test_what_is_wrong_with_a_mapping_is_told_with_what_was_meant() -> None:
    def error(message: str, member: str | None, rule: str | None = None, **details: Any) -> Any:
        return Of(message=message, field=member, rule=rule, code="CODE", details=details)

    mapping._refuse(previewed())
    with pytest.raises(MisuseError) as one:
        mapping._refuse(previewed(errors=[error("no such key", "f", field="emial", choices=["email"])]))
    assert str(one.value) == "no such key; did you mean 'email'?" and not one.value.fields
    both = [error("a", None), error("b", "f", "unique", field="x", keys=None)]
    with pytest.raises(MisuseError, match="the columns cannot be read") as several:
        mapping._refuse(previewed(errors=both))
    assert several.value.fields == [FieldError("file", "a", "CODE"), FieldError("f", "b", "unique")]


def test_a_file_without_any_member_says_what_to_do(tmp_path: Path) -> None:
    preview = previewed(columns=[Of(column="foo"), Of(column="bar")])
    for has_header, more in ((True, "; --no-header says that there is no header"), (False, "")):
        source = Source(tmp_path, "a", "csv", has_header=has_header)
        assert mapping._unknown(source, preview, described()) == (
            f"none of the columns foo, bar is a member of contacts: name members with --map{more}"
        )


# -- what is typed


def test_a_file_and_a_sign_have_to_be_there(served: Crm) -> None:
    Path("folder").mkdir()
    for words, said in (
        (["none.csv"], "none.csv: there is no such file"), (["folder"], "folder is no file"),
        (["people.csv", "--delimiter", ";;"], "--delimiter is one sign, such as ; or tab, not ';;'"),
        (["people.csv", "--delimiter", ""], "--delimiter"),
    ):  # fmt: skip
        done = served("contacts", "import", *words)
        assert (done.status, done.out, said in done.err) == (failures.USAGE, "", True), done.err
    assert [importing._sign(text) for text in (None, ";", "tab", "\\t", "|")] == [None, ";", "\t", "\t", "|"]


def test_somebody_may_decline(terminal: Callable[..., Result], client: CrmClient) -> None:
    before = client.contacts.list().total
    done = terminal(*COMMAND, answer="n\n")
    assert (done.status, done.out.strip()) == (failures.DECLINED, "") and "Import them to http://crm.test?" in done.err
    assert client.contacts.list().total == before
    assert terminal(*COMMAND, answer="y\n").json["created"] == 3


# -- going on


def test_what_was_interrupted_goes_on(served: Crm, client: CrmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sending._send
    calls: list[int] = []

    def interrupted(self: Sending, chunk: Any) -> Any:
        calls.append(len(chunk))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return sent(self, chunk)

    monkeypatch.setattr(Sending, "_send", interrupted)
    words = (*COMMAND, "--batch", "1", "--jobs", "1", "--yes")
    done = served(*words)
    assert (done.status, done.out) == (failures.INTERRUPTED, "")
    assert "1 of 3 rows are done; the same command goes on there" in done.err
    again = served(*words)
    assert again.status == 0 and again.err.startswith("going on: 1 of 3 rows are done\n")
    assert (again.json["created"], again.json["rows"], calls) == (3, 3, [1, 1, 1, 1])
    assert "imported before: --again" in served(*words).err


def test_of_rows_that_fail_the_first_ten_are_told(served: Crm) -> None:
    for count in (10, 11):
        Path("bad.csv").write_text("name,email\n" + "".join(f"P{n},bad@\n" for n in range(count)))
        done = served("contacts", "import", "bad.csv", "--yes")
        assert done.status == failures.INVALID
        assert done.err.count("\n  row ") == 10 and ("\n  …\n" in done.err) is (count == 11)
        assert f"{count} rows failed: bad.errors.csv" in done.err and done.err.endswith("nothing was sent\n")
        assert len(Path("bad.errors.csv").read_text("utf-8-sig").splitlines()) == count + 1
    Path("bad.csv").write_text("name,email\nA,bad@\nB,b@bulk.example\n")
    done = served("contacts", "import", "bad.csv", "--yes")
    assert "1 row failed: bad.errors.csv" in done.err and "--skip-invalid imports the others" in done.err
    dry = served("contacts", "import", "bad.csv", "--dry-run")
    assert (dry.status, dry.json["new"], dry.json["changing"], dry.json["failed"]) == (failures.INVALID, 1, 0, 1)
    refused = served("contacts", "import", "bad.csv", "--yes", "--errors", "bad.csv")
    assert "--errors: bad.csv is the file that is imported" in refused.err


def test_where_the_rows_that_failed_cannot_be_written_all_else_is_said(
    served: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    Path("bad.csv").write_text("name,email\nA,bad@\nB,b@bulk.example\n")
    monkeypatch.setattr(wrong_rows, "write", full)
    done = served("contacts", "import", "bad.csv", "--yes", "--skip-invalid")
    assert (done.status, done.json["created"], done.json["errorsFile"]) == (failures.PARTIAL, 1, "bad.errors.csv")
    note = "note: bad.errors.csv cannot be written: No space left on device; --errors names another file"
    assert done.err.count(note) == 2 and done.err.count("  row 1: email: ") == 1


def test_a_file_of_wrong_rows_is_never_the_one_that_is_imported(tmp_path: Path) -> None:
    def path(name: str, format: str = "csv", there: str | None = None) -> str:
        for old in Path.cwd().glob("*.errors*"):
            old.unlink()
        if there is not None:
            Path(there).touch()
        return str(wrong_rows.usual_path(Source(Path(name), name, format)))

    assert (
        path("a.csv") == path("a.b.csv").replace(".b", "") == "a.errors.csv"
        and path("a.xlsx", "xlsx") == "a.errors.csv"
    )
    assert path("a.errors.csv", there="a.errors.csv") == "a.errors-2.csv" and path("a.errors.csv") == "a.errors.csv"
    assert path("a.errors-2.csv", there="a.errors.csv") == "a.errors.csv" and path("stdin") == "stdin.errors.csv"
    assert path("a.errors.jsonl", "jsonl", "a.errors.jsonl") == "a.errors-2.jsonl"


# -- what is sent


def test_each_row_that_was_sent_has_an_outcome() -> None:
    item = Of(error=None, result=Of(outcome="created"))
    taken = Of(error=Of(field="email", rule="unique", code="TAKEN", message="is taken"), result=None)
    bare = Of(error=Of(field=None, rule=None, code="TAKEN", message="no"), result=None)
    asked: list[Any] = []

    class Client:
        objects: Any

        def with_options(self, idempotency_key: str) -> Client:
            asked.append(idempotency_key)
            return self

    def upsert(entity: str, rows: Any, **options: Any) -> Any:
        asked.append((entity, rows, options))
        return Of(items=[item, taken, bare, Of(error=None, result=None)])

    client: Any = Client()
    client.objects = Of(upsert=upsert)
    mapped: Any = Of(key="email", entity=Of(entity="contact"), key_in=lambda members: "k")
    quota: Any = Of(call=lambda act: act())
    entries = [Entry(number, [], READY, {"n": number} if number < 7 else None) for number in (4, 5, 6, 7)]
    assert Sending(client, mapped, "upsert", "skip", quota, "run")._send(entries) == [
        (4, "created", ()), (5, FAILED, [Wrong("email", "unique", "is taken")]),
        (6, FAILED, [Wrong("", "TAKEN", "no")]),
        (7, "updated", ()),
    ]  # fmt: skip
    options = {"match_on": "email", "mode": "upsert", "on_match": "skip"}
    assert asked == ["run-4", ("contact", [{"n": 4}, {"n": 5}, {"n": 6}, {}], options)]


def test_what_is_wrong_with_a_transaction_is_told_by_its_operation() -> None:
    fields = [
        FieldError("operations.3.values.name", "a", "unique"), FieldError("operations[3].email", "b"),
        FieldError("operations.0", "c"), FieldError("data.operations.1", "d"), FieldError("odd", "e"),
    ]  # fmt: skip
    assert _by_place(fields) == {
        3: [Wrong("name", "unique", "a"), Wrong("email", "", "b")], 0: [Wrong("", "", "c")],
    }  # fmt: skip


def test_a_value_is_of_the_type_of_its_column() -> None:
    at = datetime(2026, 1, 2, 3, tzinfo=UTC)
    for value, kind, found in (
        (None, "date", None), ("2026-01-02", "date", date(2026, 1, 2)), (at.isoformat(), "datetime", at),
        (at, "datetime", at),
        ("2026-01-02", "text", "2026-01-02"), (5, "text", "5"), (5, "integer", 5), (True, "boolean", True),
        ("1.5", "decimal", Decimal("1.5")), (2, "currency", Decimal(2)),
        (["a", "b"], "text", "a,b"),
    ):  # fmt: skip
        made = _column_value(value, kind)
        assert (made, type(made)) == (found, type(found)), (value, kind)


def test_ids_are_shared_out_among_the_calls() -> None:
    def parts(count: int, jobs: int, many: bool) -> list[int]:
        form: Any = Of(ids=Of(many=many, name="ids"))
        each = Each(form, {"a": 1}, jobs, False)
        found = list(each._parts([str(number) for number in range(count)]))
        if found:
            assert each._with(found[0]) == {"a": 1, "ids": list(found[0]) if many else found[0][0]}
        return [len(part) for part in found]

    assert parts(5, 2, True) == [3, 2] and parts(4, 4, True) == [1] * 4 and parts(0, 2, True) == []
    assert parts(3, 2, False) == [1, 1, 1] and parts(0, 2, False) == []
    assert _rows(None, ["a", "b"]) == [{"id": "a"}, {"id": "b"}] and _rows(5, ["a"]) == [5]
    assert _rows(Of(items=[1, 2]), ["a"]) == [1, 2]
    refused = errors.NotFoundError("no such\nlead", status=404, code="X")
    assert _message(refused) == "no such lead" and _message(MisuseError("what?")) == "what?"


def test_who_deletes_many_may_decline(terminal: Callable[..., Result], client: CrmClient) -> None:
    lead = client.with_options(dialects="platform").leads.create({"name": "Ada"}).id
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("crm_cli.bulk.ids.read_ids", lambda: [lead])
        done = terminal("leads", "delete", "-", answer="n\n")
        assert (done.status, done.out.strip()) == (failures.DECLINED, "") and "Delete 1 lead?" in done.err
        done = terminal("leads", "delete", "-", answer="y\n")
        assert (done.status, done.json) == (0, [{"id": lead}]) and "1 of 1 done\n" in done.err
