"""Synchronise one pair of records, ours and that of the other system, field by field.

A *link* remembers which records belong together, and the values of every mapped field as they were when both sides
agreed. A field that has changed on one side since then is brought to the other; one that has changed on both sides is a
conflict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_sdk.wire import camel

from ...data.document import Document
from ...data.merging import EMPTY
from ...noun import Noun
from ...outside.remotes import Remote
from ...problems import Problem
from ...request.access import permissions
from ...request.reading.intake import arguments_of, receive_changes
from ...serving import Context, Members, reacts
from .entities import ENTITIES, Entity, nested_members, noun_of, stored_value, value_at
from .mappings import brings
from .transforms import inbound, is_one_way, outbound

LINKS = "sync_link"
"""The collection of links."""
JOB = "integration_sync"
"""The kind of the jobs that carry out runs."""


def link_id(integration_id: str, entity_type: str, remote_id: str) -> str:
    """Return the id of the link of a record of the other system."""
    return f"{integration_id}/{entity_type}/{remote_id}"


def link_of(call: Context, integration_id: str, entity_type: str, local_id: str) -> Document | None:
    """Return the link of one of our records; None where it has none."""
    found = call.collection(LINKS).find("local_id", local_id)
    return next((o for o in found if (o["integration_id"], o["entity_type"]) == (integration_id, entity_type)), None)


def signature_of(mappings: Iterable[Members]) -> str:
    """Return a text that changes with the mappings: what was synchronised by others is compared anew."""
    return " ".join(sorted(f"{mapping['id']}.{mapping['version']}" for mapping in mappings))


@dataclass(slots=True)
class Outcome:
    """What became of a pair."""

    verb: str = "skipped"
    """``created``, ``updated`` or ``skipped``."""
    conflicts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class Pairing:
    """What a run synchronises the pairs of one kind by."""

    call: Context
    remote: Remote
    integration: Members
    entity_type: str
    mappings: Sequence[Members]
    """The active mappings of the kind."""
    direction: str
    """The side that the run may write, or both."""

    @property
    def noun(self) -> Noun:
        """The noun of our records."""
        return noun_of(self.call, self.entity_type)

    @property
    def entity(self) -> Entity:
        """What is known of the kind."""
        return ENTITIES[self.entity_type]

    def allows(self, mapping: Members, direction: str) -> bool:
        """Return whether a mapping brings values in a direction in this run."""
        return self.direction in (direction, "bidirectional") and brings(mapping, direction)

    def some(self, direction: str) -> list[Members]:
        """Return the mappings that bring values in a direction in this run."""
        return [mapping for mapping in self.mappings if self.allows(mapping, direction)]

    def take(self, remote_id: str) -> Outcome | None:
        """Synchronise a record of the other system; None where it is gone."""
        record = self.remote.get(self.entity.remote, remote_id)
        if record is None:
            return None
        link = self.call.collection(LINKS).get(link_id(self.integration["id"], self.entity_type, remote_id))
        if link is not None:
            doc = self.call.find_one(self.noun.collection, link["local_id"])
            if doc is None:
                return Outcome()  # it was deleted here: it is not made anew, and theirs stays
            if doc["id"] != link["local_id"]:
                if link_of(self.call, self.integration["id"], self.entity_type, doc["id"]) is not None:
                    return Outcome()  # merged with a record that has a link of its own
                link = link | {"local_id": doc["id"], "base": {}}
            return self._merge(doc, record, link)
        values = {mapping["target_field"]: inbound(mapping, record) for mapping in self.some("inbound")}
        doc = self._find(values)
        if doc is not None:
            return self._merge(doc, record, None)
        if not self.some("inbound"):
            return Outcome()
        doc = self._create({name: value for name, value in values.items() if value is not None})
        self._link(doc, record, {self._key(mapping): self._base(mapping, doc, record) for mapping in self.mappings})
        return Outcome("created")

    def give(self, local_id: str) -> Outcome | None:
        """Synchronise one of our records that had no link; None where this run has linked it already, or it is gone."""
        doc = self.call.collection(self.noun.collection).get(local_id)
        if doc is None:
            return None
        if link_of(self.call, self.integration["id"], self.entity_type, local_id) is not None:
            return None
        values = {
            mapping["source_field"]: self._outbound(mapping, doc)
            for mapping in self.some("outbound") if not is_one_way(mapping)
        }  # fmt: skip
        known = self._counterpart(values)
        if known is not None:
            return self._merge(doc, known, None)
        values = {name: value for name, value in values.items() if value not in EMPTY}
        if not values:
            return Outcome()
        record = self.remote.put(self.entity.remote, values, at=self.call.now)
        self._link(doc, record, {self._key(mapping): self._base(mapping, doc, record) for mapping in self.mappings})
        return Outcome("created")

    # -- who belongs together ----------------------------------------------------------------------------------------

    def _find(self, values: Members) -> Document | None:
        """Return our record with the key of a record of the other system. Raises: AMBIGUOUS_MATCH for several."""
        for name in self.entity.keys:
            key = stored_value(self.call, self.noun, name, values[name]) if values.get(name) not in EMPTY else None
            doc = self.noun.matching(self.call, name, key) if key is not None else None
            if doc is not None:
                linked = link_of(self.call, self.integration["id"], self.entity_type, doc["id"])
                if linked is not None:
                    message = f"{doc['id']} has the {name} {key!r} and is linked to {linked['remote_id']} already"
                    details = {"existing_id": doc["id"], "remote_id": linked["remote_id"]}
                    raise Problem("DUPLICATE_VALUE", message, field=name, rule="unique", details=details)
                return doc
        return None

    def _counterpart(self, values: Members) -> Members | None:
        """Return the other system's record with the key of one of ours. Raises: AMBIGUOUS_MATCH for several."""
        links = self.call.collection(LINKS)
        for mapping in self.some("outbound"):
            name = mapping["source_field"]
            if mapping["target_field"] not in self.entity.keys or values.get(name) in EMPTY:
                continue
            found = [
                record for record in self.remote.find(self.entity.remote, name, values[name])
                if link_id(self.integration["id"], self.entity_type, record["id"]) not in links
            ]  # fmt: skip
            if len(found) > 1:
                ids = sorted(record["id"] for record in found)
                message = f"{', '.join(ids)} of the other system have the {name} {values[name]!r}"
                raise Problem("AMBIGUOUS_MATCH", message, field=name, rule="unique", details={"ids": ids})
            if found:
                return found[0]
        return None

    # -- field by field ----------------------------------------------------------------------------------------------

    def _merge(self, doc: Document, record: Members, link: Document | None) -> Outcome:
        """Bring the changes of each side to the other, and settle the conflicts."""
        outcome = Outcome()
        base: dict[str, Any] = dict(link["base"]) if link is not None else {}
        ours: dict[str, Any] = {}
        theirs: dict[str, Any] = {}
        open_: list[str] = []
        pending = False
        for mapping in self.mappings:
            key, path, source = self._key(mapping), mapping["target_field"], mapping["source_field"]
            there, here = record[source], value_at(doc, path)
            known = base.get(key)
            new_there, new_here = (known is None or there != known[0]), (known is None or here != known[1])
            if not new_there and not new_here:
                continue
            comes, goes = new_there and brings(mapping, "inbound"), new_here and brings(mapping, "outbound")
            brought = self._inbound(mapping, record) if comes else None
            given = self._outbound(mapping, doc) if goes and not is_one_way(mapping) else None
            if (comes and _same(brought, here)) or (goes and not is_one_way(mapping) and _same(given, there)):
                base[key] = [there, here]
                continue
            if new_there and new_here and known is None and (here in EMPTY or there in EMPTY):
                side = "remote" if here in EMPTY else "local"
            elif new_there and new_here:
                side = self._settle(mapping, doc, record, link, outcome)
            else:
                side = "remote" if new_there else "local"
            if side == "unresolved":
                open_.append(path)
            elif side == "remote" and self.allows(mapping, "inbound"):
                ours[path] = brought
            elif side == "local" and self.allows(mapping, "outbound") and not is_one_way(mapping):
                theirs[source] = given
            elif brings(mapping, "inbound" if side == "remote" else "outbound") and not is_one_way(mapping):
                pending = True  # a run of the other direction brings it
                continue
            if side != "unresolved":
                base[key] = None
        new = self._change(doc, ours, outcome.conflicts) if ours else doc
        if any(record[name] != value for name, value in theirs.items()):
            record = self.remote.put(self.entity.remote, {"id": record["id"], **theirs}, at=self.call.now)
            outcome.verb = "updated"
        if new is not doc:
            outcome.verb = "updated"
        for mapping in self.mappings:
            if base.get(self._key(mapping), ()) is None:
                base[self._key(mapping)] = self._base(mapping, new, record)
        self._link(new, record, base, open_=open_, pending=pending, before=link)
        return outcome

    def _settle(self, mapping: Members, doc: Document, record: Members, link: Document | None, outcome: Outcome) -> str:
        """Note a conflict, and return whose value is kept: ``local``, ``remote``, or ``unresolved``."""
        path, source = mapping["target_field"], mapping["source_field"]
        changed: Mapping[str, datetime] = link["changed"] if link is not None else {}
        here_at = changed.get(path.partition(".")[0], doc["updated_at"])
        policy = mapping["conflict_resolution"] or self.integration["conflict_resolution"]
        if policy == "newest_wins":
            side = "local" if here_at >= record["updated_at"] else "remote"
        else:
            side = {"local_wins": "local", "remote_wins": "remote"}.get(policy, "unresolved")
        name = doc.get("name") or doc.get("title")
        outcome.conflicts.append({
            "entity": {"type": self.entity_type, "id": doc["id"], "name": name},
            "field": path, "local": value_at(doc, path), "remote": record[source],
            "local_changed_at": here_at, "remote_changed_at": record["updated_at"], "resolution": side,
        })  # fmt: skip
        return side

    def _inbound(self, mapping: Members, record: Members) -> Any:
        """Return the value for our member in its stored form, so that it can be compared."""
        value, path = inbound(mapping, record), mapping["target_field"]
        return value if value is None else stored_value(self.call, self.noun, path, value)

    def _outbound(self, mapping: Members, doc: Document) -> Any:
        return outbound(mapping, doc, value_at(doc, mapping["target_field"]))

    def _key(self, mapping: Members) -> str:
        return f"{mapping['source_field']}>{mapping['target_field']}"

    def _base(self, mapping: Members, doc: Document, record: Members) -> list[Any]:
        return [record[mapping["source_field"]], value_at(doc, mapping["target_field"])]

    def _link(
        self, doc: Document, record: Members, base: Members, *, open_: Sequence[str] = (), pending: bool = False,
        before: Document | None = None,
    ) -> None:  # fmt: skip
        """Store what both sides have agreed on; what is open or pending is compared again by the next run."""
        known: Mapping[str, datetime] = before["changed"] if before is not None else {}
        heads = {path.partition(".")[0] for path in open_}
        changed = {name: at for name, at in known.items() if pending or name in heads}
        self.call.collection(LINKS).put(Document(
            id=link_id(self.integration["id"], self.entity_type, record["id"]), integration_id=self.integration["id"],
            entity_type=self.entity_type, local_id=doc["id"], remote_id=record["id"], base=dict(base),
            open=list(open_), changed=changed, synced_at=self.call.now, signature=signature_of(self.mappings),
            local_version=None if pending else doc["version"], remote_updated_at=record["updated_at"],
        ))  # fmt: skip

    # -- our side ----------------------------------------------------------------------------------------------------

    def _create(self, values: Members) -> Document:
        permissions.check(self.call.caller, self.noun.word, "create")
        create = self.noun.declared("create")
        assert create is not None, "every kind that is synchronised can be created"
        body = {camel(name): value for name, value in nested_members(values).items()}
        given, _ = arguments_of(create, create.routes["platform"], {}, body, {}, typed=False)
        members: Members = given[create.arguments.body or ""]
        return self.noun.add(self.call, self.noun.stored_form(self.call, members), metadata=self._report())

    def _change(self, doc: Document, values: Members, conflicts: Sequence[Members]) -> Document:
        update = self.noun.declared("update")
        assert update is not None, "every kind that is synchronised can be changed"
        doc = self.noun.writable(self.call, doc["id"])
        changes = {camel(name): value for name, value in nested_members(values).items()}
        members = self.noun.stored_form(self.call, receive_changes(update, changes, typed=False), doc)
        lost = ", ".join(one["field"] for one in conflicts if one["resolution"] == "remote")
        reason = f"conflict with {self.integration['name']}: theirs was kept for {lost}" if lost else None
        return self.noun.change(self.call, doc, members, metadata=self._report(), reason=reason)

    def _report(self) -> dict[str, Any]:
        return {"integration_id": self.integration["id"]}


