"""What receives the webhooks of a stub in its tests, and the one delivery of an endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from crm_sdk import CrmClient
from crm_sdk.models import WebhookDelivery, WebhookEndpoint

URL = "https://app.test/hook"


class Receiver:
    """What receives webhooks; it gives the answers in order, the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers) or [200]
        self.got: list[tuple[Mapping[str, str], bytes]] = []
        self.arrived = threading.Event()

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Any:
        self.got.append((headers, body))
        self.arrived.set()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def names(self) -> list[str]:
        return [json.loads(body)["data"]["name"] for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


def only(client: CrmClient, endpoint: WebhookEndpoint) -> WebhookDelivery:
    (found,) = client.webhooks.deliveries.list(endpoint.id)
    return found
