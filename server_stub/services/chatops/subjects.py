"""What a conversation can be about: kinds of records, their names in several languages, and what words mean of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from crm_sdk.models.accounts import Account
from crm_sdk.models.activities import ACTIVITY_MODELS
from crm_sdk.models.contacts import Contact
from crm_sdk.models.deals import Deal
from crm_sdk.models.leads import Lead
from crm_sdk.models.record import Record
from crm_sdk.models.users import User
from crm_sdk.operation import Operation
from crm_sdk.resource import Resource, operation_of
from crm_sdk.resources.accounts import Accounts
from crm_sdk.resources.activities import Activities
from crm_sdk.resources.contacts import Contacts
from crm_sdk.resources.deals import Deals
from crm_sdk.resources.leads import Leads
from crm_sdk.resources.users import Users

from ...data.queries.filter_groups import FieldType
from ...data.queries.filters import filter_fields
from ..contacts.health import AT_RISK

Filters: TypeAlias = Sequence[Sequence[Mapping[str, Any]]]
"""Conditions: those of one group hold together, one of the groups has to hold."""


def _is(field: str, op: str, value: Any = None, **more: Any) -> Mapping[str, Any]:
    return {"field": field, "op": op, **({"value": value} if value is not None else {}), **more}


def _stale(member: str) -> Filters:
    return [[_is(member, "lt", "-30d")], [_is(member, "is_not_set")]]


_NOT_OVER = _is("status", "not_in", values=["completed", "cancelled", "no-show", "busy", "no_answer", "failed"])
_PERIOD = {"created": "created_at", "added": "created_at", "updated": "updated_at", "changed": "updated_at"}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A kind of records."""

    entity: str
    """The kind as a reference says it."""
    resource: type[Resource[Any]]
    model: type[Record]
    aliases: str
    """A pattern of the words for it, without case and accents."""
    kind: str | None = None
    """The kind of activity."""
    title: str = "name"
    when: str = "created_at"
    """The member that a time without another word is about."""
    times: Mapping[str, str] = field(default_factory=dict[str, str])
    """The members that a time after a word is about: ``closing``."""
    money: str | None = None
    stage: str | None = None
    """The member that `in` is about."""
    flags: Mapping[str, Filters | Mapping[str, Any]] = field(default_factory=dict[str, Any])
    """What a word asks for: conditions, or arguments of the list."""
    shown: Sequence[str] = ()
    """The members that an answer tells of one record."""

    @property
    def word(self) -> str:
        """The word of its permissions."""
        return self.resource.path().partition(".")[0]

    @property
    def key(self) -> str:
        """What it is called: the kind of activity, else the kind of record."""
        return self.kind or self.entity

    def call(self, name: str) -> Operation[..., Any]:
        """Return a declared call of its resource."""
        found = operation_of(vars(self.resource)[name])
        assert found is not None, f"{self.entity} has no {name}"
        return found

    @cached_property
    def fields(self) -> Mapping[str, FieldType]:
        """The members that can be compared, with their types."""
        return filter_fields(self.model)

    def names(self, text: str) -> bool:
        """Tell whether a word, without case and accents, means records of this kind."""
        return re.fullmatch(self.aliases, text) is not None


def _activity(kind: str, aliases: str, when: str, **facts: Any) -> Subject:
    flags = {"open": [[_NOT_OVER]], "overdue": {"overdue": True}, **facts.pop("flags", {})}
    return Subject(
        entity="activity", resource=Activities, model=ACTIVITY_MODELS[kind], aliases=aliases, kind=kind, title="title",
        when=when, flags=flags, times={**_PERIOD, "due": "due_at"} if kind == "task" else _PERIOD, **facts,
    )  # fmt: skip


