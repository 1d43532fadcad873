"""Write the reference pages from the declarations: ``python docs/generate.py [--check]``."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from crm_sdk.catalogue import Catalogue, declared_operations
from crm_sdk.operation import Operation
from crm_sdk.realtime.declared import LiveCall
from crm_sdk.resource import parts

PAGES = Path(__file__).parent / "reference"
OURS = "The route is **ours**: no document has one for this."


def page(noun: str, operations: list[Operation[..., Any]]) -> str:
    """Return the page of one noun."""
    resource = parts(Catalogue)[noun]
    module = sys.modules[resource.__module__]
    lines = [f"# {noun}", "", (inspect.getdoc(module) or "").strip(), ""]
    for call in vars(resource).values():
        if isinstance(call, LiveCall):
            doc = inspect.getdoc(call.function) or ""
            lines += [f"## `client.{noun}.{call.name}`", "", "```python", signature(call), "```", "", doc, ""]
    for operation in sorted(
        operations, key=lambda found: (found.id.count("."), found.function.__code__.co_firstlineno)
    ):
        lines += [f"## `client.{operation.id}`", "", "```python", signature(operation), "```", "", operation.doc, ""]
        lines += ["| dialect | route | success |", "|---|---|---|"]
        for dialect, route in operation.routes.items():
            lines.append(f"| {dialect} | `{route.method} {route.full_path}` | {operation.status} |")
        lines += ["", OURS] if operation.flags.ours else []
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def signature(operation: Operation[..., Any] | LiveCall) -> str:
    """Return the signature as it is written in Python, one argument a line where it is long."""
    text = f"{operation.name}{operation.signature}".replace("'", "")
    if len(text) <= 100:
        return text
    parameters = [str(parameter).replace("'", "") for parameter in operation.signature.parameters.values()]
    first = next((n for n, p in enumerate(operation.signature.parameters.values()) if p.kind is p.KEYWORD_ONLY), None)
    if first is not None:
        parameters.insert(first, "*")
    returns = str(operation.signature.return_annotation).replace("'", "")
    return f"{operation.name}(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f") -> {returns}"


def pages() -> dict[Path, str]:
    """Return every page by its file."""
    nouns: dict[str, list[Operation[..., Any]]] = {noun: [] for noun in parts(Catalogue)}
    for operation in declared_operations():
        nouns[operation.id.partition(".")[0]].append(operation)
    made = {PAGES / f"{noun}.md": page(noun, operations) for noun, operations in sorted(nouns.items())}
    index = "".join(f"- [{file.stem}]({file.name})\n" for file in made)
    return {PAGES / "index.md": f"# Reference\n\nWritten by `make docs` from the declarations.\n\n{index}", **made}


def main() -> int:
    """Write the pages, or with ``--check`` tell whether they are up to date."""
    stale = [file for file, text in pages().items() if not file.exists() or file.read_text() != text]
    if "--check" in sys.argv:
        print("\n".join(f"stale: {file.name} (run `make docs`)" for file in stale) or "up to date")
        return 1 if stale else 0
    PAGES.mkdir(exist_ok=True)
    for file in stale:
        file.write_text(pages()[file])
    print(f"{len(stale)} pages written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
