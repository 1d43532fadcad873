"""Error messages and exit statuses of the command line.

0 success, 2 usage, 3 not found, 4 not signed in or no permission, 5 not valid, 6 rate limited, 7 the server failed,
8 no answer, 9 an awaited event did not happen in time, 10 a part failed and the rest is done; 1 a bug in this program,
130 Ctrl-C, 141 a closed pipe.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Mapping

from crm_sdk import errors

from .interruption import interrupted, noting_interruptions
from .terminal.streams import READER_GONE, discard_output

USAGE, NOT_FOUND, AUTH, INVALID, RATE_LIMITED, SERVER, NETWORK, NOT_IN_TIME = 2, 3, 4, 5, 6, 7, 8, 9
PARTIAL = 10
DECLINED = 130
"""Whoever was asked said no: as Ctrl-C, since nothing was done."""

_STATUSES: tuple[tuple[type[errors.CrmError], int, str], ...] = (
    (errors.ConfigurationError, USAGE, "not configured"),
    (errors.UnsupportedOperationError, USAGE, "not documented in this dialect"),
    (errors.NotFoundError, NOT_FOUND, "not found"),
    (errors.AuthenticationError, AUTH, "not signed in"),
    (errors.PermissionDeniedError, AUTH, "not allowed"),
    (errors.InvalidInputError, INVALID, "not valid"),
    (errors.ValidationError, INVALID, "not valid"),
    (errors.BadRequestError, INVALID, "not valid"),
    (errors.ConflictError, INVALID, "conflict"),
    (errors.RateLimitError, RATE_LIMITED, "rate limited"),
    (errors.AiServiceError, SERVER, "the AI failed"),
    (errors.ServerError, SERVER, "the server failed"),
    (errors.WebhookError, INVALID, "not genuine"),
    (errors.InvalidResponseError, SERVER, "the answer cannot be read"),
    (errors.JobFailedError, SERVER, "the job failed"),
    (errors.BulkFailedError, PARTIAL, "part of it failed"),
    (errors.PushRefusedError, INVALID, "refused"),
    (errors.ConnectionFailedError, NETWORK, "no connection"),
    (errors.DeadlineExceededError, NETWORK, "no answer in time"),
    (errors.NetworkError, NETWORK, "no answer"),
    (errors.ApiError, INVALID, "refused"),
)
_OPTIONS: Mapping[str, str] = {
    "base_url": "--base-url",
    "api_key": "--api-key",
    "tenant_id": "--tenant",
    "timeout": "--timeout",
}
"""What the SDK's arguments are typed as, for messages about them."""
_OURS = ("", "crm_cli", "crm_sdk", "server_stub")


CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""What could steer a terminal: C0 but for line feed and tab, C1, bidi marks and overrides. Joiners are text."""


class MisuseError(Exception):
    """The command line cannot be understood; the message tells what is expected."""


def status_of(error: errors.CrmError) -> int:
    """Return the exit status an error of the SDK means."""
    return status_of_class(type(error))


def status_of_class(found: type[errors.CrmError]) -> int:
    """Return the exit status a class of errors means."""
    return next((status for kind, status, _ in _STATUSES if issubclass(found, kind)), 1)


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


def complain(line: str) -> None:
    """Print one line on stderr."""
    print(visible(line), file=sys.stderr)


def run_guarded(
    action: Callable[[], int | None], *, debug: bool, secrets: Collection[str], flags: Mapping[str, str]
) -> int:
    """Run a command; returns its exit status. `flags` maps members to how they are typed."""
    with noting_interruptions():
        try:
            status = action()
            sys.stdout.flush()
        except BrokenPipeError:
            discard_output()
            return READER_GONE
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, KeyboardInterrupt) or interrupted():
                complain("interrupted")
                return 130
            if debug:
                _trace(secrets)
            return _report(error, secrets, flags)
        return status or 0


def _report(error: Exception, secrets: Collection[str], flags: Mapping[str, str]) -> int:
    if isinstance(error, MisuseError):
        complain(f"error: {error}")
        return USAGE
    if isinstance(error, errors.CrmError):
        for line in _lines(error, flags):
            complain(_conceal(line, secrets))
        return status_of(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        complain(f"error: {where}{error.strerror or error}")
        return USAGE
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] not in _OURS:
        # The stub imports optional packages when a rule first needs them.
        complain(f"error: {error.name} is not installed: pip install 'crm-sdk[stub]' brings what --offline needs")
        return USAGE
    complain(
        _conceal(f"error: {type(error).__name__}: {error} (a fault of this program; --debug shows where)", secrets)
    )
    return 1


def _lines(error: errors.CrmError, flags: Mapping[str, str]) -> list[str]:
    text = str(error)
    fields = error.fields if isinstance(error, (errors.InvalidInputError, errors.ApiError)) else ()
    if isinstance(error, errors.InvalidInputError) and fields:
        text = text.partition(":")[0] + ": not valid, nothing was sent"
    if isinstance(error, errors.ConfigurationError):
        for name, flag in _OPTIONS.items():
            text = re.sub(rf"\b{name}\b=?", flag, text)
    if isinstance(error, errors.UnsupportedOperationError):
        for dialect in error.dialects:
            text = text.replace(f"dialects={dialect!r}", f"--dialect {dialect}")
    if isinstance(error, errors.InvalidResponseError):
        text = text.replace("dialects= ", "--dialect ")
    if isinstance(error, errors.ConfigurationError):
        text = text.replace("allow_http=True (CRM_ALLOW_HTTP=1)", "set CRM_ALLOW_HTTP=1")
    if isinstance(error, errors.AuthenticationError) and error.operation != "auth.login":
        text += "; sign in with `crm login`, or set CRM_API_KEY"
    if isinstance(error, errors.RateLimitError) and error.retry_after is not None:
        text += f"; try again in {error.retry_after:g} s"
    return ["error: " + " ".join(text.split()), *(f"  {_as_typed(field, flags)}: {field.message}" for field in fields)]


def _as_typed(field: errors.FieldError, flags: Mapping[str, str]) -> str:
    head, dot, rest = field.field.partition(".")
    return flags.get(head, head) + (f" {rest}" if dot else "")


def _conceal(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _trace(secrets: Collection[str]) -> None:
    import traceback

    complain(_conceal(traceback.format_exc().rstrip(), secrets))
