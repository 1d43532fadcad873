"""A server for any number of rows, as a process of its own: it answers the calls in bulk and keeps nothing of them.

What is not in bulk (descriptions, who calls) is answered by a real stub, and so are the forms of requests and answers;
only the rules of preview, upsert and scan are others. So what grows with the rows is the caller.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crm_sdk.resource import operation_of
from crm_sdk.resources.imports import Imports
from crm_sdk.resources.objects import Objects
from crm_sdk.resources.users import Users
from server_stub import StubServer

ROOT = Path(__file__).parents[3]
Rule = Callable[..., dict[str, Any]]


def upserted(call: Any, *, records: Sequence[Any], **named: Any) -> dict[str, Any]:
    """Say of each row that it made a record."""
    results = ({"id": f"contact_{place}", "outcome": "created", "version": 1} for place in range(len(records)))
    items = [{"index": place, "status": "ok", "id": one["id"], "result": one} for place, one in enumerate(results)]
    return {"items": items, "total": len(items), "succeeded": len(items), "failed": 0}


def previewing(previews: Rule) -> Rule:
    """Return a preview that does not try the rows; the first look, at columns and mapping, is the real one."""

    def preview(call: Any, *, file: Any, sample: int, **named: Any) -> dict[str, Any]:
        if not sample:
            return previews(call, file=file, sample=sample, **named)
        _, *lines = file.open().read().decode().splitlines()
        rows = [
            {"row": number, "outcome": "create", "values": dict(zip(("name", "email"), line.split(","), strict=True))}
            for number, line in enumerate(lines, start=1)
        ]
        return {"readable": True, "row_count": len(rows), "rows": rows}

    return preview


def scanned(call: Any, *, after: str | None, limit: int, owner_id: str | None, **named: Any) -> dict[str, Any]:
    """Return contacts that are made up when they are asked for; what the owner is called says how many there are."""
    total = int(owner_id or 0)
    begin = int(after) if after is not None else 0
    end = min(begin + limit, total)
    items = [
        {"id": f"contact_{n}", "name": f"Row {n}", "email": f"row{n}@many.example", "version": 1}
        for n in range(begin, end)
    ]
    return {"items": items, "next": str(end) if end < total else None, "cursor": "0", "total": total}


def owned(gets: Rule) -> Rule:
    """Return a call that finds a user of any id: the command line asks for the owner before it exports."""

    def get(call: Any, user_id: str, **named: Any) -> dict[str, Any]:
        return {**gets(call, user_id="user_ada", **named), "id": user_id}

    return get


def main() -> None:
    """Serve on a free port, whose address is printed, until stdin is closed."""
    stub = StubServer()
    stub.enforce_limits = False
    rules: dict[Any, Callable[[Rule], Rule]] = {
        operation_of(vars(Imports)["preview"]): previewing,
        operation_of(vars(Objects)["upsert"]): lambda _: upserted,
        operation_of(vars(Objects)["scan"]): lambda _: scanned,
        operation_of(vars(Users)["get"]): owned,
    }
    stub.rules = {**stub.rules, **{operation: rule(stub.rules[operation]) for operation, rule in rules.items()}}
    with stub.serve() as port:
        print(port.url, flush=True)  # noqa: T201 # who started it reads the address
        sys.stdin.read()


@contextmanager
def many_rows() -> Iterator[str]:
    """Start the server; yield its address."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    main()
