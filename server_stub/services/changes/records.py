"""The rules of the feed of changes: what a caller is told of each change of a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.resources.changes import Changes

from ...data.document import Document
from ...history.change_log import COUNTED, KIND, key_of
from ...nouns.entities import Entity
from ...problems import invalid
from ...request.access.hiding import hiding_from, unknown
from ...request.access.permissions import limits
from ...serving import Context, serves
from ...timetable import recurs
from ..accounts.figures import SUMS as OF_ACCOUNTS
from ..contacts.health import SUMS as OF_CONTACTS
from ..objects.showing import Show, has_field, shown_as
from .positions import first_kept, kept_since, latest, number_at, position, teams_of

SUMS: Mapping[str, Sequence[str]] = {"account": OF_ACCOUNTS, "contact": OF_CONTACTS}
"""The members of entities that count other records and add them up."""
_BARE = frozenset({"access_lost", "erased"})
"""The changes of which nothing but the record's id is told."""
_LOOKED_AT = 2_000
"""So many changes are looked at for an answer: one in which the caller sees none of them may be empty."""


@serves(Changes.list)
def list_(
    call: Context,
    cursor: str | None,
    start: str,
    entity_types: Sequence[str] | None,
    include: Sequence[str] | None,
    fields: Sequence[str] | None,
    fold: bool,
    limit: int,
) -> dict[str, Any]:
    """Return the changes after a position."""
    readable = {entity.name: entity for entity in call.server.entities.readable(call)}
    wanted = _wanted_entities(call, entity_types, readable)
    if cursor is not None:
        number = number_at(call, cursor)
    else:
        number = latest(call) if start == "now" else max(first_kept(call), _first_since(call)) - 1
    teller = Teller(call, wanted, fields, with_values="changes" in (include or ()))
    found: list[dict[str, Any]] = []
    end = min(latest(call), number + _LOOKED_AT) if limit else number
    while number < end and len(found) < limit:
        number += 1
        entry = call.collection(KIND).get(key_of(number))
        told = teller.tell(entry) if entry is not None else None
        if told is not None:
            found.append(told)
    return {
        "items": _folded_entries(found) if fold else found,
        "cursor": position(call, number),
        "has_more": number < latest(call),
        "oldest": kept_since(call),
    }


def _wanted_entities(
    call: Context, names: Sequence[str] | None, readable: Mapping[str, Entity]
) -> Mapping[str, Entity]:
    """Return those of the entities that are asked for. Raises: 422 for what is none."""
    if names is None:
        return readable
    for place, name in enumerate(names):
        if call.server.entities.find(call, name) is None:
            raise invalid(f"entity_types.{place}", "choice", f"there is no entity {name!r}", choices=list(readable))
    ids = {entity.object["id"]: name for name, entity in readable.items() if entity.object is not None}
    return {name: readable[name] for given in names if (name := ids.get(given, given)) in readable}


def _first_since(call: Context) -> int:
    """Return the number of the first change that is not too old."""
    since = kept_since(call)
    return next((int(entry["seq"]) for entry in call.collection(KIND) if entry["at"] >= since), latest(call) + 1)


