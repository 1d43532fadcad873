"""How a text is judged to the fourth place, what language it is in, and the shape of what is found."""

from __future__ import annotations

from datetime import UTC, datetime

from server_stub.services.insight_shape import insight
from server_stub.services.language import is_automatic, language_of, own_words
from server_stub.services.sentiment import Tone, name_of_score, tone, words_of_leaving


def test_words_weigh_what_the_list_says_and_what_stands_before_them() -> None:
    for text, score, sure in (
        ("good", 0.378, 67), ("good!", 0.4097, 68), ("bad", -0.6325, 78), ("bad!", -0.6682, 80),
        ("excellent", 0.7746, 85), ("terrible", -0.7746, 85), ("very good", 0.5222, 74), ("slightly good", 0.2379, 61),
        ("not good", -0.2928, 63), ("hardly good", -0.2928, 63), ("not very good", -0.4174, 69),
        ("very very good", 0.6765, 80), ("not terrible", 0.6765, 80), ("not in a good", -0.2928, 63),
        ("not in any way good", 0.378, 67), ("not. good", 0.378, 67), ("not, good", 0.378, 67),
        ("good, but bad", -0.7143, 73), ("good but bad", -0.7143, 73), ("bad but good", 0.2, 52),
        ("good. but", 0.378, 67), ("but good", 0.5222, 74), ("good bad", -0.378, 56), ("good good bad", 0.0, 50),
        ("nothing but good", 0.5222, 74), ("anything but good", -0.2928, 63), ("hello", 0.0, 60), ("...", 0.0, 60),
        ("", 0.0, 30), ("I do not think it is good", -0.2928, 63), ("I do not think so. It is good", 0.378, 67),
        ("I do not think so but it is good", 0.5222, 74), ("I do not think it is very good, good", -0.6078, 77),
        ("это ужасно", 0.0, 20), ("это bad bad", -0.8528, 88), ("merci pour votre offre, nous sommes", 0.0, 20),
    ):  # fmt: skip
        found = tone(text)
        assert (found.score, found.confidence) == (score, sure), text
    assert tone("good and bad, very GOOD") == Tone(0.2, 51, ("good", "bad", "good"))
    names = {0.2: "positive", 0.1999: "neutral", 0.0: "neutral", -0.1999: "neutral", -0.2: "negative"}
    assert {score: name_of_score(score) for score in names} == names
    assert tone("bad but good").sentiment == "positive"


def test_words_of_leaving_are_those_that_are_not_denied() -> None:
    for text, words in (
        ("we will cancel", ("cancel",)), ("not cancel", ()), ("we do not want to cancel", ()),
        ("competitor and cancellation", ("competitor", "cancellation")), ("not now. cancel", ("cancel",)),
        ("not now at all then cancel", ("cancel",)), ("hello", ()), ("wir kündigen", ("kundigen",)),
    ):  # fmt: skip
        assert words_of_leaving(text) == words, text


def test_the_language_of_a_text_is_that_of_its_common_words() -> None:
    for text, language in (
        ("this is the offer", "en"), ("das ist ein Angebot", "de"), ("gracias por la oferta", "es"),
        ("merci pour votre offre, nous sommes contents", None), ("это ужасно", None), ("a ж", "en"), ("a жы", None),
        ("", "en"), ("12 34", "en"), ("Angebot", "en"), ("bitte", "de"), ("dankzij", "en"), ("obrigado", "en"),
        ("obrigado pela oferta, mais tudo isso", None),
    ):  # fmt: skip
        assert language_of(text) == language, text


def test_what_others_wrote_is_left_out() -> None:
    for text, own in (
        ("Yes\n> No", "Yes"), ("> No\nYes", "Yes"), ("> No", ""), ("Yes", "Yes"),
        ("Yes\nOn Monday Ada Lovelace wrote:\nNo", "Yes"), ("Yes\nOn Monday Ada wrote:\n> No\nMore", "Yes\nMore"),
        ("Yes\nOn Monday Ada wrote:\n\n> No\nMore", "Yes\n\nMore"), ("Yes\n--- Original Message ---\nNo", "Yes"),
        ("Yes\nFrom: Ada\nSent: Monday\nNo", "Yes"), ("Yes\nFrom: Ada\nNo", "Yes\nFrom: Ada\nNo"),
        ("Yes\nVon: Ada\nBetreff: X\nNo", "Yes"),
    ):  # fmt: skip
        assert own_words(text) == own, text
    for text, automatic in (
        ("I am out of office until Monday", True), ("Automatic reply: X", True), ("Ich bin im Urlaub bis Montag", True),
        ("> Automatic reply\nYes", False), ("on vacation", False), ("Until Monday I am out of the office", True),
        ("out of office\nback on Monday", True), ("x" * 2_000 + " automatic reply", False),
    ):  # fmt: skip
        assert is_automatic(text) is automatic, text


def test_an_insight_says_whether_something_can_be_done() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for action in (None, "Call"):
        assert insight({"id": "deal_1"}, "risk", "k", "T", "D", 50, now, action) == {
            "id": "insight_34db607bb330", "type": "risk", "title": "T", "description": "D", "confidence": 50,
            "actionable": action is not None, "suggested_action": action, "date": now,
        }  # fmt: skip
    assert insight({"id": "deal_1"}, "risk", "l", "T", "D", 50, now, None)["id"] != "insight_34db607bb330"
