"""Write the lists of public names from the modules: ``python docs/exports.py [--check]``.

They stand between the marks in ``crm_sdk/models/__init__.py``, ``crm_sdk/__init__.py`` and ``crm_sdk/catalogue.py``.
The modules are read, not imported: a list that lacks a name would stand in the way of importing.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent / "crm_sdk"
BEGIN, END = "# Written by `make docs`: begin", "# Written by `make docs`: end"

INTERNAL: Mapping[str, str] = {
    "marks": "Default DocumentedAs Format OpenVocabulary ReadAs",
    "values": "AmountInput Currency Email LanguageTag Limit Notes NotesInput Offset PageNumber Percent Phone Tag Tags "
    "Text TimeZone Url",
}
"""What modules of models have for each other: how inputs are checked. Everything else they define is public."""

TOP: Mapping[str, str | None] = {
    "client": "AsyncCrmClient CrmClient",
    "errors": None,
    "models.jobs": "AsyncJob Job",
    "paging": "AsyncPage AsyncPages Page",
    "raw": "RawReply",
    "realtime.channel": "AsyncChannel Channel",
    "realtime.position": "Cursor",
    "realtime.stream": "AsyncStream Stream",
    "network.downloads": "AsyncDownload Download",
}
"""What ``from crm_sdk import …`` finds, by module; None: every class of it."""


def defined(file: Path) -> list[str]:
    """Return the public classes and type aliases that a module defines, sorted."""
    names: list[str] = []
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            names.append(ast.unparse(node.target))
    return sorted((name for name in names if not name.startswith("_")), key=str.lower)


def models() -> dict[str, list[str]]:
    """Return the public names of the modules of models. Raises ValueError where two have the same one."""
    found: dict[str, list[str]] = {}
    homes: dict[str, str] = {}
    for file in sorted((ROOT / "models").glob("[!_]*.py")):
        found[file.stem] = [name for name in defined(file) if name not in INTERNAL.get(file.stem, "").split()]
        for name in found[file.stem]:
            if homes.setdefault(name, file.stem) != file.stem:
                raise ValueError(f"both models/{homes[name]}.py and models/{file.stem}.py define {name}")
    return {module: names for module, names in found.items() if names}


def top() -> dict[str, list[str]]:
    """Return the public names of the package by module."""
    files = {module: (ROOT / module.replace(".", "/")).with_suffix(".py") for module in TOP}
    return {module: names.split() if names else defined(files[module]) for module, names in TOP.items()}


def nouns() -> dict[str, str]:
    """Return the resource classes of the catalogue by noun: those that are no part of another resource."""
    files = sorted((ROOT / "resources").glob("[!_]*.py"))
    trees = {file.stem: ast.parse(file.read_text("utf-8")) for file in files}
    within = {
        node.module
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
    }
    found: dict[str, str] = {}
    for noun, tree in trees.items():
        name = "".join(word.capitalize() for word in noun.split("_"))
        classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        if noun not in within:
            if name not in classes:
                raise ValueError(f"resources/{noun}.py has no class {name}, nor is it imported by another resource")
            found[noun] = name
    return found


def imported(module: str, names: Iterable[str]) -> str:
    """Return the import that shows names to type checkers as public."""
    pairs = ", ".join(f"{name}\0as\0{name}" for name in names)
    line = f"    from .{module} import {pairs}".replace("\0", " ")
    if len(line) <= 120:
        return line
    lines = textwrap.wrap(f"{pairs},", 112, break_long_words=False, break_on_hyphens=False)
    body = "\n".join(f"        {each}".replace("\0", " ") for each in lines)
    return f"    from .{module} import (\n{body}\n    )"


def named(module: str, names: Iterable[str]) -> str:
    """Return the entry of a table: the names of a module, as one text."""
    whole = f'    "{module}": "{" ".join(names)}",'
    if len(whole) <= 120:
        return whole
    lines = textwrap.wrap(" ".join(names), 104 if len(whole) > 150 else 70, break_long_words=False)
    body = "\n".join(f'        "{line} "' for line in lines[:-1])
    return f'    "{module}": (\n{body}\n        "{lines[-1]}"\n    ),'


def blocks() -> dict[Path, list[str]]:
    """Return what stands between the marks of each file, in their order."""
    public, first, every = models(), top(), nouns()
    lists = sorted({name for names in first.values() for name in names} | {"__version__", "models"})
    checked = "if TYPE_CHECKING:\n"
    return {
        ROOT / "models" / "__init__.py": [
            checked
            + "\n".join(imported(*item) for item in public.items())
            + "\n\n_NAMES = {\n"
            + "\n".join(named(*item) for item in public.items())
            + "\n}"
        ],
        ROOT / "__init__.py": [
            checked
            + "    from . import models as models\n"
            + "\n".join(imported(*item) for item in first.items())
            + "\n\n_NAMES = {\n"
            + "\n".join(named(*item) for item in first.items())
            + "\n}\n\n__all__ = [\n"
            + "\n".join(f'    "{name}",' for name in lists)
            + "\n]"
        ],
        ROOT / "catalogue.py": [
            checked + "\n".join(f"    from .resources.{noun} import {name}" for noun, name in every.items()),
            "\n".join(f"    {noun}: {name}[Mode] = noun()" for noun, name in every.items()),
        ],
    }


def written(file: Path, inner: list[str]) -> str:
    """Return a file with new text between its marks."""
    parts = re.split(rf"(^ *{BEGIN}\n)(.*?)(^ *{END}\n)", file.read_text("utf-8"), flags=re.M | re.S)
    if len(parts) != 4 * len(inner) + 1:
        raise ValueError(f"{file.name} has {len(parts) // 4} pairs of marks, not {len(inner)}")
    for n, text in enumerate(inner):
        parts[4 * n + 2] = f"{text}\n"
    return "".join(parts)


def main() -> int:
    """Write the lists, or with ``--check`` tell whether they are up to date."""
    every = {file: written(file, inner) for file, inner in blocks().items()}
    stale = {file: text for file, text in every.items() if text != file.read_text("utf-8")}
    if "--check" in sys.argv:
        print("\n".join(f"stale: {file.relative_to(ROOT.parent)} (run `make docs`)" for file in stale) or "up to date")
        return 1 if stale else 0
    for file, text in stale.items():
        file.write_text(text, "utf-8")
    print(f"{len(stale)} lists of names written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
