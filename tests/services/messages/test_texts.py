"""What is read out of messages and written for them: analyses, drafts, tones and templates."""

from __future__ import annotations

from itertools import pairwise

import pytest
from conversing import fresh, hears

from crm_sdk import (
    AiServiceError,
    ApiError,
    CrmClient,
    InvalidInputError,
    NotFoundError,
    ValidationError,
)
from server_stub import StubServer

# -- reading and writing ---------------------------------------------------------------------------------------------


def test_a_message_is_analysed_in_its_conversation(mvp: CrmClient, flow: CrmClient) -> None:
    conversation = fresh(mvp, flow, "Could you send a quote by Thursday? We need the price soon.")
    read = flow.messages.analysis(conversation.messages[0].id)
    assert read == conversation.messages[0].ai_analysis
    assert read.key_topics[0] == "pricing"
    assert (read.urgency_level, read.business_intent, read.response_time) == ("medium", "inquiry", "within 4 hours")
    assert read.suggested_response.startswith("Hello Nora Quist, ") and "pricing" in read.suggested_response
    assert "Check the calendar for Thursday" in read.action_items
    (second,) = hears(mvp, conversation.messages[0].sender_id or "", "Still nobody? This is urgent!")
    assert flow.messages.analysis(second.id).urgency_level == "high"
    with pytest.raises(NotFoundError):
        flow.messages.analysis("msg_nope")


def test_a_draft_is_put_in_other_tones_and_templates_are_filled(mvp: CrmClient, flow: CrmClient) -> None:
    conversation = fresh(mvp, flow, "Could you tell me more about pricing?")
    help = flow.messages.smart_compose(conversation.id, "Hey Nora, thanks! I can't send the quote yet. Cheers")
    assert help.tone_adjustments.current == "casual"
    shown = {one.tone: one.preview for one in help.tone_adjustments.alternatives}
    assert shown.keys() == {"formal", "friendly", "urgent"}
    assert shown["formal"].startswith("Dear Nora Quist,") and "I cannot send the quote yet." in shown["formal"]
    assert any("pricing" in text for text in help.suggestions)
    assert {one.category for one in help.template_suggestions} <= {"introduction", "proposal", "follow-up"}
    assert any("Nora" in one.content for one in help.template_suggestions)
    raw = {one.id: one for one in flow.messages.templates()}
    for one in help.template_suggestions:
        assert set(one.variables) < set(raw[one.id].variables)
    german = fresh(mvp, flow, "Guten Tag, der Import ist fehlgeschlagen und ich brauche Hilfe mit dem Fehler.")
    answer = flow.messages.smart_compose(german.id, "Ich prüfe das und melde mich.")
    assert answer.template_suggestions[0].name == "Störung aufgenommen"
    with pytest.raises(ValidationError):
        flow.messages.smart_compose("conv_nope", "x")


def test_templates_are_chosen_by_category(flow: CrmClient) -> None:
    every, some = flow.messages.templates(), flow.messages.templates(category="meeting")
    assert {one.category for one in some} == {"meeting"} and 0 < len(some) < len(every)
    proposal = next(one for one in some if one.name == "Propose a meeting")
    assert proposal.variables == ["first_name", "date", "time", "topic"]
    with pytest.raises(ApiError):
        flow.messages.templates(category="poems")


def test_the_ai_reads_and_writes_texts(flow: CrmClient) -> None:
    assert flow.ai.sentiment("This is excellent!").sentiment == "positive"
    angry, plain = flow.ai.sentiment("This is terrible and awful."), flow.ai.sentiment("See you at ten.")
    assert (angry.sentiment, angry.emotional_tone, plain.sentiment) == ("negative", "frustrated", "neutral")
    assert angry.confidence > plain.confidence
    around = flow.ai.sentiment("See you at ten.", context="They were furious, it was a disaster.")
    assert around.sentiment == "negative"
    assert flow.ai.sentiment("This is not good.").sentiment == "negative"
    alone = flow.ai.message_analysis("Please confirm.")
    history = [{"content": "Please send the contract.", "senderType": "contact", "senderName": "Ada Byron"}] * 3
    within = flow.ai.message_analysis("Please confirm.", conversation_history=history)
    assert (alone.urgency_level, within.urgency_level) == ("low", "medium")
    assert (alone.key_topics, within.key_topics) == ([], ["contract"])
    assert within.suggested_response.startswith("Hello Ada Byron")
    formal = flow.ai.smart_compose(history, draft_content="thanks, it's on its way!", tone="formal")
    assert formal.suggestions[0].startswith("Dear Ada Byron,") and "thank you" in formal.suggestions[0].lower()
    assert flow.ai.smart_compose("Is the API documented?").suggestions
    with pytest.raises(InvalidInputError):
        flow.ai.message_analysis(" ")


def test_a_failing_ai_says_so(flow: CrmClient, stub: StubServer) -> None:
    for name in ("messages.analysis", "ai.sentiment"):
        stub.faults.add("status", status=500, code="AI_SERVICE_ERROR", operation=name)
    with pytest.raises(AiServiceError):
        flow.messages.analysis("msg_123")
    with pytest.raises(AiServiceError):
        flow.ai.sentiment("Hello")


# -- what a salesperson would not believe ---------------------------------------------------------------------------


def test_a_demo_that_was_given_is_not_arranged_again(flow: CrmClient) -> None:
    asked = flow.ai.message_analysis("Could we see a demo of the reporting?")
    thanked = flow.ai.message_analysis("Thanks for the demo! When do we talk about the contract?")
    assert "Arrange a demo" in asked.action_items
    assert "Arrange a demo" not in thanked.action_items
    assert "Agree on what comes after the demo" in thanked.action_items


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Hi, I'm interested in your product", "thank you for your question. You"),
        ("Ich bin interessiert. Das ist eine Frage, bitte.", "danke für Ihre Frage. Eine"),
        ("Tengo una consulta para usted, gracias", "gracias por su consulta. Tendrá"),
    ],
)
def test_an_answer_to_a_text_without_a_topic_names_none(flow: CrmClient, text: str, answer: str) -> None:
    analysis = flow.ai.message_analysis(text)
    assert not analysis.key_topics and answer in analysis.suggested_response


def test_a_question_in_the_negative_stays_a_question_in_a_formal_tone(flow: CrmClient) -> None:
    help = flow.ai.smart_compose("", draft_content="Can't we talk tomorrow? Don't you agree?")
    (formal,) = (other.preview for other in help.tone_adjustments.alternatives if other.tone == "formal")
    assert "Can we not talk tomorrow? Do you not agree?" in formal


def test_who_is_cross_gets_an_apology_in_the_demo_data(flow: CrmClient) -> None:
    ours = {
        after.content
        for conversation in flow.conversations.list()
        for before, after in pairwise(flow.conversations.get(conversation.id).messages)
        if before.sender_type == "contact" and before.sentiment == "negative" and after.sender_type == "user"
    }
    assert ours and all(text.startswith(("I am sorry", "Das tut mir leid", "Lamento")) for text in ours)


def test_nobody_writes_a_text_twice_in_a_thread_of_the_demo_data(flow: CrmClient) -> None:
    for conversation in flow.conversations.list():
        said = [message.content for message in flow.conversations.get(conversation.id).messages]
        assert len(said) == len(set(said)), conversation.id
