"""``crm NOUN export``: every format has every record, and what is exported can be imported."""

from __future__ import annotations

import csv
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped] # it has no types
import pytest
from shell import Crm

from crm_sdk import CrmClient
from server_stub import StubServer

parquet: Any = import_module("pyarrow.parquet")  # it has no types

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def table_of(path: Path) -> Any:
    return parquet.ParquetFile(path).read()


def ids(path: Path) -> list[str]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [row["id"] for row in csv.DictReader(file)]
    if path.suffix == ".jsonl":
        return [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        rows = [str(row[0]) for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
        return rows[1:]
    return [str(id) for id in table_of(path).column("id").to_pylist()]


@pytest.mark.parametrize("format", ["csv", "jsonl", "xlsx", "parquet"])
def test_every_record_is_in_the_file_once(served: Crm, client: CrmClient, format: str) -> None:
    done = served("deals", "export", "--to", f"deals.{format}")
    found = ids(Path(f"deals.{format}"))
    assert (done.json["records"], found) == (len(found), sorted(deal.id for deal in client.deals.list(limit=100)))
    assert not list(Path().glob("*.part"))
    if format != "parquet":
        again = served("deals", "import", f"deals.{format}").json
        assert again["unchanged"] == again["rows"] == len(found)


def test_columns_types_and_conditions(served: Crm) -> None:
    words = ("leads", "export", "--columns", "id,value,createdAt,name", "--owner-id", "user_sam")
    served(*words, "--to", "leads.parquet")
    table = table_of(Path("leads.parquet"))
    kinds = [str(field.type) for field in table.schema]
    assert kinds == ["string", "decimal128(38, 9)", "timestamp[us, tz=UTC]", "string"]
    lines = served(*words, "--to", "-").out.splitlines()
    assert lines[0] == "id,value,created_at,name" and len(lines) == table.num_rows + 1
    assert served("leads", "export", "--to", "-", "--updated-since", "2999-01-01").out.count("\n") == 1
    cards = served("leads", "export", "--to", "leads.vcf").json
    assert Path("leads.vcf").read_text("utf-8").count("BEGIN:VCARD") == cards["records"]


def test_a_file_is_not_overwritten_and_a_column_that_there_is_not_is_refused(served: Crm) -> None:
    Path("leads.csv").write_text("mine", "utf-8")
    assert served("leads", "export", "--to", "leads.csv").status == 2
    assert Path("leads.csv").read_text("utf-8") == "mine"
    assert served("leads", "export", "--to", "leads.csv", "--force").status == 0
    refused = served("leads", "export", "--columns", "emial", "--to", "-")
    assert refused.status == 2 and "did you mean 'email'" in refused.err
