"""The rules of the AI services that read and write texts: sentiment, message analysis, smart compose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.resources.ai import Ai

from ...problems import invalid
from ...serving import Context, serves
from .. import sentiment
from ..messages import reading as message_reading
from ..messages.records import templates_of
from ..messages.writing import compose

_CONTEXT = 0.4
"""The share of the context's tone that a neutral text takes on."""
_THEIRS = frozenset({"contact", "lead"})


@serves(Ai.sentiment)
def judge(call: Context, text: str, context: str | None) -> dict[str, Any]:
    """Return the sentiment of a text; a neutral text takes on a part of its context's."""
    own = sentiment.tone(text)
    if own.words or not context:
        score, confidence = own.score, own.confidence
    else:
        around = sentiment.tone(context)
        score, confidence = around.score * _CONTEXT, round(around.confidence * (1 - _CONTEXT))
    return {
        "sentiment": sentiment.name_of_score(score),
        "confidence": confidence,
        "emotional_tone": message_reading.mood_of(text, score=score),
    }


@serves(Ai.message_analysis)
def analyse(
    call: Context, content: str, conversation_history: Sequence[str | Mapping[str, Any]] | None
) -> dict[str, Any]:
    """Return the analysis of a message."""
    return message_reading.analyse(content, _situation(conversation_history or ()))


@serves(Ai.smart_compose)
def write(
    call: Context,
    conversation_context: str | Sequence[str | Mapping[str, Any]],
    draft_content: str | None,
    tone: str | None,
) -> dict[str, Any]:
    """Return suggestions for a message of a conversation that is given by its texts."""
    given = [conversation_context] if isinstance(conversation_context, str) else conversation_context
    situation = _situation(given)
    if not situation.before and not (draft_content or "").strip():
        raise invalid("conversation_context", "required", "there is neither a conversation nor a draft")
    user = call.collection("user").get(call.caller.user_id or "")
    incoming = [text for text, theirs, _ in map(_entry, given) if text and theirs is not False]
    facts = {
        "contact_name": situation.name,
        "first_name": situation.name.partition(" ")[0] if situation.name else None,
        "sender_name": user["name"] if user is not None else None,
        "our_company": str(call.tenant["name"]),
    }
    return compose(
        draft_content or "",
        situation.before,
        last_in=incoming[-1] if incoming else None,
        facts=facts,
        templates=templates_of(call),
        tone=tone,
        situation=situation,
    )


def _situation(history: Sequence[str | Mapping[str, Any]]) -> message_reading.Situation:
    """Read a history of texts, or of messages in the form of answers."""
    entries = [entry for entry in map(_entry, history) if entry[0]]
    waiting = 0
    for _, theirs, _ in reversed(entries):
        if theirs is not True:
            break
        waiting += 1
    names = [name for _, theirs, name in entries if theirs and name]
    return message_reading.Situation(
        name=names[-1] if names else None, unanswered=waiting, before=[text for text, _, _ in entries]
    )


def _entry(given: str | Mapping[str, Any]) -> tuple[str, bool | None, str | None]:
    """Return the text of a message, whether it is incoming (None where not known), and the sender."""
    if isinstance(given, str):
        return given.strip(), None, None
    sender = given.get("senderType", given.get("sender_type", given.get("sender")))
    name = given.get("senderName", given.get("sender_name"))
    text = str(given.get("content") or given.get("text") or "").strip()
    return text, None if sender is None else sender in _THEIRS, name if isinstance(name, str) else None
