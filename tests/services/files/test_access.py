"""Who may use a file: owner, role, permissions, shares, links; the stricter of role and file wins."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from newcomers import signed_in
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient, NotFoundError, PermissionDeniedError
from crm_sdk.models import File, Share
from server_stub import StubServer

from .conftest import ACME, picture, put
from .test_contents import raw


def calls(crm: CrmClient, id: str) -> dict[str, Any]:
    """The calls on a file by the access that they need."""
    return {
        "view": lambda: crm.files.get(id),
        "edit": lambda: crm.files.metadata.update(id, {"metadata": {"n": 1}}),
        "manage": lambda: crm.files.permissions.update(id, visibility="private"),
        "delete": lambda: crm.files.delete(id),
    }


def allowed(crm: CrmClient, id: str) -> str:
    """Return which of the calls are permitted; the last of them deletes the file."""
    done: list[str] = []
    for name, call in calls(crm, id).items():
        try:
            call()
        except NotFoundError:
            assert not done or done[-1] == "manage", "what is seen stays to be seen"
        except PermissionDeniedError:
            pass
        else:
            done.append(name)
    return " ".join(done)


ENTRY: Any = {"subject_type": "user", "subject_id": "user_123"}


def test_who_may_do_what(request: pytest.FixtureRequest, sales: CrmClient) -> None:
    cases: list[tuple[str, str, str | None, str]] = [
        ("mate", "private", None, ""),
        ("mate", "team", None, "view"),
        ("mate", "tenant", None, "view"),
        ("mate", "private", "view", "view"),
        ("mate", "private", "comment", "view"),
        ("mate", "private", "edit", "view edit"),
        ("mate", "private", "manage", "view edit manage delete"),
        ("manager", "private", None, ""),
        ("manager", "tenant", None, "view edit delete"),
        ("acme", "tenant", None, "view edit manage"),  # then it is private, and the admin does not see it any more
        ("acme", "private", None, ""),
        ("reader", "tenant", None, "view"),
        ("reader", "private", None, ""),
        ("sales", "private", None, "view edit manage delete"),
        ("globex", "tenant", None, ""),
    ]
    for who, visibility, access, may in cases:
        file = put(sales, visibility=visibility)
        if access is not None:
            entry: Any = {**ENTRY, "access": access}
            sales.files.permissions.update(file.id, entries=[entry])
        assert allowed(request.getfixturevalue(who), file.id) == may


def test_read_only_users_upload_nothing(reader: CrmClient, acme: CrmClient) -> None:
    file = put(acme)
    attempts: list[Any] = [
        lambda: put(reader),
        lambda: reader.files.copy(file.id),
        lambda: reader.files.share(file.id, link=True),
        lambda: reader.files.versions.create(file.id, b"new"),
        lambda: reader.files.move(file.id, folder="/x"),
    ]
    assert {refused(attempt).code for attempt in attempts} == {"FORBIDDEN"}


def test_an_owner_does_what_the_role_permits(stub: StubServer, acme: CrmClient) -> None:
    """What is one's own is deleted by its role alone: not by the way of an upload either."""
    actions: Any = ("create", "read", "update", "delete")
    for key, most in (("archivist", 4), ("collector", 3)):
        permissions: Any = [{"resource": "files", "action": action, "scope": "own"} for action in actions[:most]]
        acme.security.roles.create({"key": key, "name": key, "permissions": permissions})
        user, own = signed_in(stub, acme, key)
        file = put(own, "a.txt", b"one", folder=f"/{key}")
        entity = {"type": "file", "id": file.id}
        checks: Any = [{"entity": entity, "action": action} for action in actions[1:]]
        found = acme.security.check(checks, user_id=user.id)
        assert [one.allowed for one in found] == [True, True, most == 4]
        if most == 4:
            assert put(own, "a.txt", b"two", folder=f"/{key}", on_conflict="replace").id != file.id
        else:
            refusal = refused(lambda: put(own, "a.txt", b"two", folder=f"/{key}", on_conflict="replace"))  # noqa: B023 # called within the turn
            assert (refusal.status, refusal.code, own.files.get(file.id).version) == (403, "FORBIDDEN", 1)