SUBJECTS: Sequence[Subject] = (
    Subject(
        entity="deal", resource=Deals, model=Deal, title="title", when="expected_close_date", money="value",
        aliases=r"deals?|opportunit(y|ies)|geschafte?n?|abschlusse?|negocios?|oportunidad(es)?|الصفقات|صفقات|صفقة",
        times={**_PERIOD, "closing": "expected_close_date", "closes": "expected_close_date",
               "due": "expected_close_date", "closed": "closed_at", "won": "closed_at", "lost": "closed_at"},
        stage="stage",
        flags={
            "open": [[_is("status", "eq", "open")]], "won": [[_is("status", "eq", "won")]],
            "lost": [[_is("status", "eq", "lost")]], "hot": {"filter": "hot"}, "at-risk": {"filter": "at-risk"},
            "overdue": [[_is("status", "eq", "open"), _is("expected_close_date", "lt", "today")]],
            "new": [[_is("created_at", "gte", "-7d")]], "stale": _stale("last_activity"),
        },
        shown=("title", "value", "currency", "stage", "status", "probability", "expected_close_date", "company",
               "contact_name", "next_step"),
    ),
    Subject(
        entity="contact", resource=Contacts, model=Contact, money="total_value", times=_PERIOD, stage="lifecycle_stage",
        aliases=r"contacts?|customers?|clients?|people|persons?|kontakte?n?|kunden?|clientes?|contactos?|جهات|عملاء|عميل",
        flags={
            "at-risk": [[_is("churn_risk", "gte", AT_RISK)]], "new": [[_is("created_at", "gte", "-7d")]],
            "stale": _stale("last_contact"),
        },
        shown=("name", "title", "company", "email", "phone", "lifecycle_stage", "health_score", "last_contact"),
    ),
    Subject(
        entity="lead", resource=Leads, model=Lead, money="value", times=_PERIOD, stage="status",
        aliases=r"leads?|interessenten?|prospectos?|عملاء محتملون|محتملين|محتمل",
        flags={
            "hot": [[_is("rating", "eq", "hot")]], "new": [[_is("status", "eq", "new")]],
            "open": [[_is("status", "in", values=["new", "contacted", "qualified"])]],
            "won": [[_is("status", "eq", "converted")]], "lost": [[_is("status", "eq", "unqualified")]],
            "stale": _stale("last_activity_at"),
        },
        shown=("name", "company", "email", "phone", "status", "rating", "score", "source"),
    ),
    Subject(
        entity="account", resource=Accounts, model=Account, money="annual_revenue", times=_PERIOD, stage="status",
        aliases=r"accounts?|compan(y|ies)|firmen|firma|unternehmen|cuentas?|empresas?|شركات|شركة|حسابات",
        flags={
            "hot": [[_is("rating", "eq", "hot")]], "new": [[_is("created_at", "gte", "-7d")]],
            "stale": _stale("last_activity_at"), "lost": [[_is("status", "eq", "churned")]],
        },
        shown=("name", "industry", "type", "status", "domain", "phone", "open_deal_value", "health_score"),
    ),
    _activity("task", r"tasks?|todos?|aufgaben?|tareas?|مهام|مهمة", "due_at",
              shown=("title", "status", "due_at", "priority", "contact_name")),
    _activity("event", r"meetings?|events?|appointments?|termine?n?|besprechung(en)?|reunion(es)?|citas?|اجتماع(ات)?",
              "start_time", shown=("title", "status", "start_time", "end_time", "location", "contact_name")),
    _activity("call", r"calls?|anrufe?n?|llamadas?|مكالمات|مكالمة", "start_time",
              shown=("title", "status", "start_time", "outcome", "contact_name")),
    _activity("note", r"notes?|notizen?|notas?|ملاحظات|ملاحظة", "created_at", shown=("title", "body", "contact_name")),
    _activity("email", r"e-?mails?|correos?", "occurred_at", shown=("title", "status", "occurred_at", "contact_name")),
    Subject(
        entity="activity", resource=Activities, model=ACTIVITY_MODELS["task"], title="title", when="occurred_at",
        aliases=r"activit(y|ies)|aktivitaten|aktivitat|actividad(es)?|انشطة|نشاط", times=_PERIOD,
        flags={"open": [[_NOT_OVER]], "overdue": {"overdue": True}}, shown=("title", "kind", "status", "occurred_at"),
    ),
    Subject(
        entity="user", resource=Users, model=User,
        aliases=r"users?|colleagues?|benutzer|kollegen|usuarios?|مستخدمين|مستخدم",
        times=_PERIOD, shown=("name", "email", "title", "role", "status"),
    ),
)  # fmt: skip
"""The kinds of records, those that are asked for most first."""
RECORDS: Sequence[Subject] = tuple(one for one in SUBJECTS if one.kind is None)
"""The kinds of records, without the kinds of activities."""


def subject_named(word: str) -> Subject | None:
    """Return the kind of records that a word means, without case and accents; None for none."""
    return next((one for one in SUBJECTS if one.names(word)), None)


def subject_of(entity: str, kind: str | None = None) -> Subject | None:
    """Return the kind of a record by its entity, and of an activity by its kind."""
    return next((one for one in SUBJECTS if one.entity == entity and (kind is None or one.kind == kind)), None)
