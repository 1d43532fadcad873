"""What a text asks of an agent: the intent of its words, in English, German and Spanish; texts are folded."""

from __future__ import annotations

import re
from collections.abc import Sequence

_INTENTS: Sequence[tuple[str, str, str]] = (
    ("qualify", "Qualifying", r"\bqualif\w*|\bqualifizier\w*|\bcalific\w*|\bscore\b|good fit|worth"),
    ("cancel", "Handing over the cancellation of",
     r"\bcancel\w*|\bkundig\w*|\bstornier\w*|\babsagen?\b|\bsage .{0,40}\bab\b|\bcall (?:it )?off\b"
     r"|\b(?:dar|darme) de baja\b|\b(?:cannot|can['’]?t) (?:make|attend|come)\b"),
    ("complain", "Settling a complaint with", r"\bcomplain\w*|\brefund\w*|\bbroken\b|\bbeschwer\w*|\bqueja\w*"),
    ("price", "Answering about prices for",
     r"\bpric\w*|\bcosts?\b|\bquote\b|\bdiscount\w*|\bpreis\w*|\bkosten\b|\bangebot\w*|\bprecio\w*"),
    ("meet", "Planning a meeting with",
     r"\bschedul\w*|\bmeet\w*|\bdemo\w*|\bappointment\w*|\bcall\b|\btermin\w*|\btreff\w*|\bbesprech\w*|\banruf\w*"
     r"|\breunion\w*|\breunir\w*|\bcita\b|\bllamada\b"),
    ("follow", "Following up with", r"\bfollow\w*|\bremind\w*|\bnachfass\w*|\bseguimiento\b|\breach out\b"),
    ("help", "Helping",
     r"\bhelp\w*|\bhow (do|can|to)\b|\bsupport\b|\berror\w*|\bproblem\w*|\bissue\w*|\bhilfe\b|\bayuda\b"),
)  # fmt: skip
"""Intents, each with the name of its task and a pattern of words; the first that matches is taken."""
_MEETING = r"\bmeet\w*|\bdemo\w*|\bappointment\w*|\btermin\w*|\btreff\w*|\bbesprech\w*|\breuni\w*|\bcita\b"
_CALL = r"|\bcall\b|\banruf\w*|\bllamada\b"
_THANKS = re.compile(r"\b(?:thanks?|thank you|thx|cheers|danke\w*|vielen dank|(?:muchas )?gracias)\b")
_ASKS = re.compile(
    r"[?]|\b(?:please|can|could|would|need|want|like|let['’ ]?s|how|when|what|cancel\w*|not work\w*|broken|schedul\w*"
    r"|bitte|konn\w*|mocht\w*|brauch\w*|wann|wie|kundig\w*"
    r"|por favor|puede\w*|podr\w*|quier\w*|necesit\w*|cuando)\b"
)
"""Words of who wants something: who only thanks has none."""


def intent_of(text: str) -> tuple[str, str]:
    """Return the intent of a text, and what its task is called."""
    if _THANKS.search(text) is not None and _ASKS.search(text) is None:
        return "thank", "Answering"
    found = ((name, verb) for name, verb, words in _INTENTS if re.search(words, text))
    return next(found, ("answer", "Answering"))


def is_about_meeting(text: str, *, calls: bool = False) -> bool:
    """Tell whether a text is about a meeting in person or on a screen; with `calls`, by telephone, too."""
    return re.search(_MEETING + (_CALL if calls else ""), text) is not None
