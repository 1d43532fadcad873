"""The systems that integrations synchronise with: each is a store of its own, with its own changes.

A test reads and writes one in process::

    crm = stub.remotes["demo_crm"]
    ada = crm.put("contact", {"name": "Ada", "email": "ada@example.com"})
    crm.put("contact", {"id": ada["id"], "phone": "+4930123456"})
    crm.lose_connection(after=3)  # a synchronisation fails at its fourth record
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..data.document import Document

if TYPE_CHECKING:
    from ..core import StubServer

KINDS = ("contact", "company", "deal")
"""The kinds of records that every system has."""
FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("id", "email", "phone", "name", "company", "title"), "text"),
    "amount": "number",
    "stage": "text",
    "updated_at": "datetime",
}
"""The fields of its records, with the types of their values; any kind has all of them."""
FIXED = frozenset({"id", "updated_at"})
"""The fields that only the system itself writes."""
RECORDS, STATES = "remote_record", "remote_state"
"""The collections with the records of all systems of a company, and with the state of their connections."""


class ConnectionLostError(Exception):
    """The system does not answer."""


class Remote:
    """The account that a company has in another system."""

    def __init__(self, server: StubServer, tenant_id: str, provider: str) -> None:
        self.provider = provider
        self._server = server
        self._records = server.store.collection(tenant_id, RECORDS)
        self._states = server.store.collection(tenant_id, STATES)

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of a kind, in the order in which they were created."""
        return [_record(doc) for doc in self._records.find("place", self._place(kind))]

    def get(self, kind: str, id: str) -> dict[str, Any] | None:
        """Return a record, or None."""
        doc = self._records.get(f"{self._place(kind)}/{id}")
        return _record(doc) if doc is not None else None

    def find(self, kind: str, field: str, value: object) -> list[dict[str, Any]]:
        """Return the records with a value in a field, without regard to case."""
        place = self._place(kind)
        return [_record(doc) for doc in self._records.find(_stored_name(field), value) if doc["place"] == place]

    def put(self, kind: str, record: Mapping[str, Any], *, at: datetime | None = None) -> dict[str, Any]:
        """Create a record, or change the given fields of the one with its `id`; `at` is the time of the change.

        Raises: ValueError for a field that there is not, KeyError for an `id` that no record has.
        """
        strange = record.keys() - FIELDS.keys()
        if strange:
            raise ValueError(f"a {kind} of {self.provider} has no field {', '.join(sorted(strange))}")
        with self._server.lock:
            place, id = self._place(kind), record.get("id")
            before = self._records.get(f"{place}/{id}") if id is not None else None
            if id is not None and before is None:
                raise KeyError(id)
            if id is None:
                id = f"{self.provider}-{self._server.store.count(f'remote/{place}') + 1_000}"
            known = (
                before if before is not None else Document({_stored_name(name): None for name in FIELDS}, place=place)
            )
            own = {_stored_name(name): value for name, value in record.items() if name not in FIXED}
            stamp = {"remote_id": id, "remote_updated_at": at or record.get("updated_at") or self._server.clock.now()}
            return _record(self._records.put(known | own | stamp | {"id": f"{place}/{id}"}))

    def remove(self, kind: str, id: str) -> None:
        """Delete a record. Raises: KeyError where there is none."""
        with self._server.lock:
            self._records.remove(f"{self._place(kind)}/{id}")

    # -- the connection ------------------------------------------------------------------------------------------

    def lose_connection(self, *, after: int = 0) -> None:
        """Let the system stop answering, at once or after some more records of a synchronisation."""
        with self._server.lock:
            self._states.put(Document(id=self.provider, left=after))

    def restore_connection(self) -> None:
        """Let the system answer again."""
        with self._server.lock:
            if self.provider in self._states:
                self._states.remove(self.provider)

    @property
    def answers(self) -> bool:
        """Whether the system answers."""
        state = self._states.get(self.provider)
        return state is None or state["left"] > 0

    def reach(self) -> None:
        """Note that a record is synchronised. Raises: ConnectionLostError where the system does not answer."""
        state = self._states.get(self.provider)
        if state is None:
            return
        if state["left"] <= 0:
            raise ConnectionLostError(f"{self.provider} does not answer")
        self._states.put(state | {"left": state["left"] - 1})

    def _place(self, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"{self.provider} has no kind {kind!r}; it has {', '.join(KINDS)}")
        return f"{self.provider}/{kind}"


class Remotes:
    """The systems with which a company's integrations synchronise: ``stub.remotes["demo_crm"]``."""

    def __init__(self, server: StubServer, tenant_id: str = "tenant_acme") -> None:
        self._server = server
        self._tenant_id = tenant_id

    def __getitem__(self, provider: str) -> Remote:
        """Return the company's account in a system; any provider has one."""
        return Remote(self._server, self._tenant_id, provider)

    def of(self, tenant_id: str) -> Remotes:
        """Return the systems of another company."""
        return Remotes(self._server, tenant_id)


def _stored_name(field: str) -> str:
    return f"remote_{field}" if field in FIXED else field


def _record(doc: Document) -> dict[str, Any]:
    return {name: doc[_stored_name(name)] for name in FIELDS}
