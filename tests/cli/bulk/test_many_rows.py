"""Any number of rows in the same memory: an import, an export and `upsert_many`, each a process whose peak is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from many_rows import ROOT, many_rows
from patience import HANG

PEAK = """
import atexit, runpy, sys

def tell():
    with open("/proc/self/status") as status, open("peak", "w") as file:
        file.write(next(line for line in status if line.startswith("VmHWM")).split()[1])

atexit.register(tell)
"""
"""Writes the most memory that the process had, in KiB; what `getrusage` tells has that of its parent in it."""
COMMAND = f"{PEAK}\nrunpy.run_module('crm_cli', run_name='__main__', alter_sys=True)"
ROWS = "({'name': f'{n:02000}', 'email': f'row{n}@many.example'} for n in range(int(sys.argv[1])))"
UPSERT = f"""{PEAK}
import json
from crm_sdk import CrmClient

with CrmClient() as client:
    outcomes = client.objects.upsert_many("contact", {ROWS}, match_on="email", checkpoint="kept", workers=2)
    print(json.dumps({{"created": sum(one.outcome == "created" for one in outcomes)}}))
"""
UPSERT_ASYNC = f"""{PEAK}
import asyncio, json
from crm_sdk import AsyncCrmClient

async def main():
    created = 0
    async with AsyncCrmClient() as client:
        outcomes = client.objects.upsert_many("contact", {ROWS}, match_on="email", checkpoint="kept", workers=2)
        async for one in outcomes:
            created += one.outcome == "created"
    print(json.dumps({{"created": created}}))

asyncio.run(main())
"""
IMPORT = ["contacts", "import", "rows.csv", "--yes", "--jobs", "2", "--batch", "200"]
EXPORT = ["objects", "export", "contact", "--to", "out.csv", "--owner-id"]
CASES = {
    "import": (COMMAND, IMPORT, "created", (1_000, 4_000)),
    "export": (COMMAND, EXPORT, "records", (1_000, 10_000)),
    "upsert_many": (UPSERT, [], "created", (4_000, 12_000)),
    "upsert_many_async": (UPSERT_ASYNC, [], "created", (4_000, 12_000)),
}
"""What is run, what it counts in its result, and for how many rows, of 2,000 characters each."""
MORE = 6
"""The MiB that may be more, as a heap is not the same every time."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with many_rows() as found:
        yield found


def peak(url: str, folder: Path, case: str, count: int) -> float:
    """Return the most memory that a process with so many rows had, in MiB."""
    code, words, counted, _ = CASES[case]
    folder.mkdir()
    if case == "import":
        with (folder / "rows.csv").open("w") as file:
            file.write("name,email\n")
            file.writelines(f"{n:02000},row{n}@many.example\n" for n in range(count))
    environment = {
        **os.environ, "CRM_BASE_URL": url, "CRM_API_KEY": "acme-admin", "PYTHONPATH": str(ROOT),
        "CRM_DATA_DIR": str(folder),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code, *words, *([] if case == "import" else [str(count)])],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG * 60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[counted] == count
    return int((folder / "peak").read_text()) / 1024


def check(url: str, folder: Path, case: str, counts: Sequence[int]) -> None:
    peaks = [peak(url, folder / str(count), case, count) for count in counts]
    print(case, *(f"{count:,} rows: {most:.1f} MiB" for count, most in zip(counts, peaks, strict=True)), sep="; ")  # noqa: T201 # what a long run has measured
    assert max(peaks) - peaks[0] < MORE, peaks


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("case", CASES)
class TestPeaks:
    @pytest.mark.slow
    def test_several_times_the_rows_take_no_more_memory(self, url: str, tmp_path: Path, case: str) -> None:
        check(url, tmp_path, case, CASES[case][-1])

    @pytest.mark.slow
    def test_a_hundred_thousand_rows_take_no_more_memory(self, url: str, tmp_path: Path, case: str) -> None:
        check(url, tmp_path, case, (10_000, 100_000))
