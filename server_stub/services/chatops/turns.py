"""One turn of a conversation: who asks in which language, what was told last, and which records a text names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.operation import Operation

from ...answers import Answer
from ...data.document import Document
from ...data.queries.query import fold
from ...problems import Problem
from ...request.access import permissions
from ...request.access.hiding import hiding_from
from ...serving import Context, paging_of
from . import replies
from .subjects import RECORDS, SUBJECTS, Subject, subject_of
from .tokens import Token, joined_words
from .words import Unclear

LARGEST = 20
"""So many records are told by their names."""
_CHOICES = 3
_ID = re.compile(r"[a-z]+(?:_[A-Za-z0-9-]+)+")
_IT = frozenset(["it", "this", "that", "es", "ihn", "sie", "lo", "la", "esto", "هو", "هي", "هذا"])
_THEM = frozenset(["them", "these", "those", "alle", "los", "las", "estos", "هم", "هذه"])
_PLACES: Mapping[str, int] = {
    "first": 0, "erste": 0, "ersten": 0, "primero": 0, "primera": 0, "الاول": 0, "second": 1, "zweite": 1,
    "segundo": 1, "third": 2, "dritte": 2, "tercero": 2, "last": -1, "letzte": -1, "ultimo": -1,
}  # fmt: skip
_ARTICLES = frozenset(["the", "der", "die", "das", "den", "el", "la"])


class Several(Exception):  # noqa: N818 # it becomes a question
    """Several records fit a name."""

    def __init__(self, what: str, found: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(what)
        self.what = what
        self.found = found


@dataclass
class Reply:
    """What the assistant answers."""

    text: str
    intent: dict[str, Any]
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    total: int | None = None
    figures: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    plan: dict[str, Any] | None = None
    suggestions: list[str] = field(default_factory=list[str])


@dataclass
class Turn:
    """A text that is answered."""

    call: Context
    text: str
    language: str
    told: Sequence[Mapping[str, Any]] = ()
    """The records of the last answer."""
    context: Mapping[str, Any] | None = None
    """The record that `it` means, where the caller says so."""

    def say(self, phrase: str, **facts: object) -> str:
        """Return a phrase in the language of the answer."""
        return replies.say(self.language, phrase, **facts)

    def find_named(
        self, words: Sequence[Token], subjects: Sequence[Subject] = RECORDS
    ) -> list[tuple[Subject, Document]]:
        """Return the records that words name: one by its id or name, or those that were told last.

        Raises: Unclear where there is none; Several where more than one have the name.
        """
        text = joined_words(words)
        if not text:
            raise Unclear("nothing", what=self.text)
        meant = self._choices(words)
        if meant is None:
            return [self._only(text, subjects)]
        found = [pair for entry in meant if (pair := self.by_id(str(entry["id"]), subjects)) is not None]
        if not found:
            raise Unclear("no_it", what=text)
        return found

    def _choices(self, words: Sequence[Token]) -> Sequence[Mapping[str, Any]] | None:
        """Return the records that a pronoun means; None for a name."""
        meaning = [token.word for token in words if token.word not in _ARTICLES] or [words[0].word]
        if len(meaning) != 1:
            return None
        (word,) = meaning
        if word in _IT:
            return [self.context] if self.context is not None else self.told[:1]
        if word in _THEM and self.told:
            return self.told
        if word in _PLACES and len(words) > 1:
            place = _PLACES[word]
            return self.told[place:][:1] if -len(self.told) <= place < len(self.told) else []
        return None

    def by_id(self, id: str, subjects: Sequence[Subject] = SUBJECTS) -> tuple[Subject, Document] | None:
        """Return the record with an id, as the caller sees it; None where there is none that the caller may read."""
        for entity in dict.fromkeys(subject.entity for subject in subjects):
            stored = self.call.find_one(entity, id)
            subject = subject_of(entity, stored.get("kind") if stored is not None and entity == "activity" else None)
            if stored is None or subject is None or not permissions.permits(self.call.caller, subject.word, "read"):
                continue
            get = subject.call("get")
            try:
                found: Document = invoke(self.call, get, {get.positional[0]: stored["id"]})
                return subject, self._seen(subject, [found])[0]
            except Problem as problem:
                if problem.code not in ("NOT_FOUND", "FORBIDDEN"):
                    raise
        return None

    def _only(self, text: str, subjects: Sequence[Subject]) -> tuple[Subject, Document]:
        if _ID.fullmatch(text) and (found := self.by_id(text, subjects)) is not None:
            return found
        near: list[tuple[Subject, Document]] = []
        for last in (("activity", "user"), ("activity",), ()):  # people and deals before what was done with them
            near = near or self._by_name([one for one in subjects if one.entity not in last], text)
        exact = [(one, doc) for one, doc in near if fold(self.title(one, doc)) == fold(text)]
        chosen = exact or near
        if not chosen:
            raise Unclear("nothing", what=text)
        if len(chosen) > 1:
            raise Several(text, [self.reference(one, doc) for one, doc in chosen])
        return chosen[0]

    def _by_name(self, subjects: Sequence[Subject], text: str) -> list[tuple[Subject, Document]]:
        return [(one, doc) for one in subjects for doc in self._search(one, text)]

    def _search(self, subject: Subject, text: str) -> Sequence[Document]:
        kind = {"kind": [subject.kind]} if subject.kind is not None else {}
        words = fold(text).split()
        docs = self.records_of(subject, {"search": text, **kind})
        return [doc for doc in docs if all(word in fold(self.title(subject, doc)) for word in words)]

    def records_of(self, subject: Subject, given: Mapping[str, Any]) -> Sequence[Document]:
        """Return what the list of records of a kind answers; nothing where the caller may not read them."""
        if not permissions.permits(self.call.caller, subject.word, "read"):
            return []
        found: Sequence[Document] = invoke(self.call, subject.call("list"), given)
        return self._seen(subject, found)

    def _seen(self, subject: Subject, docs: Sequence[Document]) -> Sequence[Document]:
        """Return records without what is hidden from the caller: an answer tells of them in words."""
        hiding = hiding_from(self.call.caller, self.call.server.nouns)
        return [hiding.without(doc, [subject.model]) for doc in docs] if hiding is not None else docs

    def title(self, subject: Subject, doc: Mapping[str, Any]) -> str:
        """Return what a record is called."""
        return str(doc.get(subject.title) or doc.get("title") or doc.get("body") or doc.get("subject") or doc["id"])

    def reference(self, subject: Subject, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reference to a record."""
        return {"type": subject.entity, "id": doc["id"], "name": self.title(subject, doc)}


def invoke(call: Context, operation: Operation[..., Any], given: Mapping[str, Any]) -> Any:
    """Return what the rule of a declared call answers, with the defaults of the arguments that are not given."""
    arguments = {
        name: given.get(name, None if parameter.default is parameter.empty else parameter.default)
        for name, parameter in operation.signature.parameters.items()
        if name not in paging_of(operation)
    }
    result = call.server.rules[operation](call, **arguments)
    return result.value if isinstance(result, Answer) else result


def intent(name: str, subject: Subject | None = None, *, confidence: int = 100, **facts: Any) -> dict[str, Any]:
    """Return what a text was understood as."""
    return {
        "name": name,
        "entity": subject.entity if subject is not None else None,
        "filter_groups": facts.get("filter_groups") or [],
        "arguments": facts.get("arguments") or {},
        "confidence": confidence,
    }


def choices(several: Several, text: str) -> list[str]:
    """Return a text with the id of each of the records that it could mean, in place of the name."""
    return [text.replace(several.what, str(entry["id"]), 1) for entry in several.found[:_CHOICES]]
