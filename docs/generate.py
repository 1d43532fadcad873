"""Write the reference pages from the declarations: ``python docs/generate.py [--check]``."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from typing_extensions import get_type_hints

from crm_cli.discovery import manifest, reference
from crm_cli.discovery.tree import whole
from crm_cli.front.shell_lines import in_lines
from crm_cli.help.examples import example
from crm_cli.tree.parameters import Form, kebab
from crm_sdk.catalogue import Catalogue, declared_operations
from crm_sdk.openapi.samples import sample
from crm_sdk.operation import Operation
from crm_sdk.realtime.declared import LiveCall
from crm_sdk.resource import parts
from crm_sdk.vocabulary import texts
from crm_sdk.vocabulary.codes import COMMON, codes_of
from crm_sdk.wire import snake

PAGES = Path(__file__).parent / "reference"
COMMANDS = PAGES / "cli"
"""The pages of the commands."""
FRONT_DOOR = Path(__file__).parents[1] / "crm_cli" / "front" / "commands.txt"
"""What the front door of the command line answers from."""
COVERAGE = Path(__file__).parent / "coverage.md"
REQUIREMENTS = Path(__file__).parent.parent / "tests" / "contract" / "requirements.json"
INVENTORY = Path(__file__).parents[1] / "tests" / "contract" / "endpoints.json"
OWN_INVENTORY = Path(__file__).parents[1] / "tests" / "contract" / "own-endpoints.json"
"""Every endpoint of the documents, by dialect and service."""
OWN_INVENTORY = INVENTORY.with_name("own-endpoints.json")
"""The routes of our own, for what the documents ask for and name no route."""
COMMONLY = f"Nearly every call can also fail with {', '.join(f'`{code}`' for code in sorted(COMMON))}."
OURS = "The route is **ours**: no document has one for this."


def page(noun: str, operations: list[Operation[..., Any]]) -> str:
    """Return the page of one noun."""
    resource = parts(Catalogue)[noun]
    module = sys.modules[resource.__module__]
    lines = [f"# {noun}", "", (inspect.getdoc(module) or "").strip(), "", COMMONLY, ""]
    for function in vars(resource).values():
        call = getattr(function, "live_call", None)
        if isinstance(call, LiveCall):
            doc = inspect.getdoc(call.function) or ""
            lines += [f"## `client.{noun}.{call.name}`", "", "```python", signature(call), "```", "", doc, ""]
    for operation in sorted(
        operations, key=lambda found: (found.id.count("."), found.function.__code__.co_firstlineno)
    ):
        lines += [f"## `client.{operation.id}`", "", "```python", signature(operation), "```", "", operation.doc, ""]
        lines += ["| dialect | route | success |", "|---|---|---|"]
        for dialect, route in operation.routes.items():
            ours = " (ours)" if operation.flags.ours == dialect else ""
            lines.append(f"| {dialect} | `{route.method} {route.full_path}`{ours} | {operation.status} |")
        lines += ["", OURS] if operation.flags.ours is True else []
        lines += ["", *arguments(operation), *errors(operation), *examples(operation)]
    return "\n".join(lines).rstrip() + "\n"


def arguments(operation: Operation[..., Any]) -> list[str]:
    """Return what each argument is, and each member of a body."""
    names = list(operation.signature.parameters)
    said = {name: texts.of_argument(operation, name) for name in names}
    body, kind = operation.arguments.body, operation.arguments.body_type
    members = {f"{body}.{name}": texts.of_member(kind, name) for name in (get_type_hints(kind) if kind else ())}
    rows = [f"| `{name}` | {text} |" for name, text in {**said, **members}.items()]
    return ["| argument | what it is |", "|---|---|", *rows, ""] if rows else []


def errors(operation: Operation[..., Any]) -> list[str]:
    """Return the error codes of a call with their statuses, but for those of nearly every call."""
    found: dict[str, dict[int, None]] = {}
    for route in operation.routes.values():
        for code, status in codes_of(operation, route).items():
            found.setdefault(code, {})[status] = None
    rows = [
        f"| {', '.join(map(str, statuses))} | `{code}` | {texts.of_code(code)} |"
        for code, statuses in found.items()
        if code not in COMMON or code in operation.flags.errors
    ]
    return ["| status | error | what it means |", "|---|---|---|", *rows, ""] if rows else []


def examples(operation: Operation[..., Any]) -> list[str]:
    """Return a call's example, as it is written in Python and as it is typed."""
    given = sample(operation)
    positional = [repr_of(given.pop(name)) for name in operation.positional if name in given]
    call = ", ".join([*positional, *(f"{name}={repr_of(value)}" for name, value in given.items())])
    command = "\n".join(line.removeprefix("  ") for line in in_lines(example(Form(operation)), 100))
    return ["```python", f"client.{operation.id}({call})", "```", "", "```sh", command, "```", ""]


