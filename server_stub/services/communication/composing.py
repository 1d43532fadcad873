"""What an e-mail is made of: its recipients, and a template filled from the records it concerns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from crm_sdk.models.values import EMAIL_PATTERN

from ...data.document import Document
from ...problems import FieldError, Problem, invalid, validation
from ...request.access.hiding import legible
from ...request.settings import environment_of
from ...serving import Context, Members
from ..notifications.recipients import Recipient
from ..notifications.subscriptions import is_unsubscribed

_KINDS: Final = ("contact", "lead", "user")
_ADDRESS = re.compile(EMAIL_PATTERN)
_OF_COMPANY = frozenset({"name", "domain", "email", "country", "locale", "timezone", "base_currency"})
"""What everybody in a company knows of it."""


class Recipients:
    """The people an e-mail goes to, by the members ``to``, ``cc`` and ``bcc``."""

    def __init__(self, call: Context, given: Members) -> None:
        self._call = call
        self.addresses: dict[str, list[dict[str, Any]]] = {}
        self.people: dict[str, Document] = {}
        """The contacts, leads and users among them, by id, in the order of the e-mail."""
        self._opted_out: dict[str, dict[str, str]] = {}
        wrong: list[FieldError] = []
        for member in ("to", "cc", "bcc"):
            known: dict[str, dict[str, Any]] = {}
            for number, value in enumerate(given.get(member) or ()):
                try:
                    found = self._one(value, f"{member}.{number}")
                except Problem as problem:
                    if problem.code != "VALIDATION_ERROR":
                        raise
                    wrong += problem.entries
                else:
                    known.setdefault(found["email"].casefold(), found)
            self.addresses[member] = list(known.values())
        if wrong:
            raise validation(wrong)

    def _one(self, value: str | Members, field: str) -> dict[str, Any]:
        text = (value if isinstance(value, str) else value["email"]).strip()
        name = None if isinstance(value, str) else value.get("name")
        if text.startswith("+"):
            raise invalid(field, "format", "is a telephone number: an e-mail goes to an address, like ada@example.com")
        if "@" not in text:
            return self._of_record(text, field)
        if not _ADDRESS.fullmatch(text):
            raise invalid(field, "format", "must be an e-mail address, like ada@example.com")
        for kind in ("contact", "lead"):
            places = ("email", "secondary_emails") if kind == "contact" else ("email",)
            for place in places:
                for person in self._call.collection(kind).find(place, text):
                    self._ask(kind, person, text)
                    self.people.setdefault(person["id"], person)
        known = {one["email"].casefold() for one in self._opted_out.values()}
        if text.casefold() not in known and is_unsubscribed(self._call, text.casefold(), "email", ()):
            self._opted_out[text] = {"type": "address", "id": text, "email": text}
        return {"email": text, "name": name}

    def _of_record(self, id: str, field: str) -> dict[str, Any]:
        kind = id.partition("_")[0]
        person = self._call.reference(kind if kind in _KINDS else "contact", id, field)
        assert person is not None, "there is an id"
        if not person.get("email"):
            raise Problem("NO_ADDRESS", f"{person['name']} has no e-mail address", field=field)
        self._ask(kind, person, person["email"])
        self.people.setdefault(person["id"], person)
        return {"email": person["email"], "name": person["name"]}

    def _ask(self, kind: str, person: Document, address: str) -> None:
        if person.get("email_opt_out") or person.get("do_not_contact"):
            self._opted_out[person["id"]] = {"type": kind, "id": person["id"], "email": address}

    def check_opt_out(self) -> None:
        """Raise 409 where one of them wants no e-mail."""
        if self._opted_out:
            who = list(self._opted_out.values())
            message = f"{', '.join(one['email'] for one in who)} wants no e-mail"
            raise Problem("RECIPIENT_OPTED_OUT", message, field="to", details={"recipients": who})

    @property
    def language(self) -> str | None:
        """The language of the first one who is known."""
        for id, doc in self.people.items():
            return Recipient(doc["email"], **{id.partition("_")[0]: doc}).language(self._call)
        return None

    def first(self, kind: str) -> Document | None:
        """Return the first contact, lead or user among them."""
        return next((doc for id, doc in self.people.items() if id.partition("_")[0] == kind), None)


def every_address(mail: Members) -> list[str]:
    """Return the addresses an e-mail goes to, each once."""
    people = (one for member in ("to", "cc", "bcc") for one in mail.get(member) or ())
    return list(dict.fromkeys(one["email"] for one in people))


# -- templates ---------------------------------------------------------------------------------------------------------


class Fields(dict[str, Any]):
    """The members of a record in a template; one without a value counts as missing."""

    def __init__(self, path: str, members: Mapping[str, Any]) -> None:
        super().__init__({name: value for name, value in members.items() if value not in (None, "")})
        self.path = path


def fields_of(call: Context, mail: Members, people: Recipients, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return what a template can be filled with; `variables` go before the records.

    It is what the caller can read of them: of what is stored beside, and of what is hidden, no text tells.
    """
    nouns = call.server.nouns

    def read(kind: str, doc: Members | None) -> Members | None:
        return legible(doc, [nouns[kind].model], call.caller, nouns) if doc is not None else None

    contact, lead, deal = (
        read(kind, call.collection(kind).get(mail.get(f"{kind}_id") or "")) for kind in ("contact", "lead", "deal")
    )
    sender = read("user", call.collection("user").get(call.caller.user_id or ""))
    person: Members = contact or lead or read("user", people.first("user")) or {}
    records: dict[str, Members] = {
        "contact": person, "lead": lead or {}, "deal": deal or {},
        "sender": sender or {"name": call.caller.name, "email": call.caller.email},
        "company": {name: value for name, value in call.tenant.items() if name in _OF_COMPANY},
    }  # fmt: skip
    plain = {
        "contact_name": person.get("name"), "first_name": first_name(person),
        "sender_name": records["sender"].get("name"), "our_company": call.tenant["name"],
    }  # fmt: skip
    found: dict[str, Any] = {name: Fields(name, _members(doc)) for name, doc in records.items()}
    found["env"] = Fields(
        "env", {key.partition(".")[2]: value for key, value in environment_of(call.collection).items()}
    )
    if person.get("company"):  # `company` alone is the recipient's: `{{company}}`
        found["company"] = person["company"]
    given: dict[str, Any] = {name: value for name, value in plain.items() if value}
    for name, value in variables.items():
        record, _, member = name.partition(".")
        if member and isinstance(found.get(record), Fields):
            found[record][member] = value
        else:
            given[name] = value
    return {**found, **given}


