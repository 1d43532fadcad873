"""Measure ourselves against the bare libraries, side by side in one run: medians of alternating rounds, and ratios.

``python benchmarks/run.py [SECTION ...]`` with the sections import, start, call, async, process, cli, live, stub.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
LEAD_PATH = "/api/leads/lead_123"


def main(sections: list[str]) -> None:
    """Run the sections and print a table of each."""
    measured = {
        "import": importing,
        "start": starting,
        "call": calling,
        "async": calling_async,
        "process": in_process,
        "cli": command_line,
        "live": live,
        "stub": stub,
    }
    unknown = set(sections) - set(measured)
    if unknown:
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(measured)}")
    machine = f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}")
    for name in sections or measured:
        print(f"\n{name}")
        measured[name]()


def row(what: str, ours: float, bare: float, unit: str, aim: str = "") -> None:
    """Print one comparison."""
    goal = f"   aim {aim}" if aim else ""
    print(f"  {what:<44} {ours:>9.1f} {unit} against {bare:>9.1f} {unit}   ratio {ours / bare:>6.2f}{goal}")


# -- whole processes ------------------------------------------------------------------------------------------------


def processes(
    ours: list[str], bare: list[str], rounds: int = 15, env: dict[str, str] | None = None
) -> tuple[float, float]:
    """Return the median wall times in ms of two commands, run in turn."""
    taken: tuple[list[float], list[float]] = ([], [])
    for count in range(rounds + 1):
        for times, command in zip(taken, (ours, bare), strict=True):
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})})
            if count:  # the first round warms the disk's cache
                times.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken[0]), statistics.median(taken[1])


PASS = [sys.executable, "-c", "pass"]


def importing() -> None:
    """Measure ``import crm_sdk``."""
    ours, bare = processes([sys.executable, "-c", "import crm_sdk"], PASS)
    row("import crm_sdk / python -c pass", ours, bare, "ms")
    print(f"  {'added by the import':<44} {ours - bare:>9.1f} ms   aim at most 15")
    loaded = "import sys, crm_sdk; print([n for n in ('httpx', 'pydantic') if n in sys.modules])"
    print("  heavy modules loaded by it:", subprocess.check_output([sys.executable, "-c", loaded], text=True).strip())


def starting() -> None:
    """Measure from nothing to the first typed lead."""
    with canned() as url:
        ours = (
            "import sys\nfrom crm_sdk import CrmClient\n"
            "lead = CrmClient(sys.argv[1], 'k', dialects='mvp').leads.get('lead_123')\nassert lead.name"
        )
        get = f"httpx.Client(base_url=sys.argv[1]).get('{LEAD_PATH}').json()"
        bare = f"import sys, httpx\nlead = {get}\nassert lead['name']"
        times = processes([sys.executable, "-c", ours, url], [sys.executable, "-c", bare, url])
        row("process to first lead / raw httpx script", *times, "ms", "1.5")


# -- calls over loopback --------------------------------------------------------------------------------------------


@contextmanager
def canned() -> Iterator[str]:
    """Serve the stub's own answers from a server that takes next to no time."""
    from server_stub import StubServer

    client = StubServer().client()
    answers = {path: client.request("GET", path).content.decode() for path in (LEAD_PATH, "/v1/leads/lead_123")}
    answers["/api/leads"] = client.request("GET", "/api/leads?limit=100").content.decode()
    answers["/v1/leads"] = client.request("GET", "/v1/leads?limit=100").content.decode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.json"
        file.write_text(json.dumps(answers))
        command = [sys.executable, str(HERE / "canned.py"), str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
            finally:
                process.kill()


def timed(call: Callable[[], object], count: int) -> float:
    """Return the microseconds one call takes."""
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count * 1_000_000


def in_turn(ours: Callable[[], object], bare: Callable[[], object], count: int, rounds: int = 9) -> tuple[float, float]:
    """Return the median microseconds of two calls, measured in turn."""
    timed(ours, count // 4), timed(bare, count // 4)
    pairs = [(timed(ours, count), timed(bare, count)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def calling() -> None:
    """Measure sync calls over loopback against the bare client."""
    import httpx

    from crm_sdk import CrmClient

    with canned() as url, httpx.Client(base_url=url) as raw, CrmClient(url, "k", dialects="mvp") as mvp:
        wide = mvp.with_options(dialects="platform")
        times = in_turn(lambda: mvp.leads.get("lead_123"), lambda: raw.get(LEAD_PATH).json(), 400)
        row("leads.get / httpx.Client.get().json()", *times, "µs", "0.9")
        times = in_turn(lambda: mvp.leads.list(limit=100), lambda: raw.get("/api/leads?limit=100").json(), 100)
        row("a page of 100 leads (mvp) / the same raw", *times, "µs", "1.35")
        times = in_turn(lambda: wide.leads.list(limit=100), lambda: raw.get("/v1/leads?limit=100").json(), 40)
        row("a page of 100 leads (platform) / the same raw", *times, "µs")


def calling_async() -> None:
    """Measure 1,000 async calls at several concurrencies against the bare client."""
    with canned() as url:
        asyncio.run(_calling_async(url))


async def _calling_async(url: str) -> None:
    import httpx

    from crm_sdk import AsyncCrmClient

    async with AsyncCrmClient(url, "k", dialects="mvp") as client, httpx.AsyncClient(base_url=url) as raw:
        alone = 0.0
        for at_once in (1, 32, 100):
            pairs = []
            for _ in range(5):
                ours = await _many(lambda: client.leads.get("lead_123"), 1000, at_once)
                bare = await _many(lambda: raw.get(LEAD_PATH), 1000, at_once)
                pairs.append((ours, bare))
            ours, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
            alone = alone or ours
            aim = "" if at_once == 1 else "0.5"
            row(f"1,000 leads.get, {at_once} at once / AsyncClient", ours, bare, "µs", aim)
        row("one call at 100 at once / alone", ours, alone, "µs", "1.3")


async def _many(call: Callable[[], Awaitable[object]], count: int, at_once: int) -> float:
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return (time.perf_counter() - began) / count * 1_000_000


# -- without a network ----------------------------------------------------------------------------------------------


def in_process() -> None:
    """Measure calls against the stub in the same process."""
    import httpx

    from server_stub import StubServer

    server = StubServer()
    client = server.client(dialects="mvp")
    headers = {"Authorization": "Bearer acme-admin"}
    with httpx.Client(transport=server.transport(), base_url="http://stub.test", headers=headers) as raw:
        times = in_turn(lambda: client.leads.get("lead_123"), lambda: raw.get(LEAD_PATH).json(), 400)
        row("leads.get in process / httpx.Client, same stub", *times, "µs")
        times = in_turn(lambda: client.leads.list(limit=100), lambda: raw.get("/api/leads?limit=100").json(), 60)
        row("a page of 100 in process / the same raw", *times, "µs")


def stub() -> None:
    """Measure the stub alone, in process and on a port."""
    from server_stub import StubServer
    from server_stub.request.http import Request

    server = StubServer()
    headers = {"authorization": "Bearer acme-admin"}
    for what, path, query in (
        ("one lead (mvp)", LEAD_PATH, ""),
        ("one lead (platform)", "/v1/leads/lead_123", ""),
        ("a page of 100 (mvp)", "/api/leads", "limit=100"),
        ("a page of 100 (platform)", "/v1/leads", "limit=100"),
    ):
        request = Request("GET", path, query, headers)
        taken = statistics.median(timed(lambda r=request: server.handle(r), 200) for _ in range(7))  # type: ignore[misc] # a lambda per request
        print(f"  core, {what:<38} {taken:>9.1f} µs")
    asyncio.run(_port_rate())


async def _port_rate() -> None:

    command = [sys.executable, "-m", "server_stub", "--port", "0", "--no-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = next(word for word in process.stdout.readline().split() if word.startswith("http"))
            await _rate(url)
        finally:
            process.kill()


async def _rate(url: str) -> None:
    from crm_sdk import AsyncCrmClient

    async with AsyncCrmClient(url, "acme-admin", dialects="mvp") as client:
        taken = [await _many(lambda: client.leads.get("lead_123"), 2000, 32) for _ in range(3)]
    print(f"  on a port, 32 at once, SDK as the client       {1_000_000 / statistics.median(taken):>9.0f} requests/s")


# -- the command line -----------------------------------------------------------------------------------------------


def command_line() -> None:
    """Measure the command line as whole processes."""
    crm = str(Path(sys.executable).with_name("crm"))
    with tempfile.TemporaryDirectory() as folder:
        env = {"CRM_DATA_DIR": folder, "CRM_CACHE_DIR": folder}
        subprocess.run(
            [crm, "--offline", "leads", "list"], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **env}
        )
        for what, command, more, aim in (
            ("crm --version", [crm, "--version"], env, "2"),
            ("TAB", [crm, "__complete", "bash", "2", "crm", "leads", "li"], env, "2"),
            ("crm --help", [crm, "--help"], env, ""),
            ("crm --offline leads list", [crm, "--offline", "leads", "list"], env, "25"),
        ):
            times = processes(command, PASS, rounds=9, env=more)
            row(f"{what} / python -c pass", *times, "ms", aim)


# -- events ---------------------------------------------------------------------------------------------------------


def live() -> None:
    """Measure events as they come."""
    from live import bare, feed, ours, per_event

    with feed() as url:
        times = [(per_event(ours, url), per_event(bare, url)) for _ in range(7)]
    taken, least = (statistics.median(column) for column in zip(*times, strict=True))
    row("an event listened to / websockets and json", taken, least, "µs")


if __name__ == "__main__":
    main(sys.argv[1:])
