"""What the document of the API says of a call in short: its parameters, its body, its answers."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from crm_sdk.openapi import document

document_of = cache(document)
USUAL = {"X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}


def told(dialect: str, method: str, path: str) -> tuple[list[str], str | None, dict[str, list[str]]]:
    """Return the parameters of a call, its body, and its answers with what is in them beside the usual headers."""
    call: dict[str, Any] = document_of(dialect)["paths"][path][method]
    parameters = [
        each["$ref"].rpartition("/")[2]
        if "$ref" in each
        else f"{each['in']} {each['name']}{'!' if each['required'] else ''}{'[]' if 'explode' in each else ''}"
        f"{'=' + str(each['example']) if 'example' in each else ''}"
        for each in call["parameters"]
    ]
    asked = call.get("requestBody")
    body = f"{'needs' if asked['required'] else 'may have'} {', '.join(asked['content'])}" if asked else None
    answers: dict[str, list[str]] = {}
    for status, answer in call["responses"].items():
        assert answer["headers"].keys() >= USUAL
        answers[status] = sorted(answer["headers"].keys() - USUAL)
        if status < "400":
            answers[status] += sorted(answer.get("content", {}))
            answers[status] += ["example" for media in answer.get("content", {}).values() if "example" in media]
        else:
            assert answer["x-codes"] and answer["content"].keys() == {"application/json"}
    return parameters, body, answers


CALLS: dict[tuple[str, str, str], tuple[list[str], str | None, dict[str, list[str]]]] = {
    ("platform", "get", "/leads/{lead_id}"): (
        ["path lead_id!=lead_123", "Fields", "IfNoneMatch"],
        None,
        {
            "200": ["application/json", "example"],
            "304": [],
            "400": [],
            "401": [],
            "403": [],
            "404": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("platform", "post", "/leads"): (
        ["AuditReason", "IdempotencyKey"],
        "needs application/json",
        {
            "201": ["Location", "application/json", "example"],
            "400": [],
            "401": [],
            "403": [],
            "409": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("platform", "put", "/leads/{lead_id}"): (
        ["path lead_id!=lead_123", "IfMatch", "AuditReason"],
        "needs application/json",
        {
            "200": ["application/json", "example"],
            "400": [],
            "401": [],
            "403": [],
            "404": [],
            "409": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("platform", "delete", "/leads/{lead_id}"): (
        ["path lead_id!=lead_123", "IfMatch", "AuditReason"],
        None,
        {
            "200": ["application/json", "example"],
            "400": [],
            "401": [],
            "403": [],
            "404": [],
            "409": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("mvp", "get", "/api/leads"): (
        ["query status=new", "query source", "query limit", "query offset"],
        None,
        {"200": ["application/json", "example"], "400": [], "401": [], "403": [], "422": [], "429": ["Retry-After"]},
    ),
    ("mvp", "post", "/api/leads"): (
        ["AuditReason", "IdempotencyKey"],
        "needs application/json",
        {
            "201": ["Location", "application/json", "example"],
            "400": [],
            "401": [],
            "403": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("flow", "get", "/api/deals"): (
        ["query filter=all", "query search"],
        None,
        {"200": ["application/json", "example"], "400": [], "401": [], "403": [], "422": [], "429": ["Retry-After"]},
    ),
    ("platform", "post", "/audit/logs/search"): (
        ["IdempotencyKey"],
        "needs application/json",
        {
            "200": ["application/json", "example"],
            "400": [],
            "401": [],
            "403": [],
            "409": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("platform", "post", "/contacts/import"): (
        ["AuditReason", "IdempotencyKey"],
        "may have application/json, multipart/form-data",
        {
            "202": ["application/json", "example"],
            "400": [],
            "401": [],
            "403": [],
            "409": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("platform", "post", "/files/upload"): (
        ["AuditReason", "IdempotencyKey"],
        "needs application/json, multipart/form-data",
        {
            "200": ["application/json", "example"],
            "201": ["Location", "application/json", "example"],
            "400": [],
            "401": [],
            "403": [],
            "409": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("platform", "get", "/files/{file_id}/download"): (
        ["path file_id!=file_123", "query revision", "query shareToken", "query password", "header Range"],
        None,
        {
            "200": ["*/*"],
            "206": ["*/*"],
            "304": ["*/*"],
            "400": [],
            "401": [],
            "403": [],
            "404": [],
            "416": [],
            "422": [],
            "429": ["Retry-After"],
        },
    ),
    ("platform", "get", "/dashboards/{dashboard_id}/subscribe"): (
        ["path dashboard_id!=dashboard_123", "query lastEventId"],
        None,
        {"200": ["text/event-stream"], "400": [], "401": [], "403": [], "404": [], "422": [], "429": ["Retry-After"]},
    ),
}


@pytest.mark.parametrize("dialect", ["mvp", "flow", "platform"])
def test_a_call_is_told_with_its_parameters_its_body_and_its_answers(dialect: str) -> None:
    for call, expected in CALLS.items():
        if call[0] == dialect:
            assert told(*call) == expected, call


def test_a_document_says_what_holds_for_all_its_calls() -> None:
    for dialect, prefix in (("mvp", "/"), ("flow", "/"), ("platform", "/v1")):
        whole = document_of(dialect)
        about = whole["info"]["description"]
        assert ("JSON:API" in about) is (dialect == "platform") and ("X-CRM-Dialect" in about) is (
            dialect != "platform"
        )
        assert whole["servers"] == [{"url": prefix}] and whole["security"] == [{"bearer": []}]
        assert document_of(dialect, "https://crm.test")["servers"] == [{"url": "https://crm.test"}]
        assert list(whole["paths"]) == sorted(whole["paths"]) and whole["openapi"] == "3.1.0"
        assert {tag["name"] for tag in whole["tags"]} == {
            call["operationId"].partition(".")[0] for path in whole["paths"].values() for call in path.values()
        }