def first_name(person: Members) -> str | None:
    """Return the first name of somebody, the first word of the name where none is stored."""
    name: str = person.get("first_name") or str(person.get("name") or "").partition(" ")[0]
    return name or None


def _members(doc: Members) -> dict[str, Any]:
    return {**doc, "first_name": first_name(doc)} if doc.get("name") else dict(doc)


def fill(text: str, fields: Mapping[str, Any], *, field: str, html: bool = False) -> str:
    """Return a template's text with values in place of its variables.

    Raises: 422 MISSING_VARIABLE for one without a value, TEMPLATE_SYNTAX for a text that is no template.
    """
    from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def name_of(undefined: Any) -> str:
        whole, name = getattr(undefined, "_undefined_obj", None), str(getattr(undefined, "_undefined_name", ""))
        return f"{whole.path}.{name}" if isinstance(whole, Fields) else name

    class Missing(StrictUndefined):
        """A variable without a value: a filter may give it one, a text may not."""

        def _fail_with_undefined_error(self, *args: Any, **kwargs: Any) -> Any:
            raise UndefinedError(name_of(self))

        __str__ = __iter__ = __len__ = __bool__ = __eq__ = __ne__ = __hash__ = _fail_with_undefined_error

    environment = ImmutableSandboxedEnvironment(undefined=Missing, autoescape=html)
    environment.globals.clear()
    try:
        return environment.from_string(text).render(dict(fields))
    except UndefinedError as error:
        name = str(error)
        raise Problem(
            "MISSING_VARIABLE", f"the template asks for {name}, which has no value", field=f"variables.{name}",
            rule="required", details={"variable": name},
        ) from None  # fmt: skip
    except TemplateSyntaxError as error:
        message = f"line {error.lineno}: {error.message}"
        raise Problem("TEMPLATE_SYNTAX", message, field=field, details={"line": error.lineno}) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise Problem("TEMPLATE_SYNTAX", str(error), field=field) from None
