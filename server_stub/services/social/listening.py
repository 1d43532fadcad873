"""The rules of listening: keywords, and the mentions that the networks have with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.social_listening import MonitoringKeyword, SocialMention
from crm_sdk.resources.social import MonitoringKeywords, SocialMentions

from ...data.blanks import blank
from ...data.document import Document
from ...data.normalise import language
from ...data.queries.filters import Test, by_time
from ...data.queries.latest import latest_first
from ...data.queries.query import fold
from ...noun import Noun
from ...outside.networks import REACH_BACK, feed, fits
from ...problems import FieldError, Problem, refuse_any, validation
from ...serving import Collections, Context, Members, completes, serves
from ...timetable import recurs
from ..sentiment import tone
from .accounts import FEED

_READ_EVERY = timedelta(minutes=15)


def _has_keyword(call: Context, keyword_id: str) -> Test:
    return lambda doc: keyword_id in doc["keyword_ids"]


def _is_followed(call: Context, least: int) -> Test:
    return lambda doc: (doc["author"]["followers"] or 0) >= least


MENTIONS = Noun(
    resource=SocialMentions,
    kind="mention",
    model=SocialMention,
    searched=("content", "author.name", "author.handle"),
    sorts=("posted_at", "reach", "sentiment_score"),
    order=("posted_at", "desc"),
    filters={
        "keyword_id": _has_keyword,
        "min_followers": _is_followed,
        "since": by_time("posted_at", after=True),
        "until": by_time("posted_at", after=False),
    },
)
KEYWORDS = Noun(
    resource=MonitoringKeywords,
    kind="keyword",
    model=MonitoringKeyword,
    own=("create",),
    events="social.",
    verbs={"created": "keyword_added"},
    forms={
        "keyword": lambda call, value: " ".join(value.split()),
        "languages": lambda call, value: [language(one) for one in value or ()],
    },
)


@serves(MonitoringKeywords.create)
def create(call: Context, keywords: Sequence[str | Members]) -> list[Document]:
    """Listen for words: all of them or none."""
    given = [{"keyword": one} if isinstance(one, str) else dict(one) for one in keywords]
    made, problems, taken = list[dict[str, Any]](), list[Problem](), dict[tuple[str, str], str | None]()
    for doc in KEYWORDS.records(call):
        taken[_key(doc)] = doc["id"]
    for number, one in enumerate(given):
        members, found = KEYWORDS.checked(call, one)
        whole = {**blank(MonitoringKeyword), **members}
        problems += found
        if whole["keyword"] is None or len(whole["keyword"]) < 2:
            text = "must have at least 2 characters"
            problems.append(validation([FieldError(f"keywords.{number}", "length", text)]))
            continue
        key = _key(whole)
        if key in taken:
            message = f"{whole['keyword']!r} is listened for with the same match"
            details = {"existing_id": taken[key]} if taken[key] else {}
            problems.append(
                Problem("KEYWORD_EXISTS", message, field=f"keywords.{number}", rule="unique", details=details)
            )
        taken.setdefault(key, None)
        made.append(whole)
    refuse_any(problems)
    docs = [call.create("keyword", "keyword_", members) for members in made]
    news = listen(call, docs, feed(call.tenant, call.now - REACH_BACK, call.now))
    for doc in docs:
        KEYWORDS.publish(call, "created", KEYWORDS.find_one(call, doc["id"]))
    _tell(call, news)
    return [KEYWORDS.find_one(call, doc["id"]) for doc in docs]


def _key(doc: Members) -> tuple[str, str]:
    return fold(doc["keyword"]), doc["match"]


@recurs("social listening", every=_READ_EVERY)
def read_networks(call: Context) -> None:
    """Read what the networks have since they were read last, and see whether it is time for an alert."""
    known = call.collection(FEED).get("feed")
    since: datetime = known["read_until"] if known is not None else call.now - _READ_EVERY
    call.collection(FEED).put(Document(id="feed", read_until=call.now))
    active = [doc for doc in call.collection("keyword") if doc["active"]]
    _tell(call, listen(call, active, feed(call.tenant, since, call.now)))


def _tell(call: Context, news: Sequence[Document]) -> None:
    from .alerts import check_all  # imported here: alerts look at the mentions of this module

    check_all(call, news)


def listen(call: Context, keywords: Sequence[Document], posts: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Store the posts that have one of the keywords as mentions, and return those that are new to one."""
    mentions, news, counts = call.collection("mention"), list[Document](), Counter[str]()
    latest: dict[str, datetime] = {}
    for post in posts if keywords else ():
        hits = [doc["id"] for doc in keywords if doc["active"] and fits(doc, post)]
        known = next((one for one in mentions.find("external_id", post["external_id"])), None)
        fresh = [id for id in hits if known is None or id not in known["keyword_ids"]]
        if not fresh:
            continue
        if known is None:
            whole = {**blank(SocialMention), **post, "keyword_ids": fresh}
            doc = call.create("mention", "mention_", completed_mention(whole, call.collection))
        else:
            doc = call.update("mention", known, {"keyword_ids": [*known["keyword_ids"], *fresh]})
        news.append(doc)
        for id in fresh:
            counts[id] += 1
            latest[id] = max(latest.get(id, post["posted_at"]), post["posted_at"])
    for id, count in counts.items():  # nobody has edited it: its version stays
        keyword: Any = call.collection("keyword").get(id)
        at = max(filter(None, (keyword["last_mention_at"], latest[id])))
        counted = {"mention_count": keyword["mention_count"] + count, "last_mention_at": at}
        call.collection("keyword").put(keyword | counted)
    return news


def completed_mention(post: Members, collections: Collections) -> dict[str, Any]:
    """Return a mention with its tone, who wrote it, and which account it names."""
    said = tone(post["content"])
    text = fold(post["content"])
    named = (
        doc["id"] for doc in collections("social_account").find("network", post["network"])
        if doc["status"] == "connected" and f"@{fold(doc['handle'])}" in text
    )  # fmt: skip
    contact, lead = (_of_handle(collections, kind, post) for kind in ("contact", "lead"))
    return {
        **post,
        "sentiment": said.sentiment,
        "sentiment_score": round(100 * said.score),
        "account_id": next(named, None),
        "contact_id": contact,
        "lead_id": lead if contact is None else None,
    }


def _of_handle(collections: Collections, kind: str, post: Members) -> str | None:
    """Return the id of who has the author's handle on the network, the one with the latest activity first."""
    handle = fold(post["author"]["handle"])
    docs = (
        doc for doc in collections(kind)
        if any(
            profile["network"] == post["network"]
            and fold(profile.get("handle") or profile["url"].rstrip("/").rpartition("/")[2]).lstrip("@") == handle
            for profile in doc.get("social_profiles") or ()
        )
    )  # fmt: skip
    return next((doc["id"] for doc in latest_first(docs)), None)


@completes("mention")
def with_tone(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored mention with what is worked out from its text."""
    return doc | completed_mention(doc, collections)


@completes("keyword")
def with_counts(doc: Document, collections: Collections, now: datetime) -> Document:
    """Return a stored keyword with the number of its mentions."""
    times = [one["posted_at"] for one in collections("mention") if doc["id"] in one["keyword_ids"]]
    return doc | {"mention_count": len(times), "last_mention_at": max(times, default=None)}
