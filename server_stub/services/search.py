"""The rule of the search over everything: contacts, deals, messages and events in which all the words occur."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from crm_sdk.resources.search import Search

from ..data.document import Document
from ..data.query import fold, matches, words_of
from ..problems import Problem
from ..request.permissions import permits
from ..serving import Context, serves
from .activities.privacy import is_hidden

_MOST = 50
"""The greatest number of records of a kind in the answer."""
_IN: Mapping[str, Sequence[str]] = {
    "contacts": ("name", "email", "phone", "company", "title", "address.city", "tags", "notes"),
    "deals": ("title", "company", "contact_name", "description", "tags", "competitor_mentioned"),
    "messages": ("content", "subject", "sender_name", "contact_name", "contact_company"),
    "events": ("title", "description", "location", "contact_name", "contact_company", "tags"),
}
"""The searched members of each kind, the most important first."""
_RESOURCES: Mapping[str, str] = {kind: kind for kind in _IN} | {"events": "activities"}
"""The resource whose permission lets a caller find records of a kind."""


@serves(Search.query)
def query(call: Context, q: str, type: str | None) -> dict[str, list[Document]]:
    """Return the found records of each kind, those with the words in their name first; other kinds stay empty."""
    if len(q.strip()) < 2:
        message = "search for at least two characters"
        raise Problem("QUERY_TOO_SHORT", message, field="q", rule="min", details={"minimum": 2})
    wanted = [
        kind for kind in (_IN if type in (None, "all") else (type,)) if permits(call.caller, _RESOURCES[kind], "read")
    ]
    return {kind: _find(_KINDS[kind](call), q, _IN[kind]) if kind in wanted else [] for kind in _IN}


def _find(docs: Sequence[Document], q: str, fields: Sequence[str]) -> list[Document]:
    words = words_of(q)

    def rank(doc: Document) -> tuple[int, str]:
        heads = fold(str(doc.get(fields[0]) or ""))
        whole = heads.startswith(" ".join(words))
        return (0 if whole else 1 if all(word in heads for word in words) else 2, heads)

    return sorted((doc for doc in docs if matches(doc, q, fields)), key=rank)[:_MOST]


def _records_of(kind: str) -> Callable[[Context], Sequence[Document]]:
    return lambda call: call.collection(kind).all()


def _messages(call: Context) -> list[Document]:
    """Return the messages with the names of the people of their conversations."""
    found: list[Document] = []
    for message in call.collection("message").all():
        talk = call.collection("conversation").get(message.get("conversation_id") or "") or message
        person = call.collection("contact").get(talk.get("contact_id") or "")
        person = person or call.collection("lead").get(talk.get("lead_id") or "") or Document()
        found.append(message | {"contact_name": person.get("name"), "contact_company": person.get("company")})
    return found


_KINDS: Mapping[str, Callable[[Context], Sequence[Document]]] = {
    "contacts": _records_of("contact"),
    "deals": _records_of("deal"),
    "messages": _messages,
    "events": lambda call: [
        doc for doc in call.collection("activity").find("kind", "event") if not is_hidden(call, doc)
    ],
}
