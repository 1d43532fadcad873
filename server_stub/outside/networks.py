"""The simulated social networks: who writes what about a company, how accounts grow, and how posts do.

Everything follows from the company, the account and the time, so that it is the same in every run: at the same time
there are the same mentions, followers and figures.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..data.queries.query import fold

LIMITS: Mapping[str, int] = {"twitter": 280, "instagram": 2_200, "linkedin": 3_000, "facebook": 63_206}
"""The most characters of a post."""
LASTS = timedelta(days=60)
"""How long the token of an account lasts."""
REACH_BACK = timedelta(days=30)
"""How far back the networks can be searched."""
_EVERY = timedelta(hours=4)
"""How often somebody writes about a company."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_NETWORKS = ("twitter", "linkedin", "facebook", "instagram", "twitter", "youtube", "linkedin")
_SPREAD: Mapping[str, float] = {"twitter": 0.25, "linkedin": 0.18, "facebook": 0.12, "instagram": 0.3, "youtube": 0.15}
"""How many of its followers see a post."""
_HALF = timedelta(hours=10)
"""After this time a post has been shown half as often as it ever will be."""
_SITES: Mapping[str, str] = {
    "twitter": "https://twitter.com/{}", "linkedin": "https://www.linkedin.com/in/{}",
    "facebook": "https://www.facebook.com/{}", "instagram": "https://www.instagram.com/{}",
    "youtube": "https://www.youtube.com/@{}",
}  # fmt: skip
_PEOPLE: Sequence[tuple[str, str, int]] = (
    ("hedda_w", "Hedda Wolff", 310), ("marcos.dev", "Marcos Prieto", 2_150), ("opsdaily", "Ops Daily", 48_200),
    ("jrivers", "June Rivers", 640), ("sales_nils", "Nils Åkerman", 5_900),
    ("the_crm_reader", "The CRM Reader", 12_700),
    ("katya_m", "Katya Morozova", 95), ("bilal.h", "Bilal Haddad", 1_480), ("startup_ines", "Inês Duarte", 23_400),
    ("otto_builds", "Otto Brandt", 720), ("priya_k", "Priya Kumar", 3_300), ("leo_retail", "Leo Castagna", 180),
)  # fmt: skip
_SAID: Sequence[tuple[str, str]] = (
    ("en", "Great support from {brand} today, the team solved our problem in minutes. Love it!"),
    ("en", "Comparing {brand} CRM with two others for our sales team. Any experience?"),
    ("en", "The new {brand} dashboard is excellent, our sales reviews take half the time."),
    ("en", "Import in {brand} CRM failed again and nobody answers. Really disappointing service."),
    ("de", "Die Demo von {brand} war hervorragend, wir sind begeistert."),
    ("en", "Watching the {brand} product demo with the whole team this afternoon."),
    ("en", "Third outage of the {brand} service this month. Terrible, we may cancel."),
    ("en", "Thanks @{handle} for the quick help with our pipeline, awesome product."),
    ("es", "El equipo de {brand} es muy amable y el soporte es excelente."),
    ("en", "Does {brand} CRM connect with our phone system? Asking before the renewal."),
    ("de", "Der Export von {brand} ist langsam und die Rechnung war falsch, leider enttäuschend."),
    ("en", "Switched our small team to {brand} last month: easy to learn, reliable, no regrets."),
    ("en", "{brand} pricing is confusing and the answer from support came late."),
    ("en", "Our customer success team shares how they use {brand} for onboarding."),
)
"""What is said about a company: the language, and the text."""
_TOKEN = re.compile(r"[a-z0-9]+")


def fraction(*parts: object) -> float:
    """Return a number from 0 up to 1 that follows from some values."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def feed(tenant: Mapping[str, Any], after: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield what is written about a company after a time and up to another, oldest first; 30 days at the most."""
    after = max(after, until - REACH_BACK)
    number = (after - _EPOCH) // _EVERY
    while (posted := _post(tenant, number)) is None or posted["posted_at"] <= until:
        if posted is not None and posted["posted_at"] > after:
            yield posted
        number += 1


