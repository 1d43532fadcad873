"""How much may be stored by each way, what downloads tell, and what shares of files say to whom."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.files.scanning import EICAR
from server_stub.request.http import Reply, Request

from .conftest import ACME, picture, put


def told(stub: StubServer, action: str, id: str) -> list[Any]:
    return [
        entry["metadata"]
        for entry in stub.audit(reads=True)
        if entry["action"] == action and entry["entity"]["id"] == id
    ]


def asked(stub: StubServer, path: str, query: str = "", key: str = "acme-admin", **headers: str) -> Reply:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return stub.handle(Request("GET", f"/v1/files/{path}", query, {"authorization": f"Bearer {key}"} | said))


# -- limits ------------------------------------------------------------------------------------------------------------


def test_every_way_to_store_has_room_for_as_much_as_the_plan_allows(stub: StubServer, acme: CrmClient) -> None:
    first = put(acme, "a.png", picture(40, 20))
    options: Any = {"width": 20}
    ways: Any = {
        "upload": lambda: put(acme, "b.txt", b"x" * 50).size,
        "copy": lambda: acme.files.copy(first.id).size,
        "version": lambda: acme.files.versions.create(first.id, ("a.png", picture(30, 30))).size,
        "process": lambda: acme.files.process(first.id, "resize", options=options).size,
        "processed version": lambda: acme.files.process(first.id, "resize", options=options, save_as="version").size,
    }
    start = stub.snapshot()
    used = next(one.used for one in acme.tenants.limits.get("current").limits if one.key == "storage_bytes")
    for name, way in ways.items():
        needed = way()
        for limit, most, status, code, details in (
            ("storage_bytes", used + needed - 1, 403, "LIMIT_EXCEEDED", {"key": "storage_bytes", "used": used}),
            ("file_size_bytes", needed - 1, 422, "FILE_TOO_LARGE", {"size": needed}),
        ):
            stub.restore(start)
            stored(stub, "tenant", ACME, limits={limit: most})
            refusal = refused(way)
            assert (refusal.status, refusal.code, refusal.details) == (status, code, details | {"limit": most}), name
            assert [one.field for one in refusal.fields] == (["file"] if status == 422 else []), name
            stored(stub, "tenant", ACME, limits={limit: most + 1})
            assert way() == needed, name
        stub.restore(start)


def test_what_is_too_large_by_itself_is_not_looked_into(stub: StubServer, acme: CrmClient) -> None:
    first = put(acme, "b.txt", b"b")
    used = next(one.used for one in acme.tenants.limits.get("current").limits if one.key == "storage_bytes")
    stored(stub, "tenant", ACME, limits={"file_size_bytes": len(EICAR) - 1})
    for way in (
        partial(put, acme, "a.txt", EICAR), partial(acme.files.scan, EICAR),
        partial(acme.files.versions.create, first.id, EICAR),
    ):  # fmt: skip
        assert refused(way).code == "FILE_TOO_LARGE"
    stored(stub, "tenant", ACME, limits={"file_size_bytes": len(EICAR), "storage_bytes": used})
    assert refused(partial(put, acme, "a.txt", EICAR)).code == "FILE_INFECTED"
    assert acme.files.scan(EICAR).status == "infected"


def test_what_is_deleted_and_replaced_is_not_counted_and_versions_are(stub: StubServer, acme: CrmClient) -> None:
    def used() -> int:
        return next(one.used for one in acme.tenants.limits.get("current").limits if one.key == "storage_bytes")

    start = used()
    first = put(acme, "a.txt", b"x" * 10)
    acme.files.versions.create(first.id, ("a.txt", b"y" * 5))
    assert used() == start + 15
    acme.files.delete(first.id)
    assert used() == start
    for most, code in ((start + 14, "LIMIT_EXCEEDED"), (start + 15, None)):
        stored(stub, "tenant", ACME, limits={"storage_bytes": most})
        (item,) = acme.objects.restore("file", [first.id]).items
        assert (item.error and item.error.code) == code, "all its versions come back"
    assert used() == start + 15


def test_a_file_belongs_to_a_record_of_the_object_that_is_named(acme: CrmClient) -> None:
    ids = {}
    for name in ("ship", "port"):
        made = acme.custom_objects.create({"api_name": name, "label": name, "plural_label": f"{name}s"})
        ids[name] = acme.custom_objects.records.create(made.id, {"fields": {"name": name.upper()}}).id
    file = put(acme, related_to={"type": "ship", "id": ids["ship"]})
    about = some(file.related_to)
    assert (about.type, about.id, about.name) == ("ship", ids["ship"], "SHIP")
    for kind, id in (("ship", ids["port"]), ("ship", "record_no"), ("hat", ids["ship"]), ("lead", "lead_no")):
        refusal = refused(partial(put, acme, related_to={"type": kind, "id": id}))
        assert (refusal.status, refusal.code, refusal.fields[0].field) == (422, "REFERENCE_NOT_FOUND", "related_to.id")
    deal = acme.deals.list(limit=1).items[0]
    copied = acme.files.copy(file.id, related_to={"type": "deal", "id": deal.id})
    assert some(copied.related_to).name == deal.title
    found = partial(acme.files.list, related_type="ship")
    assert [one.id for one in found()] == [one.id for one in acme.files.list(related_id=ids["ship"])] == [file.id]


# -- downloads ---------------------------------------------------------------------------------------------------------


def test_a_download_is_told_with_its_revision_and_its_link(stub: StubServer, acme: CrmClient) -> None:
    file = put(acme, "a.txt", b"first")
    acme.files.versions.create(file.id, ("a.txt", b"second!"))
    assert acme.files.download(file.id).read() == b"second!"
    assert acme.files.download(file.id, revision=1).read() == b"first"
    assert refused(lambda: acme.files.download(file.id, revision=3)).status == 404
    link = acme.files.share(file.id, link=True, max_downloads=2)
    query, shares = urlsplit(str(link.url)).query, acme.collaboration.shares.list
    (token,) = parse_qs(query)["shareToken"]
    for number in (1, 2):
        reply = stub.handle(Request("GET", f"/v1/files/{file.id}/download", query))
        assert (reply.status, shares(direction="by_me", include_expired=True).items[0].download_count) == (
            200,
            number,
        )
    used_up = refused(lambda: acme.files.download(file.id, share_token=token))
    assert (used_up.status, used_up.code) == (403, "SHARE_EXPIRED")
    assert told(stub, "file.downloaded", file.id) == [
        {"revision": 2}, {"revision": 1}, *[{"revision": 2, "share_id": link.id}] * 2,
    ]  # fmt: skip
    other = put(acme, "b.txt", b"other")
    again = acme.files.share(file.id, link=True)
    (token,) = parse_qs(urlsplit(str(again.url)).query)["shareToken"]
    assert refused(lambda: acme.files.download(other.id, share_token=token)).status == 404, "a link is to one file"


def test_which_part_a_range_is(stub: StubServer, acme: CrmClient) -> None:
    file = put(acme, "a.txt", b"0123456789")
    for said, part, range in (
        ("bytes=0-0", b"0", "0-0"), ("bytes=3-", b"3456789", "3-9"), ("bytes=8-20", b"89", "8-9"),
        ("bytes=-3", b"789", "7-9"), ("bytes=-20", b"0123456789", "0-9"), ("bytes=9-9", b"9", "9-9"),
        ("bytes=5-4", None, None), ("bytes=-", None, None), ("bytes=1-2,4-5", None, None), ("letters=1-2", None, None),
    ):  # fmt: skip
        reply = asked(stub, f"{file.id}/download", range=said)
        content = b"".join(reply.chunks or (reply.body,))
        assert (reply.status, content) == ((206, part) if part is not None else (200, b"0123456789")), said
        assert reply.headers.get("Content-Range") == (f"bytes {range}/10" if range else None)
        assert reply.headers["Content-Length"] == str(len(content))
    for said in ("bytes=10-", "bytes=10-20", "bytes=-0"):
        reply = asked(stub, f"{file.id}/download", range=said)
        assert (reply.status, reply.headers["Content-Range"]) == (416, "bytes */10"), said
    tag = asked(stub, f"{file.id}/download").headers["ETag"]
    for given, status in ((tag, 206), ('"other"', 200)):
        assert asked(stub, f"{file.id}/download", range="bytes=1-2", if_range=given).status == status
    assert asked(stub, f"{file.id}/download", if_none_match=tag).status == 304


def test_pictures_and_previews_are_named_and_have_an_end(stub: StubServer, acme: CrmClient) -> None:
    image, text = put(acme, "big.picture.png", picture()), put(acme, "noname", b"text")
    for size, edge in (("small", 64), ("medium", 128), ("large", 256)):
        reply = asked(stub, f"{image.id}/thumbnail", f"size={size}&format=jpeg")
        assert reply.status == 200 and reply.headers["Content-Type"] == "image/jpeg", edge
        assert f'"big.picture-{size}.jpeg"' in reply.headers["Content-Disposition"]
    missing = refused(lambda: acme.files.thumbnail(text.id))
    assert (missing.status, missing.code) == (409, "NO_THUMBNAIL") and "noname" in missing.message
    shown = acme.files.preview(image.id)
    assert (shown.kind, shown.page) == ("image", 1) and str(shown.image_url).endswith("/thumbnail?size=large")
    plain = acme.files.preview(text.id)
    assert (plain.kind, plain.text, plain.image_url) == ("text", "text", None)
    beyond = acme.files.preview(text.id, page=2)
    assert (beyond.kind, beyond.page, beyond.truncated, beyond.text) == ("none", 2, False, None)


# -- shares ------------------------------------------------------------------------------------------------------------


def test_who_is_reached_by_a_share_is_told(stub: StubServer, acme: CrmClient) -> None:
    team = acme.users.teams.create({"name": "T", "member_ids": ["user_sam", "user_mia", "user_ada"]})
    file = put(acme, "Offer.txt")
    inbox = stub.store.collection(ACME, "notification")
    for given, kind, name, reached, message in (
        ({"user_id": "user_sam"}, "user", "Sam Okonkwo", {"user_sam"}, None),
        ({"team_id": team.id, "message": "Look"}, "team", "T", {"user_sam", "user_mia"}, "Look"),
        ({"email": "Eva@Example.com"}, "email", "Eva@Example.com", set[str](), None),
        ({"link": True}, "link", None, set[str](), None),
    ):
        before = {doc["id"] for doc in inbox.find("type", "share")}
        wanted: Any = given
        made = acme.files.share(file.id, **wanted)
        news = [doc for doc in inbox.find("type", "share") if doc["id"] not in before]
        assert {doc["user_id"] for doc in news} == reached
        title = "acme-admin shares Offer.txt"
        assert {(doc["title"], doc["message"], doc["entity"]["id"]) for doc in news} <= {
            (title, message or title, file.id)
        }
        assert (made.subject_type, made.subject_name, made.access, made.active) == (kind, name, "view", True)
        assert made.subject_id == {"user": "user_sam", "team": team.id, "email": "eva@example.com", "link": None}[kind]
        assert (made.url is not None) is (kind in ("email", "link")) and made.password_protected is False
        assert told(stub, "file.shared", file.id)[-1] == {
            "share_id": made.id, "subject_type": kind, "access": "view",
        }  # fmt: skip
        if kind != "link":
            taken = refused(partial(acme.files.share, file.id, **wanted))
            assert (taken.code, taken.details) == ("ALREADY_SHARED", {"shareId": made.id})
            assert taken.message == f"it is shared with {name} already"
    assert acme.files.get(file.id).shared is True


def test_the_terms_of_a_share_are_those_of_a_link(stub: StubServer, acme: CrmClient, sales: CrmClient) -> None:
    file = put(acme)
    share = acme.files.share
    soon: Any = stub.clock.now() + timedelta(days=1)
    for given, field in (
        ({}, "user_id"), ({"user_id": "user_sam", "link": True}, "user_id"), ({"user_id": "user_ada"}, "user_id"),
        ({"user_id": "user_no"}, "user_id"), ({"team_id": "team_no"}, "team_id"),
        ({"user_id": "user_sam", "password": "secret-word"}, "password"),
        ({"user_id": "user_sam", "max_downloads": 1}, "max_downloads"),
        ({"link": True, "access": "edit"}, "access"), ({"link": True, "expires_at": stub.clock.now()}, "expires_at"),
    ):  # fmt: skip
        wanted: Any = given
        refusal = refused(partial(share, file.id, **wanted))
        assert (refusal.status, refusal.fields[0].field) == (422, field), given
    assert share(file.id, link=True, password="secret-word", max_downloads=1, expires_at=soon).password_protected
    share(file.id, user_id="user_sam")
    for access, code in (("comment", "SHARE_EXCEEDS_ACCESS"), ("view", None)):
        again: Any = partial(sales.files.share, file.id, user_id="user_mia", access=access)
        if code is None:
            assert again().access == "view"
        else:
            refusal = refused(again)
            assert (refusal.code, refusal.fields[0].field) == (code, "access")
    acme.security.policies.update({"allow_share_links": False})
    assert refused(lambda: share(file.id, link=True)).code == "FORBIDDEN"
    assert share(file.id, email="a@example.com").subject_type == "email"


def test_what_is_shared_is_listed_for_both(acme: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    lead = acme.leads.create({"name": "L"})
    about: Any = {"type": "lead", "id": lead.id}
    one, two = put(acme, related_to=about), put(acme)
    acme.files.share(one.id, user_id="user_sam", access="edit")
    acme.files.share(two.id, user_id="user_sam", expires_at=stub.clock.now() + timedelta(hours=1))
    link = acme.files.share(two.id, link=True)

    def found(crm: CrmClient, **given: Any) -> list[str]:
        ids = [each.file.id for each in crm.files.shared(order="asc", **given)]
        return [id for id in ids if id in (one.id, two.id)]

    assert found(sales) == [one.id, two.id] and found(sales, direction="by_me") == []
    assert found(acme) == [] and found(acme, direction="by_me") == [one.id, two.id, two.id]
    assert found(sales, access="edit") == found(sales, related_to=lead.id) == [one.id]
    assert found(sales, related_to=f'{{"type": "lead", "id": "{lead.id}"}}') == [one.id]
    assert refused(lambda: found(sales, related_to="{")).fields[0].field == "related_to"
    addresses = {each.share.id: each.share.url for each in acme.files.shared(direction="by_me")}
    assert addresses[link.id] == link.url is not None
    assert {each.share.url for each in sales.files.shared()} == {None}
    stub.clock.advance(3_600)
    assert found(sales) == [one.id]
    acme.files.delete(one.id)
    assert found(sales) == []


def test_shares_of_a_file_stay_while_it_changes_and_end_with_it(stub: StubServer, acme: CrmClient) -> None:
    made = put(acme, "a.txt", b"x")
    share = acme.files.share(made.id, user_id="user_sam")
    sam = stub.client(api_key="acme-sales", dialects="platform")

    def received() -> list[str]:
        return [one.share.id for one in sam.files.shared() if one.file.id == made.id]

    assert received() == [share.id]
    acme.files.metadata.update(made.id, {"title": "B"})
    acme.files.versions.create(made.id, ("a.txt", b"y"))
    assert received() == [share.id] and sam.files.get(made.id).id == made.id
    acme.files.delete(made.id)
    assert received() == []
