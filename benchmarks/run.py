"""Measure ourselves against the bare libraries, side by side in one run: medians of alternating rounds, and ratios.

``python benchmarks/run.py [SECTION ...]`` with the sections import, start, call, async, process, cli, grown, live,
core, lists, port, tests. The dialect is the platform's, which is the default.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import stub
from measuring import PASS, canned, in_turn, processes, row

LEAD, PAGE = "/v1/leads/lead_123", "/v1/leads?limit=100"


def main(sections: list[str]) -> None:
    """Run the sections and print a table of each."""
    measured = {
        "import": importing,
        "start": starting,
        "call": calling,
        "async": calling_async,
        "process": in_process,
        "cli": command_line,
        "grown": growing,
        "live": live,
        "core": stub.core,
        "lists": stub.lists,
        "port": stub.port,
        "tests": stub.tests,
    }
    unknown = set(sections) - set(measured)
    if unknown:
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(measured)}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a process that compiles what it imports measures the compiler
    machine = f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}")
    print(f"  {'':<54} {'ours':>10} {'':<5} {'baseline':>10} {'':<5} {'ratio':>6}")
    began = time.perf_counter()
    for name in sections or measured:
        print(f"\n{name}: {(measured[name].__doc__ or '').partition('Measure ')[2]}")
        measured[name]()
    print(f"\nmeasured in {time.perf_counter() - began:.0f} s")


# -- whole processes ------------------------------------------------------------------------------------------------


def importing() -> None:
    """Measure ``import crm_sdk``."""
    ours, bare = processes([sys.executable, "-c", "import crm_sdk"], PASS)
    row("import crm_sdk / python -c pass", ours, bare, "ms", f"adds {ours - bare:.1f} ms; aim at most 15")
    loaded = "import sys, crm_sdk; sys.exit(bool({'httpx', 'pydantic'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", loaded], check=True)  # it loads none of the heavy modules


def starting() -> None:
    """Measure from nothing to the first typed lead."""
    with answers() as url:
        ours = (
            "import sys\nfrom crm_sdk import CrmClient\n"
            "lead = CrmClient(sys.argv[1], 'k', dialects='platform').leads.get('lead_123')\nassert lead.name"
        )
        get = f"httpx.Client(base_url=sys.argv[1]).get('{LEAD}').json()"
        bare = f"import sys, httpx\nlead = {get}\nassert lead['data']['name']"
        taken, least = processes([sys.executable, "-c", ours, url], [sys.executable, "-c", bare, url])
        row("process to first lead / raw httpx script", taken, least, "ms", "aim 1.5")


# -- calls over loopback --------------------------------------------------------------------------------------------


@contextmanager
def answers() -> Iterator[str]:
    """Serve the stub's own answers from a server that takes next to no time."""
    from server_stub import StubServer

    server = StubServer()
    with canned({path.partition("?")[0]: stub.answer(server, *path.split("?")) for path in (LEAD, PAGE)}) as url:
        yield url


def calling() -> None:
    """Measure sync calls over loopback against the bare client."""
    import httpx

    from crm_sdk import CrmClient

    with answers() as url, httpx.Client(base_url=url) as raw, CrmClient(url, "k", dialects="platform") as client:
        times = in_turn(lambda: client.leads.get("lead_123"), lambda: raw.get(LEAD).json(), 400)
        row("leads.get / httpx.Client.get().json()", *times, "µs", "aim 0.9")
        times = in_turn(lambda: client.leads.list(limit=100), lambda: raw.get(PAGE).json(), 40)
        row("a page of 100 leads / the same raw", *times, "µs", "aim 1.35")


def calling_async() -> None:
    """Measure 1,000 async calls at several concurrencies against the bare client."""
    with answers() as url:
        asyncio.run(_calling_async(url))


