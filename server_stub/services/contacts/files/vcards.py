"""Contacts as vCards: 2.1, 3.0 and 4.0 are read; 3.0, which every address book reads, is written.

What a card has no property for is written as `X-CRM-…`: the members of a contact, and `X-CRM-FIELD:name;value` for each
custom field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from crm_sdk.wire import instant

from ....files import cards
from ....files.cards import Card, Property
from ....files.marked import read_value, write_value
from ....files.table import Remark, Row
from ....files.values import read_date
from ....serving import Members

_OWN = "X-CRM-"
_ADDRESS = ("street2", "street", "city", "state", "postal_code", "country")
"""What the second to the seventh part of ADR hold; the first is a post office box."""
_TEXTS: Mapping[str, str] = {
    "TITLE": "title", "URL": "website", "BDAY": "birthday", "TZ": "timezone", "LANG": "language", "PHOTO": "avatar",
}  # fmt: skip
_PARAMETERS: Mapping[str, str] = {"PHOTO": ";VALUE=URI", "TZ": ";VALUE=TEXT"}
_X_MEMBERS = (
    "id", "status", "lifecycle_stage", "source", "owner_id", "do_not_contact", "email_opt_out", "sms_opt_out",
    "external_id", "next_follow_up",
)  # fmt: skip
_KNOWN = frozenset({"VERSION", "PRODID", "REV", "UID", "N", "KIND", "SORT-STRING", "NICKNAME", "X-SOCIALPROFILE"})
_NO_PHONE = frozenset({"FAX", "PAGER", "MODEM", "BBS", "TEXTPHONE", "X-FAX", "HOMEFAX", "WORKFAX"})
_MOBILE = frozenset({"CELL", "MOBILE", "IPHONE"})


# -- writing -----------------------------------------------------------------------------------------------------------


def write(contact: Mapping[str, Any]) -> bytes:
    """Return a contact as a vCard."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", *_lines(contact), "END:VCARD"]
    return b"".join(map(cards.fold, lines))


def _lines(contact: Mapping[str, Any]) -> Iterator[str]:
    escape = cards.escape
    name, first, last = (contact.get(part) for part in ("name", "first_name", "last_name"))
    yield f"FN:{escape(name)}"
    # A card must have a family name: a name that has no parts stands in for it.
    family = last or ("" if first else name)
    yield "N:" + ";".join(map(escape, (family, first, "", contact.get("salutation"), "")))
    if last and last == name and not first:
        yield f"{_OWN}LAST-NAME:{escape(last)}"
    for address in (contact.get("email"), *(contact.get("secondary_emails") or ())):
        if address:
            yield f"EMAIL;TYPE=INTERNET:{escape(address)}"
    if not contact.get("email") and contact.get("secondary_emails"):
        yield f"{_OWN}EMAIL:"
    for member, kind in (("phone", "WORK"), ("mobile", "CELL")):
        if contact.get(member):
            yield f"TEL;TYPE={kind}:{escape(contact[member])}"
    if contact.get("company") or contact.get("department"):
        yield f"ORG:{escape(contact.get('company'))};{escape(contact.get('department'))}".rstrip(";")
    place: Members = contact.get("address") or {}
    if any(place.values()):
        yield "ADR;TYPE=WORK:;" + ";".join(escape(place.get(part)) for part in _ADDRESS)
    for word, member in _TEXTS.items():
        if contact.get(member):
            yield f"{word}{_PARAMETERS.get(word, '')}:{escape(contact[member])}"
    for profile in contact.get("social_profiles") or ():
        yield f"X-SOCIALPROFILE:{escape(profile['network'])};{escape(profile['url'])};{escape(profile.get('handle'))}"
    if contact.get("tags"):
        yield "CATEGORIES:" + ",".join(map(escape, contact["tags"]))
    for note in contact.get("notes") or ():
        yield f"NOTE:{escape(note)}"
    for member in _X_MEMBERS:
        if contact.get(member) is not None:
            yield f"{_OWN}{member.upper().replace('_', '-')}:{escape(_text(contact[member]))}"
    fields: Members = contact.get("custom_fields") or {}
    for field, value in fields.items():
        if value is not None:
            yield f"{_OWN}FIELD:{escape(field)};{escape(write_value(value))}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else str(value)


# -- reading -----------------------------------------------------------------------------------------------------------


def read(text: str) -> tuple[list[Row], list[str], list[Remark]]:
    """Return the contacts of a file of cards, by Python names, the properties that are not read, and remarks."""
    rows: list[Row] = []
    unread: dict[str, None] = {}
    remarks: list[Remark] = []
    for number, card in enumerate(cards.read(text), 1):
        if isinstance(card, str):
            rows.append(card)
            continue
        reader = _Reader(number, card)
        rows.append(reader.members())
        unread |= dict.fromkeys(reader.unread)
        remarks += reader.remarks
    return rows, list(unread), remarks


