"""The columns of a table or a CSV file: those of the call's model, the same whatever records there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

from crm_sdk.operation import Operation
from crm_sdk.wire import camel

from ..tree.near import refusal

_CHOSEN: Mapping[str, tuple[str, ...]] = {
    "DeletedRecord": ("name", "entity", "deletedAt", "deletedBy", "restorable", "purgeAt"),
    "AutocompleteItem": ("type", "label", "sublabel"),
    "Subscription": ("address", "channel", "topic", "subscribed", "source", "reason"),
    "SearchHit": ("type", "title", "subtitle", "score"),
    "AuditLog": ("occurredAt", "action", "entity", "actor", "severity"),
    "AIInsight": ("title", "type", "confidence", "date"),
    "Comment": ("author", "body", "replyCount", "edited", "age"),
    "Contact": ("name", "company", "email", "status", "owner", "age"),
    "CustomField": ("apiName", "label", "type", "required", "unique", "position"),
    "CustomObject": ("apiName", "label", "recordCount", "active", "age"),
    "Deal": ("title", "company", "stage", "value", "probability", "owner", "age"),
    "FeedItem": ("occurredAt", "summary", "entity"),
    "FieldMapping": ("entityType", "sourceField", "targetField", "direction", "active"),
    "File": ("name", "folder", "size", "contentType", "owner", "age"),
    "FileVersion": ("revision", "size", "comment", "isCurrent", "age"),
    "Invoice": ("number", "status", "periodStart", "periodEnd", "total", "amountDue", "currency", "dueDate"),
    "Lead": ("name", "company", "status", "value", "score", "owner", "age"),
    "LeadScore": ("score", "previousScore", "rating", "source", "reason", "scoredAt"),
    "Message": ("senderName", "type", "content", "sentiment", "timestamp"),
    "Notification": ("title", "message", "type", "priority", "read", "age"),
    "SocialAccount": ("network", "handle", "status", "followers", "tokenExpiresAt"),
    "SocialMention": ("network", "content", "sentiment", "sentimentScore", "status", "postedAt"),
    "Engagement": ("kind", "direction", "network", "content", "status", "occurredAt"),
    "ObjectRelationship": ("apiName", "label", "relatedObject", "cardinality", "linkCount"),
    "Share": ("entity", "subjectName", "access", "active", "expiresAt", "age"),
    "Session": ("device", "ipAddress", "authMethod", "current", "lastSeenAt"),
    "StageHistoryEntry": ("fromStage", "toStage", "direction", "value", "enteredAt", "durationSeconds"),
    "Role": ("key", "name", "isSystem", "userCount"),
    "SyncRun": ("status", "mode", "direction", "trigger", "progress", "startedAt", "finishedAt"),
    "Team": ("name", "managerId", "memberCount", "age"),
    "TimelineEntry": ("title", "kind", "summary", "occurredAt"),
    "UserPresence": ("user", "status", "connections", "viewing", "lastSeenAt"),
    "User": ("name", "email", "role", "status", "title", "lastLogin"),
    "WebhookDelivery": ("event", "status", "url", "attempts", "age"),
    "WebhookEndpoint": ("url", "events", "active", "consecutiveFailures", "age"),
    "WorkflowExecution": ("workflowId", "source", "status", "progress", "durationMs", "startedAt"),
}
"""The columns of a table of these models before the id; of others, the first of each of the groups."""
_GROUPS: tuple[tuple[str, ...], ...] = (
    ("name", "title", "label", "subject", "relatedContactName", "appName", "url"),
    ("company", "contactName", "leadName", "provider", "category"),
    ("kind", "type", "entityType"),
    ("status", "active", "enabled"),
    ("priority", "lastStatus"),
    ("value", "openDealValue", "expectedValue", "totalValue"),
    ("owner",),
    ("dueAt", "startTime", "lastMessageAt", "nextRunAt", "timestamp", "occurredAt", "age"),
)
_FEWEST = 3
"""A model of which fewer columns would be shown is shown whole."""
_OTHER_NAMES: Mapping[str, str] = {"owner": "ownerId", "age": "createdAt"}
"""Columns that show a member under another name."""
_AGES = ((365 * 86400, "y"), (30 * 86400, "mo"), (86400, "d"), (3600, "h"), (60, "min"))


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a model."""

    every: tuple[str, ...]
    """The wire names of all members, in the order of the document."""
    chosen: tuple[str, ...]
    """Those of a table, the id last; empty where it shows what has values."""
    numbers: frozenset[str]
    amounts: frozenset[str]
    """The numbers that are amounts of the record's currency."""

    def value(self, name: str, row: Mapping[str, Any]) -> Any:
        """Return what a record has in a column."""
        return row.get(name if name in self.every else _OTHER_NAMES.get(name, name))

    def resolve(self, typed: Sequence[str], flag: str = "--columns") -> list[str]:
        """Return the wire names of typed columns. Raises: MisuseError for one that there is not."""
        names = {alias: alias for alias, name in _OTHER_NAMES.items() if name in self.every}
        names |= {alias: name for name in self.every for alias in (_snake(name), name)}
        refuse_unknown([name for name in typed if name not in names], self.every, flag)
        return [names[name] for name in typed]

    def text(self, name: str, row: Mapping[str, Any]) -> str | None:
        """Return the text of a column of a record, where the column has a form of its own."""
        value = self.value(name, row)
        if name == "age" and isinstance(value, datetime) and value.tzinfo is not None:
            return age(datetime.now(UTC) - value)
        return number(value, row.get("currency") if name in self.amounts else None) if name in self.numbers else None


