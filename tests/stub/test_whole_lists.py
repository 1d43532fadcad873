"""Every list to its end: what is there comes once each, however long the list is, by pages and by offsets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from inspect import Parameter
from typing import Any, Literal, get_args, get_origin

import pytest
from jsonapi_rules import MEDIA, check, plain_of, without_names

from crm_sdk import CrmClient, InvalidInputError, ValidationError
from crm_sdk.catalogue import declared_operations
from crm_sdk.dialects import DIALECTS
from server_stub import StubServer
from server_stub.data.collection import Collection
from server_stub.data.document import Document
from server_stub.data.store import EVERY_COMPANY
from server_stub.jsonapi.forms import forms
from server_stub.request.http import Request

ACME, MANY = "tenant_acme", 120
LISTS = [(each, dialect) for each in declared_operations() if each.kind == "page" for dialect in each.routes]
PAGED = [
    (each, dialect)
    for each, dialect in LISTS
    if "offset" in each.signature.parameters and each.routes[dialect].has("offset")
]
UNIQUE = ("email", "secondary_emails", "external_id", "domain")
"""What no two records may have the same: a copy has none."""
RULE: Any = {"name": "x", "trigger": {"event": "deal_won"}, "actions": [{"type": "add_tag", "tag": "won"}]}
FIRST: dict[str, Callable[[CrmClient, str], object]] = {
    "auth.sessions.list": lambda crm, _: crm.auth.login("ada@acme.test", "demo-password"),
    "audit.logs.list": lambda crm, _: crm.leads.create({"name": "Somebody"}),
    "audit.logs.search": lambda crm, _: crm.leads.create({"name": "Somebody"}),
    "backups.list": lambda crm, _: crm.backups.create(include=["configuration"]).wait(),
    "collaboration.feed.filter": lambda crm, _: crm.leads.create({"name": "Somebody"}),
    "collaboration.feed.list": lambda crm, _: crm.leads.create({"name": "Somebody"}),
    "collaboration.feed.user": lambda crm, _: crm.leads.create({"name": "Somebody"}),
    "collaboration.notifications.list": lambda crm, _: mention_admin(crm),
    "leads.scoring_history": lambda crm, lead_id: crm.leads.score(lead_id, score=70, reason="met"),
    "messages.list": lambda crm, lead_id: crm.messages.create({"lead_id": lead_id, "content": "Hello"}),
    "notifications.subscriptions.list": lambda crm, _: crm.notifications.unsubscribe(address="ada@example.com"),
    "objects.deleted.list": lambda crm, entity: crm.contacts.delete(crm.contacts.list().items[0].id),
    "pipelines.automation.list": lambda crm, pipeline_id: crm.pipelines.automation.create(pipeline_id, RULE),
    "search.accounts": lambda crm, _: crm.accounts.create({"name": "Invoices"}),
    "search.activities": lambda crm, _: crm.activities.tasks.create({"title": "Invoices"}),
    "search.contacts": lambda crm, _: crm.contacts.create({"name": "Invoices"}),
    "search.deals": lambda crm, _: crm.deals.create({"title": "Invoices"}),
    "search.leads": lambda crm, _: crm.leads.create({"name": "Invoices"}),
    "webhooks.deliveries.list": lambda crm, _: crm.leads.create({"name": "Somebody"}),
    "webhooks.list": lambda crm, _: new_webhook(crm),
}
"""What puts a first record into the lists that may be empty in the demo data."""
WHOLES: dict[str, Callable[[CrmClient], Any]] = {
    "account_id": lambda crm: crm.accounts.list(sort="open_deal_value", order="desc").items[0].id,
    "deal_id": lambda crm: crm.deals.list().items[0].id,
    "entity": lambda crm: "contact",
    "contact_id": lambda crm: next(one.contact_id or "" for one in crm.deals.list() if one.contact_id),
    "file_id": lambda crm: next(one.id for one in crm.files.list() if (one.revision or 0) > 1),
    "integration_id": lambda crm: next(one.id for one in crm.integrations.list() if one.mapping_count),
    "lead_id": lambda crm: crm.leads.list().items[0].id,
    "q": lambda crm: "invoices",
    "pipeline_id": lambda crm: crm.pipelines.list().items[0].id,
    "object_id": lambda crm: "onboarding",
    "type": lambda crm: "lead",
    "types": lambda crm: ["lead"],
    "report_id": lambda crm: next(one.id for one in crm.reports.list() if one.schedule_count),
    "tenant_id": lambda crm: "current",
    "webhook_id": lambda crm: new_webhook(crm),
    "entity_type": lambda crm: "deal",
    "entity_id": lambda crm: shared_deal(crm)["id"],
    "user_id": lambda crm: "me",
    "workflow_id": lambda crm: crm.workflows.list(sort="execution_count", order="desc").items[0].id,
}
COMPUTED: dict[str, Callable[[StubServer], object]] = {
    "dashboard.action_items.list": lambda stub: copy_greatest(stub, "contact", "churn_risk"),
    "ai_insights.recommendations.next_actions": lambda stub: copy_greatest(
        stub, "contact", "churn_risk", next_follow_up=stub.clock.now() - timedelta(days=1)
    ),
    "ai_insights.recommendations.cross_sell": lambda stub: copy_greatest(stub, "account", "won_value"),
    "ai_insights.recommendations.upsell": lambda stub: sell_little_and_much(stub),
    "objects.deleted.list": lambda stub: copy_deleted(stub),
    "security.roles.list": lambda stub: copy_greatest(stub, "role", "created_at"),
    "tenants.list": lambda stub: manage_companies(stub),
    **dict.fromkeys(
        ("collaboration.feed.filter", "collaboration.feed.list", "collaboration.feed.user"),
        lambda stub: create_many_leads(stub),
    ),
}
"""The lists of what is worked out from other records: what makes these records many."""


def manage_companies(stub: StubServer) -> None:
    """Store companies that the first one manages."""
    for number in range(MANY):
        id = f"tenant_{number:03}"
        managed = stub.tenant(ACME) | {"id": id, "slug": f"managed-{number}", "managed_by": ACME}
        stub.store.collection(id, "tenant").put(managed)


def copy_greatest(stub: StubServer, kind: str, member: str, *, count: int = MANY, **changes: Any) -> set[str]:
    """Store copies of the record with the greatest value of a member, with changes, and return their ids."""
    records = stub.store.collection(ACME, kind)
    doc = max(records, key=lambda one: one[member] or 0)
    return put_copies(records, doc | changes, count)


def sell_little_and_much(stub: StubServer) -> None:
    """Let many accounts of one industry have bought something, one half for less than the other."""
    deals = stub.store.collection(ACME, "deal")
    deal = max(deals, key=lambda one: one["value"])
    for half, value in (("little", 1), ("much", 10**6)):
        place = {"id": f"account_{half}", "industry": "Salt mining"}
        for id in copy_greatest(stub, "account", "won_value", count=MANY + 1, **place):
            sold = {"account_id": id, "value": Decimal(value), "status": "won", "tags": ["Salt"], "id": f"deal_{id}"}
            deals.put(deal | sold)


def create_many_leads(stub: StubServer) -> None:
    crm = stub.client()
    for number in range(MANY):
        crm.leads.create({"name": f"Somebody {number}"})


def mention_admin(crm: CrmClient) -> None:
    other = crm.with_options(api_key="acme-sales")
    other.collaboration.mentions.create(["user_ada"], shared_deal(crm))


def shared_deal(crm: CrmClient) -> Any:
    entity = crm.collaboration.shares.list().items[0].entity
    assert entity is not None
    return {"type": entity.type, "id": entity.id}


def copy_deleted(stub: StubServer) -> None:
    """Store copies of the contact that was deleted last."""
    records = stub.store.collection(ACME, "contact")
    put_copies(records, next(doc for doc in records.backwards() if doc.get("deleted_at") is not None))


def new_webhook(crm: CrmClient) -> str:
    return crm.webhooks.create({"url": "https://app.example/hook", "events": ["*"]}).id


def listed(stub: StubServer, operation: Any, dialect: str) -> Callable[..., Any]:
    """Return what asks for a list in one dialect; there is something in it."""
    crm = stub.client()
    given: list[Any] = [WHOLES[name](crm) if name in WHOLES else {} for name in operation.positional]
    if operation.id in FIRST:
        FIRST[operation.id](crm, given[0] if given else "")
    needed = (p.name for p in operation.signature.parameters.values() if p.kind is p.KEYWORD_ONLY)
    named = {
        name: WHOLES[name](crm) for name in needed if operation.signature.parameters[name].default is Parameter.empty
    }
    method: Any = stub.client(dialects=dialect)
    for part in operation.id.split("."):
        method = getattr(method, part)
    return lambda **more: method(*given, **named, **more)


def multiply(stub: StubServer, operation: Any, id: str) -> set[str]:
    """Store copies of a record that a list has, or of one that a computed list is worked out from."""
    if operation.id in COMPUTED:
        COMPUTED[operation.id](stub)
        return set()
    places = [*stub.store.of_company(ACME), *stub.store.of_company(EVERY_COMPANY)]
    return put_copies(*next((one, doc) for one in places if (doc := one.get(id)) is not None))


def put_copies(records: Collection, doc: Document, count: int = MANY) -> set[str]:
    """Store copies of a record, and return their ids."""
    nothing: dict[str, Any] = {name: [] if isinstance(doc[name], list) else None for name in UNIQUE if name in doc}
    return {records.put(doc | nothing | {"id": f"{doc['id']}_{n:03}"})["id"] for n in range(count)}


@pytest.mark.parametrize(("operation", "dialect"), LISTS, ids=[f"{each.id}-{dialect}" for each, dialect in LISTS])
def test_a_list_of_many_comes_whole(stub: StubServer, operation: Any, dialect: str) -> None:
    records = listed(stub, operation, dialect)
    before = [record.id for record in records()]
    copies = multiply(stub, operation, before[0])
    after = [record.id for record in records()]
    assert len(after) == len(set(after)), "a record came twice"
    if operation.id in COMPUTED:
        assert len(after) >= len(before) + MANY
    else:
        assert sorted(after) == sorted([*before, *copies])


@pytest.mark.parametrize(("operation", "dialect"), PAGED, ids=[f"{each.id}-{dialect}" for each, dialect in PAGED])
def test_a_page_is_asked_for_by_offset_or_by_number(stub: StubServer, operation: Any, dialect: str) -> None:
    records = listed(stub, operation, dialect)
    multiply(stub, operation, records().items[0].id)
    by_offset, by_number = records(limit=10, offset=20), records(limit=10, page=3)
    assert [record.id for record in by_offset.items] == [record.id for record in by_number.items]
    assert (by_offset.offset, len(by_offset.items), by_offset.has_next) == (20, 10, True)
    assert [record.id for record in records()][20:30] == [record.id for record in by_offset.items]
    sent = len(stub.journal)
    if DIALECTS[dialect].page_arguments({"page": 2, "limit": 10}).get("page"):
        with pytest.raises(InvalidInputError, match=r"5 is not a multiple of limit=10.*use page= and limit="):
            records(limit=10, offset=5)
        assert len(stub.journal) == sent, "nothing was sent"
    else:
        assert records(limit=10, offset=5).items[5].id == records(limit=10, offset=10).items[0].id


SORTED = [
    (each, dialect)
    for each, dialect in LISTS
    if "sort" in each.signature.parameters and each.routes[dialect].has("sort")
]


def declared_words(operation: Any) -> set[str]:
    """Return the words that the type of a list's `sort` names."""
    union = operation.arguments.types["sort"]
    return {word for part in get_args(union) if get_origin(part) is Literal for word in get_args(part)}


