"""Fetching e-mails from a mailbox, in a run that goes on with what was there since the last one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.resources.communication import CommunicationEmail

from ...data.document import Document
from ...outside.remotes import ConnectionLostError
from ...problems import LOG, FieldError, Problem, validation
from ...serving import Context, Members, runs, serves
from ..integrations import runs as sync_runs
from ..integrations.credentials import error_of
from ..integrations.records import tell_error
from .doors import may_use
from .receiving import take
from .sending import mailbox_of

_JOB = "email_sync"
_FOLDERS = ("INBOX", "Sent")
_CURSOR = "email_cursor"
"""The member of a mailbox with the last UID that was fetched from each folder."""


@serves(CommunicationEmail.sync)
def sync(
    call: Context, integration_id: str | None, since: datetime | None, folders: Sequence[str] | None, mode: str
) -> Document:
    """Begin to fetch."""
    mailbox = mailbox_of(call, integration_id) or _only_mailbox(call)
    sync_runs.require_ready(call, mailbox)
    asked = list(dict.fromkeys(folders or _FOLDERS))
    payload = {"since": since, "folders": asked}
    return sync_runs.begin(
        call, mailbox, _JOB, payload, title=f"E-mails of {mailbox['name']}", mode=mode, direction="inbound",
        entity_types=["activity"],
    )  # fmt: skip


def _only_mailbox(call: Context) -> Document:
    found = [doc for doc in call.collection("integration").find("type", "email") if may_use(call, doc)]
    if len(found) != 1:
        what = "there is no mailbox" if not found else f"there are {len(found)} mailboxes"
        raise validation([FieldError("integration_id", "required", f"{what}: say which one is meant")])
    return found[0]


@runs(_JOB)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Fetch what is new; where the mailbox does not answer, the run has failed, and the next one begins there."""
    payload: Members = job["payload"]
    run = call.record("sync_run", payload["run_id"])
    run = call.collection("sync_run").put(run | {"status": "running", "started_at": call.now})
    mailbox = call.record("integration", run["integration_id"])
    cursor: dict[str, int] = {} if run["mode"] == "full" else dict(mailbox.get(_CURSOR) or {})
    counts: dict[str, int] = dict.fromkeys(sync_runs.COUNTS, 0)
    errors, lost = list[dict[str, Any]](), None
    box = call.server.mailboxes.of(call.caller.tenant_id, mailbox["id"])
    try:
        for folder in payload["folders"]:
            for uid, raw in box.fetch(folder, cursor.get(folder, 0)):
                _count(call, counts, errors, raw, mailbox, folder, payload["since"])
                cursor[folder] = uid
    except ConnectionLostError as error:
        lost = str(error)
    said = {"counts": counts, "errors": errors, "cursor": json.dumps(cursor)}
    mailbox = call.collection("integration").put(mailbox | {_CURSOR: cursor})
    if lost is not None:
        failure = error_of("CONNECTION_REFUSED", lost)
        sync_runs.end(call, run, {**said, "status": "failed", "error": failure})
        new = call.update("integration", mailbox, {"status": "error", "last_error": failure})
        tell_error(call, new, failure, before=mailbox, run_id=run["id"])
        return {"status": "failed", "error": {k: v for k, v in failure.items() if k != "rule"}, "counts": counts}
    sync_runs.end(call, run, {**said, "status": "succeeded", "progress": 1.0})
    call.collection("integration").put(mailbox | {"last_sync": call.now, "last_error": None})
    return {"status": "succeeded", "counts": counts, "new_errors": errors}


def _count(
    call: Context, counts: dict[str, int], errors: list[dict[str, Any]], raw: bytes, mailbox: Document, folder: str,
    since: datetime | None,
) -> None:  # fmt: skip
    """Take one message in a transaction of its own; one that cannot be taken is told of, and the others go on."""
    counts["total"] += 1
    try:
        with call.server.store.transaction():
            outcome = take(call, raw, mailbox, folder, since)
    except Exception as error:  # whatever a broken message makes of it
        if not isinstance(error, Problem):
            LOG.exception("a message of %s could not be read", mailbox["id"])
        code = error.code if isinstance(error, Problem) else "UNREADABLE_FILE"
        text = error.message if isinstance(error, Problem) else str(error)
        errors.append({"row": counts["total"], "field": None, "code": code, "message": text, "value": None})
        outcome = "failed"
    counts[outcome] += 1
    counts["processed"] += 1
    counts["succeeded"] += outcome in ("created", "updated")
