"""Errors: the tree, the bodies they are read from, and what survives pickling."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from canned_answers import LEAD, Canned

import crm_sdk
from crm_sdk import errors
from crm_sdk.dialects import DIALECTS, read_error
from crm_sdk.errors import FieldError
from crm_sdk.models.jobs import Job
from crm_sdk.models.record import Mismatch
from crm_sdk.models.values import BulkResult

Make = Callable[..., Any]
Call = Callable[[Any], Any]

FIELD = FieldError("email", "is taken", "unique", "TAKEN", {"existingId": "c1"})
EXAMPLES: list[errors.CrmError] = [
    errors.CrmError("any"),
    errors.ConfigurationError("no base URL"),
    errors.InvalidInputError("bad", fields=[FIELD]),
    errors.UnsupportedOperationError("no", operation="leads.get", dialects=["mvp"]),
    errors.NetworkError("gone", sent=False),
    errors.ConnectionFailedError("reset", sent=True),
    errors.DeadlineExceededError("late", sent=False),
    errors.InvalidResponseError(
        "odd", status=200, mismatches=[Mismatch("a.b", "missing", "it is missing")], body=b"x", request_id="r"
    ),
    errors.InvalidEventError("no object"),
    errors.EventGap(3, 9, "expired"),
    errors.PushRefusedError("no", reason="unauthorized", response={"reason": "unauthorized"}),
    errors.JobFailedError("failed", job=Job[int](id="j", kind="k", status="failed"), code="UNREADABLE_FILE"),
    errors.BulkFailedError("some", result=BulkResult[int](items=[], total=0, succeeded=0, failed=0)),
    errors.WebhookError("not ours"),
    errors.WebhookSignatureError("forged"),
    errors.WebhookTimestampError("old"),
    errors.WebhookPayloadError("no event"),
    *(
        kind(
            "no", status=status, code="CODE", details={"a": [1]}, fields=[FIELD], request_id="r", retry_after=1.5,
            operation="leads.get",
        )
        for kind, status in (
            (errors.ApiError, 418), (errors.BadRequestError, 400), (errors.AuthenticationError, 401),
            (errors.PermissionDeniedError, 403), (errors.NotFoundError, 404), (errors.ConflictError, 409),
            (errors.ValidationError, 422), (errors.RateLimitError, 429), (errors.ServerError, 500),
            (errors.AiServiceError, 500),
        )
    ),
]  # fmt: skip


def every_class(kind: type[errors.CrmError] = errors.CrmError) -> set[type[errors.CrmError]]:
    return {kind}.union(*(every_class(below) for below in kind.__subclasses__()))


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn = str(errors.__doc__).partition("Every error")[0]
    parents: list[tuple[int, str]] = []
    for line in drawn.splitlines():
        match = re.match(r"([ |+\-]*)([A-Z]\w+(?:Error|Gap))\b", line)
        if match:
            depth, name = len(match[1]), match[2]
            parents = [(deep, above) for deep, above in parents if deep < depth]
            kind = getattr(errors, name)
            assert kind.__bases__[0].__name__ == (parents[-1][1] if parents else "Exception"), name
            parents.append((depth, name))
    assert set(re.findall(r"[A-Z]\w+(?:Error|Gap)\b", drawn)) - {"ValueError", "ConnectionError", "TimeoutError"} == {
        kind.__name__ for kind in every_class()
    }


def test_each_class_is_public_and_also_what_python_calls_it() -> None:
    assert {kind.__name__ for kind in every_class()} <= set(crm_sdk.__all__)
    assert issubclass(errors.InvalidInputError, ValueError)
    assert issubclass(errors.ConnectionFailedError, ConnectionError)
    assert issubclass(errors.DeadlineExceededError, TimeoutError)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_every_error_pickles_whole(error: errors.CrmError, again: Callable[[Any], Any]) -> None:
    error.add_note("seen in the nightly run")
    other = again(error)
    assert type(other) is type(error)
    assert vars(other) == vars(error)
    assert (str(other), repr(other), other.args) == (str(error), repr(error), error.args)
    assert other.__notes__ == ["seen in the nightly run"]
    del error.__notes__


def test_every_error_can_be_made_by_hand() -> None:
    for kind in every_class() - {errors.EventGap}:
        made: Any = kind
        error = made("no luck")
        assert error.message == "no luck" and "no luck" in str(error) and error.args == ("no luck",)
        if isinstance(error, errors.ApiError):
            assert kind is errors.ApiError or errors.error_class(error.status, error.code) is kind
            assert str(error) == f"{error.status} {error.code}: no luck"
        assert pickle.loads(pickle.dumps(error)).args == error.args
    nothing = errors.BulkFailedError("no luck")
    assert (nothing.failures, nothing.result.total, nothing.result.succeeded, nothing.result.failed) == ([], 0, 0, 0)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(3, 8, "3 to 8"), (3, None, "after 2"), (None, None, "after 0"), (None, 8, "after 0"), (1, None, "after 0")],
)
def test_a_gap_says_which_events_are_missing(first: int | None, last: int | None, said: str) -> None:
    gap = errors.EventGap(first, last, "lost")
    assert str(gap.message).startswith(f"events {said} are missing (lost); ")
    assert gap.args == (first, last, "lost")


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_can_be_made_again_from_its_args(error: errors.CrmError) -> None:
    """As Celery does, whose results are JSON by default."""
    again = type(error)(*error.args)
    assert (again.message, again.args) == (error.message, error.args)


def test_every_class_has_an_example() -> None:
    assert {type(error) for error in EXAMPLES} == every_class()


BODIES = {
    "mvp": {"error": {"code": "VALIDATION_ERROR", "message": "Invalid request data",
                      "details": {"field": "firstName", "reason": "is too long", "rule": "length"}}},
    "nested": {"error": {"code": "VALIDATION_ERROR", "message": "Invalid request data",
                         "details": {"fields": [{"field": "firstName", "message": "is too long", "rule": "length"}]}}},
    "platform": {"success": False, "data": None, "meta": {"requestId": "req_body"},
                 "errors": [{"code": "VALIDATION_ERROR", "message": "is too long", "field": "firstName",
                             "rule": "length"}]},
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_body_is_understood_in_every_dialect(
    make: Make, call: Call, server: Canned, dialect: str, body: str
) -> None:
    server.says(BODIES[body], 422, x_request_id="req_1")
    with pytest.raises(errors.ValidationError) as raised:
        call(make(dialects=dialect).contacts.create({"name": "Ada", "email": "a@b.co"}))
    error = raised.value
    assert (error.status, error.code, error.request_id) == (422, "VALIDATION_ERROR", "req_1")
    assert error.operation == "contacts.create"
    assert [(field.field, field.message, field.rule) for field in error.fields] == [
        ("first_name", "is too long", "length")
    ]
    assert str(error).startswith("422 VALIDATION_ERROR: ")
    assert str(error).endswith("[contacts.create] (request req_1)")


def test_the_request_id_of_the_body_counts_where_no_header_has_one() -> None:
    assert read_error(422, {}, b'{"errors": [{"code": "X"}], "meta": {"requestId": 7}}', None).request_id == "7"
    assert read_error(422, {}, b'{"errors": [{"code": "X"}], "meta": []}', None).request_id is None


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BAD_REQUEST", "BadRequestError"), (401, "UNAUTHORIZED", "AuthenticationError"),
        (403, "FORBIDDEN", "PermissionDeniedError"), (404, "ROUTE_NOT_FOUND", "NotFoundError"),
        (409, "VERSION_CONFLICT", "ConflictError"), (422, "X", "ValidationError"), (429, "X", "RateLimitError"),
        (500, "INTERNAL_ERROR", "ServerError"), (501, "X", "ServerError"), (503, "X", "ServerError"),
        (500, "AI_SERVICE_ERROR", "AiServiceError"), (418, "X", "ApiError"),
    ],
)  # fmt: skip
def test_the_class_follows_from_status_and_code(
    make: Make, call: Call, server: Canned, status: int, code: str, kind: str
) -> None:
    server.says({"error": {"code": code, "message": "no"}}, status)
    with pytest.raises(errors.ApiError) as raised:
        call(make(max_retries=0).leads.get("x"))
    assert type(raised.value).__name__ == kind
    assert pickle.loads(pickle.dumps(raised.value)).code == code


def test_a_rate_limit_says_how_long_to_wait(make: Make, call: Call, server: Canned) -> None:
    server.says({"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "slow down"}}, 429, retry_after="12")
    with pytest.raises(errors.RateLimitError) as raised:
        call(make(max_retries=0).leads.get("x"))
    assert raised.value.retry_after == 12


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b'{"error": "invalid_grant", "error_description": "it has expired"}', "INVALID_GRANT", "it has expired"),
        (b'{"error": "invalid_grant"}', "INVALID_GRANT", "invalid_grant"),
        (b'{"message": "no such thing"}', "HTTP_400", "no such thing"),
        (b"<html>\n <h1>Bad   request</h1></html>", "HTTP_400", "<html> <h1>Bad request</h1></html>"),
        (b"", "HTTP_400", "the server answered 400 without a body"),
        (b"[" * 100_000, "HTTP_400", "[" * 200),
        (b"\xff\xfe\xfd", "HTTP_400", "\ufffd\ufffd\ufffd"),
        (b'{"errors": [], "error": {}}', "HTTP_400", '{"errors": [], "error": {}}'),
        (b'{"errors": ["no", {"code": 7, "message": 8}]}', "7", "8"),
        (b"null", "HTTP_400", "null"),
    ],
    ids=["oauth", "oauth-short", "bare", "html", "empty", "deep", "binary", "hollow", "odd", "null"],
)
def test_other_bodies_are_errors_too(content: bytes, code: str, message: str) -> None:
    error = read_error(400, {"x-request-id": "r"}, content, None)
    assert type(error) is errors.BadRequestError
    assert (error.code, error.message, error.request_id) == (code, message, "r")


@pytest.mark.parametrize("odd", [None, 5, "x", [], [None], {"fields": [{}, 7]}, {"field": ["a"], "rule": 3}])
def test_odd_details_break_nothing(odd: Any) -> None:
    import json

    entry = {"code": "X", "message": "m", "field": odd, "rule": odd, "details": odd}
    for body in ({"errors": [entry]}, {"error": entry}):
        error = read_error(422, {}, json.dumps(body).encode(), None)
        assert all(isinstance(field.field, str) and isinstance(field.details, dict) for field in error.fields)
        assert pickle.loads(pickle.dumps(error)).fields == error.fields


def test_a_redirect_is_an_error_that_says_where_to(make: Make, call: Call, server: Canned) -> None:
    server.says(status=302, location="https://login.test/?token=secret")
    for request in ("get", "delete"):
        with pytest.raises(errors.ApiError, match=r"redirects to https://login.test/, .* check base_url") as raised:
            call(getattr(make().leads, request)("x"))
        assert "secret" not in str(raised.value)
    with pytest.raises(errors.ApiError, match="redirects"):
        call(make().contacts.export())


def test_nothing_is_lost_of_a_good_answer_with_another_status(make: Make, call: Call, server: Canned) -> None:
    server.says(LEAD, 200)
    assert call(make().leads.create({"name": "Ada"})).id == "lead_1"
