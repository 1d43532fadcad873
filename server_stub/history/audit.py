"""The audit trail: an entry for every event of a company, each with the hash of the entry before it.

The hash of an entry covers digests in place of values that may be personal data (changes, reason, names and addresses);
each digest is salted with the salt of the entry. Erasing a person removes the values and the salt but keeps the
digests, so that the chain of hashes stays valid. A purge of old entries writes an entry ``data.purged`` with the number
and the hash of the last purged entry: the chain is checked from there, and the numbers continue.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from crm_sdk.wire import encode_json, is_array, is_object

from ..data.collection import Collection
from ..data.document import Document

if TYPE_CHECKING:
    from ..serving import Context

KIND = "audit"
"""The kind of the trail's records."""
PURGED = "data.purged"
"""The action of the entry that a purge writes."""
DIGESTED = (
    "changes", "reason", "metadata", "entity.name", "actor.name", "actor.email", "actor.ip_address",
    "actor.user_agent",
)  # fmt: skip
"""The values of which the hash covers only digests."""
MASK = "********"
"""What an entry has in place of a secret."""
_SECRET = re.compile(r"(^|_)(password|secret|token|api_key|private_key|webhook_key|credentials)$")
_ACTORS = {"token": "user", "api_key": "api_key", "app": "app"}
_CATEGORIES: Mapping[str, str] = {
    **dict.fromkeys(("read", "exported", "downloaded"), "access"),
    "notification.read": "data",
    **dict.fromkeys(("config_updated", "configuration", "retention", "custom_object", "field", "flag"), "config"),
    **dict.fromkeys(("automation", "layout", "pipeline", "setting"), "config"),
    **dict.fromkeys(("data.purged", "app", "api_key", "backup", "role", "team", "tenant", "user"), "admin"),
    **dict.fromkeys(("integration", "webhook", "calendar"), "integration"),
    "auth": "auth",
    "custom": "custom",
}
"""The categories of events by name, verb or noun; of all others ``data``."""
_UNHASHED = frozenset({"initial", "salt", "digests", "previous_hash", "hash"})


def write(
    call: Context,
    event: str,
    entity_type: str,
    entity: Mapping[str, Any],
    *,
    reason: str | None,
    metadata: Mapping[str, Any],
    changes: Iterable[Mapping[str, Any]] = (),
    initial: Iterable[Mapping[str, Any]] = (),
    severity: str = "info",
) -> Document:
    """Write an event to the audit trail of the caller's company; secrets in it are masked.

    `initial` are the values of a new record: the trail shows them as changes, but no rule takes them for such.
    """
    trail, caller = call.collection(KIND), call.caller
    last = trail.last()
    source = {**call.source, "operation": call.operation, "request_id": call.request_id}
    client = {name: source.pop(name, None) for name in ("ip_address", "user_agent")}
    entry: dict[str, Any] = {
        "id": call.new_id("audit_"),
        "sequence": last["sequence"] + 1 if last is not None else 1,
        "occurred_at": call.now,
        "action": event,
        "category": category_of(event),
        "entity": {"type": entity_type, "id": entity["id"], "name": entity.get("name") or entity.get("title")},
        "actor": {
            "type": "system" if caller.actor_id == "system" else _ACTORS.get(caller.auth, "anonymous"),
            "id": caller.actor_id,
            "name": caller.name,
            "email": caller.email,
            "session_id": caller.session_id,
            **client,
        },
        "changes": [_masked_change(change) for change in changes],
        "initial": [_masked_change(change) for change in initial],
        "reason": reason,
        "severity": severity,
        "source": source,
        "metadata": _masked_secrets(dict(metadata)),
        "salt": call.new_id("salt_"),
    }
    entry["digests"] = digests(entry, entry["salt"])
    return trail.put(_linked_entry(entry, last))


def set_status(call: Context, status: int) -> None:
    """Store the status of an answer, where it is not the declared one, in the entries that its request wrote."""
    trail = call.collection(KIND)
    written = list(takewhile(lambda entry: entry["source"]["request_id"] == call.request_id, trail.backwards()))
    if not written or call.source.get("status") == status:
        return
    last = next((entry for entry in trail.backwards() if entry["sequence"] < written[-1]["sequence"]), None)
    for entry in reversed(written):
        last = trail.put(_linked_entry({**entry, "source": {**entry["source"], "status": status}}, last))


def without_values(entry: Mapping[str, Any]) -> Document:
    """Return an entry whose values are gone for good: their digests stay, so that the chain stays valid."""
    left: dict[str, Any] = {**entry, "changes": [], "initial": [], "reason": None, "metadata": {}, "salt": None}
    left["entity"] = {**entry["entity"], "name": None}
    left["actor"] = {**entry["actor"], **dict.fromkeys(("name", "email", "ip_address", "user_agent"))}
    return Document(left)


