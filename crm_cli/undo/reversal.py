"""How a write is taken back: by an update with the values before, a delete, or a restore from the trash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

from crm_sdk.errors import ApiError, NotFoundError, UnsupportedOperationError
from crm_sdk.wire import camel, decode_json, encode_json

from ..failures import CONFLICT, CommandError
from ..plurals import singular
from ..terminal.values import plain
from ..tree.nouns import declared_call
from .journal import Entry
from .recording import AS_UPDATES

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import AuditLog
    from crm_sdk.operation import Operation

_RESTORED: Mapping[str, str] = {"calendar.events": "activity", "communication.meetings": "activity"}
"""The entities of the nouns that are called otherwise; of others it is the noun in singular."""
_LOOKED_AT = 5
"""So many entries of the audit trail are read for the values before the last update; two more for each later one."""
_MOST = 100


@dataclass(frozen=True, slots=True)
class Reversal:
    """A call that takes a write back."""

    operation: Operation[..., Any]
    arguments: dict[str, Any]
    does: str
    """What it does, as a question names it: ``delete deal_7``."""


def why_not(entry: Entry) -> str | None:
    """Return why a write cannot be taken back whatever the server says; None where it can be tried."""
    if entry.undone:
        return "it was undone already"
    if entry.withheld:
        return f"{', '.join(entry.withheld)} may hold a secret, and secrets are not kept"
    name = entry.call.rpartition(".")[2]
    if entry.call in AS_UPDATES or (name == "update" and entry.members):
        return None if declared_call(f"{entry.noun}.get") is not None else "there is no call that reads what it changed"
    if name == "create" and _deleting(entry) is not None:
        return None
    if name == "delete" and entry.ids:
        return None
    if name.startswith("bulk"):
        return "it wrote many records at once"
    return "no call takes it back"


def reversal(client: CrmClient, entry: Entry) -> Reversal:
    """Return the call that takes a write back, after a look at the record.

    Raises: CommandError where it was changed since, or cannot be taken back.
    """
    reason = why_not(entry)
    if reason is not None:
        refuse(entry, reason)
    name = entry.call.rpartition(".")[2]
    if name == "create":
        return _delete(client, entry)
    return _restore(entry) if name == "delete" else _update(client, entry)


def refuse(entry: Entry, reason: str) -> NoReturn:
    """Raise that a write cannot be taken back."""
    hint = "`crm undo --list` has the writes before it, and `crm undo NUMBER` takes one of them back"
    raise CommandError("CANNOT_UNDO", f"`{entry.words}` cannot be undone: {reason}", CONFLICT, hint=hint)


def _update(client: CrmClient, entry: Entry) -> Reversal:
    update = declared_call(f"{entry.noun}.update")
    if update is None or update.arguments.body is None:
        refuse(entry, "the noun has no update")
    record = _record(client, entry)
    before = entry.before if entry.before is not None else _from_trail(client, entry, record.version)
    if before is None:
        refuse(entry, "what was there before was not read, and the audit trail does not tell you; CRM_UNDO=1 reads it")
    changes = {name: value for name, value in before.items() if _json(getattr(record, name, None)) != value}
    if not changes:
        refuse(entry, "the record has the values from before again")
    ids = [name for name in update.positional if name != update.arguments.body]
    arguments: dict[str, Any] = {**dict(zip(ids, entry.ids, strict=True)), update.arguments.body: changes}
    if update.arguments.locks:
        arguments["version"] = entry.valid_version
    return Reversal(update, arguments, f"set {', '.join(map(camel, changes))} of {entry.ids[-1]} back")


def _delete(client: CrmClient, entry: Entry) -> Reversal:
    delete = _deleting(entry)
    assert delete is not None  # or it would have been refused
    if declared_call(f"{delete.id.rpartition('.')[0]}.get") is not None:
        _record(client, entry, delete.id.rpartition(".")[0])
    arguments: dict[str, Any] = dict(zip(delete.positional, entry.ids, strict=True))
    if delete.arguments.locks and entry.valid_version is not None:
        arguments["version"] = entry.valid_version
    return Reversal(delete, arguments, f"delete {entry.ids[-1]}")


def _restore(entry: Entry) -> Reversal:
    restore = declared_call("objects.restore")
    assert restore is not None
    one = singular(entry.noun.rpartition(".")[2])
    # The records of a custom object have it before their own id.
    entity = entry.ids[0] if entry.noun == "custom_objects.records" else _RESTORED.get(entry.noun, one)
    return Reversal(restore, {"entity": entity, "ids": [entry.ids[-1]]}, f"restore {entry.ids[-1]}")


def _deleting(entry: Entry) -> Operation[..., Any] | None:
    """Return the call that deletes what was created: that of the noun, or, for a kind of it, of the noun around it."""
    own = declared_call(f"{entry.noun}.delete")
    around = declared_call(f"{entry.noun.rpartition('.')[0]}.delete") if len(entry.ids) == 1 else None
    found = own if own is not None else around
    return found if found is not None and len(found.positional) == len(entry.ids) else None


def _record(client: CrmClient, entry: Entry, noun: str | None = None) -> Any:
    """Return the record as it is now. Raises: CommandError where it is another version than the write made."""
    try:
        record = attrgetter(f"{noun or entry.noun}.get")(client)(*entry.ids)
    except NotFoundError:
        refuse(entry, f"{entry.ids[-1]} is not there any more")
    version = getattr(record, "version", None)
    valid = entry.valid_version
    if valid is None or version is None:
        refuse(entry, "the server tells no version of it, so nobody knows whether it was changed since")
    if version != valid:
        refuse(entry, f"{entry.ids[-1]} was changed since: it is at version {version}, and should be at {valid}")
    return record


def _from_trail(client: CrmClient, entry: Entry, version: int) -> dict[str, Any] | None:
    """Return the values before an update from the audit trail, which has a request for each version."""
    later = version - (entry.version or version)
    limit = min(_LOOKED_AT + 2 * later, _MOST)
    try:
        trail = client.audit.logs.list(entity_id=entry.ids[-1], sort="sequence", order="desc", limit=limit)
    except (ApiError, UnsupportedOperationError):
        return None
    writes: dict[str | None, list[AuditLog]] = {}  # a request can have several entries, such as of a move
    for log in trail.items:
        if log.changes:
            writes.setdefault(log.source.request_id, []).append(log)
    wrote = [log for logs in list(writes.values())[later : later + 1] for log in logs]
    if not any(log.source.operation == entry.call for log in wrote):
        return None
    found = {change.field: _json(change.before) for log in wrote for change in log.changes}
    return {name: value for name in entry.members for value in _value_before(found, name)}


def _value_before(changes: Mapping[str, Any], name: str) -> list[Any]:
    """Return the value of a member before, in a list; an empty one where it was not changed."""
    whole = [changes[field] for field in (name, camel(name)) if field in changes]
    parts = {
        field.partition(".")[2]: value
        for field, value in changes.items()
        if field.partition(".")[0] in (name, camel(name)) and "." in field
    }
    return whole or ([parts] if parts else [])


def _json(value: Any) -> Any:
    return decode_json(encode_json(plain(value)))
