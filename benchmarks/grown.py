"""A copy of the packages with more endpoints: accounts again and again, to see what grows with their number."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("crm_sdk", "crm_cli", "server_stub")
_COPIED = ("crm_sdk/models/accounts.py", "crm_sdk/resources/accounts.py", "server_stub/services/accounts")


def count() -> int:
    """Return how many calls are declared."""
    from crm_sdk.catalogue import declared_operations

    return sum(1 for _ in declared_operations())


def grow(folder: Path, calls: int) -> int:
    """Copy the packages into a folder, with as many copies of accounts as bring them to a number of calls.

    Returns how many calls there are then.
    """
    from crm_sdk.catalogue import declared_operations

    for package in (*PACKAGES, "docs"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    each = sum(operation.noun == "accounts" for operation in declared_operations())
    copies = max(0, -(-(calls - count()) // each))
    for number in range(copies):
        for path in _COPIED:
            _copy(folder, path, number)
    env = {**os.environ, "PYTHONPATH": str(folder)}
    write = "from crm_cli.discovery.manifest import write; write()"
    for command in ([str(folder / "docs" / "exports.py")], ["-c", write]):
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env=env, cwd=folder)
    return count() + copies * each


def _copy(folder: Path, path: str, number: int) -> None:
    """Copy a file or folder under another name, and everything in it that is named like it."""
    for file in sorted((ROOT / path).rglob("*.py")) or [ROOT / path]:
        new = folder / _renamed(str(file.relative_to(ROOT)), number)
        new.parent.mkdir(exist_ok=True)
        new.write_text(_renamed(file.read_text("utf-8"), number), "utf-8")


def _renamed(text: str, number: int) -> str:
    for name in _others():
        text = re.sub(rf"\b{name}\b", f"Copy{number:02}{name}", text)
    for word, other in (("account", f"copy{number:02}"), ("Account", f"Copy{number:02}")):
        text = text.replace(word, other)
    return text


@cache
def _others() -> list[str]:
    """Return the public names of the models of accounts that are not named like them: no two modules have the same."""
    text = (ROOT / _COPIED[0]).read_text("utf-8")
    return [
        name for name in re.findall(r"^(?:class )?([A-Z]\w+)(?:\(|: TypeAlias)", text, re.M) if "Account" not in name
    ]
