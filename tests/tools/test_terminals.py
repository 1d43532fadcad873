"""Terminals and notebooks."""

from __future__ import annotations

import io

import pytest

from crm_sdk import CrmClient


def test_rich(client: CrmClient) -> None:
    rich = pytest.importorskip("rich.console")
    from rich.pretty import pretty_repr
    from rich.traceback import Traceback

    assert "name='John Smith'" in pretty_repr(client.leads.get("lead_123"))
    console = rich.Console(file=io.StringIO(), width=200)
    try:
        CrmClient("http://127.0.0.1:9", "hush-hush", max_retries=0).leads.get("lead_123")
    except Exception:
        console.print(Traceback(show_locals=True))
    shown = console.file.getvalue()
    assert "ConnectionFailedError" in shown
    assert shown.count("hush-hush") <= 1, "in this test's own line only"


def test_tqdm(client: CrmClient) -> None:
    tqdm = pytest.importorskip("tqdm")
    out = io.StringIO()
    page = client.leads.list()
    total = client.leads.list(limit=1).total
    assert len(list(tqdm.tqdm(page, total=total, file=out))) == total
    assert f"{total}/{total}" in out.getvalue()


def test_ipython(client: CrmClient) -> None:
    pytest.importorskip("IPython")
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell(user_ns={"client": client})
    with provisionalcompleter():
        offered = {found.text for found in shell.Completer.completions("client.leads.", len("client.leads."))}
    assert {"create", "get", "list"} <= {text.rpartition(".")[2] for text in offered}
    done = shell.run_cell("client.leads.get('lead_123').name", store_history=False)
    assert done.result == client.leads.get("lead_123").name
    assert shell.object_inspect("client.leads.get")["docstring"]
