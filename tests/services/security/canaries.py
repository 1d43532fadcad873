"""Records of which every text has a mark, and everything that the stub makes out of records: to look where it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crm_sdk import CrmClient
from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation
from server_stub import StubServer
from server_stub.request.access import permissions
from server_stub.request.http import Request

MARK = "zq7"
ENTITIES = ("contact", "lead", "deal", "account", "activity", "subscription")
ACTIVITIES = ("activity", "task", "call", "email", "event", "note")
AMOUNTS = {"deal": "5432177", "lead": "6543217", "account": "7654321", "subscription": "8765432"}
ALWAYS = frozenset({"id", "version", "created_at", "updated_at", "created_by", "deleted_at", "kind", "type", "status"})
"""Members that are not hidden: without them no record is found, or told from others."""
COLUMNS: Mapping[str, list[str]] = {
    "contact": ["title", "name", "tags"],
    "lead": ["company", "name", "value"],
    "deal": ["title", "contact_name", "company", "value"],
    "account": ["name", "domain", "annual_revenue"],
}


def marked(entity: str, **members: Any) -> Any:
    """Return members, with the mark of the entity in place of ``%``."""

    def written(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("%", f"{MARK}{entity}")
        if isinstance(value, list):
            return [written(one) for one in value]
        return {key: written(one) for key, one in value.items()} if isinstance(value, dict) else value

    return written(members)


def pattern(entity: str) -> re.Pattern[bytes]:
    """Return what is in no answer to somebody from whom everything of an entity is hidden."""
    marks = ACTIVITIES if entity == "activity" else (entity,)
    amount = [AMOUNTS[entity], f"{int(AMOUNTS[entity]):,}"] if entity in AMOUNTS else []
    return re.compile("|".join([f"{MARK}{mark}" for mark in marks] + amount).encode())


@dataclass
class World:
    """The stub, and the ids of the marked records by kind."""

    stub: StubServer
    ids: dict[str, str]
    headers: dict[str, str]

    @property
    def admin(self) -> CrmClient:
        return self.stub.client(dialects="platform", max_retries=0)


def hidden_members(stub: StubServer, entity: str) -> list[Any]:
    """Return the field permissions that hide whatever of an entity can be hidden."""
    if entity == "subscription":
        names = ("name", "plan", "seats", "monthly_amount", "starts_on", "renews_on", "auto_renew")
        return [{"entity": entity, "field": name, "access": "hidden"} for name in names]
    kinds = ACTIVITIES if entity == "activity" else (entity,)
    return [
        {"entity": kind, "field": name, "access": "hidden"}
        for kind in kinds
        for name in stub.nouns[kind].model.model_fields
        if name not in ALWAYS and (not name.endswith("_id") or name in ("external_id", "tax_id"))
    ]


def every_permission() -> list[Any]:
    """Return all permissions that there are."""
    return [
        {"resource": word, "action": action, "scope": "all"}
        for word in permissions.resources()
        for action in permissions.every_action(word)
    ]


def make(crm: CrmClient) -> dict[str, str]:
    """Make a record of each kind, marked wherever it has a text; return their ids."""
    free: Any = {"tags": ["%tag"], "external_id": "%ext", "custom_fields": {"tier": "%tier"}}
    about: dict[str, Any] = {}
    ids: dict[str, str] = {}
    ids["account"] = crm.accounts.create(
        marked("account", name="%name", domain="%dom.example", website="https://%web.example", industry="%ind",
               email="%mail@y.example", description="%desc", tax_id="%tax", annual_revenue=7654321, **free)
    ).id  # fmt: skip
    ids["contact"] = crm.contacts.create(
        marked("contact", name="%name X", first_name="%first", last_name="%last", title="%title", department="%dept",
               email="%mail@x.example", secondary_emails=["%second@x.example"], notes=["%note"],
               website="https://%web.example", account_id=ids["account"], **free)
    ).id  # fmt: skip
    ids["lead"] = crm.leads.create(
        marked("lead", name="%name X", email="%mail@z.example", company="%comp", title="%title", industry="%ind",
               source_detail="%src", campaign="%camp", notes=["%note"], value=6543217, **free)
    ).id  # fmt: skip
    about = {"contact_id": ids["contact"], "account_id": ids["account"]}
    ids["deal"] = crm.deals.create(
        marked("deal", title="%title", description="%desc", next_step="%next", value=5432177, **about, **free)
    ).id
    about = {"contact_id": ids["contact"], "deal_id": ids["deal"]}
    ids["task"] = crm.activities.tasks.create(marked("task", title="%title", description="%desc", **about)).id
    ids["note"] = crm.activities.notes.create(marked("note", body="%body", **about)).id
    ids["call"] = crm.activities.calls.create(marked("call", title="%title", transcript="%said", **about)).id
    sent: Any = {"to": [{"email": "%mail@x.example"}], "sent_at": "2026-01-14T08:00:00Z"}
    ids["email"] = crm.activities.emails.create(
        marked("email", subject="%subject", body_text="%body", **about, **sent)
    ).id
    times: Any = {"start_time": "2026-02-02T09:00:00Z", "end_time": "2026-02-02T10:00:00Z"}
    ids["event"] = crm.activities.events.create(marked("event", title="%title", location="%place", **about, **times)).id
    ids["activity"] = ids["task"]
    object_id = next(one.id for one in crm.custom_objects.list() if one.api_name == "subscription")
    fields = marked("subscription", name="%name", plan="team", monthly_amount=8765432, starts_on="2026-01-01", seats=3)
    ids |= {"object": "subscription", "custom_object": object_id}
    ids["record"] = crm.custom_objects.records.create("subscription", {"fields": fields}).id
    return ids


def spread(crm: CrmClient, ids: Mapping[str, str]) -> None:
    """Do what writes the values of records elsewhere: changes, comments, shares, messages, reports, widgets, files."""
    contact, deal, lead = ids["contact"], ids["deal"], ids["lead"]
    other = crm.contacts.create({"name": "Otto Other"}).id
    crm.contacts.relationships.create(contact, {"related_contact_id": other, "type": "colleague"})
    crm.contacts.update(contact, marked("contact", name="%name Y", email="%next@x.example", title="%head"))
    crm.accounts.update(ids["account"], marked("account", name="%names", tags=["%tag", "%more"]))
    crm.leads.update(lead, marked("lead", name="%name Y", owner_id="user_sam"))
    crm.deals.update(deal, marked("deal", title="%titles", owner_id="user_sam"))
    crm.deals.update(deal, {"owner_id": "user_ada"})
    crm.custom_objects.records.update("subscription", ids["record"], {"fields": {"name": f"{MARK}subscriptionname2"}})
    crm.activities.update(ids["task"], marked("task", title="%titles"))
    for kind in ("contact", "deal", "account", "lead"):
        entity: Any = {"type": kind, "id": ids[kind]}
        crm.collaboration.comments.create({"entity": entity, "body": "look at this @user_sam"})
        crm.collaboration.shares.create({"entity": entity, "subject_type": "user", "subject_id": "user_sam"})
        crm.files.upload(("a.txt", b"x"), related_to=entity)
        name: Any = {"name": f"R {kind}", "entity_type": kind, "visibility": "tenant"}
        report = crm.reports.create(name | {"columns": [{"field": one} for one in COLUMNS[kind]]})
        crm.reports.run(report.id)
        widgets: Any = [{"title": "T", "type": "table", "source": {"report_id": report.id}}]
        if kind == "deal":
            widgets.append({"title": "K", "type": "kpi", "source": {"metric": "sales.pipeline_value"}})
        board = crm.dashboards.create({"name": f"D {kind}", "visibility": "tenant", "widgets": widgets})
        crm.dashboards.data(board.id)
    gone = crm.contacts.create(marked("contact", name="%gone", email="%gone@x.example")).id
    crm.contacts.delete(gone)


def candidates(world: World, name: str, entity: str) -> list[str]:
    """Return ids for a place in a path: of the marked record, and of the newest of its kind."""
    kind = name.removesuffix("_id")
    fixed = {"entity": entity, "entity_type": entity, "entity_id": world.ids.get(entity, ""), "tenant": "current"}
    if name in fixed or kind in fixed:
        return [fixed.get(name) or fixed[kind]]
    kind = {"owner": "user", "survivor": "contact", "related_contact": "contact", "parent": "account"}.get(kind, kind)
    stored = {"event": "activity", "task": "activity", "call": "activity", "email": "activity"}.get(kind, kind)
    newest = [doc["id"] for doc in world.stub.store.collection("tenant_acme", stored)]
    found = [world.ids[kind]] if kind in world.ids else []
    return [*found, *newest[-8 if kind in ("report", "dashboard") else -2 :]][:9] or ["none_1"]


def asked(world: World, entity: str) -> Iterator[tuple[Operation[..., Any], int, bytes]]:
    """Ask every GET of every operation in every dialect; yield the status and the content of each answer."""
    queries = ("", f"q={MARK}{entity}&search={MARK}{entity}&includeDeleted=true&limit=200&entity={entity}")
    for operation in declared_operations():
        for route in operation.routes.values():
            if route.method != "GET" or operation.kind == "stream":
                continue
            paths = [f"/{route.dialect.name}{route.path}" if not route.full_path.startswith("/v1") else route.full_path]
            for name in route.placeholders:
                paths = [path.replace(f"{{{name}}}", id) for path in paths for id in candidates(world, name, entity)]
            for path in paths[:9]:
                for query in queries:
                    reply = world.stub.handle(Request("GET", path, query, world.headers))
                    yield operation, reply.status, reply.body + b"".join(reply.chunks or ())
