"""The rules of deliveries: list, get and redeliver them, and notify administrators of a disabled endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from crm_sdk.resources.webhooks import Deliveries

from ...data.document import Document
from ...problems import missing
from ...serving import Context, Members, reacts, serves
from ...webhooks.records import DELIVERY, ENDPOINT, write
from .. import company
from ..notifications import notify
from .records import WEBHOOKS, require_active


@serves(Deliveries.list)
def list_(call: Context, webhook_id: str, status: str | None, event: str | None) -> Sequence[Document]:
    """Return the deliveries to an endpoint, newest first."""
    WEBHOOKS.find_one(call, webhook_id)
    docs = call.collection(DELIVERY).find("webhook_id", webhook_id)
    return [doc for doc in reversed(docs) if status in (None, doc["status"]) and event in (None, doc["event"])]


@serves(Deliveries.get)
def get(call: Context, delivery_id: str) -> Document:
    """Return one delivery."""
    return call.record(DELIVERY, delivery_id)


@serves(Deliveries.redeliver)
def redeliver(call: Context, delivery_id: str) -> Document:
    """Write another delivery of the same event."""
    doc = call.record(DELIVERY, delivery_id)
    endpoint = call.collection(ENDPOINT).get(doc["webhook_id"])
    if endpoint is None:
        raise missing("endpoint", doc["webhook_id"])
    require_active(endpoint)
    return write(call, endpoint, doc["event"], doc["event_id"], None, redelivery=doc)


@reacts("webhook.disabled")
def tell_administrators(call: Context, entry: Members) -> None:
    """Notify every administrator that an endpoint was disabled."""
    endpoint = call.collection(ENDPOINT).get(entry["entity"]["id"])
    if endpoint is None:
        return
    reason, failures = entry["reason"], endpoint["consecutive_failures"]
    why = "it answered 410 Gone" if reason == "gone" else f"{failures} attempts in a row have failed"
    for user in company.users_with(call, "admin"):
        if user.get("status") != "inactive":
            notify(
                call,
                user["id"],
                "system",
                "Webhook disabled",
                f"Nothing is posted to {endpoint['url']} any more: {why}.",
                priority="high",
                data={"webhookId": endpoint["id"], "reason": reason},
            )
