"""Where the values of members are found again: copied, added up, or put into words.

Who may not see a member sees none of these either. `with_copies` extends what is hidden by the members of other
entities; `hidden_copies` names those of models that are no entity's; `title_of` is the member by which references call
a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal, get_args

from crm_sdk.models.record import Model

_ACTIVITIES = ("activity", "task", "call", "email", "event", "note")
_TITLES: Mapping[str, tuple[str, ...]] = {
    "deal": ("title",),
    "email": ("title", "subject"),
    "note": ("title", "body"),
    **dict.fromkeys(("activity", "task", "call", "event", "notification", "job"), ("title",)),
}
"""The members by which a record is called, where that is not its `name`."""
_TALK = (
    *(f"{kind}.{member}" for kind in _ACTIVITIES for member in ("title", "description")),
    *("email.subject", "email.body_text", "note.body", "call.transcript", "event.location"),
)
_ADDRESSES = ("contact.email", "lead.email", "user.email")
NAMES = ("contact.name", "lead.name", "account.name", "deal.title")
_ANY = ("contact.*", "lead.*", "account.*", "deal.*")

_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "contact.company": ("account.name",),
    "contact.total_value": ("deal.value",),
    "account.open_deal_value": ("deal.value",),
    "account.won_value": ("deal.value",),
    "deal.contact_name": ("contact.name",),
    "deal.company": ("account.name", "contact.company"),
    "deal.weighted_value": ("deal.value",),
    "pipeline.total_value": ("deal.value",),
    "stage.total_value": ("deal.value",),
    "notification.recipient": (*_ADDRESSES, "contact.phone", "lead.phone"),
    "relationship.related_contact_name": ("contact.name",),
    "share.subject_name": ("user.name", "team.name"),
    "installation.app_name": ("app.name",),
    **{
        f"{kind}.{member}": sources
        for kind in _ACTIVITIES
        for member, sources in {
            "contact_name": ("contact.name",),
            "contact_company": ("contact.company", "account.name"),
        }.items()
    },
}
"""The members of entities that have values of other members, with these."""

_PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AIInsight": {"title": NAMES, "description": (*_ANY, *_TALK)},
    "AccessGrant": {"name": ("role.name", "user.name", "team.name")},
    "AccountNode": {"name": ("account.name",)},
    "ActionItem": {"title": (*NAMES, *_TALK)},
    "Attendee": {"name": ("contact.name", "lead.name", "user.name"), "email": _ADDRESSES},
    "AuditActor": {"email": ("user.email",)},
    "CommunicationEvent": {"subject": _TALK, "summary": _TALK},
    "ChurnPrediction": {"risk_factors": (*_ANY, *_TALK), "recommendations": _ANY},
    "Conversation": {
        "contact_name": ("contact.name", "lead.name"),
        "contact_company": ("contact.company", "lead.company", "account.name"),
        "lead_name": ("contact.name", "lead.name"),
        "ai_summary": (*NAMES, *_TALK),
    },
    "CreatedLead": {"name": ("lead.name",), "email": ("lead.email",)},
    "DealActivity": {"description": _TALK},
    "DealInsight": {"title": NAMES, "description": (*_ANY, *_TALK)},
    "DealPrediction": {"title": ("deal.title",), "recommendation": ("deal.*",)},
    "EmailAddress": {"name": ("contact.name", "lead.name", "user.name"), "email": _ADDRESSES},
    "Message": {"sender_name": ("contact.name", "lead.name")},
    "FeedItem": {"summary": ("user.name",)},
    "MeetingPreparation": {
        "suggested_talking_points": ("contact.*", "deal.*"),
        "recent_interactions": _TALK,
        "deal_context": ("deal.*",),
        "competitor_intel": ("deal.*",),
        "personal_notes": ("contact.*", "account.name"),
    },
    "OwnerActivity": {"owner_name": ("user.name",)},
    "OwnerPerformance": {"owner_name": ("user.name",)},
    "Recommendation": {"title": NAMES, "description": _ANY, "reasons": _ANY},
    "RoleRef": {"name": ("role.name",)},
    "RealTimeMetrics": {"revenue_today": ("deal.value",)},
    "SalesMetrics": dict.fromkeys(
        ("revenue", "pipeline_value", "weighted_pipeline", "avg_deal_size", "quota_attainment"), ("deal.value",)
    ),
    "ScoreReason": {"label": NAMES, "value": ("lead.*",)},
    "SmartCompose": {"suggestions": ("contact.*", "lead.*"), "template_suggestions": ("contact.*", "lead.*")},
    "SlippedDeal": {"title": ("deal.title",)},
    "TeamMember": {"name": ("user.name",)},
    "TeamPerformance": {"team_name": ("team.name",)},
    "TonePreview": {"preview": ("contact.name", "lead.name")},
    "TimelineEntry": {"title": _TALK, "summary": _TALK},
    "UpdatedLead": {name: (f"lead.{name}",) for name in ("name", "email", "phone", "company", "value")},
    "UserRef": {"name": ("user.name",), "avatar": ("user.avatar",)},
}
"""The members of models that no entity has, with what they are made of; ``deal.*`` is any member of the entity."""

_SUMS: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    (
        "AccountNode", "HierarchyRollup", "DealPrediction", "ChurnPrediction", "RevenuePoint", "RevenuePrediction",
        "Recommendation", "RecommendationFeedback", "AnalyticsSummary", "DashboardTrends", "TeamPerformance",
        "ForecastShare", "RevenueForecast", "DashboardSummary", "StageHistoryEntry", "ForecastCategories",
        "ForecastPeriod", "DealForecast", "BoardStage", "PipelineBoard", "VelocityAnalytics", "LossReason",
        "WinLossGroup", "WinLossAnalytics", "ForecastAccuracy", "SlippedDeal", "OwnerPerformance", "StageStats",
    ),
    ("deal.value",),
) | {"LeadSourceStats": ("lead.value", "deal.value")}  # fmt: skip
"""The models all of whose amounts are made of the values of records."""

SUMMED = frozenset({"revenue", "won_value", "lost_value", "pipeline_value", "expected", "total_revenue"})
"""The names of series and metrics whose figures are made of the values of deals."""
_NO_WORDS: Mapping[str, Literal["name", "any"]] = {}
_WORDED: Mapping[str, Mapping[str, Literal["name", "any"]]] = {
    "Notification": {"title": "name", "message": "any", "metadata": "any"},
    "FeedItem": {"summary": "name"},
    "TimelineEntry": {"title": "name"},
}
"""The members of models about the record in their member `entity`: what they have of it, its name or any member."""


def title_of(kind: str, id: str = "") -> tuple[str, ...]:
    """Return the members by which a record is called; the id says which kind of activity it is."""
    return _TITLES.get(kind_in(kind, id), ("name",))


def kind_in(kind: str, id: str) -> str:
    """Return the kind of a record; of an activity its own, which its id begins with."""
    own = id.partition("_")[0]
    return own if kind == "activity" and own in _ACTIVITIES else kind


def kinds_of(entity: str) -> tuple[str, ...]:
    """Return the kinds of the records of an entity: those of activities are several."""
    return _ACTIVITIES if entity == "activity" else (entity,)


@cache
def with_copies(hidden: frozenset[str]) -> frozenset[str]:
    """Return hidden members with those that have their values."""
    found, before = hidden, frozenset[str]()
    while found != before:
        before = found
        found = found | {member for member, sources in _MEMBERS.items() if _meets(sources, found)}
    return found


@cache
def hidden_copies(kind: type[Model], hidden: frozenset[str]) -> frozenset[str]:
    """Return the members of a model that are made of hidden members of entities."""
    names = [one.__name__ for one in kind.__mro__]
    parts = {member for name in names for member, sources in _PARTS.get(name, {}).items() if _meets(sources, hidden)}
    if any(_meets(_SUMS.get(name, ()), hidden) for name in names):
        parts |= {member for member, info in kind.model_fields.items() if Decimal in _types(info.annotation)}
    return frozenset(parts)


def copied_members(kind: type[Model]) -> Mapping[str, Literal["name", "any"]]:
    """Return the members of a model that are about a record, each with what it has of that: the name, or any member."""
    return next((_WORDED[one.__name__] for one in kind.__mro__ if one.__name__ in _WORDED), _NO_WORDS)


def named_members() -> Iterator[tuple[str, str | None, Iterable[str]]]:
    """Yield what is named here: the model or entity, its member (None for all amounts), and what this is made of."""
    for name, sources in _MEMBERS.items():
        entity, _, member = name.partition(".")
        yield entity, member, sources
    for model, parts in _PARTS.items():
        for member, sources in parts.items():
            yield model, member, sources
    for model, sources in _SUMS.items():
        yield model, None, sources
    for model, members in _WORDED.items():
        yield from ((model, member, ()) for member in members)


def _meets(sources: Iterable[str], hidden: frozenset[str]) -> bool:
    return any(
        source in hidden or (source.endswith(".*") and any(one.startswith(source[:-1]) for one in hidden))
        for source in sources
    )


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _types(argument)
