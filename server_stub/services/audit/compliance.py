"""The report of compliance: what frameworks ask for, measured by the company's data and its trail.

A control is measured alike for every framework that asks for it; what they differ in is the clause, and how long the
trail is to be kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crm_sdk.resources.audit import AuditReports

from ...data.document import Document
from ...history import audit
from ...serving import Context, Members, serves
from .. import company, ranges
from .accesses import of_range
from .purging import AUDIT_LOG, DELETED
from .retention import policies_of

_SHOWN = 100
"""So many findings and entries a control names."""
_UNUSED = timedelta(days=90)
"""After so long without a sign-in, access is not in use."""
_FAILURES = 5
"""So many failed sign-ins of one account in a day are a warning, four times as many a failure."""
_ANSWERED = timedelta(days=30)
"""Within this time a request of a person is to be carried out: Art. 12(3) GDPR, a month."""
_YEAR = 365


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: the range, and the trail."""

    call: Context
    whole: ranges.Span
    trail: Sequence[Document]
    kept: int
    """The days that the framework wants the trail to be kept."""
    intact: bool

    def of(self, action: str) -> Iterator[Document]:
        """Yield the entries of the range with an action."""
        return (one for one in self.trail if one["action"] == action and self.whole.has(one["occurred_at"]))


@dataclass(frozen=True, slots=True)
class Found:
    """What a control was measured to be."""

    status: str
    measured: str
    expected: str
    findings: Sequence[tuple[str, Members]] = ()
    """The records because of which it does not pass, each with its type."""
    entries: Iterable[Document] = ()


Measure = Callable[[Subject], Found]


def _second_factors(of: Subject) -> Found:
    users = _active(of.call)
    without = [user for user in users if not user.get("mfa_enabled")]
    having = len(users) - len(without)
    share = having / len(users) if users else 1.0
    status = "pass" if not without else "warning" if share >= 0.8 else "fail"
    measured = f"{having} of {len(users)} active users have a second factor ({share:.0%})"
    return Found(status, measured, "every active user has one; a warning from 80%", [("user", one) for one in without])


def _unused_access(of: Subject) -> Found:
    call = of.call
    unused = [user for user in _active(call) if _last_seen(call, user) < call.now - _UNUSED]
    gone = [user for user in call.collection("user") if user["status"] == "inactive" and _has_access(call, user["id"])]
    status = "fail" if gone else "warning" if unused else "pass"
    measured = f"{len(gone)} deactivated users with a session or a key, {len(unused)} users unused for 90 days"
    expected = "no deactivated user has a session or a key, and every active user was there within 90 days"
    return Found(status, measured, expected, [("user", one) for one in (*gone, *unused)])


def _failed_sign_ins(of: Subject) -> Found:
    failed, done = list(of.of("auth.login_failed")), sum(1 for _ in of.of("auth.login"))
    zone = company.zone(of.call)
    a_day = Counter((one["entity"]["id"], one["occurred_at"].astimezone(zone).date()) for one in failed)
    most = max(a_day.values(), default=0)
    status = "pass" if most < _FAILURES else "warning" if most < 4 * _FAILURES else "fail"
    who = dict.fromkeys(id for (id, _), count in a_day.items() if count >= _FAILURES)
    entities = {one["entity"]["id"]: one["entity"] for one in failed}
    measured = f"{len(failed)} failed and {done} good sign-ins; at most {most} failures of one account in a day"
    expected = f"fewer than {_FAILURES} failures of one account in a day; from {4 * _FAILURES} it fails"
    return Found(status, measured, expected, [(entities[id]["type"], entities[id]) for id in who], failed)


def _exports(of: Subject) -> Found:
    found = [one for one in of_range(of.call, of.whole, of.trail) if one.counts["exports"]]
    odd = [one for one in found if one.reasons]
    entries = [one for each in found for one in each.entries if one["action"].endswith(".exported")]
    measured = f"exports: {len(entries)}, callers: {len({one.actor['id'] for one in found})}, unusual: {len(odd)}"
    actors = {one.actor["id"]: (str(one.actor["type"]), one.actor) for one in odd}
    expected = "no caller exports for the first time, or more than three times its own mean"
    return Found("warning" if odd else "pass", measured, expected, list(actors.values()), entries)


def _retention(of: Subject) -> Found:
    policies = policies_of(of.call)
    enabled = [one for one in policies if one["enabled"]]
    kinds = {one["entity_type"]: one for one in enabled}
    days = kinds[AUDIT_LOG]["retain_days"] if AUDIT_LOG in kinds else None
    short = days is not None and days < of.kept
    status = "fail" if DELETED not in kinds else "warning" if short or len(enabled) < len(policies) else "pass"
    how_long = "for ever" if days is None else f"for {days:,} days"
    measured = f"{len(enabled)} of {len(policies)} policies are enabled; the trail is kept {how_long}"
    expected = f"deleted records are purged, every policy is enabled, the trail is kept for {of.kept:,} days"
    off = [
        ("retention_policy", {**one, "name": one["entity_type"]})
        for one in policies
        if not one["enabled"] or (short and one["entity_type"] == AUDIT_LOG)
    ]
    return Found(status, measured, expected, off, of.of("retention.updated"))


