"""The errors of the library, ordered by what the caller can do about them.

CrmError
 +-- ConfigurationError           an option is not valid or missing, or a package is not installed
 +-- InvalidInputError            the input is not valid; nothing was sent               (is a ValueError)
 +-- UnsupportedOperationError    no chosen dialect documents the call; nothing was sent
 +-- NetworkError                 the server did not answer
 |    +-- ConnectionFailedError   the connection was refused, reset or closed            (is a ConnectionError)
 |    +-- DeadlineExceededError   `timeout` passed, retries included                     (is a TimeoutError)
 +-- InvalidResponseError         the answer does not match its document (with `strict`, or where it cannot be read)
 +-- InvalidEventError            an event is not a JSON object                           (is a ValueError)
 +-- JobFailedError               a job ended as failed or cancelled
 +-- BulkFailedError              items of a bulk call failed (only `raise_for_failed` raises it)
 +-- WebhookError                 a delivery was rejected: do not process it
 |    +-- WebhookSignatureError   not signed, or not with one of the secrets
 |    +-- WebhookTimestampError   signed too long ago, or in the future: it may be a replay
 |    +-- WebhookPayloadError     not an event
 +-- EventGap                     events were lost and cannot be fetched; the stream continues after them
 +-- PushRefusedError             a channel answered a push or a join with an error
 +-- ApiError                     the server refused; `status`, `code`, `message`, `details`, `fields`, `request_id`
      +-- BadRequestError         400  the request is malformed
      +-- AuthenticationError     401  sign in, or check the API key
      +-- PermissionDeniedError   403  the caller has no permission
      +-- NotFoundError           404  no such record, or no such route
      +-- ConflictError           409  the present state of the data does not allow it
      +-- ValidationError         422  the input is not valid; see `fields`
      +-- RateLimitError          429  wait `retry_after` seconds
      +-- ServerError             5xx  try again later
           +-- AiServiceError          the AI behind the server failed (`AI_SERVICE_ERROR`)

Every error can be made by hand from its message (an `EventGap` from its numbers), and pickled, also by a queue of tasks
that keeps no more than `args`. None contains a credential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as _member
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .models.values import BulkItem, BulkResult


class CrmError(Exception):
    """The base class of all errors of this library."""

    idempotency_key: str | None = None
    """The key the request was sent with: the same call ``with_options(idempotency_key=…)`` is not done twice."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are unpickled from their positional arguments; these have keyword-only ones as well.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[CrmError], args: tuple[object, ...], state: dict[str, object]) -> CrmError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


