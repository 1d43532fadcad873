"""What is said of a share that cannot be, what one has, and who is told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import Share
from server_stub import StubServer

from .conftest import Make, ref


def test_each_wrong_share_is_told_what_is_wrong(stub: StubServer, ada: CrmClient, lead: Make) -> None:
    made, file, now = lead(), ada.files.upload(("a.txt", b"x")), stub.clock.now()
    user, link, mail = ({"subject_type": kind} for kind in ("user", "link", "email"))
    for entity, members, field, rule, said in (
        (made.id, {**user, "subject_id": "user_ada"}, "subject_id", "choice", "nobody shares with themselves"),
        (made.id, user, "subject_id", "required", "say which user it is shared with"),
        (made.id, {**user, "subject_id": "user_no"}, "subject_id", "reference", "no user has the id 'user_no'"),
        (made.id, {"subject_type": "role", "subject_id": "no"}, "subject_id", "reference", "no role has the id 'no'"),
        (made.id, link, "subject_type", "choice", "only files are shared with addresses and by links"),
        (file.id, {**link, "subject_id": "user_sam"}, "subject_id", "choice", "a link has none"),
        (file.id, mail, "subject_id", "required", "say which email it is shared with"),
        (file.id, {**mail, "subject_id": "eva"}, "subject_id", "format", ""),
        (file.id, {**link, "access": "comment"}, "access", "choice", "a link lets its receiver view the file"),
        (file.id, {**mail, "subject_id": "e@x.test", "access": "edit"}, "access", "choice", "a link lets its receiver"),
        (made.id, {**user, "subject_id": "user_sam", "max_downloads": 1}, "max_downloads", "choice", "only links and"),
        ("lead_no", {**user, "subject_id": "user_sam"}, "entity.id", "reference", "no lead has the id 'lead_no'"),
        (made.id, {**user, "subject_id": "user_sam", "expires_at": now}, "expires_at", "min", "must be in the future"),
    ):  # fmt: skip
        given: Any = {"entity": ref(entity, "file" if entity == file.id else "lead"), **members}
        error = refused(lambda given=given: ada.collaboration.shares.create(given))  # type: ignore[misc] # the value of this turn is bound
        assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [(field, rule)]), members
        assert said in error.message, members
    given = {"entity": ref("share_1", "share"), "subject_type": "user", "subject_id": "user_sam"}
    assert refused(lambda: ada.collaboration.shares.create(given)).code == "REFERENCE_NOT_FOUND"
    ada.users.deactivate("user_sam")
    given = {"entity": ref(made.id), "subject_type": "user", "subject_id": "user_sam"}
    assert "Sam Okonkwo is inactive" in refused(lambda: ada.collaboration.shares.create(given)).message


def test_what_a_share_has_and_when_there_may_be_another(stub: StubServer, ada: CrmClient, lead: Make) -> None:
    made, file = lead(), ada.files.upload(("a.txt", b"x"))
    shares, until = ada.collaboration.shares, stub.clock.now() + timedelta(hours=1)

    def give(id: str, kind: str, **members: Any) -> Share:
        given: Any = {"entity": ref(id, kind), **members}
        return shares.create(given)

    team = ada.users.teams.create({"name": "Helpers", "member_ids": ["user_sam"]})
    for kind, subject, name in (
        ("user", "user_sam", "Sam Okonkwo"), ("team", team.id, "Helpers"), ("role", "role_sales", "Sales"),
    ):  # fmt: skip
        one = give(made.id, "lead", subject_type=kind, subject_id=subject, expires_at=until)
        assert (one.subject_id, one.subject_name, one.access, one.url, one.active) == (
            subject,
            name,
            "view",
            None,
            True,
        )
        error = refused(lambda kind=kind, subject=subject: give(made.id, "lead", subject_type=kind, subject_id=subject))  # type: ignore[misc] # the values of this turn are bound
        assert (error.status, error.code, error.details) == (409, "ALREADY_SHARED", {"shareId": one.id})
        assert f"{made.name} is shared with {name} already" in error.message
    by_key = give(lead().id, "lead", subject_type="role", subject_id="sales")
    assert by_key.subject_id == "role_sales"
    later = until + timedelta(hours=1)
    assert shares.update(one.id, {"expires_at": later}).expires_at == later
    stub.clock.advance(3_601)
    assert give(made.id, "lead", subject_type="user", subject_id="user_sam").active, "the one before has expired"
    stub.clock.advance(3_600)
    kept = shares.update(one.id, {"expires_at": later, "message": "M"})
    assert (kept.message, kept.active, kept.version) == ("M", False, 3), "what it is may be sent back"
    past: Any = {"expires_at": later - timedelta(seconds=1)}
    assert refused(lambda: shares.update(one.id, past)).fields[0].field == "expires_at"
    links = [give(file.id, "file", subject_type="link", max_downloads=3) for _ in range(2)]
    mail = give(file.id, "file", subject_type="email", subject_id="Eva@X.test")
    assert (mail.subject_id, mail.subject_name, mail.access) == ("eva@x.test", "Eva@X.test", "view")
    assert (
        refused(lambda: give(file.id, "file", subject_type="email", subject_id="EVA@x.test")).code == "ALREADY_SHARED"
    )
    urls = {one.url for one in (*links, mail)}
    assert len(urls) == 3 and all(
        str(url).startswith(f"{stub.origin}/v1/files/{file.id}/download?shareToken=") for url in urls
    )
    told = [entry for entry in stub.audit() if entry["action"] == "collaboration.shared"]
    assert "shareToken" not in repr(told) and len(told) == 8
    wider: Any = {"access": "edit"}
    assert refused(lambda: shares.update(mail.id, wider)).fields[0].rule == "choice"


def test_who_is_told_of_a_share(stub: StubServer, ada: CrmClient, lead: Make) -> None:
    made, kept = lead(), stub.store.collection("tenant_acme", "notification")
    team = ada.users.teams.create({"name": "All", "member_ids": ["user_ada", "user_sam", "user_mia"]})
    ada.users.deactivate("user_mia")

    def told(**members: Any) -> list[tuple[str, str, str, Any]]:
        before = {doc["id"] for doc in kept}
        given: Any = {"entity": ref(made.id), "subject_type": "team", "subject_id": team.id, **members}
        share = ada.collaboration.shares.create(given)
        found = [doc for doc in kept if doc["id"] not in before and doc["type"] == "share"]
        ada.collaboration.shares.update(share.id, {"message": "Another"})
        ada.collaboration.shares.delete(share.id)
        assert len([doc for doc in kept if doc["id"] not in before and doc["type"] == "share"]) == len(found)
        for doc in found:
            assert doc["metadata"] == {"leadId": made.id, "shareId": share.id, "access": share.access}
        return [(doc["user_id"], doc["title"], doc["message"], doc["entity"]["id"]) for doc in found]

    assert [(user, text) for user, _, text, _ in told()] == [("user_sam", "You may view it.")]
    ((user, said, text, about),) = told(access="edit", message="Look")
    assert (user, text, about) == ("user_sam", "Look", made.id) and said.endswith(f" shares {made.name} with you")
    assert told(notify=False) == [] and told(subject_type="role", subject_id="role_read_only") != []
