"""Forward events to a URL, signed as the server signs them, and remember the position.

An event is posted until the URL answers; one that the URL refuses is tried a few times and then skipped. The position
is stored after each event, so that none is lost between two runs: an interrupted one is posted again, with the same
``webhook-id``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from crm_sdk import Cursor
from crm_sdk.webhooks import embed, sign
from crm_sdk.wire import encode_json

from ...failures import complain
from ...folders import data_folder, write_whole
from ...settings import Settings
from ..tail import next_event

TRIES = 3
"""The number of times that a refused event is posted."""
_WAITS = (1.0, 2.0, 5.0, 10.0)


class Source(Protocol):
    """The source of events: a stream of ``client.events.listen``."""

    @property
    def cursor(self) -> object:
        """The position after the last event that was read."""
        ...

    def __next__(self) -> Any:
        """Return the next event."""
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """The result of posting an event once."""

    status: int | None
    error: str | None
    seconds: float

    @property
    def taken(self) -> bool:
        """Whether the URL has accepted it."""
        return self.status is not None and 200 <= self.status < 300

    def __str__(self) -> str:
        return f"{self.status if self.status is not None else self.error} ({self.seconds * 1000:.0f} ms)"


class Bookmark:
    """The file with the position up to which the events of a company were forwarded to a URL."""

    def __init__(self, settings: Settings, forward_to: str | None) -> None:
        company = settings.tenant or hashlib.sha256((settings.api_key or "").encode()).hexdigest()
        whole = "\n".join((settings.base_url or "", company, forward_to or ""))
        self.path = Path(data_folder()) / "webhooks" / f"{hashlib.sha256(whole.encode()).hexdigest()[:16]}.json"
        self._about = {"server": settings.base_url, "forwardTo": forward_to}

    def read(self) -> str | None:
        """Return the cursor; None where there is none yet, or it cannot be read, which is reported."""
        try:
            found: Any = json.loads(self.path.read_text(encoding="utf-8"))
            return str(Cursor.parse(found["cursor"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            complain(f"{self.path} does not say where the last run ended; beginning with what happens next")
            return None

    def write(self, cursor: object) -> None:
        """Store a cursor."""
        if cursor is not None:
            write_whole(str(self.path), (json.dumps({**self._about, "cursor": str(cursor)}, indent=2) + "\n").encode())


class Forwarder:
    """Posts signed events to a URL."""

    def __init__(
        self, url: str, secret: str, *, timeout: float = 15.0, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        import httpx  # imported here: most commands post nothing

        self._url = url
        self._secret = secret
        self._sleep = sleep
        self._failures = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)  # UnicodeError: not a valid host name
        self._client = httpx.Client(timeout=timeout, trust_env=False)

    def post(self, payload: Mapping[str, Any], id: str | None) -> Posted:
        """Post an event once."""
        body = embed(encode_json(payload), self._secret)
        headers = {"Content-Type": "application/json", **sign(body, self._secret, id=id)}
        began = time.perf_counter()
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except self._failures as error:
            return Posted(None, str(error) or type(error).__name__, time.perf_counter() - began)
        return Posted(answer.status_code, None, time.perf_counter() - began)

    def forward(self, payload: Mapping[str, Any], id: str | None) -> Posted:
        """Post an event until the URL answers, and a few times until it accepts."""
        unheard = refused = 0
        while True:
            posted = self.post(payload, id)
            if posted.status is None:
                if not unheard:
                    complain(f"{self._url} does not answer ({posted.error}); trying until it does")
                unheard += 1
            else:
                refused += 1
                if posted.taken or refused == TRIES:
                    return posted
            self._sleep(_WAITS[min(unheard + refused, len(_WAITS)) - 1])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def follow(
    source: Source, bookmark: Bookmark, forwarder: Forwarder | None, take: Callable[[], Any] | None = None
) -> Generator[tuple[Any, Posted | None]]:
    """Forward each event of a source and store its position; yield it with the result.

    `take` returns the next event, or None at the end, where it is not the source that ends.
    """
    bookmark.write(source.cursor)
    while True:
        try:
            event = next_event(take or source.__next__)
        except StopIteration:
            return
        if event is None:
            return
        posted = forwarder.forward(payload_of(event), event.id) if forwarder is not None else None
        bookmark.write(source.cursor)
        yield event, posted


def payload_of(event: Any) -> dict[str, Any]:
    """Return an event of the feed in the form of a webhook's body."""
    data = event.data.model_dump(by_alias=True, exclude_unset=True) if hasattr(event.data, "model_dump") else event.data
    return {"event": event.type, "data": data, "timestamp": event.timestamp}
