"""vCards 2.1, 3.0 and 4.0 as properties (RFC 6350, RFC 2426, versit 2.1): lines, parameters, escapes, encodings."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .table import whole

LINE = 75
"""Octets after which a line is folded."""
_HEAD = re.compile(r"((?:[A-Za-z0-9_-]+\.)?[A-Za-z0-9_-]+)((?:;(?:[^\";:]|\"[^\"]*\")*)*):")
_PARAMETER = re.compile(r";((?:[^\";]|\"[^\"]*\")*)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a card."""

    name: str
    value: str
    """Decoded, but with its escapes: a value may have several parts."""
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """By names in capitals; values without a name, as vCard 2.1 has them, are types."""
    is_binary: bool = False

    @property
    def types(self) -> frozenset[str]:
        """The types, in capitals: HOME, CELL, FAX."""
        return frozenset(value.upper() for value in self.parameters.get("TYPE", ()))

    @property
    def preference(self) -> int:
        """1 for the preferred of several, up to 100."""
        given = next(iter(self.parameters.get("PREF", ())), "")
        return int(given) if given.isdigit() and len(given) < 4 else 1 if "PREF" in self.types else 101

    @property
    def text(self) -> str:
        """The value without its escapes."""
        return plain(self.value)


@dataclass(frozen=True, slots=True)
class Card:
    """One card, and the lines in it that are none of a card's."""

    properties: tuple[Property, ...]
    strange: tuple[str, ...] = ()


def read(text: str) -> Iterator[Card | str]:
    """Yield the cards of a text; an error message in place of a card that cannot be read."""
    card: list[Property] | None = None
    strange, depth = list[str](), 0  # the depth of cards within the card, as the AGENT of vCard 2.1 is one
    for line in _logical_lines(text):
        head = line.upper().strip()
        if re.fullmatch(r"BEGIN\s*:\s*VCARD", head):
            if card is not None and card and card[-1].name == "AGENT" and not card[-1].value.strip():
                depth += 1
                continue
            if card is not None:
                yield "the card has no END:VCARD"
            card, strange, depth = [], [], 0
        elif re.fullmatch(r"END\s*:\s*VCARD", head):
            if depth:
                depth -= 1
            elif card is not None:
                yield Card(tuple(card), tuple(strange))
                card = None
        elif card is not None and not depth:
            try:
                card.append(_property(line))
            except ValueError:
                strange.append(whole(line.strip())[:200])
            except LookupError as error:  # a character set that does not exist
                yield f"the card cannot be read: {error}"
                card = None
    if card is not None:
        yield "the card has no END:VCARD"


def _logical_lines(text: str) -> Iterator[str]:
    """Yield unfolded lines: continued by a space, by ``=`` in quoted-printable, or as base64 goes on."""
    parts: list[str] = []
    mode = ""
    for line in re.split(r"\r\n|\r|\n", text):
        if parts and mode == "Q" and parts[-1].endswith("="):
            parts[-1] = parts[-1][:-1]
            parts.append(line)
        elif parts and line[:1] in (" ", "\t"):
            parts.append(line.strip() if mode == "B" else line[1:])
        elif parts and mode == "B" and line and ":" not in line:
            parts.append(line.strip())
        elif not line.strip():
            continue
        else:
            if parts:
                yield "".join(parts)
            parts = [line]
            head = line.partition(":")[0].upper()
            mode = "Q" if "QUOTED-PRINTABLE" in head else "B" if "BASE64" in head or "ENCODING=B" in head else ""
    if parts:
        yield "".join(parts)


def _property(line: str) -> Property:
    match = _HEAD.match(line)
    if match is None:
        raise ValueError(line)
    name = match[1].rpartition(".")[2].upper()
    parameters: dict[str, list[str]] = {}
    for part in _PARAMETER.findall(match[2]):
        key, equals, given = part.partition("=")
        if not equals:
            key, given = ("ENCODING", key) if key.upper() in ("QUOTED-PRINTABLE", "BASE64", "8BIT") else ("TYPE", key)
        found = [inner for value in re.findall(r'"[^"]*"|[^,]+', given) for inner in value.strip('"').split(",")]
        parameters.setdefault(key.strip().upper(), []).extend(value.strip() for value in found)
    value = line[match.end() :]
    encoding = next(iter(parameters.get("ENCODING", ())), "").upper()
    if encoding == "QUOTED-PRINTABLE":
        charset = next(iter(parameters.get("CHARSET", ())), "utf-8")
        raw = quopri.decodestring(value.encode(errors="surrogateescape"))
        try:
            value = raw.decode(charset)
        except UnicodeDecodeError:
            value = raw.decode("cp1252", "replace")
    return Property(name, value, parameters, encoding in ("B", "BASE64"))


def split(value: str, separator: str) -> list[str]:
    """Return the parts of a value, split at the separators that are not escaped, without escapes."""
    parts: list[str] = []
    start = at = 0
    while at < len(value):
        if value[at] == "\\":
            at += 2
            continue
        if value[at] == separator:
            parts.append(value[start:at])
            start = at + 1
        at += 1
    return [plain(part) for part in (*parts, value[start:])]


def plain(value: str) -> str:
    """Return a text without escapes, with plain line breaks."""
    text = re.sub(r"\\([\\,;:nN])", lambda match: "\n" if match[1] in "nN" else match[1], value)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def escape(value: object) -> str:
    """Return a text for a card: on one line, without control characters, which no card can hold."""
    text = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace(";", "\\;").replace(",", "\\,")
    return _CONTROL.sub(" ", text)


def fold(line: str) -> bytes:
    """Break a line that is too long, never within a character."""
    out, width = bytearray(), 0
    for character in line:
        octets = character.encode(errors="replace")
        if width + len(octets) > LINE:
            out += b"\r\n "
            width = 1
        out += octets
        width += len(octets)
    return bytes(out) + b"\r\n"
