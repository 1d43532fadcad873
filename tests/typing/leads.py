"""What type checkers see of a call: checked by mypy and pyright, never run."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, assert_type

from crm_sdk import (
    AsyncCrmClient,
    AsyncDownload,
    AsyncJob,
    AsyncPage,
    CrmClient,
    Download,
    Job,
    Page,
)
from crm_sdk.models import (
    Contact,
    ContactRelationship,
    ImportResult,
    Lead,
    LeadConversion,
    LeadScore,
    LoginResult,
    User,
)


def sync_results(client: CrmClient) -> None:
    assert_type(client.leads.get("lead_1"), Lead)
    assert_type(client.leads.list(status="new", limit=10), Page[Lead])
    assert_type(client.leads.get_all(status="new", limit=10), Page[Lead])
    assert_type(client.leads.convert("lead_1", create_deal=False), LeadConversion)
    assert_type(
        client.contacts.relationships.create("a", {"related_contact_id": "b", "type": "manages"}), ContactRelationship
    )
    assert_type(client.contacts.imports.create("people.csv"), Job[ImportResult])
    assert_type(client.contacts.imports.create("people.csv").wait(), ImportResult)
    assert_type(client.contacts.export(format="csv"), Download)
    assert_type(client.auth.login("ada@acme.test", "demo-password"), LoginResult)
    assert_type(client.auth.me(), User)
    client.leads.delete("lead_1")
    assert_type(client.leads.list(search="ada", order="desc", sort="name", page=2), Page[Lead])
    assert_type(client.leads.scoring_history("lead_1", order="asc", limit=5), Page[LeadScore])
    for lead in client.leads.list():
        assert_type(lead, Lead)
        assert_type(lead.value, Decimal | None)
        assert_type(lead.status, Literal["new", "contacted", "qualified", "unqualified", "converted"] | str)
    with client.with_options(timeout=5) as view:
        assert_type(view, CrmClient)


async def async_results(client: AsyncCrmClient) -> None:
    assert_type(await client.leads.get("lead_1"), Lead)
    assert_type(await client.leads.list(), AsyncPage[Lead])
    assert_type(await client.contacts.imports.create("people.csv"), AsyncJob[ImportResult])
    assert_type(await (await client.contacts.imports.create("people.csv")).wait(), ImportResult)
    assert_type(await client.contacts.export(format="csv"), AsyncDownload)
    async for lead in client.leads.list():
        assert_type(lead, Lead)
    async for contact in await client.contacts.list(search="ada"):
        assert_type(contact, Contact)


def inputs(client: CrmClient, ids: Sequence[str], extra: dict[str, Any]) -> None:
    client.leads.create({"name": "John Doe", "email": "john@example.com", "source": "api"})
    client.leads.create({"name": "John Doe", "value": Decimal("19.99"), "notes": "one note"})
    client.leads.create({"name": "John Doe", "value": 5000, "notes": ["one", "two"]})
    client.leads.bulk_qualify(ids, atomic=True)
    client.agents.execute("agent_123", {"input": "Qualify this lead", "context": {"lead_id": "lead_456"}})
    client.agents.execute("agent_123", {"input": {"message": "hello", **extra}})