def repr_of(value: object) -> str:
    """Return a value of JSON as Python writes it, with double quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{repr_of(snake(name))}: {repr_of(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(repr_of, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


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


def coverage() -> str:
    """Return the page that shows which endpoints of the documents are built: their calls, commands and pages."""
    calls = {
        (dialect, route.method, re.sub(r"{\w+}", "{}", route.full_path)): operation
        for operation in declared_operations()
        for dialect, route in operation.routes.items()
    }
    services: dict[tuple[str, str], list[tuple[str, Operation[..., Any] | None]]] = {}
    count: dict[Path, tuple[int, int]] = {}
    for inventory in (INVENTORY, OWN_INVENTORY):
        own = inventory == OWN_INVENTORY
        for entry in json.loads(inventory.read_text("utf-8")):
            found = calls.get((entry["api"], entry["method"], re.sub(r"{\w+}", "{}", entry["path"])))
            built, every = count.get(inventory, (0, 0))
            count[inventory] = (built + (found is not None), every + 1)
            rows = services.setdefault(("ours" if own else entry["api"], entry["service"]), [])
            rows.append((f"{entry['method']} {entry['path']}", found))
    (built, every), (own_built, own_every) = count[INVENTORY], count[OWN_INVENTORY]
    lines = [
        "# Coverage", "", "Written by `make docs` from the inventory of the documents and the declarations.", "",
        f"**{built} of {every}** documented endpoints are built, in the client, the command line and the stub; and "
        f"**{own_built} of {own_every}** of our own, for what the documents ask for and give no route.",
        "",
        "Each of these routes is called over a port with plain HTTP by `tests/contract/test_raw_http.py`, which holds "
        "the status and the content of its answer against the OpenAPI document.",
        "",
    ]  # fmt: skip
    for (api, service), rows in services.items():
        there = [(route, found) for route, found in rows if found is not None]
        lines += [f"## {service} ({api}): {len(there)} of {len(rows)}", ""]
        if there:
            lines += ["| endpoint | call | command |", "|---|---|---|"]
        for route, found in there:
            words = " ".join(kebab(part) for part in found.id.split("."))
            lines.append(f"| `{route}` | [`{found.id}`](reference/{found.noun}.md) | `crm {words}` |")
        missing = [f"`{route}`" for route, found in rows if found is None]
        lines += ["", f"Not built: {', '.join(missing)}."] if missing else []
        lines.append("")
    return "\n".join([*lines, *requirements()]).rstrip() + "\n"


def requirements() -> list[str]:
    """Return the table of what the requirements ask for, each with the pages and the tests that show it."""
    lines = [
        "## What the requirements ask for", "",
        "Every acceptance criterion of document 001 and every feature of document 000, with the pages that say how it "
        "is met and the tests that hold it. How long a deployed server is up is not a matter of a client and a stub.",
        "", "| asked for in | what | pages | tests |", "|---|---|---|---|",
    ]  # fmt: skip
    for row in json.loads(REQUIREMENTS.read_text("utf-8")):
        links = " · ".join(f"[{page.removesuffix('.md')}]({page})" for page in row["pages"])
        tests = " · ".join(f"[{name}](../{file})" for file, name in (test.split("::") for test in row["tests"]))
        later = [f"`{name}`" for name in row.get("later", ()) if name not in parts(Catalogue)]
        waiting = [f"not built yet: {', '.join(later)}"] if later else []
        lines.append(f"| {row['id']} | {row['asked']} | {links} | {' · '.join([*filter(None, [tests]), *waiting])} |")
    return lines


def pages() -> dict[Path, str]:
    """Return every page by its file."""
    nouns: dict[str, list[Operation[..., Any]]] = {noun: [] for noun in parts(Catalogue)}
    for operation in declared_operations():
        nouns[operation.id.partition(".")[0]].append(operation)
    made = {PAGES / f"{noun}.md": page(noun, operations) for noun, operations in sorted(nouns.items())}
    index = "".join(f"- [{file.stem}]({file.name})\n" for file in made)
    more = "[The commands](cli/index.md) have pages of their own."
    first = f"# Reference\n\nWritten by `make docs` from the declarations. {more}\n\n{index}"
    commands = {COMMANDS / name: text for name, text in reference.pages(whole()).items()}
    door = {FRONT_DOOR: manifest.text()}
    return {COVERAGE: coverage(), PAGES / "index.md": first, **made, **commands, **door}


def main() -> int:
    """Write the pages, or with ``--check`` tell whether they are up to date."""
    made = pages()
    stale = [file for file, text in made.items() if not file.exists() or file.read_text() != text]
    if "--check" in sys.argv:
        print("\n".join(f"stale: {file.name} (run `make docs`)" for file in stale) or "up to date")
        return 1 if stale else 0
    COMMANDS.mkdir(parents=True, exist_ok=True)
    for file in stale:
        file.write_text(made[file])
    print(f"{len(stale)} pages written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
