"""What can go wrong, by what the caller can do about it.

CrmError
 +-- ConfigurationError           the client lacks something: a base URL, a package
 +-- InvalidInputError            the input cannot be valid; nothing was sent            (is a ValueError)
 +-- UnsupportedOperationError    no chosen dialect documents the call; nothing was sent
 +-- NetworkError                 no answer came
 |    +-- ConnectionFailedError   refused, reset, broken off                             (is a ConnectionError)
 |    +-- DeadlineExceededError   `timeout` passed, retries included                     (is a TimeoutError)
 +-- InvalidResponseError         the answer does not match its document (with `strict`, or where nothing can be read)
 +-- InvalidEventError            what came is no event: not a JSON object                (is a ValueError)
 +-- JobFailedError               a job ended as failed or cancelled
 +-- WebhookError                 a delivery that must not be acted on
 |    +-- WebhookSignatureError   not signed, or not with a secret of ours
 |    +-- WebhookTimestampError   signed, but too long ago or too far ahead: perhaps sent again by somebody else
 |    +-- WebhookPayloadError     not an event
 +-- EventGap                     events were lost and cannot be had again; the stream goes on after them
 +-- PushRefusedError             a channel answered a push or a join with an error
 +-- ApiError                     the server said no; `status`, `code`, `message`, `details`, `fields`, `request_id`
      +-- BadRequestError         400  the request itself is malformed
      +-- AuthenticationError     401  sign in, or check the API key
      +-- PermissionDeniedError   403  this caller may not
      +-- NotFoundError           404  no such record, or no such route
      +-- ConflictError           409  the state of the data forbids it now
      +-- ValidationError         422  the input can never be accepted; see `fields`
      +-- RateLimitError          429  wait `retry_after` seconds
      +-- ServerError             5xx  try again later
           +-- AiServiceError          the AI behind the server failed (`AI_SERVICE_ERROR`)

Every error pickles, and none holds a credential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as _member
from typing import Any


class CrmError(Exception):
    """Anything that this library raises."""

    idempotency_key: str | None = None
    """The key the request was sent with: the same call ``with_options(idempotency_key=…)`` is not done twice."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is rebuilt from its arguments by default; ours have keyword-only ones.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[CrmError], args: tuple[object, ...], state: dict[str, object]) -> CrmError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one member of the input."""

    field: str
    """Its name as you write it in Python, with a path where it is nested: ``address.city``, ``contacts.0.email``."""
    message: str
    rule: str | None = None
    """The rule it breaks: ``required``, ``type``, ``format``, ``min``, ``max``, ``length``, ``choice``, ``unknown``."""
    code: str | None = None
    details: Mapping[str, Any] = _member(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ConfigurationError(CrmError):
    """The client lacks something it needs: a base URL, an installed package."""


class InvalidInputError(CrmError, ValueError):
    """The input cannot be valid. Nothing was sent. `fields` names each member that is wrong."""

    def __init__(self, message: str, *, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.fields: tuple[FieldError, ...] = tuple(fields)


class UnsupportedOperationError(CrmError):
    """No dialect this client may use documents the call with these arguments. Nothing was sent."""

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        dialects: Sequence[str] = (),
        lacking: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.dialects: tuple[str, ...] = tuple(dialects)
        """The dialects that do document it."""
        self.lacking: Mapping[str, Sequence[str]] = dict(lacking or {})
        """The dialects that document the call, but not these of the arguments given."""


class NetworkError(CrmError):
    """No answer came. `sent` tells whether the server may have acted on the request."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionFailedError(NetworkError, ConnectionError):
    """The connection was refused, reset or broken off."""


class DeadlineExceededError(NetworkError, TimeoutError):
    """The call's `timeout` passed, retries included."""


class InvalidResponseError(CrmError):
    """The answer does not match its document."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        mismatches: Sequence[object] = (),
        body: bytes = b"",
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.mismatches: tuple[object, ...] = tuple(mismatches)
        self.body = body
        """The first 2,000 bytes of the answer."""
        self.request_id = request_id


class InvalidEventError(CrmError, ValueError):
    """What came is no event: it is not a JSON object."""


class JobFailedError(CrmError):
    """A job ended as failed or cancelled. `job` is its last state, `code` its error's code."""

    def __init__(self, message: str, *, job: object, code: str | None = None) -> None:
        super().__init__(message)
        self.job = job
        self.code = code


class WebhookError(CrmError):
    """A delivery that must not be acted on."""


class WebhookSignatureError(WebhookError):
    """The delivery is not signed, or not with a secret of ours."""


class WebhookTimestampError(WebhookError):
    """The delivery was signed too long ago, or too far ahead: somebody may have kept it to send it again."""


class WebhookPayloadError(WebhookError):
    """The delivery's body is not an event."""


class EventGap(CrmError):  # noqa: N818 # it is what happened, not what the caller did wrong
    """Events were lost, and the server cannot send them again. The stream goes on after them: iterate on.

    `from_seq` and `to_seq` are the first and the last number that is missing; None where that is not known. `reason` is
    ``expired`` (the server does not keep them any more), ``epoch`` (its numbers began anew), ``lost`` (they never came)
    or ``unnumbered`` (the link was broken, and this server does not number its events).
    """

    def __init__(self, from_seq: int | None, to_seq: int | None, reason: str) -> None:
        which = f"{from_seq} to {to_seq}" if None not in (from_seq, to_seq) else f"after {(from_seq or 1) - 1}"
        super().__init__(f"events {which} are missing ({reason}); fetch what they would have told you, then go on")
        self.from_seq = from_seq
        self.to_seq = to_seq
        self.reason = reason


class PushRefusedError(CrmError):
    """A channel answered a push or a join with an error. `reason` is its word, `response` all it said."""

    def __init__(self, message: str, *, reason: str | None, response: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.reason = reason
        self.response = response


class ApiError(CrmError):
    """The server said no."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        details: Mapping[str, Any] | None = None,
        fields: Sequence[FieldError] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        operation: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        """The server's code, such as ``NOT_FOUND``; ``HTTP_502`` where the body had none."""
        self.details: Mapping[str, Any] = dict(details or {})
        self.fields: tuple[FieldError, ...] = tuple(fields)
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds the server asks to wait; None where it does not say."""
        self.operation = operation
        self.dialects: tuple[str, ...] = ()
        """The dialects in which the call was tried, in order; empty for a raw request."""

    def __str__(self) -> str:
        tried = f"tried {', '.join(self.dialects)}" if self.status in (404, 405) and self.dialects else ""
        known = "; ".join(part for part in (self.operation, tried) if part)
        where = f" [{known}]" if known else ""
        trace = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status} {self.code}: {self.message}{where}{trace}"


class BadRequestError(ApiError):
    """400: the request itself is malformed."""


class AuthenticationError(ApiError):
    """401: sign in, or check the API key."""


class PermissionDeniedError(ApiError):
    """403: this caller may not."""


class NotFoundError(ApiError):
    """404: no such record, or no such route (code ``ROUTE_NOT_FOUND``)."""


class ConflictError(ApiError):
    """409: the state of the data forbids it now."""


class ValidationError(ApiError):
    """422: the input can never be accepted; `fields` says why."""


class RateLimitError(ApiError):
    """429: wait `retry_after` seconds."""


class ServerError(ApiError):
    """5xx: the server failed; try again later."""


class AiServiceError(ServerError):
    """The AI behind the server failed (``AI_SERVICE_ERROR``)."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitError,
}


def error_class(status: int, code: str) -> type[ApiError]:
    """Return the class for a status and a server's code."""
    if code == "AI_SERVICE_ERROR":
        return AiServiceError
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
