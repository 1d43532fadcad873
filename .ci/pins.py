"""Write constraints.txt: the newest versions of the tools and of what tests need, for every system and Python.

What an installed crm-sdk depends on stays free, as it is for users: a new release of it is met by the tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = """\
# The versions of the tools and of what tests need, written by `make pins`: a new release comes when it is asked for.
# What crm-sdk itself depends on is not here: it stays free within the bounds of pyproject.toml.
"""


def resolved(*groups: str) -> dict[str, str]:
    """Return the requirements, by name, of the project with all extras, and of groups."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal"]
    options = ["--python-version=3.11", "--quiet", "--no-header", "--no-annotate", "--upgrade"]
    for group in groups:
        options += ["--group", group]
    lines = subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found: dict[str, str] = {}
    for line in lines.splitlines():
        name = re.split(r"[=\[ ]", line, maxsplit=1)[0]
        found[name] = f"{found.get(name, '')}{line}\n"
    return found


if __name__ == "__main__":
    ours = resolved()
    tools = "".join(text for name, text in resolved("check", "release", "test", "tools").items() if name not in ours)
    (ROOT / "constraints.txt").write_text(HEAD + tools)