def _post(tenant: Mapping[str, Any], number: int) -> dict[str, Any] | None:
    """Return what is written in one of the intervals; now and then nothing is."""
    key = (tenant["slug"], number)
    at = _EPOCH + number * _EVERY + _EVERY * fraction(*key, "at")
    at = at.replace(microsecond=0)
    if fraction(*key, "quiet") < 0.1:
        return None
    network = _NETWORKS[int(fraction(*key, "network") * len(_NETWORKS))]
    handle, name, followers = _PEOPLE[int(fraction(*key, "who") * len(_PEOPLE))]
    language, text = _SAID[int(fraction(*key, "said") * len(_SAID))]
    reach = round(followers * (0.2 + fraction(*key, "reach")))
    id = f"{network}-{tenant['slug']}-{number}"
    return {
        "network": network,
        "external_id": id,
        "author": {
            "handle": handle, "name": name, "url": profile_url(network, handle), "avatar": None, "followers": followers,
        },
        "content": text.format(brand=tenant["name"], handle=tenant["slug"]),
        "url": f"{profile_url(network, handle)}/status/{id}",
        "language": language,
        "posted_at": at,
        "reach": reach,
        "engagements": round(reach * 0.06 * fraction(*key, "engagements")),
    }  # fmt: skip


def fits(keyword: Mapping[str, Any], post: Mapping[str, Any]) -> bool:
    """Tell whether a post has a keyword, in its networks and languages and without what it excludes."""
    if keyword["networks"] and post["network"] not in keyword["networks"]:
        return False
    if keyword["languages"] and post["language"] not in [one.partition("-")[0] for one in keyword["languages"]]:
        return False
    said, sought = words_of(post["content"]), words_of(keyword["keyword"])
    if any(_has_phrase(said, words_of(one)) for one in keyword["exclude"]) or not sought:
        return False
    if keyword["match"] == "phrase":
        return _has_phrase(said, sought)
    hits = [word in said for word in sought]
    return all(hits) if keyword["match"] == "all" else any(hits)


def words_of(text: str) -> list[str]:
    """Return the words of a text without case and accents."""
    return _TOKEN.findall(fold(text))


def _has_phrase(said: Sequence[str], words: Sequence[str]) -> bool:
    return bool(words) and any(list(said[at : at + len(words)]) == list(words) for at in range(len(said)))


def profile_url(network: str, handle: str) -> str:
    """Return the address of a profile."""
    return _SITES.get(network, f"https://{_slug(network)}.example/{{}}").format(handle)


def _slug(text: str) -> str:
    return "-".join(words_of(text)) or "network"


def account_of(tenant: Mapping[str, Any], network: str, credential: str) -> dict[str, Any]:
    """Return the account that a token or a code opens.

    Its handle is what is before a colon (``acme:token-1``), so that several tokens can open one account; without a
    colon each token opens its own.
    """
    name, colon, _ = credential.partition(":")
    name = "_".join(words_of(name))[:30] if colon else ""
    handle = name or f"{tenant['slug']}_{round(fraction(network, credential) * 10**8):08}"
    return {
        "network": network,
        "handle": handle,
        "display_name": tenant["name"],
        "profile_url": profile_url(network, handle),
        "avatar": f"{profile_url(network, handle)}/picture",
        "scopes": ["posts:write", "mentions:read", "insights:read"],
    }


def followers_of(account: Mapping[str, Any], at: datetime) -> int:
    """Return how many follow an account at a time: it grows by some in a thousand every day."""
    key = (account["network"], account["handle"])
    start = 400 + round(9_000 * fraction(*key, "followers"))
    days = max((at - _EPOCH) / timedelta(days=1), 0.0)
    return start + round(days * (0.5 + 3 * fraction(*key, "growth")))


def figures_of(target: Mapping[str, Any], account: Mapping[str, Any], at: datetime) -> dict[str, int]:
    """Return the figures of a post on an account at a time; they only ever grow."""
    published = target["published_at"]
    if target["status"] != "published" or published is None or at <= published:
        return dict.fromkeys(("impressions", "reach", "likes", "comments", "shares", "clicks"), 0)
    key = target["external_id"]
    shown = 1 - math.pow(0.5, (at - published) / _HALF)
    most = followers_of(account, published) * _SPREAD.get(target["network"], 0.1) * (0.6 + 0.8 * fraction(key, "most"))
    impressions = most * shown

    def share(name: str, low: float, high: float) -> int:
        return int(impressions * (low + (high - low) * fraction(key, name)))

    return {
        "impressions": int(impressions),
        "reach": share("reach", 0.7, 0.9),
        "likes": share("likes", 0.01, 0.05),
        "comments": share("comments", 0.001, 0.008),
        "shares": share("shares", 0.001, 0.01),
        "clicks": share("clicks", 0.005, 0.03),
    }