@pytest.mark.parametrize(("operation", "dialect"), SORTED, ids=[f"{each.id}-{dialect}" for each, dialect in SORTED])
def test_every_word_to_sort_by_is_declared_and_sorts_both_ways(stub: StubServer, operation: Any, dialect: str) -> None:
    records = listed(stub, operation, dialect)
    for unknown in ("", "no_such_member"):
        with pytest.raises(ValidationError) as refused:
            len(records(sort=unknown))
        (error,) = refused.value.fields
        assert error.field == "sort"
    words = {*re.findall(r"\w+", error.message.rpartition("use one of ")[2])}
    if operation.id == "custom_objects.records.list":  # its other words are the names of fields
        words -= {field.api_name for field in stub.client().custom_objects.fields.list("onboarding")} - {"name"}
        words -= {"subscription"}
    assert words <= declared_words(operation), "a word that no declaration has"
    ordered = "order" in operation.signature.parameters and operation.routes[dialect].has("order")
    if ordered:
        assert words == declared_words(operation)
    whole = {record.id for record in records()}
    for word in words:
        orders = ("asc", "desc") if ordered else (None,)
        rising, *falling = ([*records(sort=word, **({"order": order} if order else {}))] for order in orders)
        assert {record.id for record in rising} == whole, word
        for back in falling:
            first, last = ([r.id for r in found if getattr(r, word, None) is not None] for found in (rising, back))
            assert last == first[::-1], word


