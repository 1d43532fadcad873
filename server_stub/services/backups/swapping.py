"""Replace: the records of a company become those of an archive, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...archives.archive import Archive
from ...archives.lines import with_secrets_of, write_line
from ...archives.parts import COMPANY_MEMBERS, Kind, name_of, records_of
from ...data.collection import Collection
from ...data.document import Document
from ...problems import Problem
from ...request.access.plans import check_limit
from ...serving import Collections, Context
from .placing import Placing, Restored

_CACHED = ("widget_data",)
"""What is kept of computed figures: it is computed anew."""
_FIXED = ("user", "audit")
"""Users are added and changed, never removed; the trail only grows, whatever is restored."""


def swap(call: Context, collections: Collections, archive: Archive) -> Restored:
    """Put the records of an archive in place of those of its scope. Raises: 403 LIMIT_EXCEEDED."""
    done, placing = Restored(), Placing(call, collections, archive)
    kinds = [kind for kind in archive.scope.kinds() if kind.name != "audit"]
    present = {kind.name: [doc["id"] for doc in records_of(collections, kind, archive.scope)] for kind in kinds}
    for kind in kinds:
        _swap_kind(call, collections(kind.name), kind, archive, placing, done, present[kind.name])
    connect(collections, [(kind, doc) for kind in kinds for doc in archive.all_of_kind(kind.name)], placing, done)
    if archive.company is not None:
        settle_company(call, collections, archive.company, done)
    for name in _CACHED:
        for doc in collections(name).all():
            collections(name).remove(doc["id"])
    return done


def _swap_kind(
    call: Context,
    records: Collection,
    kind: Kind,
    archive: Archive,
    placing: Placing,
    done: Restored,
    present: list[str],
) -> None:
    wanted = {doc["id"]: placing.with_owner(kind.name, doc) for doc in archive.all_of_kind(kind.name)}
    _check_limit(call, kind, archive, placing)
    if kind.name == "user":
        wanted = dict(_without_known_addresses(call, wanted, records, done))
    if kind.name not in _FIXED:
        for id in present:
            if id not in wanted:
                records.remove(id)
                if kind.name == "file_version":
                    call.server.contents.doubtful = True
    for id, doc in wanted.items():
        now = records.get(id, deleted=True)
        if now is not None and write_line(now) == write_line(doc):
            done.unchanged[name_of(kind.name, doc)] += doc.get("deleted_at") is None
            continue
        records.put(with_secrets_of(doc, now) if now is not None else new_user(doc) if kind.name == "user" else doc)
        done.written[name_of(kind.name, doc)] += doc.get("deleted_at") is None
    if kind.name not in _FIXED:
        _put_in_order(records, list(wanted))


def _check_limit(call: Context, kind: Kind, archive: Archive, placing: Placing) -> None:
    """Raise 403 LIMIT_EXCEEDED where the company may not have so many records."""
    live = list(archive.of_kind(kind.name))
    noun = placing.noun_of(kind.name, live[0]) if live else None
    if noun is not None and noun.limit is not None:
        check_limit(call.tenant, noun.limit, 0, len(live))


def _without_known_addresses(
    call: Context, users: dict[str, Document], present: Collection, done: Restored
) -> Iterator[tuple[str, Document]]:
    """Yield the users but for those whose address somebody else has, or who have another one now."""
    for id, user in users.items():
        now = present.get(id, deleted=True)
        if now is not None and now["email"] != user["email"]:
            message = f"{id} has the address {now['email']} now, and stays as it is"
            done.refuse(user, Problem("CHANGED_SINCE", message, field="email"))
        elif (other := holder_of(call, user["email"])) is not None and (now is None or other != id):
            message = f"{user['email']} is the address of somebody else"
            done.refuse(user, Problem("USER_EXISTS", message, field="email", rule="unique"))
        else:
            yield id, user


def holder_of(call: Context, email: str) -> str | None:
    """Return the id of the user of any company who has an address; None where nobody has it."""
    found = (user["id"] for users in call.server.store.across("user") for user in users.find("email", email))
    return next(found, None)


def new_user(user: Document) -> Document:
    """Return a user who was not there: without a password and without a second factor, which no archive has."""
    return user | {"mfa_enabled": False}


def _put_in_order(records: Collection, ids: list[str]) -> None:
    """Put the records of an archive into its order, where the collection has them in another one."""
    wanted = set(ids)
    live = [doc["id"] for doc in records.table.in_order().values() if doc["id"] in wanted]
    if live != ids:
        docs = [records.get(id, deleted=True) for id in ids]
        for id in ids:
            records.remove(id)
        for doc in docs:
            if doc is not None:
                records.put(doc)


def connect(
    collections: Collections, restored: Iterable[tuple[Kind, Document]], placing: Placing, done: Restored
) -> None:
    """Empty the references to records that are not there; a record that cannot be without one is left out."""
    for kind, doc in restored:
        records = collections(kind.name)
        now = records.get(doc["id"], deleted=True)
        connected = placing.connect(kind.name, now, done) if now is not None else None
        if now is None or connected is now:
            continue
        if connected is not None:
            records.put(connected)
            continue
        records.remove(doc["id"])
        if doc.get("deleted_at") is None:
            done.written[name_of(kind.name, doc)] -= 1
            message = f"{doc['id']} needs a record that there is no more"
            done.refuse(doc, Problem("REFERENCE_NOT_FOUND", message, rule="reference"))


def settle_company(call: Context, collections: Collections, settings: Document, done: Restored) -> None:
    """Give the company the settings that an archive has."""
    companies = collections("tenant")
    tenant = companies.get(call.caller.tenant_id)
    assert tenant is not None  # it is the caller's
    changes = {name: settings[name] for name in COMPANY_MEMBERS if name in settings}
    whole = with_secrets_of(Document(changes), tenant)
    if write_line({"id": "", **whole}) == write_line({"id": "", **{name: tenant.get(name) for name in changes}}):
        done.unchanged["company"] += 1
        return
    stamp = {"updated_at": call.now, "version": tenant["version"] + 1}
    companies.put(tenant | whole | stamp | {"config_version": tenant.get("config_version", 1) + 1})
    done.written["company"] += 1
