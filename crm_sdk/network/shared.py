"""What a client shares with its views: the link to the server, and what was found out about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..discovery import Finding
from ..exchange import Clock, Habits


class Shared:
    """The parts that a client shares with its `with_options` views."""

    def __init__(self, link: Any, clock: Clock, finding: Finding) -> None:
        self.link = link
        self.clock = clock
        self.habits: Habits = Habits()
        self.finding = finding


def is_link(http_client: Any) -> bool:
    """Return whether `http_client` is a link, such as the stub's: it takes our requests itself, without httpx."""
    return getattr(http_client, "is_link", False) is True


def environment_for(http_client: Any) -> Mapping[str, str]:
    """Return where a client finds what it is not given: nowhere for a link, as the variables name another server."""
    return {} if is_link(http_client) else os.environ