def test_entries_name_teams_and_roles(stub: StubServer, sales: CrmClient, mate: CrmClient) -> None:
    file = put(sales, visibility="private")
    for kind, id, other, role in (
        ("team", "team_acme_sales", "team_acme_revenue", "sales"), ("role", "sales", "manager", "sales"),
        ("role", "role_team_lead", "role_temporary_help", "team_lead"),
    ):  # fmt: skip
        stored(stub, "user", "user_123", role=role)
        entry: Any = {"subject_type": kind, "subject_id": id, "access": "edit"}
        given = sales.files.permissions.update(file.id, entries=[entry])
        assert [one.model_dump() for one in given.entries] == [entry]
        assert mate.files.get(file.id).shared is True
        assert file.id in [one.id for one in mate.files.list()]
        for entries in ([], [entry | {"subject_id": other}]):
            assert len(sales.files.permissions.update(file.id, entries=entries).entries) == len(entries)
            with pytest.raises(NotFoundError):
                mate.files.get(file.id)
            assert file.id not in [one.id for one in mate.files.list()]


def test_unknown_subjects_are_refused(sales: CrmClient) -> None:
    file = put(sales)
    for kind in ("user", "team", "role"):
        entry: Any = {"subject_type": kind, "subject_id": "nobody", "access": "view"}
        refusal = refused(lambda: sales.files.permissions.update(file.id, entries=[entry]))  # noqa: B023 # called within the turn
        assert (refusal.status, refusal.code) == (422, "REFERENCE_NOT_FOUND")
    twice: Any = {**ENTRY, "access": "view"}
    assert refused(lambda: sales.files.permissions.update(file.id, entries=[twice, twice])).status == 422


def test_who_reads_the_record_views_its_file(sales: CrmClient, mate: CrmClient) -> None:
    file = put(sales, visibility="private", related_to={"type": "contact", "id": "contact_123"})
    given = mate.files.permissions.get(file.id).inherited_from
    assert given is not None and given.id == "contact_123"
    assert refused(lambda: mate.files.metadata.update(file.id, {"title": "x"})).code == "FORBIDDEN"


READ: dict[str, Any] = {
    "get": lambda crm, file_id: crm.files.get(file_id),
    "download": lambda crm, file_id: crm.files.download(file_id),
    "download of a version": lambda crm, file_id: crm.files.download(file_id, revision=1),
    "thumbnail": lambda crm, file_id: crm.files.thumbnail(file_id),
    "preview": lambda crm, file_id: crm.files.preview(file_id),
    "versions": lambda crm, file_id: list(crm.files.versions.list(file_id)),
    "metadata": lambda crm, file_id: crm.files.metadata.get(file_id),
    "permissions": lambda crm, file_id: crm.files.permissions.get(file_id),
    "scan": lambda crm, file_id: crm.files.scan(file_id=file_id),
    "process": lambda crm, file_id: crm.files.process(file_id, operation="extract_text"),
    "copy": lambda crm, file_id: crm.files.copy(file_id),
    "move": lambda crm, file_id: crm.files.move(file_id, folder="/mine"),
    "share": lambda crm, file_id: crm.files.share(file_id, user_id="user_mia"),
    "new version": lambda crm, file_id: crm.files.versions.create(file_id, b"mine"),
    "import": lambda crm, file_id: crm.imports.create("lead", file_id=file_id),
    "calendar": lambda crm, file_id: crm.activities.calendar.sync(file_id=file_id),
}


def test_who_does_not_see_a_file_gets_nothing_of_it(sales: CrmClient, mate: CrmClient) -> None:
    for ask in READ.values():
        hidden, seen = put(sales, content=picture(), name="a.png", visibility="private"), put(sales)
        of_hidden, of_none = (refused(lambda: ask(mate, id)) for id in (hidden.id, "file_nobody"))  # noqa: B023 # called within the turn
        assert of_hidden.code in ("NOT_FOUND", "REFERENCE_NOT_FOUND") and "a.png" not in str(of_hidden)
        assert str(of_none).partition(" (")[0].replace("file_nobody", hidden.id) == str(of_hidden).partition(" (")[0]
        assert refused(partial(mate.files.download, hidden.id, share_token="wrong")).code == "NOT_FOUND"
        entry: Any = {**ENTRY, "access": "view"}
        sales.files.permissions.update(hidden.id, entries=[entry])
        assert mate.files.download(hidden.id).read() == picture() and mate.files.get(seen.id).id == seen.id


