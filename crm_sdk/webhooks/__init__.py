"""Webhooks: verify deliveries, read their events, and process each delivery once.

`verify` checks a body against the documented signature; `parse` checks a whole delivery and returns its typed event;
`sign` returns the headers that sign a body, `embed` a body with the member ``signature``. `Webhooks` is a receiver with
handlers, which the modules `asgi`, `flask` and `django` connect to a framework; with a store it processes each delivery
once across processes.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for true; signing and verifying do not load the models
if TYPE_CHECKING:
    from ..errors import WebhookError as WebhookError
    from ..errors import WebhookPayloadError as WebhookPayloadError
    from ..errors import WebhookSignatureError as WebhookSignatureError
    from ..errors import WebhookTimestampError as WebhookTimestampError
    from ..models.events import AgentCompleted as AgentCompleted
    from ..models.events import Event as Event
    from ..models.events import IntegrationError as IntegrationError
    from ..models.events import LeadCreated as LeadCreated
    from ..models.events import LeadUpdated as LeadUpdated
    from ..models.events import MessageReceived as MessageReceived
    from ..models.events import UnknownEvent as UnknownEvent
    from .delivery import parse as parse
    from .receiver import Outcome as Outcome
    from .receiver import Webhooks as Webhooks
    from .signing import embed as embed
    from .signing import sign as sign
    from .signing import verify as verify
    from .stores import EventStore as EventStore
    from .stores import MemoryEventStore as MemoryEventStore
    from .stores import RedisEventStore as RedisEventStore
    from .stores import SqliteEventStore as SqliteEventStore

_HOMES = {
    "..errors": ("WebhookError", "WebhookPayloadError", "WebhookSignatureError", "WebhookTimestampError"),
    "..models.events": (
        "AgentCompleted",
        "Event",
        "IntegrationError",
        "LeadCreated",
        "LeadUpdated",
        "MessageReceived",
        "UnknownEvent",
    ),
    ".delivery": ("parse",),
    ".receiver": ("Outcome", "Webhooks"),
    ".signing": ("embed", "sign", "verify"),
    ".stores": ("EventStore", "MemoryEventStore", "RedisEventStore", "SqliteEventStore"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AgentCompleted",
    "Event",
    "EventStore",
    "IntegrationError",
    "LeadCreated",
    "LeadUpdated",
    "MemoryEventStore",
    "MessageReceived",
    "Outcome",
    "RedisEventStore",
    "SqliteEventStore",
    "UnknownEvent",
    "WebhookError",
    "WebhookPayloadError",
    "WebhookSignatureError",
    "WebhookTimestampError",
    "Webhooks",
    "embed",
    "parse",
    "sign",
    "verify",
]


if not TYPE_CHECKING:  # or else type checkers would take a misspelt name for one that is found at run time

    def __getattr__(name):
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name], __name__), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
