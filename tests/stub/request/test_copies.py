"""What is hidden with a member: those that copy it, add it up, or are made of it; and what records are called by."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import crm_sdk.models
from crm_sdk.models.record import Model
from server_stub.request.access.copies import (
    copied_members,
    hidden_copies,
    kind_in,
    kinds_of,
    named_members,
    title_of,
    with_copies,
)  # fmt: skip


@pytest.mark.parametrize(
    ("hidden", "copies"),
    [
        (set[str](), set[str]()),
        ({"lead.email"}, {"notification.recipient"}),
        ({"team.name"}, {"share.subject_name"}),
        ({"contact.title"}, set()),
        ({"deal.value"}, {
            "contact.total_value", "account.open_deal_value", "account.won_value", "deal.weighted_value",
            "pipeline.total_value", "stage.total_value",
        }),
        ({"contact.company"}, {
            "deal.company", *(f"{kind}.contact_company" for kind in kinds_of("activity")),
        }),
        ({"account.name"}, {
            "contact.company", "deal.company", *(f"{kind}.contact_company" for kind in kinds_of("activity")),
        }),
    ],
)  # fmt: skip
def test_members_that_have_the_values_of_others(hidden: set[str], copies: set[str]) -> None:
    assert with_copies(frozenset(hidden)) == hidden | copies


MADE: list[tuple[str, set[str], set[str]]] = [
    ("MeetingPreparation", {"deal.probability"}, {"suggested_talking_points", "deal_context", "competitor_intel"}),
    ("MeetingPreparation", {"contact.notes"}, {"suggested_talking_points", "personal_notes"}),
    ("MeetingPreparation", {"account.name"}, {"personal_notes"}),
    ("MeetingPreparation", {"account.website", "user.name", "contacts.name"}, set()),
    ("MeetingPreparation", {"note.body"}, {"recent_interactions"}),
    ("SmartCompose", {"lead.score"}, {"suggestions", "template_suggestions"}),
    ("UserRef", {"user.name"}, {"name"}),
    ("UserRef", {"user.avatar", "user.name"}, {"name", "avatar"}),
    ("UserRef", {"user.name_of_others"}, set()),
    ("TeamPerformance", {"team.name"}, {"team_name"}),
    ("Contact", {"contact.name"}, set()),
]


def test_members_of_models_that_are_made_of_what_is_hidden() -> None:
    def hides(name: str, hidden: set[str]) -> set[str]:
        return set(hidden_copies(getattr(crm_sdk.models, name), frozenset(hidden)))

    assert [(name, hidden, hides(name, hidden)) for name, hidden, _ in MADE] == MADE


class _Amounts(Model):
    count: int
    text: str
    amount: Decimal
    perhaps: Decimal | None
    by_month: dict[str, list[Decimal]]


def test_sums_are_hidden_with_what_they_add_up() -> None:
    class DashboardSummary(_Amounts):
        pass

    class LeadSourceStats(_Amounts):
        pass

    amounts = {"amount", "perhaps", "by_month"}
    for model, hidden, found in (
        (DashboardSummary, "deal.value", amounts), (DashboardSummary, "lead.value", set()),
        (LeadSourceStats, "deal.value", amounts), (LeadSourceStats, "lead.value", amounts),
        (LeadSourceStats, "lead.name", set()), (_Amounts, "deal.value", set()),
    ):  # fmt: skip
        assert hidden_copies(model, frozenset({hidden})) == found


def test_what_is_said_of_a_record() -> None:
    words = {name: dict(copied_members(getattr(crm_sdk.models, name))) for name in ("Notification", "FeedItem", "Lead")}
    assert words == {
        "Notification": {"title": "name", "message": "any", "metadata": "any"}, "FeedItem": {"summary": "name"},
        "Lead": {},
    }  # fmt: skip
    named = {(name, member) for name, member, _ in named_members()}
    assert {("Notification", "message"), ("DashboardSummary", None), ("UserRef", "name"), ("deal", "company")} <= named
    sources: dict[Any, Any] = {(name, member): tuple(made) for name, member, made in named_members()}
    assert sources["LeadSourceStats", None] == ("lead.value", "deal.value")
    assert sources["stage", "total_value"] == ("deal.value",)


def test_what_records_are_called_by() -> None:
    called = {
        ("deal", ""): ("title",), ("contact", ""): ("name",), ("contact", "email_1"): ("name",),
        ("activity", "email_1"): ("title", "subject"), ("activity", "note_1"): ("title", "body"),
        ("activity", "call_1"): ("title",), ("activity", "x_1"): ("title",), ("job", "job_1"): ("title",),
    }  # fmt: skip
    assert {(kind, id): title_of(kind, id) for kind, id in called} == called
    kinds = {("activity", "task_1"): "task", ("activity", "deal_1"): "activity", ("deal", "task_1"): "deal"}
    assert {(kind, id): kind_in(kind, id) for kind, id in kinds} == kinds
    assert kinds_of("activity") == ("activity", "task", "call", "email", "event", "note") and kinds_of("deal") == (
        "deal",
    )
