"""Error messages and exit statuses of the command line: `EXIT_CODES` has what each status means."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from crm_sdk import errors
from crm_sdk.wire import is_array, is_object

from .interruption import noting_interruptions, was_interrupted
from .terminal.streams import READER_GONE, discard_output

GENERIC, USAGE, AUTH, NOT_FOUND, CONFLICT, INVALID, NOT_IN_TIME, PARTIAL, RETRYABLE = 1, 2, 4, 5, 6, 7, 8, 9, 75
INTERRUPTED = 130
DECLINED = INTERRUPTED
"""Whoever was asked said no: as Ctrl-C, since nothing was done."""

EXIT_CODES: Mapping[int, tuple[str, str]] = {
    0: ("ok", "It was done."),
    GENERIC: ("generic", "Anything else: a job that failed, an answer that cannot be read, a fault of this program."),
    USAGE: ("usage", "The command cannot be understood, or no server is configured; nothing was sent."),
    AUTH: ("auth", "Not signed in, or not allowed."),
    NOT_FOUND: ("not found", "There is no such record or address."),
    CONFLICT: ("conflict", "The present state of the data does not allow it: changed by another, or there already."),
    INVALID: ("validation", "The input is not valid; the lines below the error say which option and why."),
    NOT_IN_TIME: ("pending or timed out", "What was waited for did not happen in time; it may still happen."),
    PARTIAL: ("partial failure", "A part failed, the others are done; standard error says which."),
    RETRYABLE: ("retryable", "No connection, too many requests, or the server failed: try again later."),
    INTERRUPTED: ("interrupted", "Ctrl-C, or the answer to a question was no."),
    READER_GONE: ("closed pipe", "Whoever read the output has gone, such as `head`."),
}
"""What each exit status means: its class, and a sentence."""
_STATUSES: tuple[tuple[type[errors.CrmError], int, str], ...] = (
    (errors.ConfigurationError, USAGE, "not configured"),
    (errors.UnsupportedOperationError, USAGE, "not documented in this dialect"),
    (errors.NotFoundError, NOT_FOUND, "not found"),
    (errors.AuthenticationError, AUTH, "not signed in"),
    (errors.PermissionDeniedError, AUTH, "not allowed"),
    (errors.InvalidInputError, INVALID, "not valid"),
    (errors.ValidationError, INVALID, "not valid"),
    (errors.BadRequestError, INVALID, "not valid"),
    (errors.ConflictError, CONFLICT, "conflict"),
    (errors.RateLimitError, RETRYABLE, "rate limited"),
    (errors.AiServiceError, RETRYABLE, "the AI failed"),
    (errors.ServerError, RETRYABLE, "the server failed"),
    (errors.WebhookError, INVALID, "not genuine"),
    (errors.InvalidResponseError, GENERIC, "the answer cannot be read"),
    (errors.JobFailedError, GENERIC, "the job failed"),
    (errors.BulkFailedError, PARTIAL, "part of it failed"),
    (errors.PushRefusedError, INVALID, "refused"),
    (errors.ConnectionFailedError, RETRYABLE, "no connection"),
    (errors.DeadlineExceededError, NOT_IN_TIME, "no answer in time"),
    (errors.NetworkError, RETRYABLE, "no answer"),
    (errors.ApiError, INVALID, "refused"),
)
_OPTIONS: Mapping[str, str] = {
    "base_url": "--base-url",
    "api_key": "--api-key",
    "tenant_id": "--tenant",
    "timeout": "--timeout",
}
"""What the SDK's arguments are typed as, for messages about them."""
sign_in_hint: ContextVar[str] = ContextVar("sign_in_hint", default="sign in with `crm login`, or set CRM_API_KEY")
"""What to do where the credential of the command that runs is refused."""
_SIGNING_IN = ("auth.login", "auth.token", "auth.mfa.verify")
"""The calls that sign in: who is refused there is doing what a hint would say."""
_OF_BROWSER = ("INVALID_STATE", "NO_CODE", "ACCESS_DENIED")
"""What the browser brings in place of a sign-in."""
_NEVER = (501, 505)
"""The statuses of a server that will answer alike the next time."""
_OURS = ("", "crm_cli", "crm_sdk", "server_stub")


CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""What could steer a terminal: C0 but for line feed and tab, C1, bidi marks and overrides. Joiners are text."""


class MisuseError(Exception):
    """The command line cannot be understood; the message tells what is expected."""

    def __init__(self, message: str, fields: Sequence[errors.FieldError] = ()) -> None:
        super().__init__(message)
        self.fields = fields
        """What is wrong with each argument or member, a line each."""


class CommandError(Exception):
    """The command cannot do what was asked for as things are; it has its own code and exit status."""

    def __init__(self, code: str, message: str, exit: int = GENERIC, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.exit = exit
        self.hint = hint


def status_of(error: errors.CrmError) -> int:
    """Return the exit status an error of the SDK means."""
    return status_of_class(type(error))


def status_of_class(found: type[errors.CrmError]) -> int:
    """Return the exit status a class of errors means."""
    return next((status for kind, status, _ in _STATUSES if issubclass(found, kind)), GENERIC)


def in_short(error: errors.CrmError) -> str:
    """Return a short phrase for an error of the SDK."""
    return next(words for kind, _, words in _STATUSES if isinstance(error, kind))


def in_words(text: str) -> str:
    """Return the text of a docstring with the SDK's error classes replaced by phrases with exit statuses."""
    for kind, status, words in _STATUSES:
        text = text.replace(kind.__name__, f"{words} (exit {status})")
    return text.replace("Raises:", "Fails:")


def visible(text: str) -> str:
    """Return a text without what could steer a terminal, or show text in another order than it is read."""
    return CONTROL.sub("\ufffd", text)


_HELD: list[list[str]] = []


def complain(line: str) -> None:
    """Print one line on stderr; while a pager has the screen, after it."""
    if _HELD:
        _HELD[-1].append(line)
    else:
        print(visible(line), file=sys.stderr)


@contextmanager
def catching_notes() -> Generator[list[str]]:
    """Keep what is said on stderr within it for somebody who shows it otherwise."""
    notes: list[str] = []
    _HELD.append(notes)
    try:
        yield notes
    finally:
        _HELD.pop()


@contextmanager
def holding_notes() -> Generator[None]:
    """Print after it what is said on stderr within it."""
    _HELD.append([])
    try:
        yield
    finally:
        for line in _HELD.pop():
            complain(line)


def run_guarded(
    action: Callable[[], int | None],
    *,
    debug: bool,
    secrets: Collection[str],
    flags: Mapping[str, str],
    as_json: bool = False,
) -> int:
    """Run a command; returns its exit status. `flags` maps members to how they are typed, `as_json` is for errors."""
    _CONCEALED.clear()
    with noting_interruptions():
        try:
            status = action()
            sys.stdout.flush()
        except BrokenPipeError:
            discard_output()
            return READER_GONE
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, KeyboardInterrupt) or was_interrupted():
                say(Failure("INTERRUPTED", "interrupted", INTERRUPTED, shown="interrupted"), as_json=as_json)
                return INTERRUPTED
            if debug:
                _trace(secrets)
            return say(failure_of(error, flags), secrets, as_json=as_json)
        return status or 0


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command failed, for people and for programs."""

    code: str
    message: str
    exit: int
    status: int | None = None
    """The HTTP status of a refusal."""
    fields: Sequence[Mapping[str, Any]] = ()
    request_id: str | None = None
    retryable: bool = False
    hint: str | None = None
    shown: str | None = None
    """The line for people, where it is not the message."""

    def lines(self) -> list[str]:
        """Return the lines for people: what failed, then each member that is not valid."""
        hint = f"; {self.hint}" if self.hint else ""
        first = self.shown or f"error: {self.message}{hint}"
        return [" ".join(first.split()), *(f"  {field['option']}: {field['message']}" for field in self.fields)]

    def members(self) -> dict[str, Any]:
        """Return what `--json-errors` prints."""
        return {
            "code": self.code,
            "status": self.status,
            "message": self.message,
            "fields": list(self.fields),
            "requestId": self.request_id,
            "retryable": self.retryable,
            "hint": self.hint,
            "exit": self.exit,
        }


def say(failure: Failure, secrets: Collection[str] = (), *, as_json: bool) -> int:
    """Print a failure on stderr: in lines for people, or as one line of JSON; return the exit status."""
    if as_json:
        complain(json.dumps(_concealed_secrets(failure.members(), secrets), ensure_ascii=False))
    else:
        for line in failure.lines():
            complain(_conceal(line, secrets))
    return failure.exit


def failure_of(error: BaseException, flags: Mapping[str, str]) -> Failure:
    """Return what an exception means to whoever typed the command."""
    if isinstance(error, MisuseError):
        return Failure("USAGE", str(error), USAGE, fields=[_of_field(field, flags) for field in error.fields])
    if isinstance(error, CommandError):
        return Failure(error.code, str(error), error.exit, hint=error.hint)
    if isinstance(error, errors.CrmError):
        return _refusal(error, flags)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return Failure("USAGE", f"{where}{error.strerror or error}", USAGE)
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] not in _OURS:
        # The stub imports optional packages when a rule first needs them.
        hint = "pip install 'crm-sdk[stub]' brings what --offline needs"
        message = f"{error.name} is not installed"
        return Failure("USAGE", message, USAGE, hint=hint, shown=f"error: {message}: {hint}")
    message = f"{type(error).__name__}: {error} (a fault of this program; --debug shows where)"
    return Failure("INTERNAL", message, GENERIC)


def _refusal(error: errors.CrmError, flags: Mapping[str, str]) -> Failure:
    text, hint, found = str(error), "; ".join(getattr(error, "__notes__", ())) or None, type(error)
    refused = error if isinstance(error, errors.ApiError) else None
    fields = error.fields if isinstance(error, (errors.InvalidInputError, errors.ApiError)) else ()
    if isinstance(error, errors.InvalidInputError) and fields:
        text = text.partition(":")[0] + ": not valid, nothing was sent"
    if isinstance(error, errors.ConfigurationError):
        for name, flag in _OPTIONS.items():
            text = re.sub(rf"\b{name}\b=?", flag, text)
        text = text.replace("allow_http=True (CRM_ALLOW_HTTP=1)", "set CRM_ALLOW_HTTP=1")
    if isinstance(error, errors.UnsupportedOperationError):
        for dialect in error.dialects:
            text = text.replace(f"dialects={dialect!r}", f"--dialect {dialect}")
    if isinstance(error, errors.InvalidResponseError):
        text = text.replace("dialects= ", "--dialect ")
    if isinstance(error, errors.AuthenticationError):
        signing_in = error.operation in _SIGNING_IN or error.code in _OF_BROWSER
        hint = None if signing_in else sign_in_hint.get()
    if isinstance(error, errors.RateLimitError) and error.retry_after is not None:
        hint = f"try again in {error.retry_after:g} s"
    code = refused.code if refused is not None else getattr(error, "code", None) or _code_of(found)
    return Failure(
        code,
        " ".join(text.split()),
        status_of(error),
        refused.status if refused is not None else getattr(error, "status", None),
        [_of_field(field, flags) for field in fields],
        getattr(error, "request_id", None),
        status_of(error) == RETRYABLE and getattr(error, "status", None) not in _NEVER,
        hint,
    )


def _code_of(kind: type[errors.CrmError]) -> str:
    """Return the code of an error that no server sent: ``ConnectionFailedError`` -> ``CONNECTION_FAILED``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).upper()


