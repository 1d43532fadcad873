"""Bring what people type into one form: e-mail addresses, phone numbers, names, tags; refuse what cannot be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from crm_sdk.models.values import LANGUAGE_PATTERN

from ..problems import invalid

_FREE_MAIL = """
aol.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com
hotmail.de hotmail.es icloud.com laposte.net libero.it live.com mac.com mail.com mail.example mail.ru me.com msn.com
outlook.com outlook.de outlook.es proton.me protonmail.com qq.com t-online.de web.de wp.pl yahoo.co.uk yahoo.com
yahoo.de yahoo.es yandex.com yandex.ru zoho.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
"""Domains whose addresses say nothing about somebody's company."""

_ROLES = """
accounts admin billing contact enquiries hello help hi hr info inquiries it jobs mail marketing me no-reply noreply
office orders press sales service support team webmaster
"""
_NO_NAMES = frozenset(_ROLES.split())
_LANGUAGE = re.compile(LANGUAGE_PATTERN)
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})  # as in acme.co.uk


def email(value: str | None, field: str = "email") -> str | None:
    """Return an address in lower case; None for none. Raises 422 where it can be no address."""
    text = value.strip() if value else ""
    return _address(text, field) if text else None


@lru_cache(maxsize=4096)
def _address(text: str, field: str) -> str:
    # Imported here: reading an address is the only thing it is needed for, and it costs a start 30 ms.
    from email_validator import EmailNotValidError, validate_email

    try:
        # `test_environment` lets the reserved domain .test pass, which demo data and tests are full of (RFC 2606).
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise invalid(field, "format", f"{text!r} is no e-mail address: {error}") from None
    return found.normalized.lower()


def phone(value: str | None, country: str | None) -> str | None:
    """Return a number as E.164 where it is a valid one, dialled from `country` if it has no prefix; else as given."""
    text = value.strip() if value else ""
    return _number(text, country) if text else None


@lru_cache(maxsize=4096)
def _number(text: str, country: str | None) -> str:
    import phonenumbers  # here for the same reason as above

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text
    # E.164 has no place for an extension: a number that has one would lose it.
    if number.extension or not phonenumbers.is_valid_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def person_name(members: Mapping[str, Any]) -> str | None:
    """Return somebody's name: as given, else made of first and last name; None where there is neither."""
    given = _squeeze(members.get("name"))
    return given or _squeeze(f"{members.get('first_name') or ''} {members.get('last_name') or ''}") or None


def _squeeze(text: str | None) -> str:
    return " ".join(text.split()) if text else ""


def tags(values: Iterable[str]) -> list[str]:
    """Return tags without blanks around them, each once; of two that differ only in case the first stays."""
    kept: dict[str, str] = {}
    for value in values:
        text = value.strip()
        if text:
            kept.setdefault(text.casefold(), text)
    return list(kept.values())


def language(tag: str | None, field: str = "language") -> str | None:
    """Return a language tag as it is (BCP 47); None for none. Raises 422 where it can be none."""
    if tag and not _LANGUAGE.fullmatch(tag):
        raise invalid(field, "format", f"{tag!r} is no language tag such as 'en' or 'pt-BR'")
    return tag or None


def timezone(name: str | None, field: str = "timezone") -> str | None:
    """Return the name of a time zone as it is (IANA); None for none. Raises 422 where there is no such zone."""
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if available_timezones():  # else this machine has none to tell by
            raise invalid(field, "format", f"{name!r} is no time zone such as 'Europe/Berlin'") from None
    return name or None


def email_domain(address: str | None) -> str | None:
    """Return the company's domain in an e-mail address; None for free-mail and for none."""
    host = address.rpartition("@")[2].lower() if address and "@" in address else ""
    return host if host and host not in FREE_MAIL else None


def name_in(address: str | None) -> tuple[str | None, str | None]:
    """Guess first and last name from an e-mail address: ``jane.van-doe2@…`` -> Jane, Van Doe; else None."""
    words = re.sub(r"\d+", "", (address or "").partition("@")[0].partition("+")[0]).split(".")
    if len(words) < 2 or any(len(word) < 2 or word in _NO_NAMES for word in words):
        return None, None
    first, *last = (" ".join(part.capitalize() for part in re.split(r"[-_]+", word) if part) for word in words)
    return first or None, " ".join(last) or None


def host(url: str | None) -> str | None:
    """Return the host of a web address in lower case, without ``www.``."""
    if not url:
        return None
    try:
        found = urlsplit(url if "//" in url else f"//{url}").hostname
    except ValueError:  # an unclosed bracket
        return None
    return found.removeprefix("www.") if found else None


def company_of(host_name: str) -> str:
    """Guess a company's name from its domain: ``www.tech-startup.io`` -> ``Tech Startup``."""
    labels = host_name.removeprefix("www.").split(".")
    at = -3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else -2
    label = labels[at] if len(labels) >= -at else labels[0]
    return " ".join(word.capitalize() for word in re.split(r"[-_]+", label) if word)
