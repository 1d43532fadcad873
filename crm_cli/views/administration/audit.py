"""``crm audit reports compliance``: a line for each control, and what was found where one does not pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..drawing import line

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import ComplianceReport, DataAccessReport

_STYLES = {"pass": "green", "warning": "yellow", "fail": "red"}
_NAMED = 5


def controls(client: CrmClient, records: Sequence[ComplianceReport]) -> None:
    """Draw the controls of a report, a line for each, with the records because of which one does not pass."""
    from ...console import stdout

    screen = stdout()
    for report in records:
        days = f"{report.start_date} – {report.end_date}"
        screen.print(line(report.framework, (str(report.status), "bold"), (days, "dim"), between="  "))
        for control in report.controls:
            mark = (f"{control.status:7}", _STYLES.get(str(control.status), ""))
            screen.print(line(mark, control.title, between="  "))
            screen.print(line("         ", control.measured))
            if control.status != "pass":
                screen.print(line("         ", (f"expected: {control.expected}", "dim")))
                names = [str(ref.name or ref.id) for ref in control.findings[:_NAMED]]
                more = len(control.findings) - len(names)
                if names:
                    screen.print(line("         ", ", ".join(names), f" and {more} more" if more else ""))


def accesses(client: CrmClient, records: Sequence[DataAccessReport]) -> None:
    """Draw who did what with which records, a line for each row; what is unusual stands out, with its reasons."""
    from ...console import stdout

    screen = stdout()
    for report in records:
        rows = report.rows
        who = [str(row.actor.name or row.actor.id) for row in rows]
        width, kind = max(map(len, who), default=0), max((len(str(row.entity_type)) for row in rows), default=0)
        for name, row in zip(who, rows, strict=True):
            counts = f"{row.reads:>6} read {row.exports:>4} exported {row.updates:>5} updated {row.deletes:>4} deleted"
            style = "yellow" if row.unusual else ""
            screen.print(line((f"{name:{width}}", style), f"{row.entity_type!s:{kind}}", counts, between="  "))
            for reason in row.reasons:
                screen.print(line(" " * (width + 2), (reason, "yellow")))
        said = ", ".join(f"{count:,} {name}" for name, count in report.totals.items())
        screen.print(line((f"{report.start_date} – {report.end_date}: {said}", "dim")))