async def _calling_async(url: str) -> None:
    import httpx

    from crm_sdk import AsyncCrmClient

    async with AsyncCrmClient(url, "k", dialects="platform") as client, httpx.AsyncClient(base_url=url) as raw:
        alone = 0.0
        for at_once in (1, 32, 100):
            pairs = []
            for _ in range(5):
                ours = await _many(lambda: client.leads.get("lead_123"), 1000, at_once)
                bare = await _many(lambda: raw.get(LEAD), 1000, at_once)
                pairs.append((ours, bare))
            ours, bare = (statistics.median(times) for times in zip(*pairs, strict=True))
            alone = alone or ours
            row(
                f"1,000 leads.get, {at_once} at once / AsyncClient", ours, bare, "µs", "" if at_once == 1 else "aim 0.5"
            )
        row("one call at 100 at once / alone", ours, alone, "µs", "aim 1.3")


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
    client = server.client(dialects="platform")
    headers = {"Authorization": "Bearer acme-admin"}
    with httpx.Client(transport=server.transport(), base_url="http://stub.test", headers=headers) as raw:
        times = in_turn(lambda: client.leads.get("lead_123"), lambda: raw.get(LEAD).json(), 400)
        row("leads.get in process / httpx.Client, same stub", *times, "µs")
        times = in_turn(lambda: client.leads.list(limit=100), lambda: raw.get(PAGE).json(), 60)
        row("a page of 100 in process / the same raw", *times, "µs")


# -- the command line -----------------------------------------------------------------------------------------------

COMMANDS = {
    "crm --version": ["--version"],
    "TAB": ["__complete", "bash", "2", "crm", "leads", "li"],
    "crm --help": ["--help"],
    "crm leads --help": ["leads", "--help"],
    "crm leads list --help": ["leads", "list", "--help"],
    "crm help leads list": ["help", "leads", "list"],
    "crm --offline leads list": ["--offline", "leads", "list"],
}
_AIMS = dict.fromkeys(COMMANDS, "aim 2") | {"crm --offline leads list": "aim 20"}
_SCRIPT = f"import sys, httpx, json\nprint(json.dumps(httpx.get(sys.argv[1] + '{LEAD}').json(), indent=2))"
"""What prints a lead without us."""


def command_line() -> None:
    """Measure the command line as whole processes."""
    crm = str(Path(sys.executable).with_name("crm"))
    with tempfile.TemporaryDirectory() as folder:
        for what, words in COMMANDS.items():
            ours, bare = processes([crm, *words], PASS, rounds=9, env={"CRM_DATA_DIR": folder})
            row(f"{what} / python -c pass", ours, bare, "ms", _AIMS[what])
        with answers() as url:
            words = [crm, "--base-url", url, "--api-key", "k", "--dialect", "platform", "leads", "get", "lead_123"]
            raw = [sys.executable, "-c", _SCRIPT, url]
            env = {"CRM_DATA_DIR": folder, "CRM_ALLOW_HTTP": "1"}
            ours, script, bare = processes(words, raw, PASS, rounds=9, env=env)
            row("crm leads get on a port / a raw httpx script", ours, script, "ms", "aim 1.5")
            row("a raw httpx script / python -c pass", script, bare, "ms")
        gh = shutil.which("gh")
        if gh is not None:
            theirs, bare = processes([gh, "--version"], PASS, rounds=9)
            row("gh --version / python -c pass", theirs, bare, "ms")


def growing() -> None:
    """Measure what more endpoints cost: 536 calls, against those there are."""
    from grown import ROOT, count, grow

    run = "import sys; from crm_cli.__main__ import main; sys.exit(main())"
    scripts = {
        "import crm_sdk": ["import crm_sdk"],
        "a client, and a bound call": ["from crm_sdk import CrmClient; CrmClient('http://127.0.0.1', 'k').leads.list"],
        "a new stub": ["from server_stub import StubServer; StubServer()"],
        **{what: [run, *words] for what, words in COMMANDS.items()},
    }
    with tempfile.TemporaryDirectory() as folder:
        there, more = count(), grow(Path(folder), 536)
        places = [(str(ROOT), f"{folder}/data"), (folder, f"{folder}/more")]
        envs = [{"PYTHONPATH": path, "CRM_DATA_DIR": data, "PYTHONSAFEPATH": "1"} for path, data in places]
        for what, words in scripts.items():
            command = [sys.executable, "-c", *words]
            less, grew = processes(command, command, rounds=7, envs=envs)
            row(f"{what}, {more} calls / {there}", grew, less, "ms")


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