def test_a_file_is_put_to_no_record_that_the_caller_does_not_see(
    acme: CrmClient, sales: CrmClient, mate: CrmClient
) -> None:
    private, common = (sales.files.upload((f"{who}.txt", b"x"), visibility=who).id for who in ("private", "tenant"))
    made = put(mate, related_to={"type": "file", "id": common})
    assert made.related_to is not None and made.related_to.id == common
    for id in (private, "file_nobody"):
        about: Any = {"type": "file", "id": id}
        asked = (partial(put, mate, related_to=about), partial(mate.files.copy, made.id, related_to=about))
        for refusal in map(refused, asked):
            assert (refusal.code, refusal.fields[0].field) == ("REFERENCE_NOT_FOUND", "related_to.id")


# -- shares ------------------------------------------------------------------------------------------------------------


def shared(crm: CrmClient, file: File, **said: Any) -> list[Share]:
    """Return the shares of a file in the list of shared files."""
    return [one.share for one in crm.files.shared(**said) if one.file.id == file.id]


def test_a_share_gives_access_until_it_ends(
    stub: StubServer, sales: CrmClient, mate: CrmClient, manager: CrmClient
) -> None:
    file = put(sales, visibility="private")
    share = sales.files.share(file.id, user_id="user_123", message="look")
    assert (share.subject_type, share.subject_id, share.subject_name) == ("user", "user_123", "John Doe")
    assert share.entity is not None and (share.entity.type, share.entity.id) == ("file", file.id)
    assert share.active is True and share.url is None
    (received,) = mate.files.shared()
    assert (received.file.id, received.share.id) == (file.id, share.id)
    assert [one.id for one in shared(sales, file, direction="by_me")] == [share.id]
    assert list(sales.files.shared()) == [] and list(manager.files.shared()) == []
    assert list(mate.files.shared(access="edit")) == [] and list(mate.files.shared(related_to="contact_123")) == []
    mate.files.get(file.id)
    refusal = refused(lambda: sales.files.share(file.id, user_id="user_123"))
    assert (refusal.code, refusal.details) == ("ALREADY_SHARED", {"shareId": share.id})
    assert refused(lambda: mate.files.share(file.id, user_id="user_mia", access="edit")).code == "SHARE_EXCEEDS_ACCESS"
    mate.files.share(file.id, user_id="user_mia")
    told = [
        one for one in stub.store.collection(ACME, "notification").find("user_id", "user_123") if one["type"] == "share"
    ]
    assert [one["message"] for one in told] == ["look"]
    (event,) = [
        one for one in stub.audit() if one["action"] == "file.shared" and one["metadata"]["share_id"] == share.id
    ]
    assert event["entity"]["id"] == file.id
    shares = stub.store.collection(ACME, "share")
    shares.put({**(shares.get(share.id) or {}), "expires_at": stub.clock.now() + timedelta(hours=1)})
    mate.files.get(file.id)
    stub.clock.advance(3_600)
    with pytest.raises(NotFoundError):
        mate.files.get(file.id)
    assert list(mate.files.shared()) == []


def test_a_team_receives(sales: CrmClient, mate: CrmClient, reader: CrmClient) -> None:
    file = put(sales, visibility="private")
    sales.files.share(file.id, team_id="team_acme_sales")
    mate.files.get(file.id)
    with pytest.raises(NotFoundError):
        reader.files.get(file.id)


def test_a_share_that_makes_no_sense_is_refused(sales: CrmClient) -> None:
    cases: list[Any] = [
        {},
        {"user_id": "user_123", "link": True},
        {"user_id": "user_sam"},
        {"link": True, "access": "edit"},
        {"email": "a@b.example", "access": "manage"},
        {"user_id": "user_123", "password": "p"},
        {"team_id": "team_acme_sales", "max_downloads": 1},
        {"user_id": "user_nobody"},
    ]
    for said in cases:
        file = put(sales)
        assert refused(partial(sales.files.share, file.id, **said)).status == 422, said


def test_a_share_does_not_begin_in_the_past(stub: StubServer, sales: CrmClient) -> None:
    file = put(sales)
    assert refused(lambda: sales.files.share(file.id, link=True, expires_at=stub.clock.now())).status == 422


