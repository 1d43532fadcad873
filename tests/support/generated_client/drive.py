"""Makes calls with the client that openapi-python-client generated: what it sees goes to stdout, as JSON.

Runs in the environment of that client, which has nothing of ours.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def main(folder: str, url: str, noun: str, kind: str) -> None:
    sys.path.insert(0, folder)
    client: Any = import_module("generated.client").AuthenticatedClient(
        base_url=url, token="acme-admin", raise_on_unexpected_status=True
    )
    models: Any = import_module("generated.models")
    create, fetch, listed = (import_module(f"generated.api.{noun}.{noun}_{name}") for name in ("create", "get", "list"))
    new: Any = getattr(models, f"{kind}Create")
    created = create.sync_detailed(client=client, body=new(name="Grace Hopper", email="grace@example.com"))
    made = getattr(created.parsed, "data", created.parsed)  # the platform answers in an envelope
    got = fetch.sync(made.id, client=client)
    page = listed.sync(client=client)
    missing = fetch.sync_detailed("nobody", client=client)
    wrong = create.sync_detailed(client=client, body=new(name=" "))
    saw = {
        "created": [int(created.status_code), made.name, made.email],
        "got": [getattr(got, "data", got).id == made.id, type(getattr(got, "data", got)).__name__],
        "listed": [type(record).__name__ for record in records(page, noun)],
        "refused": [
            [int(each.status_code), type(each.parsed).__name__, codes(each.parsed)] for each in (missing, wrong)
        ],
    }
    sys.stdout.write(json.dumps(saw))


def records(page: Any, noun: str) -> list[Any]:
    """Return the records of a list, in whatever the dialect wraps them."""
    found: list[Any] = page if isinstance(page, list) else getattr(page, "data", None) or getattr(page, noun)
    return found[:5]


def codes(failure: Any) -> list[str]:
    return [error.code for error in getattr(failure, "errors", None) or [failure.error]]


if __name__ == "__main__":
    main(*sys.argv[1:])
