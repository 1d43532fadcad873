"""The register of erased people: salted hashes of their addresses and ids, by which they are known again.

It is written in the transaction of an erasure, which the log of changes takes from it: what goes then was erased, and
what changes then is not told with its former values.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..data.document import Document
from ..data.personal import ERASED
from ..history.change_log import ERASURES, LATEST_ERASURE
from ..problems import Problem
from ..request.settings import value_of

if TYPE_CHECKING:
    from ..serving import Context

KIND = ERASURES
"""The collection of the register: an entry for each address and each id, and the salt of the company's hashes."""
LATEST = LATEST_ERASURE
"""The entry that says when the register was last added to."""
_SALT = "salt"
_EMAILS = ("email", "secondary_emails")
_ADDRESS = re.compile(r"[^\s@,;|<>()\[\]\"']+@[^\s@,;|<>()\[\]\"']+")
REFUSED = "SUBJECT_ERASED"
"""The code of the refusal of an address of an erased person."""


def hash_of(call: Context, text: str) -> str:
    """Return the hash of an address, whatever its case, or of an id: salted by company."""
    register = call.collection(KIND)
    salt = register.get(_SALT) or register.put(Document(id=_SALT, salt=call.new_id("salt_")))
    return hashlib.sha256(f"{salt['salt']} {text.strip().lower()}".encode("utf-8", "surrogatepass")).hexdigest()


def enter(call: Context, texts: Iterable[str], *, blocked: bool) -> None:
    """Enter addresses and ids in the register, as `blocked` where they are not to be stored again."""
    register = call.collection(KIND)
    register.put(Document(id=LATEST, at=call.now))
    for text in texts:
        id = hash_of(call, text)
        known = register.get(id)
        register.put(Document(id=id, at=call.now, blocked=blocked or bool(known and known["blocked"])))


def entry_of(call: Context, text: str) -> Document | None:
    """Return the entry of an address or an id; None where it was never erased."""
    return call.collection(KIND).get(hash_of(call, text))


def lift(call: Context, address: str) -> None:
    """Let an address be stored again: the person has consented to it."""
    known = entry_of(call, address) if call.collection(KIND).first() is not None else None
    if known is not None:
        call.collection(KIND).put(known | {"blocked": False})


def addresses_of(members: Mapping[str, Any]) -> list[str]:
    """Return the e-mail addresses of a contact or a lead."""
    found: list[str] = []
    for name in _EMAILS:
        value = members.get(name)
        found += [value] if isinstance(value, str) else value or []
    return list(dict.fromkeys(found))


def refuse_erased(call: Context, members: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    """Raise 409 SUBJECT_ERASED for an address of an erased person that a contact or a lead is to get."""
    if call.collection(KIND).first() is None:
        return
    held = addresses_of(before) if before is not None else []
    for address in addresses_of(members):
        known = _blocked(call, address) if address not in held else None
        if known is not None:
            message = "this person was erased, and is not to be stored again without their consent"
            raise Problem(REFUSED, message, field="email", rule="erased", details={"at": known["at"]})


def _blocked(call: Context, address: str) -> Document | None:
    """Return the entry of an address that is not to be stored again; None for any other."""
    known = entry_of(call, address)
    blocks = known is not None and known["blocked"] and value_of(call.collection, call.caller, "privacy.block_erased")
    return known if blocks else None


def without_refused(call: Context, text: str) -> str:
    """Return a text that is to be kept of what was refused, without the addresses that are not to be stored again."""
    if "@" not in text or call.collection(KIND).first() is None:
        return text
    return _ADDRESS.sub(lambda found: _shown(call, found[0]), text)


def _shown(call: Context, address: str) -> str:
    return ERASED if _blocked(call, address.rstrip(".:")) is not None else address