def _requests(of: Subject) -> Found:
    now = of.call.now
    jobs = [
        job
        for job in of.call.collection("job")
        if job["kind"] in ("privacy_erase", "privacy_export")
        and of.whole.has(job["created_at"])
        and not job["payload"].get("dry_run")
    ]
    late = [job for job in jobs if (job["finished_at"] or now) - job["created_at"] > _ANSWERED]
    failed = [job for job in jobs if job["status"] in ("failed", "cancelled") and job not in late]
    done = sum(job["status"] == "succeeded" for job in jobs)
    status = "fail" if late else "warning" if failed else "pass"
    measured = f"{done} of {len(jobs)} requests of persons were carried out, {len(late)} not within 30 days"
    found = [("job", {**job, "name": job["title"]}) for job in (*late, *failed)]
    return Found(status, measured, "each within 30 days", found, (*of.of("privacy.erased"), *of.of("privacy.exported")))


def _chain(of: Subject) -> Found:
    measured = f"{len(of.trail):,} entries, {'in an unbroken chain' if of.intact else 'of which some were changed'}"
    return Found("pass" if of.intact else "fail", measured, "an unbroken chain of hashes", (), of.trail[-1:])


_MEASURES: Mapping[str, tuple[str, Measure]] = {
    "mfa": ("users sign in with a second factor", _second_factors),
    "unused_access": ("access that is not in use is taken away", _unused_access),
    "failed_logins": ("failed sign-ins are watched", _failed_sign_ins),
    "exports": ("exports of data are watched", _exports),
    "retention": ("data are kept as long as is needed, and no longer", _retention),
    "erasure": ("requests of persons are carried out in time", _requests),
    "chain": ("the audit trail cannot be changed unnoticed", _chain),
}
_FRAMEWORKS: Mapping[str, tuple[int, Mapping[str, str]]] = {
    "gdpr": (_YEAR, {
        "mfa": "Art. 32(1)(b)", "unused_access": "Art. 32(4)", "failed_logins": "Art. 33", "exports": "Art. 5(1)(f)",
        "retention": "Art. 5(1)(e)", "erasure": "Art. 12(3), 17", "chain": "Art. 5(2)",
    }),
    "soc2": (_YEAR, {
        "mfa": "CC6.1", "unused_access": "CC6.2", "failed_logins": "CC7.2", "exports": "CC6.7", "retention": "C1.2",
        "erasure": "P5.1", "chain": "CC7.3",
    }),
    "hipaa": (6 * _YEAR, {
        "mfa": "§ 164.312(d)", "unused_access": "§ 164.308(a)(3)(ii)(C)", "failed_logins": "§ 164.308(a)(5)(ii)(C)",
        "exports": "§ 164.312(b)", "retention": "§ 164.316(b)(2)(i)", "chain": "§ 164.312(c)(1)",
    }),
    "iso27001": (_YEAR, {
        "mfa": "A.8.5", "unused_access": "A.5.18", "failed_logins": "A.8.16", "exports": "A.8.12",
        "retention": "A.8.10", "erasure": "A.5.34", "chain": "A.8.15",
    }),
}  # fmt: skip
"""For each framework how many days the trail is to be kept, and the clause of each control that it asks for."""


def _active(call: Context) -> list[Document]:
    return [user for user in call.collection("user") if user["status"] == "active"]


def _last_seen(call: Context, user: Members) -> Any:
    seen = [one["last_seen_at"] for one in call.collection("session").find("user_id", user["id"])]
    return max(one for one in (user.get("last_login"), user["created_at"], *seen) if one is not None)


def _has_access(call: Context, user_id: str) -> bool:
    return any(
        one.get("revoked_at") is None and (one.get("expires_at") is None or one["expires_at"] > call.now)
        for kind in ("session", "api_key")
        for one in call.collection(kind).find("user_id", user_id)
    )


def report(call: Context, framework: str, whole: ranges.Span) -> dict[str, Any]:
    """Return how the company keeps to a framework."""
    trail = call.collection(audit.KIND).all()
    kept, clauses = _FRAMEWORKS[framework]
    subject = Subject(call, whole, trail, kept, audit.is_intact(trail))
    controls = [_control(call, f"{framework}.{name}", clause, name, subject) for name, clause in clauses.items()]
    summary = {status: sum(one["status"] == status for one in controls) for status in ("pass", "warning", "fail")}
    return {
        "framework": framework,
        "start_date": whole.start,
        "end_date": whole.end,
        "generated_at": call.now,
        "status": "non_compliant" if summary["fail"] else "attention" if summary["warning"] else "compliant",
        "controls": controls,
        "summary": summary,
        "chain_valid": subject.intact,
        "entries_checked": len(trail),
    }


def _control(call: Context, id: str, clause: str, name: str, subject: Subject) -> dict[str, Any]:
    title, measure = _MEASURES[name]
    found = measure(subject)
    # Who may not read the entries of signing in is told their numbers, and not their ids.
    hidden = () if "admin" in call.caller.roles else ("auth",)
    ids = [one["id"] for one in found.entries if one["category"] not in hidden]
    return {
        "id": id,
        "title": f"{clause}: {title}",
        "status": found.status,
        "measured": found.measured,
        "expected": found.expected,
        "findings": [{"type": kind, "id": one["id"], "name": one.get("name")} for kind, one in found.findings[:_SHOWN]],
        "audit_ids": ids[-_SHOWN:],
    }


@serves(AuditReports.compliance)
def compliance(
    call: Context, framework: str, start_date: date | None, end_date: date | None, period: str | None
) -> dict[str, Any]:
    """Return how the company keeps to a framework in a range of days."""
    return report(call, framework, ranges.last_year(call, start_date, end_date))
