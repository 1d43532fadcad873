"""``crm monitoring health``: a line for each check, and an exit status for scripts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..drawing import line

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import Health

_FAILED = 1
_STYLES = {"pass": "green", "warn": "yellow", "fail": "red"}


def status_of(found: Health) -> int | None:
    """Return the exit status: 1 where a check fails. Each check that does not pass has a line on standard error."""
    wrong = [
        f"{name}: {check.output or check.status}"
        for name, checks in found.checks.items()
        for check in checks
        if check.status != "pass"
    ]
    if wrong:
        print(f"{found.status}: {'; '.join(wrong)}", file=sys.stderr)
    return _FAILED if found.status == "fail" else None


def checks(client: CrmClient, records: Sequence[Health]) -> None:
    """Draw the checks of the server, a line for each."""
    from ...console import stdout

    screen = stdout()
    every = {name: held for found in records for name, held in found.checks.items()}
    width = max(map(len, every), default=0)
    for name, held in every.items():
        for check in held:
            value = (f"{check.observed_value} {check.observed_unit}".strip(), "dim")
            screen.print(
                line(f"{name:{width}}", (f"{check.status:4}", _STYLES.get(str(check.status), "")), value, between="  ")
            )
