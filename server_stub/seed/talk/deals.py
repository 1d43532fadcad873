"""Makes what happened on the open deals of a demo company: some go well, some badly, on some nothing was said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from ...data.document import Document
from ..records import Records

# Type, kind, what happened, outcome, next step. English is spoken on all deals, German and Spanish where it is said.
_GOOD = (
    ("call", "call", "They were very interested and impressed by the offer.", "Wants a demo", "Prepare the demo"),
    ("demo", "event", "The demo went well, the CFO agrees with the plan.", "Budget approved", "Send the contract"),
    ("email", "email", "Budget confirmed for this quarter, they want to go live soon.", None, None),
    ("meeting", "event", "Good meeting, next steps agreed with the whole team.", "Follow-up scheduled", None),
    ("proposal", "email", "Sent the proposal. They are ready to sign.", None, "Send the contract"),
)
_BAD = (
    ("call", "call", "They say it is too expensive and compare us with HubSpot.", "Wants a discount", None),
    ("email", "email", "The decision is postponed, the budget was cut.", None, "Ask again next month"),
    ("meeting", "event", "They raised concerns about the migration; a legal review comes first.", None, None),
    ("note", "note", "No response for two weeks, and the champion left.", None, "Find a new contact"),
)
_GERMAN = (
    ("call", "call", "Sehr interessiert, das Budget wurde freigegeben.", "Termin vereinbart", "Vertrag schicken"),
    ("email", "email", "Leider zu teuer, der Wettbewerber Nordwind ist günstiger.", None, "Angebot überarbeiten"),
)
_SPANISH = (
    ("call", "call", "Están muy interesados y el presupuesto está aprobado.", "Reunión acordada", None),
    ("email", "email", "El proyecto está en pausa, sin presupuesto este año.", None, "Llamar en marzo"),
)
_LOCAL: Mapping[str, tuple[tuple[str, str, str, str | None, str | None], ...]] = {"de": _GERMAN, "es": _SPANISH}


def deal_talk(records: Records) -> None:
    """Put activities on two of three open deals, drawn apart from all other demo data."""
    random = Random(f"{records.plan.slug}/deal talk")
    for deal in [doc for doc in records.collection("deal") if doc["status"] == "open"]:
        if random.random() < 0.66:
            _history(records, random, deal)


def _history(records: Records, random: Random, deal: Document) -> None:
    contact = records.collection("contact").get(deal["contact_id"])
    language = str(contact["language"] or "")[:2] if contact is not None else ""
    texts = random.choice((_GOOD, _GOOD, _BAD)) + _LOCAL.get(language, ())
    since = max(deal["stage_changed_at"], records.now - timedelta(days=30))
    for type, kind, text, outcome, next_step in random.sample(texts, random.choice((1, 2, 2, 3))):
        at = (since + (records.now - since) * random.random()).replace(microsecond=0)
        if kind in ("call", "event"):
            at = records.office_hours(at, since)
        _put(records, deal, kind, at, text, (type, outcome, next_step))


def _put(
    records: Records, deal: Document, kind: str, at: datetime, text: str, own: tuple[str, str | None, str | None]
) -> None:
    type, outcome, next_step = own
    shaped: Mapping[str, Mapping[str, Any]] = {
        "email": {"subject": deal["title"], "body_text": text, "sent_at": at},
        "call": {"start_time": at},
        "event": {
            "start_time": at,
            "end_time": at + timedelta(minutes=30),
            "status": "completed",
            "type": "demo" if type == "demo" else "meeting",
        },
        "note": {"body": text},
    }
    records.put(
        "activity",
        {
            "id": records.store.new_id("dealact_"),
            "title": f"{type.capitalize()}: {deal['title']}" if kind in ("call", "event") else text,
            "description": text,
            "owner_id": deal["owner_id"],
            # The deal's, not the contact's: how well things go with a contact is told by what was said with it.
            "deal_id": deal["id"],
            "contact_name": deal["contact_name"],
            "contact_company": deal["company"],
            "occurred_at": at,
            "created_at": at,
            "updated_at": at,
            "deal_activity": {"type": type, "outcome": outcome, "next_step": next_step},
            **shaped[kind],
        },
        shape=kind,
    )