class Teller:
    """Tells one caller of changes."""

    def __init__(
        self, call: Context, entities: Mapping[str, Entity], fields: Sequence[str] | None, *, with_values: bool
    ) -> None:
        self._call = call
        self._hiding = hiding_from(call.caller, call.server.nouns)
        self._entities = entities
        self._with_values = with_values
        self._fields = fields
        self._limited = limits(call, *COUNTED)
        self._shows: dict[str, Show] = {}
        if fields:
            for entity in entities.values():
                self._show(entity)
            if entities:
                self._refuse_unknown(fields)

    def _refuse_unknown(self, fields: Sequence[str]) -> None:
        """Raise 422 UNKNOWN_FIELD for a field that the records of none of several entities have."""
        for number, field in enumerate(fields):
            if not any(has_field(self._call, entity, field) for entity in self._entities.values()):
                raise unknown(f"fields.{number}", field)

    def _show(self, entity: Entity) -> Show:
        if entity.name not in self._shows:
            many = len(self._entities) > 1
            self._shows[entity.name] = shown_as(self._call, entity, self._fields, lenient=many)
        return self._shows[entity.name]

    def tell(self, entry: Document) -> dict[str, Any] | None:
        """Return what the caller is told of a change; None for a record that he did not and does not see."""
        if entry["change"] == "shared":
            return self._tell_of_share(entry)
        entity = self._entities.get(entry["type"])
        if entity is None:
            return None
        if entry["change"] == "recounted":
            return self._tell_of_figures(entry, entity)
        call, change = self._call, entry["change"]
        saw, sees = (entry[side] is not None and entity.sees(call, entry[side]) for side in ("before", "after"))
        if change in ("created", "restored"):
            kind = change if sees else None
        elif change == "updated":
            kind = "updated" if saw and sees else "access_lost" if saw else "access_gained" if sees else None
        else:
            kind = change if saw else None
        if kind is None:
            return None
        now = call.collection(entry["collection"]).get(entry["record_id"])
        if kind in _BARE:
            return self._event(entry, kind, None, [])
        visible = now is not None and entity.sees(call, now)
        if now is not None and not visible:
            return None  # a later change says that it was lost
        record = now if kind not in ("deleted", "merged", "purged") else None
        return self._event(entry, kind, self._show(entity)(record) if record is not None else None, entry["values"])

    def _event(self, entry: Document, kind: str, record: Any, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        lost = kind in _BARE
        if self._limited:  # what is stored is of all records, and the caller does not read all
            values = [one for one in values if one["field"] not in SUMS.get(entry["type"], ())]
        shown: Mapping[str, Any] = record or {}
        about = {"type": entry["type"], "id": entry["record_id"]}
        values = (
            self._hiding.without_changes({"entity": about, "changes": values})["changes"] if self._hiding else values
        )
        return {
            "seq": entry["seq"],
            "occurred_at": entry["at"],
            "entity": {"type": entry["type"], "id": entry["record_id"], "name": shown.get("name")},
            "change": kind,
            "version": entry["version"],
            "changed_fields": [change["field"] for change in values],
            "changes": values if self._with_values and not lost else None,
            "record": record,
            "merged_into": None if lost else entry["merged_into"],
            "actor": "system" if kind == "erased" else entry["actor"],
            "event": entry["event"] or f"{entry['type']}.updated",
        }

    def _tell_of_figures(self, entry: Document, entity: Entity) -> dict[str, Any] | None:
        """Return what another owner of what a record counts is to a caller who does not read all that it counts."""
        now = self._call.collection(entry["collection"]).get(entry["record_id"])
        if now is None or not self._limited or not entity.sees(self._call, now):
            return None
        return self._event(entry, "updated", self._show(entity)(now), ())

    def _tell_of_share(self, entry: Document) -> dict[str, Any] | None:
        """Return what a share, or its end, is to the caller: a record that he sees from then on, or no more."""
        entity = self._entities.get(entry["type"])
        caller = self._call.caller
        if entity is None or entry["subject"] not in (caller.user_id, *teams_of(self._call)):
            return None
        now = self._call.collection(entry["collection"]).get(entry["record_id"])
        if now is None:
            return None
        if entity.sees(self._call, now):
            return self._event(entry, "access_gained", self._show(entity)(now), ()) if entry["given"] else None
        return self._event(entry, "access_lost", None, ()) if not entry["given"] else None


def _folded_entries(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one entry for each record, the last, with the changed fields of all."""
    last: dict[str, dict[str, Any]] = {}
    together: dict[str, dict[str, Any]] = {}
    for one in told:
        id = one["entity"]["id"]
        before = together.get(id, {"changed_fields": [], "changes": None})
        together[id] = {
            "changed_fields": list(dict.fromkeys([*before["changed_fields"], *one["changed_fields"]])),
            "changes": _joined_changes(before["changes"], one["changes"]),
        }
        last.pop(id, None)
        last[id] = {**one, **together[id]} if one["change"] not in _BARE else one
    return list(last.values())


def _joined_changes(
    earlier: Sequence[Mapping[str, Any]] | None, later: Sequence[Mapping[str, Any]] | None
) -> list[dict[str, Any]] | None:
    """Return the changes of two versions as one: of each field the first value before and the last after."""
    if earlier is None and later is None:
        return None
    found: dict[str, dict[str, Any]] = {}
    for one in (*(earlier or ()), *(later or ())):
        before = found.get(one["field"], one)["before"]
        found[one["field"]] = {**one, "before": before}
    return list(found.values())


@recurs("changes that are kept no longer", every=timedelta(days=1))
def forget_old(call: Context) -> None:
    """Remove the changes that are older than the company's plan keeps them."""
    since = kept_since(call)
    for entry in _old(call, since):
        call.collection(KIND).remove(entry["id"])


def _old(call: Context, since: Any) -> Iterator[Document]:
    for entry in call.collection(KIND).all():
        if entry["at"] >= since:
            return
        yield entry
