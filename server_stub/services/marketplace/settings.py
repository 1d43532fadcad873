"""The settings of apps: the schema that an app has of them, and the values that a company gives."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from crm_sdk.models.marketplace import ConfigField
from crm_sdk.models.values import EMAIL_PATTERN, URL_PATTERN

from ...data.blanks import blank
from ...data.queries import patterns
from ...problems import FieldError, validation
from ...serving import Context

_MASK = "••••"
_LONGEST = 10_000
"""So many characters a value may have."""
_TEXTS = ("text", "secret", "url", "email")
_FORMATS: Mapping[str, tuple[str, str]] = {
    "url": (URL_PATTERN, "a URL, like https://example.com"),
    "email": (EMAIL_PATTERN, "an e-mail address, like ada@example.com"),
}


def schema_form(call: Context, fields: Sequence[Mapping[str, Any]] | None) -> object:
    """Return a schema with every member of its fields. Raises: 422 that names each that no value could fit."""
    whole = [
        {**blank(ConfigField), **{name: value for name, value in field.items() if value is not None}}
        for field in fields or ()
    ]
    wrong = [
        FieldError(f"config_schema.{number}.{name}", rule, message)
        for number, field in enumerate(whole)
        for name, rule, message in _faults(field, [other["key"] for other in whole[:number]])
    ]
    if wrong:
        raise validation(wrong)
    return whole


def _faults(field: Mapping[str, Any], before: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return what is wrong with a field: the member, the rule, and a message."""
    found: list[tuple[str, str, str]] = []
    if field["key"] in before:
        found.append(("key", "unique", f"there are two settings {field['key']!r}"))
    if field["type"] == "select" and not field["options"]:
        found.append(("options", "required", "a setting to select from needs options"))
    if field["pattern"] is not None and (field["type"] not in _TEXTS or not _is_pattern(field["pattern"])):
        found.append(("pattern", "format", f"{field['pattern']!r} is not a regular expression for a text"))
    elif field["default"] is not None and field["type"] == "secret":
        found.append(("default", "choice", "a secret has no default: everybody could read it"))
    elif field["default"] is not None and (fault := _misfit(field, field["default"])) is not None:
        found.append(("default", *fault))
    return found


def _is_pattern(text: str) -> bool:
    try:
        patterns.check(text)
    except patterns.PatternError:
        return False
    return True


def _misfit(field: Mapping[str, Any], value: object) -> tuple[str, str] | None:
    """Return the rule that a value of a setting breaks, and a message; None where it fits."""
    kind = field["type"]
    if kind == "boolean":
        return None if isinstance(value, bool) else ("type", "must be true or false")
    if kind == "number":
        is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        return None if is_number else ("type", "must be a number")
    if not isinstance(value, str):
        return "type", "must be a text"
    if len(value) > _LONGEST:
        return "length", f"has more than {_LONGEST:,} characters"
    if kind == "select" and value not in field["options"]:
        return "choice", f"{value!r} is not one of {', '.join(field['options'])}"
    if kind == "secret" and value.startswith(_MASK):
        return "format", "is the mask of another secret: send the secret itself"
    if kind in _FORMATS and re.search(_FORMATS[kind][0], value) is None:
        return "format", f"must be {_FORMATS[kind][1]}"
    if field["pattern"] is not None and not patterns.matches(field["pattern"], value):
        return "format", f"does not match {field['pattern']}"
    return None


def settle(
    schema: Sequence[Mapping[str, Any]], held: Mapping[str, Any], given: Mapping[str, Any], *, complete: bool
) -> dict[str, Any]:
    """Return the settings after a change, as the members `config` and `secret_digests` of an installation.

    Of a secret the mask and a digest are stored; a mask that comes back keeps it. With `complete` every required
    setting needs a value. What the schema does not have any more is dropped.
    Raises: 422 that names each setting that is wrong.
    """
    fields = {field["key"]: field for field in schema}
    config: dict[str, Any] = {key: value for key, value in held["config"].items() if key in fields}
    digests: dict[str, str] = {key: value for key, value in held["secret_digests"].items() if key in fields}
    wrong = [
        FieldError(f"config.{key}", "unknown", f"the app has no setting {key!r}") for key in given if key not in fields
    ]
    for key, field in fields.items():
        value = given.get(key, config.get(key))
        if value in (None, ""):
            config.pop(key, None)
            digests.pop(key, None)
        elif not (key in digests and value == config[key]):
            fault = _misfit(field, value)
            wrong += [FieldError(f"config.{key}", *fault)] if fault is not None else []
            config[key] = value
            if field["type"] == "secret" and fault is None:
                config[key], digests[key] = _mask(str(value)), hashlib.sha256(str(value).encode()).hexdigest()
    if complete:
        wrong += [FieldError(f"config.{key}", "required", "has no value") for key in missing(schema, config)]
    if wrong:
        raise validation(wrong)
    return {"config": config, "secret_digests": digests}


def missing(schema: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> list[str]:
    """Return the keys of the required settings that have neither a value nor a default."""
    return [
        field["key"]
        for field in schema
        if field["required"] and field["default"] is None and field["key"] not in config
    ]


def _mask(secret: str) -> str:
    """Return what is shown of a secret: its last four characters, if it has more than twice as many."""
    return _MASK + (secret[-4:] if len(secret) > 8 else "")
