"""The rule of moods: sentences in English, German and Spanish, with negation, emphasis and turns."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture(scope="module")
def client() -> CrmClient:
    return StubServer().client(dialects="flow")


def test_a_sentence_has_a_mood(client: CrmClient) -> None:
    cases: list[tuple[str, str]] = [
        ("The rollout exceeded our expectations.", "positive"),
        ("We appreciate the fast turnaround.", "positive"),
        ("This was not good at all.", "negative"),
        ("The invoices are a mess again.", "negative"),
        ("We regret choosing this plan.", "negative"),
        ("Please send the minutes of the meeting.", "neutral"),
        ("Die Zusammenarbeit macht richtig Spaß.", "positive"),
        ("Klasse Arbeit, weiter so!", "positive"),
        ("So eine Katastrophe habe ich selten erlebt.", "negative"),
        ("Das Programm ist schon wieder abgestürzt.", "negative"),
        ("Wir sind nicht zufrieden.", "negative"),
        ("Bitte schicken Sie mir das Protokoll.", "neutral"),
        ("Muchas gracias, todo funciona de maravilla.", "positive"),
        ("Es una vergüenza, nadie responde.", "negative"),
        ("No estamos contentos con la entrega.", "negative"),
        ("Envíeme el acta de la reunión.", "neutral"),
    ]
    for text, mood in cases:
        assert client.ai.sentiment(text).sentiment == mood, text
        assert client.ai.sentiment(text) == client.ai.sentiment(text.upper().replace("SS", "ss")), text


def test_emphasis_and_turns_move_the_mood(client: CrmClient) -> None:
    def sure(text: str) -> int:
        return client.ai.sentiment(text).confidence

    assert sure("This is very helpful and great") > sure("This is helpful")
    assert client.ai.sentiment("The demo was great, but the delay is unacceptable").sentiment == "negative"
    assert client.ai.sentiment("There was a delay, but the team was excellent").sentiment == "positive"


def test_a_negation_reaches_what_it_denies(client: CrmClient) -> None:
    cases: list[tuple[str, str]] = [
        ("The export hasn't been good since May.", "negative"),
        ("We haven’t been happy with it.", "negative"),
        ("I don't think the new release is really all that good.", "negative"),
        ("We didn't find the answer very helpful, sorry.", "negative"),
        ("I don't think it is good. The team is great and friendly, though.", "positive"),
        ("The service was anything but helpful.", "negative"),
        ("It is far from perfect.", "negative"),
        ("Nothing but praise from the team.", "positive"),
        ("Not only good but excellent.", "positive"),
        ("I couldn't be happier.", "positive"),
        ("We can't recommend it enough.", "positive"),
        ("It has never been a problem.", "positive"),
        ("There are no issues any more.", "positive"),
        ("Ich glaube nicht, dass das eine gute Lösung ist.", "negative"),
        ("Der Support war alles andere als hilfreich.", "negative"),
        ("Es gibt keine Probleme mehr.", "positive"),
        ("No creo que sea una buena idea.", "negative"),
        ("El servicio es todo menos bueno.", "negative"),
    ]
    for text, mood in cases:
        assert client.ai.sentiment(text).sentiment == mood, text


OTHERS = [
    "Het product is vreselijk en we zijn boos over de fouten.",
    "Le service est catastrophique, nous sommes furieux.",
    "Merci beaucoup, c'est parfait, tout est super.",
    "Il problema è grave, siamo molto preoccupati.",
    "Este produto é péssimo e não funciona, um problema.",
    "Tack så mycket, allt fungerar och vi är super nöjda.",
    "To jest problem, nie ma na to czasu.",
    "Tämä on super ja me kiitos.",
    "Спасибо, всё отлично работает.",
    "問題があります。至急ご連絡ください。",
]


def test_a_language_that_is_not_known_is_not_judged_and_answered_in_english(client: CrmClient) -> None:
    for text in OTHERS:
        judged = client.ai.sentiment(text)
        assert judged.sentiment == "neutral" and (judged.confidence or 100) <= 30, text
        assert client.ai.message_analysis(text).suggested_response.startswith("Hello, "), text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No problem at all!", "Hello"),
        ("Ok", "Hello"),
        ("Danke, das hilft uns.", "Guten Tag"),
        ("Gracias por todo", "Hola"),
    ],
)
def test_an_answer_is_in_the_language_of_the_message(client: CrmClient, text: str, language: str) -> None:
    assert client.ai.message_analysis(text).suggested_response.startswith(language)


QUOTES = [
    "Thanks, that is great.\n\nOn Mon, 12 Jan 2026, Bob wrote:\n> This is terrible, we cancel. Urgent!\n> Why?",
    "Thanks, that is great.\n\n-----Original Message-----\nThis is terrible, we cancel. Urgent! Why?",
    "Thanks, that is great.\n\nFrom: Bob\nSent: Monday\nThis is terrible, we cancel. Urgent! Why?",
    "> This is terrible, we cancel. Urgent!\nThanks, that is great.",
    "Danke, das ist super.\n\nAm 12.01.2026 schrieb Bob:\n> Furchtbar, wir kündigen. Dringend! Warum?",
    "Gracias, es excelente.\n\nEl 12 ene 2026, Bob escribió:\n> Terrible, urgente, cancelamos. ¿Por qué?",
]


def test_what_is_quoted_is_not_the_senders(client: CrmClient) -> None:
    for text in QUOTES:
        assert client.ai.sentiment(text).sentiment == "positive", text
        read = client.ai.message_analysis(text)
        assert (read.urgency_level, "cancellation" in read.key_topics, read.business_intent) == (
            "low",
            False,
            "follow-up",
        ), text
        assert not any("question" in item for item in read.action_items), text


def test_how_urgent_a_text_is(client: CrmClient) -> None:
    cases: list[tuple[str, str]] = [
        ("I am out of the office until Monday. For urgent matters contact Bob immediately.", "low"),
        ("Automatic reply: I am on vacation. In urgent cases call Bob.", "low"),
        ("Ich bin bis Montag nicht im Büro. In dringenden Fällen wenden Sie sich an Bob.", "low"),
        ("Estoy fuera de la oficina hasta el lunes. Si es urgente, llame a Bob.", "low"),
        ("It is not urgent, whenever you have time.", "low"),
        ("Prices are going down, fine.", "low"),
        ("The call went down well.", "low"),
        ("PLEASE CALL ME BACK", "medium"),
        ("Today was a nice day.", "medium"),
        ("THE SERVER IS DOWN", "high"),
        ("Our site is down since this morning.", "high"),
        ("Das System ist komplett down.", "high"),
        ("El servidor se ha caído.", "high"),
        ("CALL ME BACK, THIS CANNOT WAIT", "high"),
    ]
    for text, urgency in cases:
        assert client.ai.message_analysis(text).urgency_level == urgency, text
