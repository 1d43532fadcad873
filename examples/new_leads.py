"""Greet each lead that arrives, also those that arrived while nothing ran; here the stub is the server.

With another server leave out the stub, and keep the cursor in a file or beside what is made of an event.
"""

from __future__ import annotations

import threading

from crm_sdk import CrmClient
from crm_sdk.models import LeadCreated
from server_stub import StubServer


def greet(client: CrmClient, since: str | None, count: int) -> str:
    """Greet so many leads; return where to go on."""
    with client.events.listen(types=["lead.created"], since=since) as stream:
        for event in stream:
            if isinstance(event, LeadCreated):
                print(f"Welcome, {event.data.name}!", flush=True)
            count -= 1
            if not count:
                break
        return str(stream.cursor)


def arrive(client: CrmClient, *names: str) -> None:
    """Let leads arrive."""
    for name in names:
        client.leads.create({"name": name})


if __name__ == "__main__":
    stub = StubServer()
    with stub.client() as client, stub.client() as somebody_else:
        arriving = threading.Timer(0.1, arrive, (somebody_else, "Ada", "Bob"))
        arriving.start()
        place = greet(client, None, 2)
        arriving.join()
        arrive(somebody_else, "Cyd")  # nobody listens
        greet(client, place, 1)