def refuse_unknown(unknown: Sequence[str], known: Iterable[str], flag: str = "--columns") -> None:
    """Raise MisuseError where there are columns that are not known."""
    if unknown:
        raise refusal(f"{flag}: no such column: {', '.join(unknown)}", unknown[0], known)


def number(value: object, currency: object = None) -> str | None:
    """Return a number with its thousands apart, and its currency; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return f"{value:,f} {currency}" if currency else f"{value:,}"


def age(passed: Any) -> str:
    """Return how long ago something was, in one unit: ``3d``."""
    seconds = passed.total_seconds()
    return next((f"{int(seconds // size)}{unit}" for size, unit in _AGES if seconds >= size), "now")


def columns_of(operation: Operation[..., Any], *, result: bool = True) -> Columns | None:
    """Return the columns of what a call returns; None where it returns no model. `result`: of a job, what it gives."""
    returns = operation.arguments.returns
    if operation.kind == "job" and result:
        returns = returns.__pydantic_generic_metadata__["args"][0]
    return columns_of_type(get_args(returns)[0] if operation.kind == "page" else returns)


def columns_of_type(hint: Any) -> Columns | None:
    """Return the columns of a model, a list of it, or several models that a list can have."""
    models = list(dict.fromkeys(_models(hint)))
    if not models:
        return None
    members: dict[str, Any] = {}
    for model in models:
        for name, field in model.model_fields.items():
            members.setdefault(field.serialization_alias or field.alias or camel(name), field.annotation)
    chosen = _CHOSEN.get(models[0].__name__.partition("[")[0]) or tuple(_first_of_each(members))
    fits = len(chosen) >= _FEWEST and "id" in members
    amounts = frozenset(name for name, hint in members.items() if Decimal in _parts(hint))
    return Columns(
        tuple(members),
        (*chosen, "id") if fits else (),
        amounts | {name for name, hint in members.items() if {int, float} & _parts(hint) and bool not in _parts(hint)},
        amounts,
    )


def _models(hint: Any) -> Iterator[Any]:
    """Yield the models of an annotation; none where it also has what is no model."""
    if isinstance(hint, type) and hasattr(hint, "model_fields"):
        yield hint
    else:
        for part in get_args(hint):
            yield from _models(part)


def _parts(hint: Any) -> set[Any]:
    """Return the types of a union, without what annotates them. A list or a mapping is none of its items."""
    from crm_sdk.models.written import union_members

    return {part for part in union_members(hint) if isinstance(part, type)}


def _first_of_each(members: Mapping[str, Any]) -> Iterator[str]:
    for group in _GROUPS:
        found = next((name for name in group if _OTHER_NAMES.get(name, name) in members), None)
        if found is not None:
            yield found


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
