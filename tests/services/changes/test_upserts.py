"""`upsert_many` of both clients: which rows go together, in which order outcomes come, and where it goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any

import anyio
import pytest
from patience import HANG, until_async

from crm_sdk import ApiError, CrmError, NetworkError
from crm_sdk.errors import ServerError, ValidationError
from crm_sdk.resource import operation_of
from crm_sdk.resources.objects import Objects
from crm_sdk.sync.upserts import CHUNK, RowOutcome, Upserts
from server_stub import StubServer

OPTIONS = {"match_on": "email"}


class Writer:
    """A client that notes the chunks it is given, and answers each as its first row says."""

    def __init__(self, *, asynchronous: bool) -> None:
        self.calls: list[tuple[str, str, int, dict[str, Any]]] = []
        self.asynchronous = asynchronous
        self.running = self.most_running = 0
        self._lock = threading.Lock()

    def with_options(self, *, idempotency_key: str) -> Any:
        def upsert(entity: str, rows: list[Any], **options: Any) -> Any:
            with self._lock:
                self.calls.append((idempotency_key, entity, rows[0]["n"], options))
            if isinstance(error := rows[0].get("error"), CrmError):
                raise error
            return Of(items=[item(place, row) for place, row in enumerate(rows)])

        async def upsert_async(entity: str, rows: list[Any], **options: Any) -> Any:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                await anyio.sleep(rows[0].get("seconds", 0.01))
                return upsert(entity, rows, **options)
            finally:
                self.running -= 1

        return Of(objects=Of(upsert=upsert_async if self.asynchronous else upsert))


def item(place: int, row: dict[str, Any]) -> Any:
    if row.get("wrong"):
        return Of(index=place, id=None, result=None, error=Of(code="INVALID", message="no e-mail"))
    return Of(index=place, id=f"c{row['n']}", result=Of(outcome="created"), error=None)


def rows(count: int, **at: Any) -> list[dict[str, Any]]:
    return [{"n": number, **at.get(f"r{number}", {})} for number in range(count)]


@pytest.fixture
def write(mode: str) -> Callable[..., tuple[Writer, list[RowOutcome]]]:
    """Return what writes rows by the client of the mode, and returns the first `most` outcomes."""

    def written(
        given: Any, *, workers: int = 1, checkpoint: Path | None = None, most: int | None = None
    ) -> tuple[Writer, list[RowOutcome]]:
        writer = Writer(asynchronous=mode == "async")
        client: Any = writer
        upserts = Upserts(client, "contact", given, OPTIONS, workers=workers, checkpoint=checkpoint)
        found: list[RowOutcome] = []

        async def in_loop() -> None:
            async for outcome in upserts:
                found.append(outcome)
                if len(found) == most:
                    break

        if mode == "async":
            anyio.run(in_loop)
        else:
            for outcome in upserts:
                found.append(outcome)
                if len(found) == most:
                    break
        return writer, found

    return written


@pytest.mark.parametrize(
    ("count", "calls"), [(0, []), (1, [0]), (1_000, [0]), (1_001, [0, 1_000]), (2_500, [0, 1_000, 2_000])]
)
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_rows_go_by_the_thousand_and_their_outcomes_come_in_order(
    write: Any, count: int, calls: list[int], workers: int
) -> None:
    writer, found = write(rows(count), workers=workers)
    assert [outcome.index for outcome in found] == list(range(count)) and CHUNK == 1_000
    assert all(one == RowOutcome(one.index, "ok", f"c{one.index}", "created") for one in found)
    assert sorted(begin for _, _, begin, _ in writer.calls) == calls
    assert {(entity, options["match_on"]) for _, entity, _, options in writer.calls} <= {("contact", "email")}
    runs = {key.rpartition("-")[0] for key, *_ in writer.calls}
    assert len(runs) == min(count, 1) and all(len(run) == 32 for run in runs)
    assert sorted(int(key.rpartition("-")[2]) for key, *_ in writer.calls) == calls


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ValidationError("no key", status=422, code="INVALID"), "failed", "INVALID"),
        (ApiError("odd", status=499, code="ODD"), "failed", "ODD"),
        (ServerError("down", status=500, code="DOWN"), "unknown", "DOWN"),
        (NetworkError("reset"), "unknown", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_a_call_fails_of_is_the_outcome_of_each_of_its_rows(
    write: Any, error: CrmError, status: str, code: str | None
) -> None:
    _, found = write(rows(1_002, r1000={"error": error}, r999={"wrong": True}))
    assert found[998] == RowOutcome(998, "ok", "c998", "created")
    assert found[999] == RowOutcome(999, "failed", None, None, "INVALID", "no e-mail")
    assert found[1000:] == [RowOutcome(at, status, code=code, message=str(error)) for at in (1000, 1001)]  # type: ignore[arg-type] # one of the three


def test_a_checkpoint_says_where_a_later_run_goes_on_with_the_same_keys(write: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    writer, found = write(rows(2_500), checkpoint=kept, most=1_000)
    assert not kept.exists() and len(found) == 1_000, "the last outcome of a chunk is not dealt with yet"
    writer, found = write(rows(2_500), checkpoint=kept, most=1_001)
    said = json.loads(kept.read_text())
    assert said["rows"] == 1_000 and [path.name for path in tmp_path.iterdir()] == ["kept.json"]
    run = said["run"]
    assert {key for key, *_ in writer.calls} >= {f"{run}-0", f"{run}-1000"}
    writer, found = write(rows(2_500), checkpoint=kept)
    assert [outcome.index for outcome in found] == list(range(1_000, 2_500))
    assert [key for key, *_ in writer.calls] == [f"{run}-1000", f"{run}-2000"]
    assert json.loads(kept.read_text()) == {"run": run, "rows": 2_500}
    writer, found = write(rows(2_500), checkpoint=kept)
    assert (writer.calls, found) == ([], [])


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_is_written_ahead_than_there_are_workers(write: Any, workers: int) -> None:
    taken: list[int] = []

    def endless() -> Any:
        number = 0
        while True:
            taken.append(number)
            yield {"n": number}
            number += 1

    writer, _ = write(endless(), workers=workers, most=1)
    assert len(taken) == workers * CHUNK and writer.most_running <= workers


def test_tasks_run_at_once() -> None:
    writer: Any = Writer(asynchronous=True)

    async def main() -> int:
        upserts = Upserts(writer, "contact", rows(6_000), OPTIONS, workers=3, checkpoint=None)
        return len([outcome async for outcome in upserts])

    assert anyio.run(main) == 6_000 and writer.most_running == 3


def test_what_is_written_ahead_is_cancelled_where_nobody_reads_on() -> None:
    writer: Any = Writer(asynchronous=True)
    given = rows(3_000, r1000={"seconds": HANG}, r2000={"seconds": HANG})

    async def main() -> None:
        outcomes: Any = aiter(Upserts(writer, "contact", given, OPTIONS, workers=3, checkpoint=None))
        assert (await anext(outcomes)).index == 0 and writer.running == 2
        await outcomes.aclose()
        await until_async(lambda: writer.running == 0)

    anyio.run(main)
    assert [begin for _, _, begin, _ in writer.calls] == [0]


def test_the_client_writes_by_four_workers_and_with_the_defaults_of_a_single_call(stub: StubServer) -> None:
    client = stub.client(dialects="platform")
    upserts = client.objects.upsert_many("contact", [{"name": "Ada", "email": "ada@many.example"}], match_on="email")
    assert upserts._workers == 4
    single = operation_of(Objects.upsert)
    assert single is not None
    for name in ("mode", "on_match"):
        assert upserts._options[name] == single.signature.parameters[name].default
    (outcome,) = upserts
    assert (outcome.status, outcome.outcome) == ("ok", "created") and outcome.id is not None
    again = client.objects.upsert_many("contact", [{"name": "Ada", "email": "ada@many.example"}], match_on="email")
    assert [(one.id, one.outcome) for one in again] == [(outcome.id, "unchanged")]
