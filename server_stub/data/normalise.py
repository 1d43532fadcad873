"""Normalise e-mail addresses, phone numbers, names and tags, and refuse invalid ones."""

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
"""Domains of free-mail providers, which do not tell the company of a person."""

_ROLES = """
accounts admin billing contact enquiries hello help hi hr info inquiries it jobs mail marketing me no-reply noreply
office orders press sales service support team webmaster
"""
_NO_NAMES = frozenset(_ROLES.split())
_UNLISTED_COUNTRIES = frozenset({"XK"})  # Kosovo: what everybody uses, though ISO's list has no code of it
_HOST = re.compile(r"(?!-)[\w-]{1,63}(?<!-)(\.(?!-)[\w-]{1,63}(?<!-))*\.?")
_LANGUAGE = re.compile(LANGUAGE_PATTERN)
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})  # as in acme.co.uk


def email(value: str | None, field: str = "email") -> str | None:
    """Return an e-mail address in lower case; None for an empty value. Raises: 422 for an invalid address."""
    text = value.strip() if value else ""
    return _address(text, field) if text else None


@lru_cache(maxsize=4096)
def _address(text: str, field: str) -> str:
    # Imported here: it takes 30 ms, and only e-mail addresses need it.
    from email_validator import EmailNotValidError, validate_email

    try:
        # `test_environment` accepts the reserved domain .test (RFC 2606), which demo data and tests use.
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise invalid(field, "format", f"{text!r} is not an e-mail address: {error}") from None
    return found.normalized.lower()


def phone(value: str | None, country: str | None) -> str | None:
    """Return a valid phone number as E.164, read as one of `country` if it has no prefix; any other as given."""
    text = value.strip() if value else ""
    return _number(text, country) if text else None


@lru_cache(maxsize=4096)
def _number(text: str, country: str | None) -> str:
    import phonenumbers  # imported here for the same reason

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text
    # E.164 cannot represent an extension: such a number is not changed.
    if number.extension or not phonenumbers.is_valid_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def person_name(members: Mapping[str, Any]) -> str | None:
    """Return a person's name: as given, else made of first and last name; None where there is neither."""
    given = _squeeze(members.get("name"))
    return given or _squeeze(f"{members.get('first_name') or ''} {members.get('last_name') or ''}") or None


def _squeeze(text: str | None) -> str:
    return " ".join(text.split()) if text else ""


def tags(values: Iterable[str]) -> list[str]:
    """Return tags without surrounding whitespace and duplicates; of tags that differ only in case, the first."""
    kept: dict[str, str] = {}
    for value in values:
        text = value.strip()
        if text:
            kept.setdefault(text.casefold(), text)
    return list(kept.values())


def language(tag: str | None, field: str = "language") -> str | None:
    """Return a language tag (BCP 47) unchanged; None for None. Raises: 422 for an invalid tag."""
    if tag and not _LANGUAGE.fullmatch(tag):
        raise invalid(field, "format", f"{tag!r} is not a language tag such as 'en' or 'pt-BR'")
    return tag or None


def timezone(name: str | None, field: str = "timezone") -> str | None:
    """Return the IANA name of a time zone unchanged; None for None. Raises: 422 for an unknown zone."""
    try:
        if name:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if available_timezones():  # otherwise this machine has no time zone data
            raise invalid(field, "format", f"{name!r} is no time zone such as 'Europe/Berlin'") from None
    return name or None


def address(value: Mapping[str, Any] | None, field: str = "address") -> Mapping[str, Any] | None:
    """Return a postal address unchanged; None for None. Raises: 422 for a code that is no country's."""
    code = (value or {}).get("country")
    if code is not None:
        import pycountry  # imported here: it is large, and little needs it

        known: Any = pycountry.countries
        if code not in _UNLISTED_COUNTRIES and known.get(alpha_2=code) is None:
            raise invalid(f"{field}.country", "choice", f"{code!r} is no country's code (ISO 3166-1 alpha-2), like DE")
    return value


def email_domain(address: str | None) -> str | None:
    """Return the company's domain in an e-mail address; None for free-mail addresses and for None."""
    host = address.rpartition("@")[2].lower() if address and "@" in address else ""
    return host if host and host not in FREE_MAIL else None


def name_in(address: str | None) -> tuple[str | None, str | None]:
    """Guess first and last name from an e-mail address: ``jane.van-doe2@…`` -> Jane, Van Doe; otherwise None."""
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


def domain(value: str | None, field: str = "domain") -> str | None:
    """Return the host that a domain or web address names; None for None. Raises: 422 for what cannot be one."""
    found = host(value.strip()) if value is not None else None
    if value is not None and (found is None or not _HOST.fullmatch(found)):
        raise invalid(field, "format", f"{value!r} is not a domain such as acme.example")
    return found


def company_of(host_name: str) -> str:
    """Guess a company's name from its domain: ``www.tech-startup.io`` -> ``Tech Startup``."""
    labels = host_name.removeprefix("www.").split(".")
    at = -3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else -2
    label = labels[at] if len(labels) >= -at else labels[0]
    return " ".join(word.capitalize() for word in re.split(r"[-_]+", label) if word)
