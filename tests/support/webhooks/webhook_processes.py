"""What tests run in processes of their own: a spawned process finds modules of this folder, but not those of tests."""

from __future__ import annotations

import json
import os

from webhook_corpus import SECRET, documented
from webhook_receiving import receive

from crm_sdk.webhooks import LeadCreated, SqliteEventStore, Webhooks


def deliver_many(path: str, log: str, ids: list[str]) -> None:
    hooks = Webhooks(SECRET, store=SqliteEventStore(path))

    @hooks.on("lead.created")
    def created(event: LeadCreated) -> None:
        handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{event.id}\n".encode())
        os.close(handle)

    for id in ids:
        body = json.dumps({"event": "lead.created", "id": id, "data": {"id": "x", "name": "n"}}).encode()
        outcome = receive(hooks, documented(body), body)
        assert outcome.status in (200, 503), outcome
    hooks.store.close()  # type: ignore[attr-defined] # it is the SQLite one


def die_of_it(path: str) -> None:
    hooks = Webhooks(SECRET, store=SqliteEventStore(path))
    hooks.on("lead.created")(lambda event: os._exit(9))
    receive(hooks)
