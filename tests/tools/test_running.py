"""Event loops, green threads and processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crm_sdk import AsyncCrmClient, CrmClient, NotFoundError


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio(backend: str, url: str) -> None:
    anyio = pytest.importorskip("anyio")
    pytest.importorskip(backend)
    names: list[str] = []

    async def main() -> None:
        async with AsyncCrmClient(url, "acme-admin") as client, anyio.create_task_group() as group:

            async def create(name: str) -> None:
                names.append((await client.leads.create({"name": name})).name)

            for number in range(8):
                group.start_soon(create, f"Lead {number}")

    anyio.run(main, backend=backend)
    assert len(set(names)) == 8


def test_trio(url: str) -> None:
    trio = pytest.importorskip("trio")

    async def main() -> int:
        with trio.fail_after(20):
            async with AsyncCrmClient(url, "acme-admin") as client:
                return len([lead async for lead in client.leads.list(limit=2)])

    with CrmClient(url, "acme-admin") as client:
        assert trio.run(main) == client.leads.list(limit=1).total


GREEN = """
from gevent import monkey
monkey.patch_all()
import gevent, sys
from crm_sdk import CrmClient
with CrmClient(sys.argv[1], "acme-admin") as client:
    jobs = [gevent.spawn(client.leads.create, {"name": f"Lead {n}"}) for n in range(20)]
    gevent.joinall(jobs, timeout=20, raise_error=True)
    print(len({job.value.id for job in jobs}))
"""


def test_gevent(url: str) -> None:
    pytest.importorskip("gevent")  # it patches the process, so the process is another
    done = subprocess.run([sys.executable, "-c", GREEN, url], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "20\n", done.stderr


def test_joblib(client: CrmClient) -> None:
    joblib = pytest.importorskip("joblib")
    leads = client.leads.list(limit=3).items
    parallel = joblib.Parallel(n_jobs=2, backend="loky")
    assert parallel(joblib.delayed(type(lead).model_dump)(lead) for lead in leads) == [
        lead.model_dump() for lead in leads
    ]
    assert (
        len(joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(client.leads.get)(lead.id) for lead in leads))
        == 3
    )


def test_cloudpickle(client: CrmClient) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    lead = client.leads.get("lead_123")
    assert cloudpickle.loads(cloudpickle.dumps(lambda: lead))() == lead
    with pytest.raises(NotFoundError) as raised:
        client.leads.get("lead_nope")
    assert cloudpickle.loads(cloudpickle.dumps(raised.value)).code == raised.value.code
    assert b"hush" not in cloudpickle.dumps(CrmClient("https://crm.test", "hush"))
