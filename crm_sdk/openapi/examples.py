"""Examples of requests and answers, generated from the schemas; each is valid against its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..wire import snake

_VALUES: Mapping[str, Any] = {
    "name": "Ada Lovelace",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "secondary_emails": ["ada.lovelace@example.org"],
    "phone": "+49 30 901820",
    "mobile": "+49 151 2345678",
    "company": "Analytical Engines Ltd",
    "title": "Head of Research",
    "website": "https://example.com",
    "url": "https://example.com/hook",
    "domain": "example.com",
    "industry": "Software",
    "street": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "currency": "EUR",
    "language": "en",
    "timezone": "Europe/London",
    "tags": ["vip"],
    "notes": "Met at the fair",
    "value": 12500,
    "amount": 12500,
    "annual_revenue": 4200000,
    "employees": 120,
    "probability": 60,
    "content": "Could you send me the offer again?",
    "text": "We are very happy with the offer.",
    "subject": "Your offer",
    "message": "Could you call me back?",
    "description": "What was agreed on the telephone",
    "reason": "No budget this year",
    "password": "demo-password",
    "q": "ada",
    "query": "show me deals that close this month",
    "search": "ada",
    "events": ["lead.created"],
    "duration": 30,
    "version": 3,
    "total": 42,
    "page": 1,
    "limit": 50,
    "stage": "qualified",
    "tag": "vip",
    "scope": "contacts:read",
    "token_type": "Bearer",
    "expires_in": 3600,
}
"""The example values of members, by name, where the schema allows them."""

_OF_A_NOUN: Mapping[str, Mapping[str, Any]] = {
    "accounts": {"name": "Analytical Engines Ltd", "description": "Builds calculating machines"},
    "agents": {"name": "Qualifier"},
    "calendar": {"title": "Demonstration", "summary": "They want an offer", "description": "A first look"},
    "configuration": {
        "values": {"calendar.buffer_minutes": 10},
        "key": "new-board",
        "keys": ["new-board"],
        "attributes": {"plan": "gold"},
        "defaults": {"new-board": False},
    },
    "custom_objects": {
        "api_name": "vehicle",
        "label": "Vehicle",
        "plural_label": "Vehicles",
        "description": "What we drive",
        "related_object": "contact",
        "fields": {"name": "Van 7"},
        "q": "van",
    },
    "deals": {"title": "Two engines", "description": "Two machines, with service"},
    "exports": {
        "name": "Leads of the night",
        "entity_types": ["lead"],
        "file_name": "leads.csv",
        "frequency": "daily",
    },
    "marketplace": {
        "name": "Quick Quotes",
        "tagline": "Quotes in a minute",
        "description": "Makes a quote of a deal",
        "category": "productivity",
        "slug": "quick-quotes",
        "changelog": "Quotes in Spanish",
        "permissions": ["deals:read"],
        "granted_permissions": ["deals:read"],
        "config": {"language": "es"},
        "events": ["deal.won"],
        "q": "quotes",
    },
    "pipelines": {"name": "New business", "description": "From the first talk to the contract"},
    "tenants": {
        "name": "Hooli",
        "slug": "hooli",
        "domain": "hooli.example",
        "admin_name": "Ada Lovelace",
        "region": "eu",
        "plan": "free",
        "currencies": [{"currency": "GBP", "rate": 1.17}],
        "timezone": "Europe/London",
        "date_format": "YYYY-MM-DD",
        "payment_method_token": "tok_visa",
        "billing_name": "Hooli Ltd",
    },
    "webhooks": {"description": "Tells our warehouse"},
}
"""What a member holds in the examples of one noun."""

_BY_FORMAT: Mapping[str, str] = {
    "date-time": "2026-01-15T09:00:00Z",
    "date": "2026-01-15",
    "email": "ada@example.com",
    "uri": "https://example.com",
    "time-zone": "Europe/London",
    "ip-network": "203.0.113.0/24",
    "binary": "name\nAda\n",
}
_BY_PATTERN: Mapping[str, str] = {
    "[A-Z]{3}": "EUR",
    "[A-Z]{2}": "GB",
    "#": "#1f6feb",
    "[A-Za-z]{2,3}": "en",
    ":[a-z]+": "contacts:read",
    r"\.[a-z_]+$": "deal.won",
    "(-[a-z0-9]+)*": "quick-quotes",
    "[1-9][0-9]{0,8}": "1.1.0",
    "{0,63}": "api_key",
    r"custom\.": "custom.contract_signed",
    r"[^\s": "text",
    "[a-z]": "name",
}
_LATER: Mapping[str, str] = {"date-time": "2026-01-15T10:00:00Z", "date": "2026-01-31"}
"""What a member holds that is the end of something, by its format."""
_MORE = 3
"""How many members a short example has that need not be there."""
_DEPTH = 4
"""The depth of an example; below it, lists are empty, optional members left out and records that may be null are."""


class Examples:
    """Generates examples of schemas, which may refer to `components`."""

    def __init__(self, components: Mapping[str, Any], noun: str = "") -> None:
        self._components = components
        self._values = {**_VALUES, **_OF_A_NOUN.get(noun, {})}

    def of(self, schema: Mapping[str, Any], name: str = "", *, whole: bool = True, depth: int = 0) -> Any:
        """Return an example of a schema: with all members or, without `whole`, with the required and a few more."""
        if "$ref" in schema:
            return self.of(self._components[schema["$ref"].rpartition("/")[2]], name, whole=whole, depth=depth)
        if "anyOf" in schema:
            if depth >= _DEPTH and "$ref" in schema["anyOf"][0] and {"type": "null"} in schema["anyOf"]:
                return None  # a record may contain one of its own kind
            return self.of(schema["anyOf"][0], name, whole=whole, depth=depth)
        if "const" in schema or "enum" in schema:
            given = self._values.get(snake(name))
            return schema["const"] if "const" in schema else given if given in schema["enum"] else schema["enum"][0]
        kinds = schema.get("type", "object")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        known = self._values.get(snake(name))
        if known is not None and _is_a(known, schema, kind):
            return known
        if kind == "object":
            return self._object(schema, whole=whole, depth=depth)
        if kind == "array":
            items = schema.get("items", {})
            none = schema.get("maxItems") == 0 or (depth >= _DEPTH and not schema.get("minItems"))
            if none:
                return []
            first = self.of(items, name.removesuffix("s"), whole=whole, depth=depth + 1)
            return [first] * schema.get("minItems", 1)
        return _scalar(kind, schema, snake(name))

    def _object(self, schema: Mapping[str, Any], *, whole: bool, depth: int) -> dict[str, Any]:
        members: Mapping[str, Any] = schema.get("properties", {})
        needed = schema.get("required", ())
        chosen = set(needed)
        if depth < _DEPTH and (whole or depth == 0 or not needed):
            others = [name for name in members if name not in chosen and (whole or snake(name) in self._values)]
            chosen |= set(others if whole else others[:_MORE])
        return {name: self.of(members[name], name, whole=whole, depth=depth + 1) for name in members if name in chosen}


_KINDS: Mapping[str, type[object] | tuple[type[object], ...]] = {
    "string": str,
    "array": list,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
}


def _is_a(value: object, schema: Mapping[str, Any], kind: str) -> bool:
    if kind not in _KINDS or not isinstance(value, _KINDS[kind]) or schema.get("format") in ("date", "date-time"):
        return False
    if kind == "object":
        return "properties" not in schema
    return kind != "array" or schema.get("items", {}).get("type") == "string"


def _scalar(kind: str, schema: Mapping[str, Any], name: str) -> Any:
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), 1)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    if "format" in schema:
        by_format = _LATER if name.startswith(("end_", "until")) and schema["format"] in _LATER else _BY_FORMAT
        return by_format[schema["format"]]
    if "pattern" in schema:
        return next(text for part, text in _BY_PATTERN.items() if part in schema["pattern"])
    if name == "id" or name.endswith(("_id", "_by")):
        return f"{name.removesuffix('_id').removesuffix('_by').rpartition('_')[2] or 'record'}_123"
    text = name.replace("_", " ") or "text"
    return text[: schema.get("maxLength", len(text))]