def category_of(event: str) -> str:
    """Return the category of an event."""
    noun, _, verb = event.partition(".")
    return _CATEGORIES.get(event) or _CATEGORIES.get(verb) or _CATEGORIES.get(noun, "data")


def is_read(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry says that somebody read, and not that somebody did something."""
    return bool(entry["category"] == "access" and entry["action"].endswith(".read"))


def _linked_entry(entry: dict[str, Any], last: Mapping[str, Any] | None) -> Document:
    """Return an entry with its hash, after the one before it."""
    linked = {**entry, "previous_hash": last["hash"] if last is not None else ""}
    return Document({**linked, "hash": entry_hash(linked)})


def _masked_change(change: Mapping[str, Any]) -> dict[str, Any]:
    if not _SECRET.search(change["field"]):
        return {name: _masked_secrets(value) for name, value in change.items()}
    return {name: value if name == "field" or value is None else MASK for name, value in change.items()}


def _masked_secrets(value: Any) -> Any:
    """Return a value with a mask in place of the secrets in it, by the names of its members."""
    if is_array(value):
        return [_masked_secrets(item) for item in value]
    if not is_object(value):
        return value
    return {
        name: MASK if item is not None and _SECRET.search(str(name)) else _masked_secrets(item)
        for name, item in value.items()
    }


def remove_oldest(call: Context, ids: Sequence[str], metadata: Mapping[str, Any]) -> Document:
    """Remove the oldest entries, and return the entry about it, from which the chain is checked.

    `ids` are theirs, in their order.
    """
    trail = call.collection(KIND)
    last = trail.get(ids[-1])
    anchor = {"last_sequence": last["sequence"], "last_hash": last["hash"]} if last is not None else {}
    written = call.emit(PURGED, "tenant", call.tenant, metadata={**metadata, **anchor})
    for id in ids:
        trail.remove(id)
    return written


def is_intact(trail: Collection | Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a trail is unchanged: every entry, their order, and no entry missing since the last purge."""
    before: Mapping[str, Any] | None = None
    for entry in trail:
        number, previous = (before["sequence"], before["hash"]) if before is not None else _anchor(trail, entry)
        if (entry["sequence"], entry["previous_hash"]) != (number + 1, previous) or not _is_true(entry):
            return False
        before = entry
    return True


def _anchor(trail: Iterable[Mapping[str, Any]], first: Mapping[str, Any]) -> tuple[int, str]:
    """Return the number and the hash of the last purged entry, which the first entry must follow."""
    anchors = [entry["metadata"] for entry in trail if entry["action"] == PURGED]
    fits = any(
        said.get("last_sequence") == first["sequence"] - 1 and said.get("last_hash") == first["previous_hash"]
        for said in anchors
    )
    return (first["sequence"] - 1, first["previous_hash"]) if fits else (0, "")


def _is_true(entry: Mapping[str, Any]) -> bool:
    """Return whether the hash of an entry and the digests of its values are correct; erased values are skipped."""
    salt = entry.get("salt")
    known: Mapping[str, str] = entry["digests"]
    if salt is not None and digests(entry, salt) != known:
        return False
    if salt is None and any(_has_value(value_at(entry, path)) for path in DIGESTED):
        return False
    return bool(entry["hash"] == entry_hash(entry))


def digests(entry: Mapping[str, Any], salt: str) -> dict[str, str]:
    """Return the salted digest of each of the `DIGESTED` values that an entry has."""
    values = {path: value_at(entry, path) for path in DIGESTED}
    return {path: _sha256(salt + _canonical(value)) for path, value in values.items() if _has_value(value)}


def entry_hash(entry: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the previous hash and the entry with digests in place of values."""
    hashed: dict[str, Any] = {name: value for name, value in entry.items() if name not in _UNHASHED}
    for path in DIGESTED:
        head, _, member = path.partition(".")
        if not member:
            hashed.pop(head, None)
        else:
            hashed[head] = {name: value for name, value in hashed[head].items() if name != member}
    return _sha256(entry["previous_hash"] + _canonical({**hashed, "digests": entry["digests"]}))


def changes_of(entry: Mapping[str, Any]) -> Any:
    """Return the changes that the trail shows: of an event about a new record, its values."""
    return entry["changes"] or entry.get("initial")


def value_at(entry: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path of an entry; None where there is none."""
    if path == "changes":
        return changes_of(entry)
    value: Any = entry
    for name in path.split("."):
        value = value.get(name) if is_object(value) else None
    return value


def _has_value(value: object) -> bool:
    return value not in (None, "", [], {}, ())


def _canonical(value: Any) -> str:
    if type(value) is str:
        return encode_basestring(value)
    return json.dumps(json.loads(encode_json(value)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
