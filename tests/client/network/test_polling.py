"""The state of a job, fetched from its route: what is one, what is not, and what an answer that is none says."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from canned_answers import Canned

from crm_sdk import InvalidResponseError, JobFailedError, NotFoundError

Make = Callable[..., Any]
Call = Callable[[Any], Any]

RUNNING = {"id": "job_1", "kind": "contact_import", "status": "running", "statusUrl": "/jobs/job_1"}
ENDED = {"id": "job_1", "kind": "contact_import", "status": "succeeded", "createdAt": "2026-01-15T09:00:00Z"}


def kinds(value: Any) -> list[tuple[str, str]]:
    return [(mismatch.path, mismatch.kind) for mismatch in value.mismatches]


def waited(make: Make, call: Call, server: Canned, *answers: Any, status: int = 200, **options: Any) -> Any:
    """Wait for a job whose route gives these answers."""
    server.says({"data": RUNNING}, 202)
    for answer in answers:
        given = {"content": answer} if isinstance(answer, bytes) else {"body": answer}
        server.says(status=status, x_request_id="req_1", **given)
    client = make(**{"dialects": "platform", "tenant_id": "acme", "max_retries": 0} | options)
    return call(call(client.contacts.imports.create(("a.csv", b"Name\nAda"))).wait())


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "the job": lambda job: job,
    "what has it": lambda job: {"id": "model_1", "job": job},
    "a job that names another": lambda job: {**job, "job": "job_2"},
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_job_is_asked_for_until_it_has_ended(make: Make, call: Call, server: Canned, kind: str) -> None:
    def answer(job: dict[str, Any]) -> dict[str, Any]:
        return {"data": ANSWERS[kind](job)}

    assert waited(make, call, server, answer(RUNNING), answer({**ENDED, "result": None})) is None
    asked = server.requests[1]
    assert (asked.method, server.paths[1:]) == ("GET", ["/v1/jobs/job_1"] * 2)
    assert (asked.headers["accept"], asked.headers["x-tenant-id"]) == ("application/json", "acme")
    assert asked.headers["user-agent"].startswith("crm-sdk/") and asked.headers["authorization"] == "Bearer key"


@pytest.mark.parametrize(
    "answer",
    [
        {"data": None}, {}, {"data": [ENDED]}, {"data": {}}, {"data": {"status": "running"}}, [ENDED], b"<html>",
        b'{"job": ', {"data": {"job": None}}, {"data": {"job": "job_1"}}, {"data": None, "job": ENDED}, b'["job"]',
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_no_job_is_an_error_that_shows_no_key(
    make: Make, call: Call, server: Canned, answer: Any, strict: bool
) -> None:
    with pytest.raises(InvalidResponseError, match="GET /jobs/job_1: the answer is not a job: ") as raised:
        waited(make, call, server, answer, strict=strict)
    assert (raised.value.status, raised.value.request_id, raised.value.__cause__) == (200, "req_1", None)
    assert ("not JSON" in str(raised.value)) == (isinstance(answer, bytes) and not answer.endswith(b"]"))


def test_an_answer_that_is_no_job_is_shown_in_part_and_without_a_key(make: Make, call: Call, server: Canned) -> None:
    with pytest.raises(InvalidResponseError) as raised:
        waited(make, call, server, b"sk-secret " + b"x" * 3000, api_key="sk-secret")
    body = raised.value.body
    assert body is not None and len(body) == 2000 and b"sk-secret" not in body


@pytest.mark.parametrize("strict", [False, True])
def test_a_job_that_deviates_is_read_and_noted_unless_strict(
    make: Make, call: Call, server: Canned, caplog: pytest.LogCaptureFixture, strict: bool
) -> None:
    odd = {"data": {**ENDED, "status": "failed", "progress": "much", "error": {"code": "X", "message": "it broke"}}}
    with caplog.at_level(logging.WARNING, "crm_sdk"):
        if strict:
            with pytest.raises(InvalidResponseError) as refused:
                waited(make, call, server, odd, strict=True)
            assert kinds(refused.value) == [("data.progress", "float_parsing")]
            return
        with pytest.raises(JobFailedError, match="it broke") as raised:
            waited(make, call, server, odd)
    assert kinds(raised.value.job) == [("data.progress", "float_parsing")]
    assert "GET /jobs/job_1" in caplog.text


@pytest.mark.parametrize(("status", "is_error"), [(200, False), (299, False), (300, True), (404, True)])
def test_an_error_of_the_route_is_the_callers(
    make: Make, call: Call, server: Canned, status: int, is_error: bool
) -> None:
    body = {"data": ENDED, "error": {"code": "JOB_NOT_FOUND", "message": "the key sk-secret knows none"}}
    if not is_error:
        assert waited(make, call, server, body, status=status, api_key="sk-secret") is None
        return
    with pytest.raises(NotFoundError if status == 404 else Exception) as raised:
        waited(make, call, server, body, status=status, api_key="sk-secret")
    assert getattr(raised.value, "status", None) == status and "sk-secret" not in str(raised.value)
