"""What tells of a person in a text, and how it is taken out of values, contents and stored answers."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from html import escape
from typing import Any, cast
from urllib.parse import quote

from crm_sdk.wire import is_array, is_object

from ...data.document import Document
from ...data.personal import ERASED, personal_members
from ..erasures import addresses_of

_LONG = 8
_COMMON = frozenset({
    "title", "salutation", "first_name", "last_name", "city", "state", "country", "postal_code", "network",
})  # fmt: skip
"""The members whose values many people have: alone they tell of nobody, unless they have a number."""
_KEPT = frozenset({"id", "type", "kind", "status", "version", "object", "event", "action", "entity_type"})
"""The members that stay of a copy of a record about the person, beside ids and times."""
_SENSES = ("utf-8-sig", "utf-16", "cp1252")


def texts_of(doc: Mapping[str, Any], model: Any, own: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield the texts that tell of the person who a contact or a lead is, each with its member.

    `own` are the names of the company's own fields that are personal.
    """
    for name in personal_members(model):
        yield from _texts(name, doc.get(name))
    fields: Mapping[str, Any] = doc.get("custom_fields") or {}
    for name in own:
        yield from _texts(name, fields.get(name))
    whole = " ".join(str(doc[name]) for name in ("first_name", "last_name") if doc.get(name))
    if whole:
        yield "name", whole


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value.strip()
    elif is_array(value):
        for one in value:
            yield from _texts(name, one)
    elif is_object(value):
        for inner, one in value.items():
            yield from _texts(inner, one)


def tells(name: str, text: str) -> bool:
    """Return whether a text alone tells of one person: an address, a number, a whole name, a long text."""
    if "@" in text:
        return True
    if name in ("phone", "mobile", "from_number", "to_number"):
        return sum(letter.isdigit() for letter in text) >= 6
    has_number = any(letter.isdigit() for letter in text)
    if name in _COMMON:
        return has_number and len(text) >= _LONG
    if name == "name":
        return len(text) >= _LONG or (" " in text and len(text) > 4)
    return len(text) >= _LONG and (has_number or " " in text or "/" in text)


