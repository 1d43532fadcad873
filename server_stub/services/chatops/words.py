"""The words that say which records are meant: whose, in which state, worth how much, from when, called what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...data.document import Document
from ...data.queries.query import fold
from ...serving import Context
from .subjects import Filters, Subject
from .tokens import SIGNS, Token, amount_of, joined_words

_FLAGS: Mapping[str, str] = {
    "won": r"won|gewonnen\w*|ganad\w+|مكسوبة|الفائزة", "lost": r"lost|verloren\w*|perdid\w+|خاسرة",
    "open": r"open|offene?n?|abiert\w+|مفتوحة|المفتوحة", "hot": r"hot|heisse?n?|calientes?|ساخنة",
    "overdue": r"overdue|late|uberfallige?n?|vencid\w+|متاخرة|المتاخرة", "new": r"new|neue?n?|nuev\w+|جديدة|جدد",
    "at-risk": r"at-risk|risky|gefahrdete?n?|معرضة", "stale": r"stale|eingeschlafene?n?|inactiv\w+|راكدة",
}  # fmt: skip
_MINE = r"my|mine|meine?r?n?|mis?|لي|صفقاتي"
_NOBODYS = r"unassigned|unowned|ohne-besitzer|sin-asignar|غير-مسندة"
_OVER, _UNDER = r"over|above|uber|mas-de|اكثر-من|>", r"under|below|unter|menos-de|اقل-من|<"
_PERIODS: Mapping[str, str] = {
    "today": r"today|heute|hoy|اليوم",
    "tomorrow": r"tomorrow|morgen|manana|غدا",
    "yesterday": r"yesterday|gestern|ayer|امس",
    "this_week": r"this-week|diese-woche|esta-semana|هذا-الاسبوع",
    "next_week": r"next-week|nachste-woche|proxima-semana",
    "last_week": r"last-week|letzte-woche|semana-pasada",
    "this_month": r"this-month|diesen-monat|este-mes|هذا-الشهر",
    "next_month": r"next-month|nachsten-monat|proximo-mes|الشهر-القادم",
    "last_month": r"last-month|letzten-monat|mes-pasado",
    "this_quarter": r"this-quarter|dieses-quartal|este-trimestre",
    "next_quarter": r"next-quarter|nachstes-quartal",
    "last_quarter": r"last-quarter|letztes-quartal",
    "this_year": r"this-year|dieses-jahr|este-ano",
    "next_year": r"next-year|nachstes-jahr",
    "last_year": r"last-year|letztes-jahr",
}
_UNITS: Mapping[str, str] = {
    "d": r"days?|tage?n?|dias?", "w": r"weeks?|wochen?|semanas?", "m": r"months?|monate?n?|mes(es)?",
}  # fmt: skip
_JOINED = (
    r"at risk|mas de|menos de|more than|less than|اكثر من|اقل من|diese woche|esta semana|هذا الاسبوع|nachste woche"
    r"|proxima semana|letzte woche|semana pasada|diesen monat|este mes|هذا الشهر|nachsten monat|proximo mes"
    r"|الشهر القادم|letzten monat|mes pasado|dieses quartal|este trimestre|nachstes quartal|letztes quartal"
    r"|dieses jahr|este ano|nachstes jahr|letztes jahr|ohne besitzer|sin asignar|غير مسندة"
    r"|(this|next|last) (week|month|quarter|year)"
)
"""Two words that mean one thing."""
_STARTERS = frozenset({
    "my", "mine", "unassigned", "won", "lost", "open", "hot", "overdue", "new", "at-risk", "stale", "over", "under",
    "above", "below", "named", "called", "in", "from", "tagged", "of", "top", "closing", "closes", "created", "due",
    "closed", "updated", "this-week", "next-week", "last-week", "this-month", "next-month", "last-month",
    "this-quarter", "next-quarter", "last-quarter", "this-year", "next-year", "last-year", "today", "tomorrow",
})  # fmt: skip
"""The words that end a name of several words before them."""


class Unclear(Exception):  # noqa: N818 # it becomes an answer
    """A word that says nothing of these records, with what there is instead."""

    def __init__(self, phrase: str, **facts: str) -> None:
        super().__init__(phrase)
        self.phrase = phrase
        """The key of the answer, see `replies`."""
        self.facts = facts


@dataclass
class Wanted:
    """What words ask for: conditions, and arguments of the list."""

    groups: list[list[Mapping[str, Any]]] = field(default_factory=lambda: [[]])
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])
    left: list[Token] = field(default_factory=list[Token])
    """The words that were not understood."""

    def require(self, *filters: Mapping[str, Any]) -> None:
        """Ask for conditions as well."""
        self.either([list(filters)])

    def either(self, filters: Filters) -> None:
        """Ask for one of several groups of conditions as well."""
        self.groups = [[*group, *more] for group in self.groups for more in filters]

    @property
    def filter_groups(self) -> list[dict[str, Any]]:
        """The conditions, none where every record is meant."""
        return [{"filters": group} for group in self.groups if group]


def pairs_joined(given: Sequence[Token]) -> list[Token]:
    """Return words with those that mean one thing together as one: ``this-week``."""
    found: list[Token] = []
    at = 0
    while at < len(given):
        here, after = given[at], given[at + 1] if at + 1 < len(given) else None
        pair = f"{here.word} {after.word}" if after is not None else ""
        if after is not None and re.fullmatch(_JOINED, pair):
            word = {"more than": "over", "less than": "under"}.get(pair, pair.replace(" ", "-"))
            found.append(Token(f"{here.text} {after.text}", word))
            at += 2
        else:
            found.append(here)
            at += 1
    return found


def read(call: Context, subject: Subject, given: Sequence[Token]) -> Wanted:
    """Return what words ask for of records of a kind, and which were not understood. Raises: Unclear."""
    wanted = Wanted()
    words = pairs_joined(given)
    at = 0
    while at < len(words):
        at += _take(call, subject, words[at:], wanted)
    if subject.kind is not None:
        wanted.arguments["kind"] = [subject.kind]
    return wanted


def _take(call: Context, subject: Subject, words: Sequence[Token], wanted: Wanted) -> int:
    """Read what the first words say; return how many of them it took."""
    word = words[0].word
    after = words[1:]
    flag = next((name for name, told in _FLAGS.items() if re.fullmatch(told, word)), None)
    if flag in ("won", "lost") and after and _period(after) is not None and word in subject.times:
        wanted.either(_of_flag(subject, flag))
        return 1 + _narrow_time(subject.times[word], after, wanted)
    if word in subject.times and after and _period(after) is not None:
        return 1 + _narrow_time(subject.times[word], after, wanted)
    if flag is not None:
        meaning = subject.flags.get(flag)
        if meaning is None:
            raise Unclear("no_word", word=words[0].text, entity=subject.key)
        if isinstance(meaning, Mapping):
            wanted.arguments |= meaning
        else:
            wanted.either(meaning)
        return 1
    if re.fullmatch(_MINE, word):
        wanted.require({"field": "owner_id", "op": "eq", "value": call.caller.user_id or call.caller.actor_id})
        return 1
    if re.fullmatch(_NOBODYS, word):
        wanted.require({"field": "owner_id", "op": "is_not_set"})
        return 1
    for told, op in ((_OVER, "gt"), (_UNDER, "lt")):
        if re.fullmatch(told, word) and after and (amount := amount_of(after[0].text)) is not None:
            return 1 + _narrow_amount(subject, op, amount, after, wanted)
    if _period(words) is not None:
        return _narrow_time(subject.when, words, wanted)
    if word in ("named", "called") and after:
        count = _name_length(after)
        wanted.arguments["search"] = joined_words(after[:count])
        return 1 + count
    if word == "tagged" and after:
        wanted.require({"field": "tags", "op": "contains", "value": after[0].text})
        return 2
    if word == "from" and after and "source" in subject.fields:
        wanted.require({"field": "source", "op": "eq", "value": after[0].text.casefold()})
        return 2
    if word == "in" and after and subject.stage is not None and (found := _stage(call, subject, after)) is not None:
        wanted.require({"field": subject.stage, "op": "eq", "value": found[0]})
        return 1 + found[1]
    if word == "of" and after and "owner_id" in subject.fields and (found := _user(call, after)) is not None:
        wanted.require({"field": "owner_id", "op": "eq", "value": found[0]})
        return 1 + found[1]
    if word == "top" and len(words) > 3 and words[1].word.isdecimal() and words[2].word in ("by", "nach", "por"):
        number = min(int(words[1].word[:9]), 20)
        wanted.arguments |= {"sort": field_named(subject, words[3].text), "order": "desc", "limit": max(number, 1)}
        return 4
    wanted.left.append(words[0])
    return 1


def _of_flag(subject: Subject, flag: str) -> Filters:
    meaning = subject.flags.get(flag)
    return [] if meaning is None or isinstance(meaning, Mapping) else meaning


def _narrow_amount(
    subject: Subject, op: str, amount: tuple[Any, str | None], after: Sequence[Token], wanted: Wanted
) -> int:
    if subject.money is None:
        raise Unclear("no_word", word=after[0].text, entity=subject.key)
    number, currency = amount
    wanted.require({"field": subject.money, "op": op, "value": number})
    taken = 1
    if currency is None and len(after) > 1:
        text = after[1].text.upper()
        currency = SIGNS.get(text) or (text if re.fullmatch(r"[A-Z]{3}", after[1].text) else None)
        taken += currency is not None
    if currency is not None:
        wanted.require({"field": "currency", "op": "eq", "value": currency})
    return taken


def _period(words: Sequence[Token]) -> tuple[str, int] | None:
    """Return the relative date that the first words are, and how many words they are: ``in 3 days``."""
    word = words[0].word
    named = next((name for name, told in _PERIODS.items() if re.fullmatch(told, word)), None)
    if named is not None:
        return named, 1
    if word in ("in", "within") and len(words) > 2 and re.fullmatch(r"\d{1,4}", words[1].word):
        unit = next((unit for unit, told in _UNITS.items() if re.fullmatch(told, words[2].word)), None)
        if unit is not None:
            return f"+{int(words[1].word)}{unit}", 3
    return None


def _narrow_time(member: str, words: Sequence[Token], wanted: Wanted) -> int:
    found = _period(words)
    assert found is not None, "the caller has looked"
    value, count = found
    if value.startswith("+"):
        wanted.require({"field": member, "op": "between", "value": "today", "high_value": value})
    else:
        wanted.require({"field": member, "op": "eq", "value": value})
    return count


def _name_length(words: Sequence[Token]) -> int:
    """Return how many of the first words are a name: a quoted one is alone, others go on to the next word of a list."""
    if not words[0].word:
        return 1
    return next((at for at, token in enumerate(words) if at and token.word in _STARTERS), len(words))


def _stage(call: Context, subject: Subject, words: Sequence[Token]) -> tuple[str, int] | None:
    """Return the stage, or the status, that the first words name, and how many words they are."""
    known: list[tuple[str, tuple[str, ...]]]
    if subject.entity == "deal":
        known = [(stage["key"], (stage["key"], stage["name"])) for stage in call.collection("stage")]
    else:
        held = {doc.get(subject.stage or "") for doc in call.collection(subject.entity)}
        known = [(value, (value,)) for value in sorted(value for value in held if value)]
    for count in (3, 2, 1):
        text = fold(joined_words(words[:count])).replace(" ", "-")
        for value, names in known:
            if len(words) >= count and text in (fold(name).replace(" ", "-") for name in names):
                return value, count
    return None


def users_named(call: Context, text: str) -> list[Document]:
    """Return the users whom a text names: by id, e-mail address, name or first name; `me` is who asks."""
    if fold(text) in ("me", "myself", "mich", "mir", "mi", "انا"):
        own = call.collection("user").get(call.caller.user_id or "")
        return [own] if own is not None else []
    wanted = fold(text.strip())
    users = list(call.collection("user"))
    spellings: Sequence[Callable[[Document], tuple[str, ...]]] = (
        lambda user: (user["id"], fold(user["email"])),
        lambda user: (fold(user["name"]),),
        lambda user: (fold(user["name"]).partition(" ")[0],),
    )
    for names in spellings:
        found = [user for user in users if wanted in names(user) or text in names(user)]
        if found:
            return found
    return []


def _user(call: Context, words: Sequence[Token]) -> tuple[str, int] | None:
    for count in (2, 1):
        found = users_named(call, joined_words(words[:count])) if len(words) >= count else []
        if len(found) == 1:
            return found[0]["id"], count
    return None


def field_named(subject: Subject, text: str) -> str:
    """Return the member that a word means. Raises: Unclear."""
    for name in _spellings(text):
        if name in subject.fields:
            return name
        if f"{name}_id" in subject.fields:
            return f"{name}_id"
    if text.startswith(("custom_fields.", "customFields.")):
        return f"custom_fields.{text.partition('.')[2]}"
    raise Unclear("no_field", word=text, entity=subject.key)


def _spellings(text: str) -> Iterator[str]:
    yield text
    yield from (fold(text).replace("-", "_"), re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower())
