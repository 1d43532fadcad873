"""A typed client of the CRM platform: ``from crm_sdk import CrmClient``.

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

from ._version import __version__

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` for it would take half of the import's time

if TYPE_CHECKING:
    from . import models as models
    from .client import AsyncCrmClient as AsyncCrmClient
    from .client import CrmClient as CrmClient
    from .errors import AiServiceError as AiServiceError
    from .errors import ApiError as ApiError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import BadRequestError as BadRequestError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConflictError as ConflictError
    from .errors import ConnectionFailedError as ConnectionFailedError
    from .errors import CrmError as CrmError
    from .errors import DeadlineExceededError as DeadlineExceededError
    from .errors import EventGap as EventGap
    from .errors import FieldError as FieldError
    from .errors import InvalidEventError as InvalidEventError
    from .errors import InvalidInputError as InvalidInputError
    from .errors import InvalidResponseError as InvalidResponseError
    from .errors import JobFailedError as JobFailedError
    from .errors import NetworkError as NetworkError
    from .errors import NotFoundError as NotFoundError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import PushRefusedError as PushRefusedError
    from .errors import RateLimitError as RateLimitError
    from .errors import ServerError as ServerError
    from .errors import UnsupportedOperationError as UnsupportedOperationError
    from .errors import ValidationError as ValidationError
    from .errors import WebhookError as WebhookError
    from .errors import WebhookPayloadError as WebhookPayloadError
    from .errors import WebhookSignatureError as WebhookSignatureError
    from .errors import WebhookTimestampError as WebhookTimestampError
    from .models.jobs import AsyncJob as AsyncJob
    from .models.jobs import Job as Job
    from .paging import AsyncPage as AsyncPage
    from .paging import AsyncPages as AsyncPages
    from .paging import Page as Page
    from .raw import RawReply as RawReply
    from .realtime.channel import AsyncChannel as AsyncChannel
    from .realtime.channel import Channel as Channel
    from .realtime.position import Cursor as Cursor
    from .realtime.stream import AsyncStream as AsyncStream
    from .realtime.stream import Stream as Stream
    from .transfer import AsyncDownload as AsyncDownload
    from .transfer import Download as Download

_HOMES = {
    "client": ("AsyncCrmClient", "CrmClient"),
    "errors": (
        "AiServiceError",
        "ApiError",
        "AuthenticationError",
        "BadRequestError",
        "ConfigurationError",
        "ConflictError",
        "ConnectionFailedError",
        "CrmError",
        "DeadlineExceededError",
        "EventGap",
        "FieldError",
        "InvalidEventError",
        "InvalidInputError",
        "InvalidResponseError",
        "JobFailedError",
        "NetworkError",
        "NotFoundError",
        "PermissionDeniedError",
        "PushRefusedError",
        "RateLimitError",
        "ServerError",
        "UnsupportedOperationError",
        "ValidationError",
        "WebhookError",
        "WebhookPayloadError",
        "WebhookSignatureError",
        "WebhookTimestampError",
    ),
    "models.jobs": ("AsyncJob", "Job"),
    "paging": ("AsyncPage", "AsyncPages", "Page"),
    "raw": ("RawReply",),
    "realtime.channel": ("AsyncChannel", "Channel"),
    "realtime.position": ("Cursor",),
    "realtime.stream": ("AsyncStream", "Stream"),
    "transfer": ("AsyncDownload", "Download"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AiServiceError",
    "ApiError",
    "AsyncChannel",
    "AsyncCrmClient",
    "AsyncDownload",
    "AsyncJob",
    "AsyncPage",
    "AsyncPages",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "Channel",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CrmClient",
    "CrmError",
    "Cursor",
    "DeadlineExceededError",
    "Download",
    "EventGap",
    "FieldError",
    "InvalidEventError",
    "InvalidInputError",
    "InvalidResponseError",
    "Job",
    "JobFailedError",
    "NetworkError",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "PushRefusedError",
    "RateLimitError",
    "RawReply",
    "ServerError",
    "Stream",
    "UnsupportedOperationError",
    "ValidationError",
    "WebhookError",
    "WebhookPayloadError",
    "WebhookSignatureError",
    "WebhookTimestampError",
    "__version__",
    "models",
]


if not TYPE_CHECKING:  # or else type checkers would take a misspelt name for one that is found at run time

    def __getattr__(name):
        if name == "models":
            return import_module(".models", __name__)
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{_HOME[name]}", __name__), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