def _same(one: Any, other: Any) -> bool:
    return one == other or (one in EMPTY and other in EMPTY)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that a run may have to synchronise, with its counterpart."""

    side: str
    """Whose record it is first: ``remote``, or ``local`` for one of ours without a link."""
    id: str
    doc: Members | None
    record: Members | None
    link: Members | None

    @property
    def changed_there(self) -> bool:
        """Whether the other system has changed it since it was last synchronised."""
        if self.link is None:
            return self.side == "remote"
        return self.record is not None and self.record["updated_at"] != self.link["remote_updated_at"]

    @property
    def changed_here(self) -> bool:
        """Whether it was changed here since it was last synchronised."""
        if self.link is None:
            return self.side == "local"
        return self.doc is not None and self.doc["version"] != self.link["local_version"]

    def waits(self, signature: str) -> bool:
        """Return whether an incremental run compares it: a side or the mappings have changed, or a conflict is open."""
        if self.changed_there or self.changed_here:
            return True
        return self.link is not None and (bool(self.link["open"]) or self.link["signature"] not in (None, signature))


def candidates(pairing: Pairing) -> Iterator[Candidate]:
    """Yield what can be synchronised: the records of the other system, then those of ours that have no link."""
    call, kind, integration_id = pairing.call, pairing.entity_type, pairing.integration["id"]
    docs = pairing.noun.records(call)
    links = {
        link["remote_id"]: link for link in call.collection(LINKS).find("integration_id", integration_id)
        if link["entity_type"] == kind
    }  # fmt: skip
    takes = bool(pairing.some("inbound"))
    for record in pairing.remote.all(pairing.entity.remote):
        link = links.get(record["id"])
        if link is not None or takes:
            doc = docs.get(link["local_id"]) if link is not None else None
            yield Candidate("remote", record["id"], doc, record, link)
    if pairing.some("outbound"):
        linked = {link["local_id"] for link in links.values()}
        for doc in docs.all():
            if doc["id"] not in linked:
                yield Candidate("local", doc["id"], doc, None, None)


@reacts("contact.updated", "lead.updated", "account.updated", "deal.updated")
def _note_times(call: Context, entry: Document) -> None:
    """Note when members of a linked record were changed, which decides conflicts."""
    if call.operation == f"job:{JOB}":
        return
    links = call.collection(LINKS)
    times = {change["field"]: entry["occurred_at"] for change in entry["changes"]}
    for link in links.find("local_id", entry["entity"]["id"]):
        links.put(link | {"changed": {**link["changed"], **times}})