class _Reader:
    """Reads one card."""

    def __init__(self, number: int, card: Card) -> None:
        self._number = number
        self._card = card
        self._properties: dict[str, list[Property]] = {}
        for entry in sorted(card.properties, key=lambda entry: entry.preference):
            self._properties.setdefault(entry.name, []).append(entry)
        self.unread: list[str] = []
        self.remarks: list[Remark] = []

    def members(self) -> dict[str, Any]:
        """Return the members of the contact."""
        for line in self._card.strange:
            self._note(None, line, "is not a line of a card")
        emails = self._emails()
        found: dict[str, Any] = {
            **self._names(),
            **self._phones(),
            **self._organization(),
            "address": self._address(),
            "birthday": self._birthday(),
            "avatar": self._avatar(),
            "email": emails[0] if emails else None,
            "secondary_emails": emails[1:],
            "tags": [tag for entry in self._take("CATEGORIES") for tag in cards.split(entry.value, ",")],
            "notes": [entry.text for entry in self._take("NOTE")],
            "social_profiles": [_profile(entry) for entry in self._take("X-SOCIALPROFILE")],
        }
        for word in ("TITLE", "TZ", "LANG", "URL"):
            found[_TEXTS[word]] = self._one(word)
        found |= self._own()
        self.unread = [word for word in self._properties if word not in _KNOWN]
        return {name: value for name, value in found.items() if value not in (None, "", [], {})}

    def _take(self, word: str) -> list[Property]:
        return [entry for entry in self._properties.pop(word, ()) if entry.value.strip()]

    def _one(self, word: str) -> str | None:
        first = self._first(word)
        return first.text if first is not None else None

    def _first(self, word: str) -> Property | None:
        entries = self._take(word)
        for entry in entries[1:]:
            self._note(word, entry.text, "was not taken: another one comes first")
        return entries[0] if entries else None

    def _note(self, word: str | None, value: str, message: str) -> None:
        self.remarks.append(Remark(f"{value[:80]!r} {message}", self._number, word, value))

    def _names(self) -> dict[str, Any]:
        full = self._one("FN")
        own = self._one(f"{_OWN}LAST-NAME")
        family, given, middle, salutation = [*self._name_parts(), "", "", "", ""][:4]
        first = " ".join(filter(None, (given, middle)))
        if not first and family == full and own is None:
            family = ""  # a name of one part stands in for the family name, which a card must have
        nickname = next((entry.text for entry in self._properties.get("NICKNAME", ())), "")
        full = full or ("" if first or family else nickname)
        return {"name": full, "first_name": first, "last_name": family, "salutation": salutation}

    def _name_parts(self) -> list[str]:
        entries = self._take("N")
        return [" ".join(part.split(",")) if "\\" not in entries[0].value else part
                for part in cards.split(entries[0].value, ";")] if entries else []  # fmt: skip

    def _emails(self) -> list[str]:
        no_first = f"{_OWN}EMAIL" in self._properties
        self._properties.pop(f"{_OWN}EMAIL", None)
        found = [re.sub(r"(?i)\Amailto:", "", entry.text) for entry in self._take("EMAIL")]
        return ["", *found] if no_first else found

    def _phones(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in self._take("TEL"):
            number = re.sub(r"(?i)\Atel:", "", entry.text)
            if entry.types & _NO_PHONE and not entry.types & _MOBILE:
                self._note("TEL", number, f"is a {'fax' if 'FAX' in str(entry.types) else 'pager'}, no phone")
                continue
            member = "mobile" if entry.types & _MOBILE else "phone"
            if member in found:
                self._note("TEL", number, f"was not taken: {member} is {found[member]!r}")
            found.setdefault(member, number)
        return found

    def _organization(self) -> dict[str, str]:
        first = self._first("ORG")
        parts = cards.split(first.value, ";") if first is not None else [""]
        return {"company": parts[0], "department": ", ".join(filter(None, parts[1:]))}

    def _address(self) -> dict[str, str]:
        found: list[tuple[Property, dict[str, str]]] = []
        for entry in self._take("ADR"):
            box, *parts = cards.split(entry.value, ";")
            place = {part: text for part, text in zip(_ADDRESS, parts, strict=False) if text}
            if box and not place.get("street"):
                place["street"] = box
            if place:  # programs write the address that they do not have as separators
                found.append((entry, place))
        for entry, _ in found[1:]:
            self._note("ADR", entry.value.strip(";"), "was not taken: a contact has one address")
        return found[0][1] if found else {}

    def _birthday(self) -> str | None:
        entry = self._first("BDAY")
        if entry is None:
            return None
        text = entry.text
        omitted: Iterable[str] = entry.parameters.get("X-APPLE-OMIT-YEAR", ())  # the year that stands for none
        found = None if any(text.startswith(year) for year in omitted) else read_date(text)
        if found is None:
            self._note("BDAY", text, "is not a date with a year")
        return found.isoformat() if found is not None else None

    def _avatar(self) -> str | None:
        found: str | None = None
        for entry in self._take("PHOTO"):
            if entry.is_binary or not re.match(r"(?i)https?:", entry.text):
                self._note("PHOTO", entry.value[:20], "is a picture, not the address of one")
            elif found is None:
                found = entry.text
            else:
                self._note("PHOTO", entry.text, "was not taken: another one comes first")
        return found

    def _own(self) -> dict[str, Any]:
        """Return the members that an export wrote in properties of its own."""
        found: dict[str, Any] = {}
        for member in _X_MEMBERS:
            if (text := self._one(f"{_OWN}{member.upper().replace('_', '-')}")) is not None:
                found[member] = text
        fields: dict[str, Any] = {}
        for entry in self._take(f"{_OWN}FIELD"):
            name, *values = cards.split(entry.value, ";")
            fields[name] = read_value(";".join(values))
        return found | ({"custom_fields": fields} if fields else {})


def _profile(entry: Property) -> dict[str, str]:
    """Return a profile: as an export writes it, or with the network as its type, as address books write it."""
    network, *rest = cards.split(entry.value, ";")
    if len(rest) > 1:
        return {"network": network, "url": rest[0], **({"handle": rest[1]} if rest[1] else {})}
    kinds: Sequence[str] = entry.parameters.get("TYPE", ())
    handles: Iterable[str] = entry.parameters.get("X-USER", ())
    network = next((kind.lower() for kind in kinds if kind.upper() != "PREF"), "website")
    handle = next(iter(handles), "")
    return {"network": network, "url": entry.text, **({"handle": handle} if handle else {})}
