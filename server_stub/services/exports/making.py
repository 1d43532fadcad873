"""The rule that starts an export, and the step of its job: the file that is made of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.models.exports import ExportRequest
from crm_sdk.resources.exports import Exports

from ... import jobs
from ...data.blanks import blank
from ...data.document import Document
from ...files.storing import store_bytes
from ...problems import Problem
from ...request.access.hiding import hidden_from
from ...serving import Context, Members, runs, serves
from ..changes.positions import latest, position
from ..handing_out import kept_for
from ..objects.describing import description_of
from .formats import WRITERS, Made, Writing, packed_files
from .requests import Labels, Part, checked_request, labels_of, parts_of, refuse_outside
from .rows import all_of, as_created, changed_rows, start_of_changes

JOB = "export"
SCHEDULE = "export_schedule"


@serves(Exports.create)
def create(call: Context, request: Members) -> Document:
    """Queue an export."""
    asked = in_full(request)
    return start(call, asked, labels_of(call, asked, checked_request(call, asked)))


def in_full(request: Members) -> dict[str, Any]:
    """Return a request with all its members, and their defaults."""
    given = {name: value for name, value in request.items() if value is not None}
    return {**blank(ExportRequest), **given}


def start(call: Context, request: Members, labels: Labels, schedule: Document | None = None) -> Document:
    """Queue the job of a request; of a schedule, the job of one of its runs."""
    names = [str(name) for name in request["entity_types"]]
    title = f"Export of {', '.join(names)} as {request['format']}"
    return jobs.start(
        call,
        JOB,
        {
            "request": dict(request),
            "labels": {name: list(known) for name, known in labels.items()},
            "schedule_id": schedule["id"] if schedule is not None else None,
        },
        title=f"{title}: {schedule['name']}" if schedule is not None else title,
        total=0,
        status_url="/jobs/{id}",
    )


@runs(JOB)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Make the file, all of it at one moment: no write comes between its rows."""
    payload = job["payload"]
    request: Members = payload["request"]
    schedule = call.collection(SCHEDULE).get(payload["schedule_id"] or "")
    parts, problems = parts_of(call, request)
    refuse_outside(call, schedule["recipients"] if schedule is not None else (), parts)
    with hidden_from(call.caller, call.server.nouns):
        files = _files(call, parts, request, payload["labels"], schedule)
    here = position(call, latest(call))
    name, content = _named_content(call, request, files, here)
    file = store_bytes(
        call, name, content, shows=[member for part in parts for member in part.shows],
        expires_at=call.now + kept_for(call), entries=_readers(call, schedule),
    )  # fmt: skip
    count = sum(one.rows for one in files)
    said = {"entity_types": list(request["entity_types"]), "format": request["format"], "count": count}
    call.emit("data.exported", "job", {**job, "name": job["title"]}, metadata={**said, "file_id": file["id"]})
    if schedule is not None:
        call.collection(SCHEDULE).put(schedule | {"last_status": "succeeded", "position": here})
    return {
        "status": "succeeded",
        "file_id": file["id"],
        "result": {
            "file_id": file["id"],
            "file_name": file["name"],
            "content_type": file["content_type"],
            "size": file["size"],
            "row_count": count,
            "download_url": f"/files/{file['id']}/download",
            "expires_at": file["expires_at"],
        },
        "counts": job["counts"] | dict.fromkeys(("total", "processed", "succeeded"), count),
        "new_errors": [_left_out(problem) for problem in problems],
    }


def _files(
    call: Context, parts: Sequence[Part], request: Members, labels: Labels, schedule: Document | None
) -> list[Made]:
    tells = schedule is not None and schedule["mode"] == "changed"
    after = start_of_changes(call, schedule["position"]) if schedule is not None and tells else None
    made: list[Made] = []
    for part in parts:
        if after is not None:
            rows = changed_rows(call, part, request, after)
        else:
            rows = as_created(all_of(call, part, request)) if tells else all_of(call, part, request)
        content, count = WRITERS[request["format"]](Writing(call, part, rows, request, labels, tells))
        version = description_of(call, part.entity)["schema_version"]
        made.append(Made(part.entity.name, f"{part.entity.name}.{request['format']}", content, count, version))
    return made


def _named_content(call: Context, request: Members, files: Sequence[Made], here: str) -> tuple[str, bytes]:
    """Return the name and the content of what is handed out: the file, or several as a zip."""
    ending = request["format"] if len(files) == 1 else "zip"
    name = request["file_name"] or f"{files[0].entity if len(files) == 1 else 'export'}-{call.now:%Y-%m-%d}"
    if not name.lower().endswith(f".{ending}"):
        name = f"{name[: 254 - len(ending)]}.{ending}"
    return name, files[0].content if len(files) == 1 else packed_files(call, files, request["format"], here)


def _readers(call: Context, schedule: Document | None) -> list[dict[str, str]]:
    """Return who may read the file of a schedule beside its owner: those of its recipients who are users."""
    return [
        {"subject_type": "user", "subject_id": id, "access": "view"}
        for id in (schedule["recipients"] if schedule is not None else ())
        if "@" not in id
    ]


def _left_out(problem: Problem) -> dict[str, Any]:
    """Return the error of a field that is not there any more."""
    value = problem.details.get("field")
    return {
        "row": None, "field": problem.field, "code": problem.code, "message": f"{problem.message}: it is left out",
        "value": value,
    }  # fmt: skip
