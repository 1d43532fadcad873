"""The changes that trigger events, with values that can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from ...failures import MisuseError
from ...tree.near import refusal

if TYPE_CHECKING:
    from crm_sdk import CrmClient

Values: TypeAlias = dict[str, Any]
Cause: TypeAlias = Callable[["CrmClient", Values], Any]


def _first(client: CrmClient, noun: str, values: Values) -> str:
    """Return the chosen id, else that of the newest record."""
    chosen = values.pop("id", None)
    if chosen is not None:
        return str(chosen)
    found = next(iter(getattr(client, noun).list()), None)
    if found is None:
        raise MisuseError(f"there are no {noun} yet: trigger their creation first")
    return str(found.id)


def _lead_created(client: CrmClient, values: Values) -> Any:
    made: Any = {"name": "Jane Doe", "source": "website"} | values
    return client.leads.create(made)


def _lead_updated(client: CrmClient, values: Values) -> Any:
    id = _first(client, "leads", values)
    changes: Any = values or {"notes": " ".join([*client.leads.get(id).notes, "triggered"])}
    return client.leads.update(id, changes)


def _lead_deleted(client: CrmClient, values: Values) -> Any:
    id = str(values.pop("id", None) or _lead_created(client, values).id)
    client.leads.delete(id)
    return {"id": id}


def _lead_converted(client: CrmClient, values: Values) -> Any:
    id = str(values.pop("id", None) or _lead_created(client, {"email": "jane@example.com", "company": "Example"}).id)
    client.leads.qualify(id)
    return client.leads.convert(id, **values)


def _contact_created(client: CrmClient, values: Values) -> Any:
    made: Any = {"name": "Jane Doe"} | values
    return client.contacts.create(made)


def _contact_updated(client: CrmClient, values: Values) -> Any:
    id = _first(client, "contacts", values)
    changes: Any = values or {"title": f"{client.contacts.get(id).title or ''} triggered".strip()}
    return client.contacts.update(id, changes)


def _contact_deleted(client: CrmClient, values: Values) -> Any:
    id = str(values.pop("id", None) or _contact_created(client, values).id)
    client.contacts.delete(id)
    return {"id": id}


def _message(sender: str) -> Cause:
    def write(client: CrmClient, values: Values) -> Any:
        lead = values.pop("lead_id", None) or _first(client, "leads", {})
        made: Any = {"lead_id": lead, "content": "Can you send me a quote?", "sender": sender} | values
        return client.messages.create(made)

    return write


def _agent_completed(client: CrmClient, values: Values) -> Any:
    agent = values.pop("id", None)
    if agent is None:
        agent = next((found.id for found in client.agents.list() if found.status != "inactive"), None)
    if agent is None:
        raise MisuseError("there is no agent that is switched on")
    request: Any = {"input": "Qualify this lead", "context": {"leadId": _first(client, "leads", {})}} | values
    return client.agents.execute(agent, request)


def _deal_created(client: CrmClient, values: Values) -> Any:
    made: Any = {"title": "A deal", "value": 1000} | values
    return client.deals.create(made)


def _deal_updated(client: CrmClient, values: Values) -> Any:
    id = _first(client, "deals", values)
    changes: Any = values or {"value": (client.deals.get(id).value or 0) + 1}
    return client.deals.update(id, changes)


def _deal_moved(stage: str) -> Cause:
    def move(client: CrmClient, values: Values) -> Any:
        to, id = str(values.pop("stage", stage)), values.pop("id", None)
        return client.deals.move_stage(str(id or _deal_created(client, values).id), to)

    return move


def _event_created(client: CrmClient, values: Values) -> Any:
    from datetime import UTC, datetime

    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    made: Any = {"title": "A meeting", "start_time": start, "end_time": start + timedelta(hours=1)} | values
    return client.calendar.events.create(made)


def _integration_error(client: CrmClient, values: Values) -> Any:
    from crm_sdk.errors import ValidationError

    id = _first(client, "integrations", values)
    wrong: Any = dict.fromkeys(("api_key", "access_token", "username", "password", "host"), "invalid")
    try:
        return client.integrations.connect(id, credentials=wrong | {"webhook_url": "https://invalid.example"} | values)
    except ValidationError as error:
        return {"id": id, "code": error.code, "message": error.message}


CAUSES: Mapping[str, Cause] = {
    "agent.completed": _agent_completed,
    "contact.created": _contact_created,
    "contact.deleted": _contact_deleted,
    "contact.updated": _contact_updated,
    "deal.created": _deal_created,
    "deal.lost": _deal_moved("closed-lost"),
    "deal.stage_changed": _deal_moved("proposal"),
    "deal.updated": _deal_updated,
    "deal.won": _deal_moved("closed-won"),
    "event.created": _event_created,
    "integration.error": _integration_error,
    "lead.converted": _lead_converted,
    "lead.created": _lead_created,
    "lead.deleted": _lead_deleted,
    "lead.updated": _lead_updated,
    "message.received": _message("lead"),
    "message.sent": _message("agent"),
}
"""The function that causes each event that can be triggered."""


def cause_of(event: str) -> Cause:
    """Return the function that causes an event.

    Raises: MisuseError for an event that cannot be triggered.
    """
    if event not in CAUSES:
        raise refusal(f"{event} cannot be triggered", event, CAUSES)
    return CAUSES[event]
