"""Forms of texts: the patterns that several services share, and what a text that does not match one is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import Field

from .values import (
    COUNTRY_PATTERN,
    CURRENCY_PATTERN,
    EMAIL_PATTERN,
    EVENT_PATTERN,
    LANGUAGE_PATTERN,
    NOT_BLANK,
    OWN_ACTION_PATTERN,
    PERMISSION_PATTERN,
    SEMVER_PATTERN,
    SETTING_PATTERN,
    SLUG_PATTERN,
    URL_PATTERN,
)

TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
COLOR_PATTERN = r"^#[0-9a-fA-F]{6}$"
DOMAIN_PATTERN = r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
EVENT_NAMES_PATTERN = r"^(\*|[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)$"
FIELD_NAME_PATTERN, OBJECT_NAME_PATTERN = r"^[a-z][a-z0-9_]{0,49}$", r"^[a-z][a-z0-9_]{2,49}$"
FLAG_KEY_PATTERN, ROLE_KEY_PATTERN = r"^[a-z][a-z0-9_.-]{1,63}$", r"^[a-z][a-z0-9_]{0,62}$"
RECORD_REF_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
STAGE_KEY_PATTERN, TENANT_SLUG_PATTERN = r"^[a-z0-9][a-z0-9_-]*$", r"^[a-z0-9-]{3,40}$"
WITHOUT_BRACES = r"^[^{}]+$"
PREFERRED_TIME_PATTERN = (
    r"^([Mm]orning|[Mm]idday|[Aa]fternoon|([Mm]on|[Tt]ues|[Ww]ednes|[Tt]hurs|[Ff]ri|[Ss]atur|[Ss]un)day"
    r"|([01]?[0-9]|2[0-3]):[0-5][0-9])$"
)

TimeOfDay: TypeAlias = Annotated[str, Field(pattern=TIME_PATTERN)]

FORMS: Mapping[str, str] = {
    OWN_ACTION_PATTERN: "must begin with custom., like custom.contract_signed",
    PERMISSION_PATTERN: "must be a permission, like contacts:read",
    EVENT_PATTERN: "must be the name of an event, like deal.won",
    SLUG_PATTERN: "must be words of a to z and 0 to 9 with hyphens between them, like quick-quotes",
    SETTING_PATTERN: "must be a name of at most 64 letters, digits, _ and -, like api_key",
    SEMVER_PATTERN: "must be a semantic version, like 1.2.0",
    EMAIL_PATTERN: "must be an e-mail address, like ada@example.com",
    URL_PATTERN: "must be a URL, like https://example.com",
    CURRENCY_PATTERN: "must be a currency's three letters (ISO 4217), like EUR",
    LANGUAGE_PATTERN: "must be a language tag (BCP 47), like en or pt-BR",
    NOT_BLANK: "must not be blank",
    COUNTRY_PATTERN: "must be a country's two letters (ISO 3166), like DE",
    TIME_PATTERN: "must be a time of the day, like 09:30",
    COLOR_PATTERN: "must be a colour in hexadecimal, like #1f77b4",
    DOMAIN_PATTERN: "must be a domain, like example.com",
    EVENT_NAMES_PATTERN: "must be the name of an event, like deal.won, or * for all",
    FIELD_NAME_PATTERN: "must be a name of at most 50 of a to z, 0 to 9 and _, beginning with a letter, like budget",
    OBJECT_NAME_PATTERN: "must be a name of 3 to 50 of a to z, 0 to 9 and _, beginning with a letter, like project",
    FLAG_KEY_PATTERN: "must be a key of 2 to 64 of a to z, 0 to 9, _, . and -, beginning with a letter, like new-board",
    ROLE_KEY_PATTERN: "must be a key of at most 63 of a to z, 0 to 9 and _, beginning with a letter, like field_sales",
    RECORD_REF_PATTERN: "must be a name of at most 40 of a to z, 0 to 9 and _, beginning with a letter, like buyer",
    STAGE_KEY_PATTERN: "must be a key of a to z, 0 to 9, _ and -, like closed-won",
    TENANT_SLUG_PATTERN: "must be 3 to 40 of a to z, 0 to 9 and -, like acme-gmbh",
    PREFERRED_TIME_PATTERN: "must be a weekday, morning, midday, afternoon, or a time of the day, like 14:30",
    WITHOUT_BRACES: "must not have braces",
}
"""The message for a text that does not match a pattern, by pattern."""