@dataclass(frozen=True, slots=True)
class FieldError:
    """The error of one member of the input."""

    field: str
    """The Python name of the member, or its path where it is nested: ``address.city``, ``contacts.0.email``."""
    message: str
    rule: str | None = None
    """The broken rule: ``required``, ``type``, ``format``, ``min``, ``max``, ``length``, ``choice``, ``unknown``."""
    code: str | None = None
    details: Mapping[str, Any] = _member(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class ConfigurationError(CrmError):
    """An option of the client is not valid or missing, or a package that it needs is not installed."""


class InvalidInputError(CrmError, ValueError):
    """The input is not valid, and nothing was sent. `fields` has the error of each wrong member."""

    def __init__(self, message: str, *, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.fields: tuple[FieldError, ...] = tuple(fields)


class UnsupportedOperationError(CrmError):
    """No dialect that the client may use documents the call with these arguments. Nothing was sent."""

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        dialects: Sequence[str] = (),
        lacking: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.dialects: tuple[str, ...] = tuple(dialects)
        """The dialects that document the call."""
        self.lacking: Mapping[str, Sequence[str]] = dict(lacking or {})
        """The dialects that document the call, each with the given arguments that it does not document."""


class NetworkError(CrmError):
    """The server did not answer. `sent` tells whether it may have processed the request."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionFailedError(NetworkError, ConnectionError):
    """The connection was refused, reset or closed."""


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
    """An event is not a JSON object."""


class JobFailedError(CrmError):
    """A job ended as failed or cancelled. `job` is its last state, `code` the code of its error."""

    def __init__(self, message: str, *, job: object = None, code: str | None = None) -> None:
        super().__init__(message)
        self.job = job
        self.code = code


class BulkFailedError(CrmError):
    """Items of a bulk call failed; the others are done. `result` is the whole BulkResult."""

    def __init__(self, message: str, *, result: BulkResult[Any] | None = None) -> None:
        super().__init__(message)
        if result is None:
            from .models.values import BulkResult

            result = BulkResult[Any](items=[], total=0, succeeded=0, failed=0)
        self.result: BulkResult[Any] = result

    @property
    def failures(self) -> list[BulkItem[Any]]:
        """The items that failed, each with its `error`."""
        return self.result.failures


class WebhookError(CrmError):
    """A webhook delivery was rejected: do not process it."""


class WebhookSignatureError(WebhookError):
    """The delivery is not signed, or not with one of the secrets."""


class WebhookTimestampError(WebhookError):
    """The delivery was signed too long ago, or in the future: it may be a replay of an earlier one."""


class WebhookPayloadError(WebhookError):
    """The delivery's body is not an event."""


class EventGap(CrmError):  # noqa: N818 # the name of the condition; it is no mistake of the caller
    """Events were lost, and the server cannot send them again. Go on iterating: the stream continues after them.

    `from_seq` and `to_seq` are the first and the last missing sequence number, or None where it is not known. `reason`
    is ``expired`` (the server has deleted them), ``epoch`` (the server began a new numbering), ``lost`` (they were not
    received) or ``unnumbered`` (the connection was interrupted, and this server does not number its events).
    """

    def __init__(self, from_seq: int | None, to_seq: int | None, reason: str) -> None:
        which = f"{from_seq} to {to_seq}" if None not in (from_seq, to_seq) else f"after {(from_seq or 1) - 1}"
        super().__init__(f"events {which} are missing ({reason}); fetch what they would have told you, then go on")
        Exception.__init__(self, from_seq, to_seq, reason)  # its `args`, from which it can be made again
        self.from_seq = from_seq
        self.to_seq = to_seq
        self.reason = reason


class PushRefusedError(CrmError):
    """A channel answered a push or a join with an error: `reason` is the error, `response` the whole answer."""

    def __init__(self, message: str, *, reason: str | None = None, response: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.response: Mapping[str, Any] = dict(response or {})


class ApiError(CrmError):
    """The server answered with an error. One that is made by hand, for a test, has the usual status and code."""

    _usual: ClassVar[tuple[int, str]] = (500, "INTERNAL_ERROR")

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        fields: Sequence[FieldError] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
        operation: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status: int = self._usual[0] if status is None else status
        self.code: str = self._usual[1] if code is None else code
        """The error code, such as ``NOT_FOUND``; ``HTTP_502`` where the answer has none."""
        self.details: Mapping[str, Any] = dict(details or {})
        self.fields: tuple[FieldError, ...] = tuple(fields)
        self.request_id = request_id
        self.retry_after = retry_after
        """The seconds that the server asks to wait; None where it does not tell."""
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
    """400: the request is malformed."""

    _usual = (400, "BAD_REQUEST")


class AuthenticationError(ApiError):
    """401: sign in, or check the API key."""

    _usual = (401, "UNAUTHORIZED")


class PermissionDeniedError(ApiError):
    """403: the caller has no permission."""

    _usual = (403, "FORBIDDEN")


class NotFoundError(ApiError):
    """404: no such record, or no such route (code ``ROUTE_NOT_FOUND``)."""

    _usual = (404, "NOT_FOUND")


class ConflictError(ApiError):
    """409: the present state of the data does not allow it."""

    _usual = (409, "VERSION_CONFLICT")


class ValidationError(ApiError):
    """422: the input is not valid; `fields` has the error of each wrong member."""

    _usual = (422, "VALIDATION_ERROR")


class RateLimitError(ApiError):
    """429: wait `retry_after` seconds."""

    _usual = (429, "RATE_LIMIT_EXCEEDED")


class ServerError(ApiError):
    """5xx: the server failed; try again later."""


class AiServiceError(ServerError):
    """The AI behind the server failed (``AI_SERVICE_ERROR``)."""

    _usual = (500, "AI_SERVICE_ERROR")


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
    """Return the error class for an HTTP status and an error code."""
    if code == "AI_SERVICE_ERROR":
        return AiServiceError
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
