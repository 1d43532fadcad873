"""What is read out of a text and proposed as an answer, at the bounds of each rule."""

from __future__ import annotations

from typing import Any

import pytest
from conversing import fresh, hears
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.messages.reading import Situation, analyse, intent_of, mood_of
from server_stub.services.messages.records import shares
from server_stub.services.messages.writing import TONES, compose, in_tone, tone_of

TIMES = {"high": "within 1 hour", "medium": "within 4 hours", "low": "within 24 hours"}
SHORT, HURRY, ASK = "Send a short answer", "Answer within 1 hour", "Answer the question: "
READ: list[tuple[str, Situation | None, list[str], str, str, str, list[str]]] = [
    ("", None, [], "matter-of-fact", "low", "follow-up", [SHORT]),
    ("What?", None, [], "curious", "low", "inquiry", [f"{ASK}What?"]),
    # how it is written: shouting is more than 8 letters of which more than 70 % are capitals
    ("ABCD EFGH", None, [], "matter-of-fact", "low", "follow-up", [SHORT]),
    ("ABCDE FGHI", None, [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("ABCDEFg hIj", None, [], "matter-of-fact", "low", "follow-up", [SHORT]),
    ("ABCDEFg HIj", None, [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("Please!", None, [], "matter-of-fact", "low", "follow-up", [SHORT]),
    ("Please!!", None, [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    # who has written, and how often
    ("See you.", Situation(unanswered=1), [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("See you.", Situation(unanswered=3), [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("See you.", Situation(important=True), [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("See you.", Situation(unanswered=2, important=True), [], "urgent", "high", "follow-up", [HURRY]),
    # words that press count twice at most, urgent ones once, negated ones not
    ("Tell me today.", None, [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("Tell me today, still again.", None, [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("Tell me today, still.", Situation(important=True), [], "urgent", "high", "follow-up", [HURRY]),
    ("It is urgent.", None, [], "urgent", "high", "follow-up", [HURRY]),
    ("It is not urgent.", None, [], "matter-of-fact", "low", "follow-up", [SHORT]),
    ("It is not so very urgent.", None, [], "urgent", "high", "follow-up", [HURRY]),
    ("HELP, THE SERVER IS DOWN", None, [], "urgent", "high", "support", [HURRY]),
    ("We are leaving.", None, [], "matter-of-fact", "medium", "follow-up", [SHORT]),
    ("It is terrible, awful, horrible.", None, [], "frustrated", "medium", "follow-up", [SHORT]),
    ("unacceptable", None, [], "frustrated", "medium", "complaint", ["Call and apologise"]),
    ("Not bad, I would buy.", None, [], "friendly", "low", "purchase", [SHORT]),
    # topics: the most mentioned first, five at most, else of what was said before
    ("demo demo price", None, ["demo", "pricing"], "matter-of-fact", "low", "inquiry",
     ["Arrange a demo", "Send a quote"]),
    (
        "price contract cancel outage invoice demo", None,
        ["pricing", "contract", "cancellation", "reliability", "billing"], "frustrated", "high", "complaint",
        [HURRY, "Call and apologise", "Send a quote", "Send the contract", "Offer a review with the owner"],
    ),
    ("See you.", Situation(before=["price price api", "hello"]), ["pricing"], "matter-of-fact", "low", "follow-up",
     ["Send a quote"]),
    ("See you.", Situation(before=["the price", "the api"]), ["integration"], "matter-of-fact", "low", "follow-up",
     ["Ask a technician about the integration"]),
    ("Our invoice is wrong! Terrible!! I will cancel.", None, ["cancellation", "billing"], "frustrated", "high",
     "complaint", [HURRY, "Call and apologise", "Offer a review with the owner", "Check the invoice"]),
    ("Thanks for the demo! Monday or tomorrow, Monday? Who comes? And when?", None, ["demo"], "friendly", "medium",
     "inquiry", ["Agree on what comes after the demo", f"{ASK}Monday or tomorrow, Monday?", f"{ASK}Who comes?",
                 "Check the calendar for Monday", "Check the calendar for Tomorrow"]),
]  # fmt: skip
ANSWERS: list[tuple[str, str | None, str]] = [
    ("What?", None, "Hello, thank you for your question. You will have an answer within 24 hours."),
    ("demo?", "Bo", "Hello Bo, thank you for your question about the demo. You will have an answer within 24 hours."),
    (
        "Danke für das Angebot, wir bestellen.", "Uwe",
        "Guten Tag Uwe, das freut uns. Die Unterlagen (Thema Preise) erhalten Sie innerhalb von 24 Stunden.",
    ),
    (
        "Gracias por la factura, pero hay un fallo.", "Eva",
        "Hola Eva, gracias por avisarnos. Estamos revisando el asunto (incidencia) y le informaremos en 4 horas.",
    ),
]  # fmt: skip


def test_a_text_is_read_by_the_bounds_of_its_rules() -> None:
    for text, situation, topics, tone, urgency, intent, items in READ:
        found = analyse(text, situation)
        assert found.pop("suggested_response")
        assert found == {
            "key_topics": topics, "emotional_tone": tone, "urgency_level": urgency, "business_intent": intent,
            "response_time": TIMES[urgency], "action_items": items,
        }, text  # fmt: skip
    assert [analyse(text, Situation(name))["suggested_response"] for text, name, _ in ANSWERS] == [
        answer for *_, answer in ANSWERS
    ]


def test_a_complaint_counts_twice_and_with_it_each_word_of_leaving() -> None:
    """Only what is said in a bad mood is one; a question counts twice, too."""
    for text, intent in (
        ("It is awful, we go to a competitor.", "complaint"), ("A competitor calls.", "follow-up"),
        ("It is awful. Do we go to a competitor, and leave?", "inquiry"),
        ("Terrible: wrong invoice, but when?", "complaint"), ("Terrible: wrong invoice. When? How?", "inquiry"),
        ("Terrible: wrong, and cancel. When? And how?", "complaint"),
    ):  # fmt: skip
        assert intent_of(text) == intent, text


def test_a_mood_has_its_bounds_and_an_absence_no_haste() -> None:
    cases = {-0.6: "frustrated", -0.59: "concerned", -0.2: "concerned", -0.19: "matter-of-fact", 0.19: "matter-of-fact",
             0.2: "friendly", 0.69: "friendly", 0.7: "enthusiastic"}  # fmt: skip
    assert {score: mood_of("x", "low", score=score) for score in cases} == cases
    texts = (("x?", "low"), ("x?", "high"), ("urgent?", None))
    assert [mood_of(text, urgency, score=0) for text, urgency in texts] == ["curious", "urgent", "urgent"]
    assert mood_of("That is terrible, awful, horrible.") == "frustrated"
    away = "Automatic reply: I am out of the office. In urgent cases call immediately!!"
    assert analyse(away, Situation(unanswered=2, important=True))["urgency_level"] == "low"


FACTS = {"contact_name": "Ada Byron", "first_name": "Ada", "company": None}
NEXT, QUARTER = "As for pricing: shall we talk about it this week?", "the quarterly numbers"


def template(id: str, category: str, content: str = "x", **more: str) -> dict[str, Any]:
    return {"id": id, "name": id.upper(), "category": category, "content": content, **more}


GREETS = template("greets", "introduction", "Hi {{ first_name }} of {{company}}, {{topic}} {{x}} {{x}}", language="en")
ABOUT = template("about", "introduction", "Hello", language="en")
OFFERS = template("offers", "proposal", "our quarterly invoice numbers")
GERMAN = template("german", "introduction", language="de")
MEETS, HELPS = template("meets", "meeting"), template("helps", "support", language="en")
EVERY = [GREETS, ABOUT, OFFERS, GERMAN, MEETS, HELPS]


def proposed(draft: str, asked: str | None, before: list[str], tone: str | None = None) -> dict[str, Any]:
    return compose(draft, before, last_in=asked, facts=FACTS, templates=EVERY, tone=tone)


def test_suggestions_follow_what_was_asked_and_drafted() -> None:
    bare = proposed("", "How much is it?", ["How much is it?"])
    answer = "Hello Ada Byron, thank you for your question. You will have an answer within 24 hours."
    assert bare["suggestions"] == [answer, "“How much is it?” – Is there anything else you need from us?"]
    assert [one["id"] for one in bare["template_suggestions"]] == ["about", "greets", "german"]
    filled = bare["template_suggestions"][1]
    assert (filled["content"], filled["variables"]) == (
        "Hi Ada of {{company}}, {{topic}} {{x}} {{x}}", ["company", "topic", "x"],
    )  # fmt: skip
    assert bare["tone_adjustments"] == {
        "current": "friendly",
        "alternatives": [
            {"tone": "formal", "preview": "Dear Ada Byron,\n\nThank you for your question. You will have an answer "
                                          "within 24 hours.\n\nKind regards"},
            {"tone": "casual", "preview": "Hey Ada,\n\nThanks for your question. You'll have an answer within 24 hours."
                                          "\n\nCheers"},
            {"tone": "urgent", "preview": "Hello Ada Byron,\n\nThis is urgent: Thank you for your question. You will "
                                          "have an answer within 24 hours.\n\nPlease reply today."},
        ],
    }  # fmt: skip
    priced = proposed(QUARTER, None, ["hello", "Is there a price?"])
    assert priced["suggestions"] == [
        f"{QUARTER}. {NEXT}",
        "Hello Ada Byron, thank you for your question about pricing. You will have an answer within 24 hours.",
        f"“Is there a price?” – {NEXT}",
    ]
    assert [one["id"] for one in priced["template_suggestions"]] == ["about", "greets", "offers"]
    assert priced["template_suggestions"][1]["content"] == "Hi Ada of {{company}}, pricing {{x}} {{x}}"
    assert proposed(f" {QUARTER}! ", "Prices.", [])["suggestions"] == [
        f"{QUARTER}! {NEXT}",
        "Hello Ada Byron, thank you for your question about pricing. You will have an answer within 24 hours.",
        NEXT,
    ]
    known = proposed("The price is 5", "Is there a price?", [])["suggestions"]
    assert (known[0], known[2]) == (
        "The price is 5. Is there anything else you need from us?",
        "“Is there a price?” – Is there anything else you need from us?",
    )
    alone = proposed("", None, [])
    assert alone["suggestions"] == [
        "Hello Ada Byron, thank you for your message. I have noted it and will get back to you within 24 hours.",
        "Is there anything else you need from us?",
    ]
    ids = [[one["id"] for one in proposed(draft, asked, [])["template_suggestions"]] for draft, asked in (
        ("", "We need a demo"), ("the demo", "Please"), ("help", "How?"), ("", "help"), ("", "a contract"),
    )]  # fmt: skip
    assert ids == [["meets"], ["meets"], ["about", "greets", "helps"], ["helps"], ["offers"]]
    asked = "Wann ist die Vorführung? Ich freue mich."
    formal = proposed("", asked, [asked], tone="formal")
    assert formal["suggestions"][0] == (
        "Guten Tag Ada Byron,\n\nDanke für Ihre Frage (Thema Vorführung). Eine Antwort erhalten Sie innerhalb von "
        "24 Stunden.\n\nMit freundlichen Grüßen"
    )


def test_a_tone_changes_greeting_words_and_end() -> None:
    text = "Hi Ada,\nthanks, I can't come soon! see you\nBest regards\nMia"
    assert [in_tone(text, tone, "en", "Ada Byron") for tone in TONES] == [
        "Dear Ada Byron,\n\nThank you, I cannot come soon. See you\n\nKind regards",
        "Hey Ada,\n\nThanks, I can't come soon! See you\n\nCheers",
        "Hi Ada!\n\nI hope you are doing well. Thanks, I can't come soon! See you\n\nWarm wishes",
        "Hello Ada Byron,\n\nThis is urgent: Thanks, I can't come today! See you\n\nPlease reply today.",
    ]
    assert [in_tone("hola, ven pronto! ok", tone, "es", None) for tone in TONES] == [
        "Buenos días:\n\nVen pronto. Ok\n\nAtentamente",
        "Hola:\n\nVen pronto! Ok\n\nUn abrazo",
        "¡Hola!\n\nEspero que todo vaya bien. Ven pronto! Ok\n\nSaludos",
        "Buenos días:\n\nEs urgente: Ven hoy! Ok\n\nLe ruego que responda hoy.",
    ]
    words = {"": "friendly", "today": "urgent", "hi today": "urgent", "hi hey today": "casual", "dear hey": "formal",
             "thank you": "friendly", "hey thank you": "casual"}  # fmt: skip
    assert {text: tone_of(text) for text in words} == words


def test_shares_add_up_to_a_hundred() -> None:
    cases = {(0, 0, 0): (0, 100, 0), (1, 1, 1): (34, 33, 33), (1, 2, 0): (33, 67, 0), (1, 0, 7): (13, 0, 87),
             (2, 2, 2): (34, 33, 33), (1, 5, 1): (14, 72, 14), (0, 0, 4): (0, 0, 100)}  # fmt: skip
    names = ("positive", "neutral", "negative")
    for counts, found in cases.items():
        assert shares(dict(zip(names, counts, strict=True))) == dict(zip(names, found, strict=True)), counts


def test_figures_and_facts_are_those_of_the_conversation(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    records = stub.store.collection("tenant_acme", "conversation")
    for doc in records.all():
        records.remove(doc["id"])
    assert flow.messages.stats().model_dump() == {
        "total": 0, "unread": 0, "high_priority": 0, "needs_follow_up": 0, "average_response_time": 0,
    }  # fmt: skip
    talk = fresh(mvp, flow, "Could you send a quote?")
    platform = stub.client(dialects="platform")
    lead = talk.messages[0].sender_id or ""
    platform.leads.update(lead, {"first_name": "Zoe", "company": "Initech"})
    contact = platform.leads.convert(lead).contact
    stub.clock.advance(90)
    flow.conversations.messages.create(talk.id, {"content": "Here it is.", "type": "chat"})
    assert flow.messages.stats().average_response_time == pytest.approx(1.5)
    hears(mvp, lead, "And when?")
    stub.clock.advance(210)
    flow.conversations.messages.create(talk.id, {"content": "At ten.", "type": "chat"})
    assert flow.messages.stats().model_dump() == {
        "total": 1, "unread": 0, "high_priority": 0, "needs_follow_up": 0, "average_response_time": 2.5,
    }  # fmt: skip
    stored(stub, "conversation", talk.id, contact_name="Old Name", contact_company="Old Ltd")
    for doc in stub.store.collection("tenant_acme", "template").all():
        stored(stub, "template", doc["id"], category="introduction", active=doc["channel"] == "email",
               content="{{contact_name}}|{{first_name}}|{{company}}|{{sender_name}}|{{our_company}}")  # fmt: skip

    def facts() -> str:
        return flow.messages.smart_compose(talk.id, "").template_suggestions[0].content

    assert facts() == f"{contact.name}|{contact.first_name}|{contact.company}|Ada Lindqvist|Acme"
    stored(stub, "contact", contact.id, first_name=None, company=None)
    assert facts().split("|")[:3] == [contact.name, contact.name.partition(" ")[0], "{{company}}"]
    stub.store.collection("tenant_acme", "contact").remove(contact.id)
    assert facts().split("|")[:3] == ["Old Name", "Old", "Old Ltd"]


def test_a_suggestion_knows_how_long_somebody_waits(mvp: CrmClient, flow: CrmClient) -> None:
    talk = fresh(mvp, flow, "See you.")
    lead = talk.messages[0].sender_id or ""

    def proposed() -> str:
        return flow.messages.smart_compose(talk.id, "").suggestions[0]

    assert proposed().endswith("get back to you within 24 hours.") and proposed().startswith("Hello Nora Quist, ")
    mvp.messages.create({"lead_id": lead, "content": "See you.", "sender": "lead"})
    assert proposed().endswith("within 4 hours.")
    ours = mvp.leads.create({"name": "Otto", "email": "otto@quist.example"}).id
    mvp.messages.create({"lead_id": ours, "content": "We have a price for you.", "sender": "agent"})
    alone = next(one.id for one in mvp.conversations.list() if one.lead_id == ours)
    assert flow.messages.smart_compose(alone, "").suggestions[0] == (
        "Hello Otto, thank you for your question about pricing. You will have an answer within 24 hours."
    )
