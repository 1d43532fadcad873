"""Where files are, whose name is taken by what nobody sees, and what a copy, a scan and a link leave as it was."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import ACME, VIRUS, picture, put, zipped

MATE: Any = {"subject_type": "user", "subject_id": "user_123"}


def test_a_folder_is_listed_by_itself_or_with_all_below_it(acme: CrmClient) -> None:
    places = {"a.txt": "/", "b.txt": "/own", "c.txt": "/own/below", "d.txt": "/ownother", "e.txt": "/Own"}
    ids = {put(acme, name, folder=folder).id: name for name, folder in places.items()}

    def names(**given: Any) -> list[str]:
        return sorted(ids[one.id] for one in acme.files.list(limit=200, **given) if one.id in ids)

    assert names(folder="/") == ["a.txt"]
    assert names(folder="/", recursive=True) == names() == names(recursive=True) == sorted(places)
    assert names(folder="/own") == ["b.txt"] and names(folder="/own", recursive=True) == ["b.txt", "c.txt"]
    by_name = [ids[one.id] for one in acme.files.list(limit=200, sort="name") if one.id in ids]
    assert by_name == sorted(places)


def test_a_name_is_taken_by_a_file_that_is_not_seen_and_nothing_is_told_of_it(
    sales: CrmClient, mate: CrmClient, acme: CrmClient
) -> None:
    hidden, seen = (put(sales, f"{name}.txt", b"1", folder="/in", visibility=who).id
                    for name, who in (("hidden", "private"), ("seen", "tenant")))  # fmt: skip
    for conflict in ("reject", "new_version", "replace"):
        error = refused(partial(put, mate, "hidden.txt", b"2", folder="/in", on_conflict=conflict))
        (field,) = error.fields
        assert (error.status, error.code, error.details, field.field, field.rule) == (
            409, "FILE_EXISTS", {}, "name", "unique",
        ), conflict  # fmt: skip
        assert error.message.startswith("the folder /in has a file named 'hidden.txt'")
    assert put(mate, "hidden.txt", b"2", folder="/in").name == "hidden (1).txt"
    error = refused(partial(put, mate, "seen.txt", b"2", folder="/in", on_conflict="reject"))
    assert (error.code, error.details) == ("FILE_EXISTS", {"existingId": seen})
    for conflict in ("new_version", "replace"):
        assert refused(partial(put, mate, "seen.txt", b"2", folder="/in", on_conflict=conflict)).code == "FORBIDDEN"
    mine = put(mate, "mine.txt", b"3", folder="/in")
    for ask in (
        partial(mate.files.move, mine.id, folder="/in", name="hidden.txt"),
        partial(mate.files.versions.create, mine.id, b"4", name="hidden.txt"),
    ):
        error = refused(ask)
        assert (error.code, error.details) == ("FILE_EXISTS", {})
    assert [sales.files.get(id).revision for id in (hidden, seen)] == [1, 1]
    assert mate.files.copy(mine.id, name="hidden.txt").name == "hidden (2).txt"
    own = acme.files.versions.create(put(acme, "own.txt", b"1").id, b"2", name="own.txt")
    assert (own.revision, own.is_current, own.comment) == (2, True, None), "its own name is not taken"


def test_what_is_replaced_makes_room_for_what_replaces_it(stub: StubServer, acme: CrmClient) -> None:
    old = put(acme, "a.txt", b"x" * 100, folder="/r")
    used = next(one.used for one in acme.tenants.limits.get("current").limits if one.key == "storage_bytes")
    stored(stub, "tenant", ACME, limits={"storage_bytes": used})
    assert refused(partial(put, acme, "b.txt", b"y", folder="/r")).code == "LIMIT_EXCEEDED"
    assert refused(partial(put, acme, "a.txt", b"y" * 101, folder="/r", on_conflict="replace")).code == "LIMIT_EXCEEDED"
    assert acme.files.get(old.id).id == old.id, "and it stays where that is not enough"
    assert put(acme, "a.txt", b"y" * 100, folder="/r", on_conflict="replace").name == "a.txt"


def test_a_copy_has_what_was_said_of_a_file_but_not_whose_it_was(
    stub: StubServer, acme: CrmClient, sales: CrmClient
) -> None:
    about: Any = {"type": "contact", "id": "contact_123"}
    said: Any = {"description": "d", "tags": ["t"], "metadata": {"k": 1}, "visibility": "tenant", "related_to": about}
    first = put(acme, "a.png", picture(30, 10), folder="/c", **said)
    acme.files.versions.create(first.id, ("a.png", picture(20, 10)))
    entry: Any = {**MATE, "access": "edit"}
    acme.files.permissions.update(first.id, entries=[entry])
    ends = stub.clock.now() + timedelta(days=1)
    stored(stub, "file", first.id, expires_at=ends)
    copy = sales.files.copy(first.id)
    assert (copy.name, copy.folder, copy.owner_id, copy.revision, copy.version) == ("a (1).png", "/c", "user_sam", 1, 1)
    assert (copy.expires_at, copy.shared, copy.width, copy.description, copy.tags, copy.metadata) == (
        None, False, 20, "d", ["t"], {"k": 1},
    )  # fmt: skip
    assert copy.id != first.id and copy.url == f"/v1/files/{copy.id}/download"
    assert some(copy.related_to).id == "contact_123" and copy.created_by == "apikey_acme_sales"
    (version,) = sales.files.versions.list(copy.id)
    assert (version.file_id, version.revision, version.comment) == (copy.id, 1, None)
    (told,) = [one for one in stub.audit() if one["action"] == "file.copied"]
    assert (told["entity"]["id"], told["metadata"]) == (copy.id, {"copied_from": first.id})


def test_a_scan_changes_a_file_only_where_it_finds_something_else(stub: StubServer, acme: CrmClient) -> None:
    made = put(acme, "a.zip", zipped(a=b"fine"))
    for _ in range(2):
        found = acme.files.scan(file_id=made.id)
        assert (found.status, found.threats, found.file_id, found.size) == ("clean", [], made.id, made.size)
        assert (found.checksum, bool(found.engine)) == (made.checksum, True)
        assert found.scanned_at == stub.clock.now()
    assert acme.files.get(made.id).version == 1
    technical = some(acme.files.metadata.get(made.id).technical)
    image = put(acme, "a.png", picture())
    shown = some(acme.files.metadata.get(image.id).technical)
    assert (shown.has_thumbnail, shown.has_preview) == (True, True) != (technical.has_thumbnail, technical.has_preview)
    bad = stub.contents.keep_bytes(zipped(a=VIRUS))
    for id in (made.id, image.id):
        stored(stub, "file", id, checksum=bad)
        assert acme.files.scan(file_id=id).status == "infected"
        locked = some(acme.files.metadata.get(id).technical)
        assert (locked.has_thumbnail, locked.has_preview, acme.files.get(id).version) == (False, False, 2)
    told = [(one["action"], one["metadata"]) for one in stub.audit() if one["entity"]["id"] == made.id][1:]
    threats = {"threats": ["EICAR-Test-File"]}
    assert told == [("file.scanned", {"threats": []})] * 2 + [("file.scanned", threats), ("file.infected", threats)]


def test_the_token_of_a_link_is_written_as_it_was_given(stub: StubServer, acme: CrmClient, globex: CrmClient) -> None:
    file = put(acme, content=b"open", visibility="private")
    (token,) = parse_qs(urlsplit(str(acme.files.share(file.id, link=True, password="a secret").url)).query)[
        "shareToken"
    ]
    for wrong, password, code in (
        (token.swapcase(), "a secret", "NOT_FOUND"), (token, None, "FORBIDDEN"), (token, "A secret", "FORBIDDEN"),
    ):  # fmt: skip
        assert refused(partial(globex.files.download, file.id, share_token=wrong, password=password)).code == code
    assert globex.files.download(file.id, share_token=token, password="a secret").read() == b"open"
    events = [one for one in stub.audit(reads=True) if one["action"] == "file.downloaded"]
    assert events[-1]["actor"]["id"] == "anonymous", "another company's caller is nobody here"


def test_whom_entries_reach_and_who_may_delete(
    sales: CrmClient, mate: CrmClient, manager: CrmClient, stub: StubServer
) -> None:
    file = put(sales, visibility="private")
    view: Any = {"subject_type": "user", "subject_id": "user_mia", "access": "view"}
    sales.files.permissions.update(file.id, entries=[view])
    for ask in (partial(manager.files.metadata.update, file.id, {"title": "x"}), partial(manager.files.delete, file.id),
                partial(manager.files.permissions.update, file.id, visibility="team")):  # fmt: skip
        assert refused(ask).code == "FORBIDDEN", "a role that may change all files changes none that is only shown"
    twice: Any = [{**MATE, "access": "view"}, {"subject_type": "role", "subject_id": "sales", "access": "edit"}]
    given = sales.files.permissions.update(file.id, entries=twice)
    assert (given.visibility, [one.model_dump() for one in given.entries]) == ("private", twice)
    assert mate.files.metadata.update(file.id, {"title": "x"}).title == "x", "the most that is given"
    assert refused(lambda: mate.files.delete(file.id)).code == "FORBIDDEN"
    same: Any = [twice[0], twice[0] | {"access": "edit"}]
    error = refused(lambda: sales.files.permissions.update(file.id, entries=same))
    assert [(one.field, one.rule) for one in error.fields] == [("entries.1.subject_id", "unique")]
    only = sales.files.permissions.update(file.id, visibility="team")
    assert (only.visibility, len(only.entries)) == ("team", 2), "what is not given stays"
    (told,) = [one for one in stub.audit() if one["action"] == "file.permissions_changed"][-1:]
    assert [change["field"] for change in told["changes"]] == ["visibility"]
    assert sales.files.permissions.update(file.id, entries=[]).entries == [] and not sales.files.get(file.id).shared