_WRONG_TYPES = (
    ("input should be a valid integer", "must be a whole number"),
    ("input should be a valid decimal", "must be a number"),
    ("input should be a valid number", "must be a number"),
    (
        "input should be a valid datetime",
        "must be a day or a time, such as 2026-01-31, yesterday, 7d or 2026-01-31T09:00",
    ),
    ("input should be a valid date", "must be a day, such as 2026-01-31, yesterday or 7d"),
    ("input should be a valid boolean", "must be true or false"),
)
"""What pydantic says of a wrong type, as people type it."""


def _of_field(field: errors.FieldError, flags: Mapping[str, str]) -> dict[str, Any]:
    message = next((words for said, words in _WRONG_TYPES if field.message.startswith(said)), field.message)
    if message == "extra inputs are not permitted" and "." not in field.field:
        from .tree.near import question_for

        message = f"there is no such member{question_for(field.field, flags)}"
    return {"field": field.field, "option": _as_typed(field, flags), "message": message, "rule": field.rule}


def _as_typed(field: errors.FieldError, flags: Mapping[str, str]) -> str:
    head, dot, rest = field.field.partition(".")
    return flags.get(head, head) + (f" {rest}" if dot else "")


_CONCEALED: set[str] = set()
_SHORTEST = 4
"""A secret with fewer characters would blot out words of messages."""


def conceal(*secrets: str | None) -> None:
    """Show these secrets in no message of the command that runs."""
    _CONCEALED.update(secret for secret in secrets if secret and len(secret) >= _SHORTEST)


def _conceal(text: str, secrets: Collection[str]) -> str:
    for secret in sorted({*secrets, *_CONCEALED}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _concealed_secrets(value: Any, secrets: Collection[str]) -> Any:
    """Return JSON data in which no text has a secret."""
    if isinstance(value, str):
        return _conceal(value, secrets)
    if is_object(value):
        return {name: _concealed_secrets(item, secrets) for name, item in value.items()}
    return [_concealed_secrets(item, secrets) for item in value] if is_array(value) else value


def _trace(secrets: Collection[str]) -> None:
    import traceback

    complain(_conceal(traceback.format_exc().rstrip(), secrets))
