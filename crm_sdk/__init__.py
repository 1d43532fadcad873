"""A typed client of the CRM platform: ``from crm_sdk import CrmClient``.

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

from ._version import __version__

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` for it would take half of the import's time

# fmt: off
# isort: off
# Written by `make docs`: begin
if TYPE_CHECKING:
    from . import models as models
    from .client import AsyncCrmClient as AsyncCrmClient, CrmClient as CrmClient
    from .errors import (
        AiServiceError as AiServiceError, ApiError as ApiError, AuthenticationError as AuthenticationError,
        BadRequestError as BadRequestError, BulkFailedError as BulkFailedError,
        ConfigurationError as ConfigurationError, ConflictError as ConflictError,
        ConnectionFailedError as ConnectionFailedError, CrmError as CrmError,
        DeadlineExceededError as DeadlineExceededError, EventGap as EventGap, FieldError as FieldError,
        InvalidEventError as InvalidEventError, InvalidInputError as InvalidInputError,
        InvalidResponseError as InvalidResponseError, JobFailedError as JobFailedError, NetworkError as NetworkError,
        NotFoundError as NotFoundError, PermissionDeniedError as PermissionDeniedError,
        PushRefusedError as PushRefusedError, RateLimitError as RateLimitError, ServerError as ServerError,
        UnsupportedOperationError as UnsupportedOperationError, ValidationError as ValidationError,
        WebhookError as WebhookError, WebhookPayloadError as WebhookPayloadError,
        WebhookSignatureError as WebhookSignatureError, WebhookTimestampError as WebhookTimestampError,
    )
    from .models.jobs import AsyncJob as AsyncJob, Job as Job
    from .paging import AsyncPage as AsyncPage, AsyncPages as AsyncPages, Page as Page
    from .raw import RawReply as RawReply
    from .realtime.channel import AsyncChannel as AsyncChannel, Channel as Channel
    from .realtime.position import Cursor as Cursor
    from .realtime.stream import AsyncStream as AsyncStream, Stream as Stream
    from .network.downloads import AsyncDownload as AsyncDownload, Download as Download

_NAMES = {
    "client": "AsyncCrmClient CrmClient",
    "errors": (
        "AiServiceError ApiError AuthenticationError BadRequestError BulkFailedError ConfigurationError "
        "ConflictError ConnectionFailedError CrmError DeadlineExceededError EventGap FieldError InvalidEventError "
        "InvalidInputError InvalidResponseError JobFailedError NetworkError NotFoundError PermissionDeniedError "
        "PushRefusedError RateLimitError ServerError UnsupportedOperationError ValidationError WebhookError "
        "WebhookPayloadError WebhookSignatureError WebhookTimestampError"
    ),
    "models.jobs": "AsyncJob Job",
    "paging": "AsyncPage AsyncPages Page",
    "raw": "RawReply",
    "realtime.channel": "AsyncChannel Channel",
    "realtime.position": "Cursor",
    "realtime.stream": "AsyncStream Stream",
    "network.downloads": "AsyncDownload Download",
}

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
    "BulkFailedError",
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
# Written by `make docs`: end
# isort: on
# fmt: on

_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}


if not TYPE_CHECKING:  # or else type checkers would take a misspelt name for one that is found at run time

    def __getattr__(name):
        from .frozen import real_dates

        if name != "models" and name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        with real_dates():
            if name == "models":
                return import_module(".models", __name__)
            value = globals()[name] = getattr(import_module(f".{_HOME[name]}", __name__), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
