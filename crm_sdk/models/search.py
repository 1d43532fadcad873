"""The results of a search over all kinds of records."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from ..wire import wire
from .activities import CalendarEvent
from .contacts import Contact
from .deals import Deal
from .messages import Message
from .record import Model
from .values import EMPTY

SearchType: TypeAlias = Literal["all", "contacts", "deals", "messages", "events"] | str


@wire(flow="contacts deals messages events")
class SearchResults(Model):
    """The records that were found, by kind."""

    contacts: list[Contact] = Field(default_factory=EMPTY)
    """Contacts that were found."""
    deals: list[Deal] = Field(default_factory=EMPTY)
    """Deals that were found."""
    messages: list[Message] = Field(default_factory=EMPTY)
    """Messages that were found."""
    events: list[CalendarEvent] = Field(default_factory=EMPTY)
    """Calendar events that were found."""
