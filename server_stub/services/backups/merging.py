"""Merge: what an archive has and the company lacks is brought back; nothing that is there is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...archives.archive import Archive
from ...archives.parts import Kind, name_of
from ...data.collection import Collection
from ...data.document import Document
from ...data.keys import taken_values
from ...problems import Problem
from ...request.access.plans import check_limit
from ...serving import Context
from .comparing import content_of
from .placing import Placing, Restored
from .swapping import connect, holder_of, new_user


def merge(call: Context, archive: Archive) -> Restored:
    """Bring back the records that are missing, and publish that they are there again."""
    done, placing = Restored(), Placing(call, call.collection, archive)
    brought: list[tuple[Kind, Document]] = []
    for kind in archive.scope.kinds():
        if kind.name != "audit":
            one = _Merge(call, kind, placing, done)
            brought += [(kind, doc) for doc in map(one.bring_back, archive.of_kind(kind.name)) if doc is not None]
    connect(call.collection, brought, placing, done)
    for kind, doc in brought:
        noun, entity = placing.noun_of(kind.name, doc), call.server.entities.of_collection(kind.name)
        now = call.collection(kind.name).get(doc["id"])
        restorable = entity is not None and "restore" in entity.capabilities
        if restorable and now is not None and noun is not None:
            after = noun.follow(call, now, now) if noun.follow is not None else None
            noun.publish(call, "restored", after or now)
    return done


class _Merge:
    """Brings back records of one collection."""

    def __init__(self, call: Context, kind: Kind, placing: Placing, done: Restored) -> None:
        self._call, self._kind, self._placing, self._done = call, kind, placing, done
        self._records: Collection = call.collection(kind.name)

    def bring_back(self, doc: Document) -> Document | None:
        """Put a record back that is missing; return it, or None for one that is there, or cannot come back."""
        now = self._records.get(doc["id"], deleted=True)
        name = name_of(self._kind.name, doc)
        if doc["id"] in self._placing.renamed:
            self._done.unchanged[name] += 1
            return None
        if now is not None and now.get("deleted_at") is None:
            if self._is_unchanged(doc, now):
                self._done.unchanged[name] += 1
            else:
                message = f"{doc['id']} was changed since, and stays as it is"
                self._done.refuse(doc, Problem("CHANGED_SINCE", message, details={"id": doc["id"]}))
            return None
        if now is not None and now.get("merged_into"):
            message = f"{doc['id']} was merged into {now['merged_into']} since"
            self._done.refuse(doc, Problem("RECORD_MERGED", message))
            return None
        return self._put(doc, now, name)

    def _is_unchanged(self, doc: Document, now: Document) -> bool:
        """Return whether nobody has changed a record: what is computed from others changes no version."""
        stamps = ("version", "created_at")
        if all(doc.get(name) == now.get(name) for name in stamps):
            return True
        return content_of(now) == content_of(self._placing.with_owner(self._kind.name, doc))

    def _put(self, doc: Document, now: Document | None, name: str) -> Document | None:
        placed = self._placing.move(self._kind.name, self._placing.with_owner(self._kind.name, doc))
        problem = self._problem(placed)
        if problem is not None:
            other = problem.details.get("existing_id")
            if other is not None:
                self._placing.renamed[doc["id"]] = other
                self._rename_parts(doc["id"], other)
            self._done.refuse(doc, problem)
            return None
        stamp = (
            {"version": now["version"] + 1, "updated_at": self._call.now}
            if now is not None and "version" in now
            else {}
        )
        if self._kind.name == "user":
            placed = new_user(placed)
        self._done.written[name] += 1
        return self._records.put(placed | self._not_default(placed) | stamp)

    def _problem(self, doc: Document) -> Problem | None:
        """Return why a record cannot come back: a unique value that another has, or the limit of the plan."""
        noun = self._placing.noun_of(self._kind.name, doc)
        if self._kind.name == "user":
            return self._user_problem(doc)
        if noun is None:
            return None
        own = {"external_id": "DUPLICATE_VALUE"} if "external_id" in noun.model.model_fields else {}
        scope = noun.within[0] if noun.within is not None else None
        found = next(iter(taken_values(self._records, doc, None, {**own, **noun.unique}, noun.places, scope)), None)
        if found is None and noun.limit is not None:
            try:
                check_limit(self._call.tenant, noun.limit, len(self._records))
            except Problem as problem:
                return problem
        return found

    def _user_problem(self, user: Mapping[str, Any]) -> Problem | None:
        other = holder_of(self._call, user["email"])
        if other is None:
            return None
        details = {"existing_id": other} if other in self._records else {}
        message = f"{user['email']} is the address of somebody else"
        return Problem("USER_EXISTS", message, field="email", rule="unique", details=details)

    def _rename_parts(self, id: str, other: str) -> None:
        """Let the stages of a pipeline stand for those of one that has its name."""
        if self._kind.name != "pipeline":
            return
        self._placing.stand_for("stage", "pipeline_id", id, other, "key")

    def _not_default(self, doc: Document) -> dict[str, bool]:
        """Return that a record is no default where another one is already."""
        same = [name for name in ("entity", "entity_type") if name in doc]
        taken_by = doc.get("is_default") and any(
            other.get("is_default") and all(other.get(name) == doc[name] for name in same) for other in self._records
        )
        return {"is_default": False} if taken_by else {}
