"""Read and write contacts as vCards (RFC 6350; version 3.0, which every address book reads, is written)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_OWN = "X-CRM-ID"
_ADDRESS = ("street2", "street", "city", "state", "postal_code", "country")
"""What the second to the seventh part of ADR hold; the first is a post office box."""
_LINE = 75
"""Octets after which a line is folded."""


def write(contact: Mapping[str, Any]) -> bytes:
    """Return a contact as a vCard."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{_escape(contact.get('name'))}"]
    family = contact.get("last_name") or ("" if contact.get("first_name") else contact.get("name"))
    lines.append("N:" + ";".join(map(_escape, (family, contact.get("first_name"), "", contact.get("salutation"), ""))))
    addresses = [a for a in (contact.get("email"), *(contact.get("secondary_emails") or ())) if a]
    lines += [f"EMAIL;TYPE=INTERNET:{_escape(address)}" for address in addresses]
    for name, kind in (("phone", "WORK"), ("mobile", "CELL")):
        if contact.get(name):
            lines.append(f"TEL;TYPE={kind}:{_escape(contact[name])}")
    if contact.get("company") or contact.get("department"):
        lines.append(f"ORG:{_escape(contact.get('company'))};{_escape(contact.get('department'))}".rstrip(";"))
    if contact.get("address"):
        lines.append("ADR;TYPE=WORK:;" + ";".join(_escape(contact["address"].get(part)) for part in _ADDRESS))
    for name, member in (("TITLE", "title"), ("URL", "website"), ("BDAY", "birthday"), (_OWN, "id")):
        if contact.get(member):
            lines.append(f"{name}:{_escape(contact[member])}")
    if contact.get("tags"):
        lines.append("CATEGORIES:" + ",".join(map(_escape, contact["tags"])))
    lines += [f"NOTE:{_escape(note)}" for note in contact.get("notes") or ()]
    return b"".join(_fold(line) for line in [*lines, "END:VCARD"])


def _escape(value: object) -> str:
    text = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace(";", "\\;").replace(",", "\\,")


def _fold(line: str) -> bytes:
    """Break a line that is too long, never within a character."""
    out, width = bytearray(), 0
    for character in line:
        octets = character.encode()
        if width + len(octets) > _LINE:
            out += b"\r\n "
            width = 1
        out += octets
        width += len(octets)
    return bytes(out) + b"\r\n"


def read(text: str) -> Iterator[dict[str, Any]]:
    """Return the contacts of a vCard file as members in Python names. Raises ValueError where it is none."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    card: list[tuple[str, str, str]] | None = None
    for line in filter(None, (line.strip("\r") for line in unfolded.split("\n"))):
        head, colon, value = _split_head(line)
        name, _, parameters = head.partition(";")
        name = name.rpartition(".")[2].upper()
        if name == "BEGIN":
            card = []
        elif card is None or not colon:
            raise ValueError(f"{line[:40]!r} is no line of a vCard")
        elif name == "END":
            yield _contact(card)
            card = None
        else:
            card.append((name, parameters.upper(), value))
    if card is not None:
        raise ValueError("the last vCard has no end")


def _split_head(line: str) -> tuple[str, str, str]:
    """Split at the first colon that is not within quotes."""
    match = re.match(r'((?:[^":]|"[^"]*")*)(:)(.*)', line, re.DOTALL)
    return (match[1], match[2], match[3]) if match else (line, "", "")


def _contact(card: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    emails: list[str] = []
    notes: list[str] = []
    for name, parameters, value in card:
        if name == "N":
            parts = [*_parts(value, ";"), "", "", "", ""]
            out |= {"last_name": parts[0], "first_name": parts[1], "salutation": parts[3]}
        elif name == "EMAIL":
            emails.append(_plain(value).removeprefix("mailto:"))
        elif name == "TEL":
            member = "mobile" if "CELL" in parameters else "phone"
            out.setdefault(member, _plain(value).removeprefix("tel:"))
        elif name == "ORG":
            company, *departments = _parts(value, ";")
            out |= {"company": company, "department": ", ".join(filter(None, departments))}
        elif name == "ADR":
            out.setdefault("address", {k: v for k, v in zip(_ADDRESS, _parts(value, ";")[1:], strict=False) if v})
        elif name == "CATEGORIES":
            out["tags"] = [*out.get("tags", []), *_parts(value, ",")]
        elif name == "NOTE":
            notes.append(_plain(value))
        elif name == "BDAY":
            digits = re.sub(r"\D", "", value)[:8]
            out["birthday"] = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else value
        elif name in _SIMPLE:
            out[_SIMPLE[name]] = _plain(value)
    if not out.get("first_name") and out.get("last_name") == out.get("name"):
        out.pop("last_name", None)  # a name of one part stands in for the family name, which a vCard must have
    lists = {"email": emails[0] if emails else None, "secondary_emails": emails[1:], "notes": notes}
    return {name: value for name, value in {**out, **lists}.items() if value}


_SIMPLE: Mapping[str, str] = {"FN": "name", "TITLE": "title", "URL": "website", _OWN: "id"}


def _parts(value: str, separator: str) -> list[str]:
    """Split at the separators that are not escaped."""
    return [_plain(part) for part in re.split(rf"(?<!\\){separator}", value)]


def _plain(value: str) -> str:
    return re.sub(r"\\([\\,;nN])", lambda match: "\n" if match[1] in "nN" else match[1], value).strip()