PLATFORM_LISTS = [each for each, dialect in LISTS if dialect == "platform"]
MOVING = ("lastUsedAt", "useCount")
"""What a request changes of the key that it is made with."""


@pytest.mark.parametrize("operation", PLATFORM_LISTS, ids=[each.id for each in PLATFORM_LISTS])
def test_every_list_is_one_of_json_api(stub: StubServer, monkeypatch: pytest.MonkeyPatch, operation: Any) -> None:
    records, requests = listed(stub, operation, "platform"), list[Request]()
    handle = stub.handle

    def kept(request: Request) -> Request:
        requests.append(request)
        return request

    monkeypatch.setattr(stub, "handle", lambda request: handle(kept(request)))
    records(**({"limit": 5} if "limit" in operation.signature.parameters else {}))
    (request,) = requests[-1:]
    envelope = json.loads(handle(request).body)
    reply = handle(
        Request(request.method, request.path, request.query, {**request.headers, "accept": MEDIA}, request.body)
    )
    document = json.loads(reply.body)
    check(document, reply.status)
    kinds = forms().answer_of(operation)
    assert document["meta"]["total"] == envelope["meta"]["pagination"]["total"]
    if not kinds.forms:
        assert (document["data"], document["meta"]["result"]) == (None, envelope["data"])
        return
    assert len(document["data"]) == len(envelope["data"]) > 0
    for resource, record in zip(document["data"], envelope["data"], strict=True):
        form = kinds.form_of(record)
        expected = {name: value for name, value in without_names(record, form).items() if name not in MOVING}
        version = {"version": resource["meta"]["version"]} if "meta" in resource else {}
        found = {**plain_of(resource, form), **version}
        assert {name: value for name, value in found.items() if name not in MOVING} == expected
