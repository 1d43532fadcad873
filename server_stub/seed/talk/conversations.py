"""Makes the conversations of a demo company: with leads and contacts, in their languages, some still unread."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from ...data.document import Document
from ..records import Records
from ..setup.company import ACME
from .texts import Mood
from .threads import EXCHANGES, Exchange

_SIZES: Mapping[str, tuple[int, int]] = {"acme": (20, 20), "globex": (8, 7)}
"""How many leads and contacts a company writes with."""
_MOODS: Mapping[str, tuple[Mood, ...]] = {
    "warming": ("negative", "neutral", "positive", "positive"),
    "even": ("neutral", "neutral", "neutral", "neutral"),
    "happy": ("positive", "positive", "positive", "positive"),
    "cooling": ("positive", "neutral", "negative", "negative"),
}
_ENCLOSED: Mapping[str, str] = {"en": "Documents.pdf", "de": "Unterlagen.pdf", "es": "Documentos.pdf"}
"""What comes with an answer that encloses something."""
_TAGS = ("pricing", "renewal", "onboarding", "technical", "vip")


def conversations(records: Records) -> None:
    """Put the conversations: first the documented one, then those drawn from the leads and contacts there are."""
    random = Random(f"conversations/{records.plan.slug}")
    if records.plan is ACME:
        _put_documented(records)
    known = records.now - timedelta(days=20)
    leads = [
        doc
        for doc in records.collection("lead")
        if doc["id"] != "lead_123" and doc["last_activity_at"] and doc["last_activity_at"] > doc["created_at"]
    ]
    contacts = [
        doc
        for doc in records.collection("contact")
        if doc["id"] != "contact_123" and doc["status"] == "active" and doc["email"] and doc["created_at"] < known
    ]
    of_leads, of_contacts = _SIZES[records.plan.slug]
    for lead in random.sample(leads, min(of_leads, len(leads))):
        _thread(records, random, lead, "lead_id", lead["last_activity_at"])
    for contact in random.sample(contacts, min(of_contacts, len(contacts))):
        end = records.now - timedelta(minutes=random.randint(20, 60 * 24 * 14))
        _thread(records, random, contact, "contact_id", end)


def _thread(records: Records, random: Random, person: Document, member: str, end: datetime) -> None:
    """Let somebody and their owner write in turn; where nobody has answered a lead yet, the lead alone."""
    language = str(person["language"] or "en")[:2]
    language = language if language in _ENCLOSED else "en"
    answered = member == "contact_id" or person["first_response_at"] is not None
    moods = random.choice(list(_MOODS.values()))[: random.randint(2, 4)]
    turns = ["contact", "user"] * len(moods) if answered else ["contact"] * 2
    if answered and random.random() < 0.5:
        turns.pop()
    times = [end]
    for turn in reversed(turns[1:]):  # we answer within hours, they write every few days
        gap = timedelta(minutes=random.randint(4, 300) if turn == "user" else random.randint(240, 5_000))
        times.insert(0, times[0] - min(gap, (times[0] - person["created_at"]) / 2))
    written: list[tuple[str, Exchange, datetime]] = []
    for at, turn in zip(times, turns, strict=True):
        if turn == "contact":
            mood = moods[min(sum(one[0] == "contact" for one in written), len(moods) - 1)]
            said = {exchange for _, exchange, _ in written}
            exchange = random.choice([one for one in EXCHANGES[language, mood] if one not in said])
        else:
            exchange = written[-1][1]
        written.append((turn, exchange, at.replace(microsecond=0)))
    conversation = _put(
        records, {member: person["id"]}, person, random.sample(_TAGS, random.choice((0, 0, 1, 2))), archived=False
    )
    unread = random.choice((True, True, False)) if turns[-1] == "contact" else False
    type = random.choice(("email", "email", "chat", "sms"))
    owner = next((user for user in records.plan.users if user.id == person["owner_id"]), records.plan.users[0])
    waiting = 0
    for number, (turn, exchange, at) in enumerate(written, 1):
        theirs = turn == "contact"
        waiting = waiting + 1 if theirs else 0
        later = [one[0] for one in written[number:]]
        status = "replied" if later[:1] == ["user" if theirs else "contact"] else "read" if later else "delivered"
        sender = (person["id"], person["name"]) if theirs else (owner.id, owner.name)
        _say(
            records,
            conversation,
            sender,
            exchange.body if theirs else exchange.answer,
            at,
            {
                "type": type,
                "subject": exchange.subject if type == "email" and theirs else None,
                "status": "read" if status == "delivered" and theirs and not unread else status,
                "attachments": [_attachment(records, _ENCLOSED[language])] if exchange.encloses and not theirs else [],
            },
            theirs=theirs,
        )
    records.collection("conversation").put(
        conversation
        | {
            "unread_count": waiting if unread else 0,
            "last_message_at": end.replace(microsecond=0),
            "archived": not waiting and random.random() < 0.15,
            "created_at": written[0][2],
            "updated_at": written[-1][2],
        }
    )


def _attachment(records: Records, name: str) -> dict[str, Any]:
    id = records.store.new_id("file_")
    url = f"https://files.{records.plan.slug}.test/{id}/{name}"
    return {"id": id, "name": name, "type": "application/pdf", "size": 48_000 + len(name) * 512, "url": url}


def _put_documented(records: Records) -> None:
    """Put conv_123 of lead_123 with its documented messages."""
    lead = records.collection("lead").get("lead_123")
    assert lead is not None, "the documented lead comes first"
    day = datetime(2024, 1, 15, tzinfo=UTC)
    conversation = _put(records, {"id": "conv_123", "lead_id": lead["id"]}, lead, [], archived=False)
    last = day + timedelta(hours=16, minutes=45)
    records.collection("conversation").put(
        conversation
        | {
            "unread_count": 2,
            "last_message_at": last,
            "created_at": day + timedelta(hours=10, minutes=30),
            "updated_at": last,
        }
    )
    for id, theirs, content, hours, minutes in (
        ("msg_123", True, "Hi, I'm interested in your product", 10, 30),
        ("msg_124", False, "Thanks for your interest! Let me schedule a demo.", 10, 35),
        ("msg_125", True, "The demo was very helpful.", 16, 40),
        ("msg_126", True, "Thanks for the demo!", 16, 45),
    ):
        sender = (lead["id"], lead["name"]) if theirs else ("user_123", "John Doe")
        at = day + timedelta(hours=hours, minutes=minutes)
        members = {"id": id, "type": "chat", "subject": None, "status": "delivered"}
        _say(records, conversation, sender, content, at, members, theirs=theirs)


def _put(
    records: Records, members: Mapping[str, Any], person: Document, tags: list[str], *, archived: bool
) -> Document:
    blank = {
        "id": None,
        "lead_id": None,
        "contact_id": None,
        "contact_name": person["name"],
        "contact_company": person["company"],
        "unread_count": 0,
        "last_message_at": None,
        "tags": tags,
        "priority": "low",
        "priority_set": False,
        "archived": archived,
        "created_by": "system",
        "version": 1,
    }
    doc = Document({**blank, **members})
    return records.collection("conversation").put(doc | {"id": doc["id"] or records.store.new_id("conv_")})


def _say(
    records: Records,
    conversation: Document,
    sender: tuple[str, str],
    content: str,
    at: datetime,
    members: Mapping[str, Any],
    *,
    theirs: bool,
) -> None:
    doc = Document(
        {
            "conversation_id": conversation["id"],
            "lead_id": conversation["lead_id"],
            "sender_id": sender[0],
            "sender_name": sender[1],
            "sender_type": "contact" if theirs else "user",
            "content": content,
            "timestamp": at,
            "attachments": [],
            "created_at": at,
            "updated_at": at,
            "created_by": "system",
            "version": 1,
            **members,
        }
    )
    records.collection("message").put(doc | {"id": doc.get("id") or records.store.new_id("msg_")})