def link(share: Share) -> tuple[str, str]:
    """Return the path and the token of a link."""
    parts = urlsplit(str(share.url))
    return f"{parts.path}?{parts.query}", parse_qs(parts.query)["shareToken"][0]


def test_a_link_needs_no_credential(stub: StubServer, sales: CrmClient, globex: CrmClient) -> None:
    file = put(sales, content=b"open", visibility="private")
    share = sales.files.share(file.id, link=True, max_downloads=2)
    path, token = link(share)
    assert len(token) > 40 and share.url == f"{stub.url}{path}"
    assert raw(stub, path, None).content == b"open"
    assert globex.files.download(file.id, share_token=token).read() == b"open"
    used = raw(stub, path, None)
    assert (used.status_code, used.json()["errors"][0]["code"]) == (403, "SHARE_EXPIRED")
    assert shared(sales, file, direction="by_me") == []
    assert raw(stub, f"{file.url}?shareToken=wrong", None).status_code == 404
    assert raw(stub, str(file.url), None).status_code == 401
    assert raw(stub, f"/v1/files/{file.id}?shareToken={token}", None).status_code == 401
    other = put(sales, visibility="private")
    assert raw(stub, f"{other.url}?shareToken={token}", None).status_code == 404


def test_a_link_expires_and_asks_for_its_password(stub: StubServer, sales: CrmClient) -> None:
    file = put(sales, content=b"open")
    until = stub.clock.now() + timedelta(hours=1)
    share = sales.files.share(file.id, email="Guest@Example.com", password="open sesame", expires_at=until)
    assert (share.subject_id, share.password_protected) == ("guest@example.com", True)
    path, token = link(share)
    for wrong in ("", "&password=other"):
        answer = raw(stub, f"{path}{wrong}", None)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "FORBIDDEN")
    assert sales.files.download(file.id, share_token=token, password="open sesame").read() == b"open"
    (seen,) = shared(sales, file, direction="by_me")
    assert (seen.download_count, seen.url) == (1, share.url)
    stub.clock.advance(3_600)
    assert raw(stub, f"{path}&password=open%20sesame", None).json()["errors"][0]["code"] == "SHARE_EXPIRED"
    shown = str(stub.audit()) + str(list(stub.journal))
    assert token not in shown and "sesame" not in shown


def test_who_may_only_view_a_file_makes_something_of_it_but_no_version(sales: CrmClient, mate: CrmClient) -> None:
    file = put(sales, "a.png", picture(40, 20), visibility="private")
    entry: Any = {"subject_type": "user", "subject_id": "user_123", "access": "view"}
    sales.files.permissions.update(file.id, entries=[entry])
    small = mate.files.process(file.id, "resize", options={"width": 20})
    assert (small.owner_id, small.width, small.name) == ("user_123", 20, "a (1).png")
    error = refused(lambda: mate.files.process(file.id, "resize", options={"width": 20}, save_as="version"))
    assert (error.status, sales.files.get(file.id).revision) == (403, 1)
    sales.files.permissions.update(file.id, entries=[entry | {"access": "edit"}])
    assert mate.files.process(file.id, "resize", options={"width": 20}, save_as="version").revision == 2


def test_a_file_of_nobody_is_its_makers_and_a_copy_is_the_copiers(
    stub: StubServer, sales: CrmClient, mate: CrmClient
) -> None:
    file = put(sales, visibility="private")
    stored(stub, "file", file.id, owner_id=None)
    assert sales.files.get(file.id).owner_id is None
    assert sales.files.move(file.id, folder="/mine").folder == "/mine"
    assert refused(lambda: mate.files.get(file.id)).status == 404
    stored(stub, "file", file.id, owner_id="user_123")
    assert refused(lambda: sales.files.get(file.id)).status == 404
    entry: Any = {"subject_type": "user", "subject_id": "user_sam", "access": "view"}
    mate.files.permissions.update(file.id, entries=[entry])
    copy = sales.files.copy(file.id, folder="/mine", name="copy.txt")
    assert (copy.owner_id, copy.name, copy.folder, copy.revision) == ("user_sam", "copy.txt", "/mine", 1)
    assert [(one.revision, one.is_current, one.size) for one in sales.files.versions.list(copy.id)] == [
        (1, True, file.size)
    ]
    assert sales.files.permissions.get(copy.id).entries == []
    assert refused(lambda: mate.files.get(copy.id)).status == 404