class Words:
    """The words and the ids by which a person is known."""

    def __init__(self, texts: Iterable[str], ids: Iterable[str], addresses: Iterable[str]) -> None:
        self.ids = frozenset(ids)
        self.addresses = frozenset(address.lower() for address in addresses)
        plain = sorted({text for text in (*texts, *addresses) if text}, key=len, reverse=True)
        forms = dict.fromkeys(
            form for text in plain for form in (text, json.dumps(text)[1:-1], escape(text), quote(text))
        )
        either = "|".join(re.escape(form) for form in forms)
        self._pattern = re.compile(rf"(?<![\w@])(?:{either})(?!\w)", re.IGNORECASE) if forms else None

    def with_ids(self, ids: Iterable[str]) -> Words:
        """Return the same words with further ids: those of the records about the person."""
        wider = copy(self)
        wider.ids = self.ids | frozenset(ids)
        return wider

    # -- texts ---------------------------------------------------------------------------------------------------------

    def has(self, text: str) -> bool:
        """Return whether a text tells of the person."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def without(self, text: str) -> str:
        """Return a text without what tells of the person."""
        return self._pattern.sub(ERASED, text) if self._pattern is not None else text

    # -- values --------------------------------------------------------------------------------------------------------

    def found_in(self, value: Any) -> bool:
        """Return whether a value tells of the person, or refers to it."""
        if isinstance(value, str):
            return value in self.ids or self.has(value)
        if isinstance(value, bytes):
            return self.found_in_content(value)
        if is_object(value):
            return any(self.found_in(one) or name in self.ids for name, one in value.items())
        return (is_array(value) or isinstance(value, tuple)) and any(map(self.found_in, cast("Iterable[Any]", value)))

    def refers(self, value: Mapping[str, Any]) -> bool:
        """Return whether one of the members of an object is the id or the address of the person."""
        return any(
            isinstance(one, str) and (one in self.ids or (one.lower() in self.addresses and "email" in name))
            for name, one in value.items()
        )

    def without_person(self, value: Any) -> Any:
        """Return a value without the person: ids and addresses go, and so do copies of records about it."""
        if isinstance(value, str):
            return None if value in self.ids else self.without(value)
        if isinstance(value, bytes):
            return self.without_in_content(value)
        if is_array(value) or isinstance(value, tuple):
            return [self.without_person(one) for one in cast("Iterable[Any]", value) if not self._is_person(one)]
        if not is_object(value):
            return value
        if self.refers(value) and not _is_deal(value):
            return {name: one if _stays(name) else _shell(one) for name, one in value.items()}
        return self.emptied_members(value)

    def emptied_members(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members of an object without the person; beside a record about it, what was changed goes, too."""
        if any(is_object(one) and self.refers(one) for one in value.values()):
            value = {name: _nothing(one) if name in ("changes", "metadata") else one for name, one in value.items()}
        return {
            name: None
            if "contact" in name and isinstance(one, str) and self.refers(value)
            else self.without_person(one)
            for name, one in value.items()
            if name not in self.ids
        }

    def _is_person(self, value: Any) -> bool:
        if isinstance(value, str):
            return value in self.ids or value.lower() in self.addresses
        return is_object(value) and self.refers(value) and not _is_deal(value)

    # -- contents of files ---------------------------------------------------------------------------------------------

    def found_in_content(self, content: bytes) -> bool:
        """Return whether the content of a file tells of the person: a text, an archive, a workbook, a PDF."""
        if content.startswith(b"%PDF"):
            return self.has(_text_of_pdf(content))
        if content.startswith(b"PK"):
            return any(self.found_in_content(part) for _, part in _parts(content))
        return any(self.has(text) for _, text in _read(content))

    def without_in_content(self, content: bytes) -> bytes:
        """Return the content of a file without what tells of the person; a PDF that does is emptied as a whole."""
        if not self.found_in_content(content):
            return content
        if content.startswith(b"%PDF"):
            return b""
        if content.startswith(b"PK"):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, part in _parts(content):
                    archive.writestr(self.without(name), self.without_in_content(part))
            return out.getvalue()
        encoding, text = next((encoding, text) for encoding, text in _read(content) if self.has(text))
        return self.without(text).encode(encoding)


def _is_deal(value: Mapping[str, Any]) -> bool:
    """Return whether an object is a copy of a deal, which stays without the person."""
    return "value" in value and ("stage" in value or "stageId" in value)


def _shell(value: Any) -> Any:
    """Return what is left of a member of a copy of a record: which other record it refers to."""
    if is_object(value):
        return {name: value[name] for name in ("type", "id") if name in value}
    return [] if is_array(value) else None


def _nothing(value: Any) -> Any:
    return [] if is_array(value) else {}


def _stays(name: str) -> bool:
    return name in _KEPT or name.endswith(("_id", "Id", "_at", "At"))


def _read(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield a content as a text, in each of the encodings that it may be in."""
    if b"\0" in content[:512] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    for encoding in _SENSES:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        given = "utf-8" if encoding == "utf-8-sig" and not content.startswith(b"\xef\xbb\xbf") else encoding
        yield given, text
        if encoding == "utf-8-sig":
            return


def _parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist() if not name.endswith("/"))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return


def _text_of_pdf(content: bytes) -> str:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    except (PyPdfError, ValueError, KeyError):
        return ""


def words_of(
    people: Iterable[tuple[Any, Document]], others: Iterable[Mapping[str, Any]], own: Iterable[str], address: str | None
) -> Words:
    """Return the words by which people are known: their models and records.

    What is also said of somebody else, whose values `others` are, is none: it would take that person away, too.
    """
    people, own = list(people), list(own)
    said = {text for model, doc in people for name, text in texts_of(doc, model, own) if text and tells(name, text)}
    taken: set[str] = set()
    for other in others:
        taken |= {text.lower() for _, text in _texts("", dict(other))}
    addresses = [one for _, doc in people for one in addresses_of(doc) if one.lower() not in taken]
    if address is not None:
        addresses.append(address)
    return Words((text for text in said if text.lower() not in taken), (doc["id"] for _, doc in people), addresses)
