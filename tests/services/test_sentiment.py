"""The rule of moods: sentences in English, German and Spanish, with negation, emphasis and turns."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture(scope="module")
def client() -> CrmClient:
    return StubServer().client(dialects="flow")


@pytest.mark.parametrize(
    ("text", "mood"),
    [
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
    ],
)
def test_a_sentence_has_a_mood(client: CrmClient, text: str, mood: str) -> None:
    assert client.ai.sentiment(text).sentiment == mood
    assert client.ai.sentiment(text) == client.ai.sentiment(text.upper().replace("SS", "ss"))


def test_emphasis_and_turns_move_the_mood(client: CrmClient) -> None:
    def sure(text: str) -> int:
        return client.ai.sentiment(text).confidence

    assert sure("This is very helpful and great") > sure("This is helpful")
    assert client.ai.sentiment("The demo was great, but the delay is unacceptable").sentiment == "negative"
    assert client.ai.sentiment("There was a delay, but the team was excellent").sentiment == "positive"
