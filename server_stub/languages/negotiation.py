"""The language of an answer: Accept-Language (RFC 9110, RFC 4647), the caller's, the company's, else English."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..caller import Caller
    from ..core import StubServer

SHIPPED = ("en", "de", "es", "ar")
"""The languages that there are catalogues of."""
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*[qQ]\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def language_for(server: StubServer, caller: Caller, header: str, asked: str | None = None) -> str:
    """Return the language of an answer: the asked one, that of the header, the user's, the company's, else English.

    Only languages that the company has, and that there are catalogues of, count; ``de-AT`` is ``de``. What the header
    gives the weight 0 is not chosen.
    """
    known_tenants = server.store.collection(caller.tenant_id, "tenant")
    tenant: Mapping[str, Any] = known_tenants.get(caller.tenant_id) or {}
    allowed = {_base(tag) for tag in tenant.get("languages") or SHIPPED}
    wishes, refused = accepted_languages(header)
    known = [tag for tag in SHIPPED if tag in allowed and tag not in refused]
    preferred = None
    if caller.tenant_id and caller.user_id:
        user: Mapping[str, Any] = server.collection(caller.tenant_id, "user").get(caller.user_id) or {}
        preferences: Mapping[str, Any] = user.get("preferences") or {}
        preferred = preferences.get("language")
    for wish in (asked, *wishes, preferred, tenant.get("locale")):
        if wish and (tag := _base(str(wish))) in known:
            return tag
    return "en"


def accepted_languages(header: str) -> tuple[list[str], Collection[str]]:
    """Return the languages of an Accept-Language header, the best first, and those of weight 0.

    None of a malformed header, and none that come after ``*``: what is not in the header is as good as they are.
    """
    try:
        found = list(_ranges(header))
    except ValueError:
        return [], ()
    order = [tag for weight, tag in sorted(found, key=lambda entry: -entry[0]) if weight > 0]
    refused = {_base(tag) for weight, tag in found if weight == 0} - {_base(tag) for tag in order}
    return order[: order.index("*")] if "*" in order else order, refused


def _ranges(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(","):
        if part.strip():
            match = _RANGE.fullmatch(part)
            if match is None:
                raise ValueError(part)
            yield float(match[2] or 1), match[1]


def _base(tag: str) -> str:
    return tag.casefold().partition("-")[0]


def with_language(headers: Mapping[str, str], language: str) -> dict[str, str]:
    """Return the headers of an answer with its language, and with what else than the address it depends on."""
    vary = [one.strip() for one in headers.get("Vary", "").split(",") if one.strip()]
    if "accept-language" not in map(str.casefold, vary):
        vary.append("Accept-Language")
    return {"Content-Language": language, **headers, "Vary": ", ".join(vary)}
