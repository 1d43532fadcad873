"""Shares: whom they reach, what they permit, and when they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import ConflictError, CrmClient, NotFoundError, PermissionDeniedError, ValidationError
from server_stub import StubServer
from server_stub.services.collaboration.sharing import SHARES

from .conftest import Give, Make, ref


def may(call: Callable[[], object]) -> bool:
    """Tell whether a call is permitted."""
    try:
        call()
    except PermissionDeniedError:
        return False
    return True


@pytest.mark.parametrize(
    ("access", "permitted"),
    [
        (None, set[str]()),
        ("view", set[str]()),
        ("comment", {"comment"}),
        ("edit", {"comment", "update"}),
        ("manage", {"comment", "update", "delete"}),
    ],
)
def test_each_access_permits_what_it_says(
    sam: CrmClient, lead: Make, give: Give, access: str | None, permitted: set[str]
) -> None:
    made = lead()
    if access is not None:
        give(made.id, access=access)
    calls: dict[str, Callable[[], object]] = {
        "comment": lambda: sam.collaboration.comments.create({"entity": ref(made.id), "body": "Hello"}),
        "update": lambda: sam.leads.update(made.id, {"company": "Zimt"}),
        "delete": lambda: sam.leads.delete(made.id),
    }
    assert {name for name, call in calls.items() if may(call)} == permitted


@pytest.mark.parametrize("kind", ["user", "team", "role"])
def test_a_share_reaches_user_team_and_role_in_single_and_bulk_calls(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make, kind: str
) -> None:
    team = ada.users.teams.create({"name": "Helpers", "member_ids": ["user_sam"]})
    subject = {"user": "user_sam", "team": team.id, "role": "role_sales"}[kind]
    made = lead()
    share: Any = {"entity": ref(made.id), "subject_type": kind, "subject_id": subject, "access": "edit"}
    given = ada.collaboration.shares.create(share)
    bulk = sam.leads.bulk_qualify([made.id], qualified=False, reason="no budget")
    assert bulk.succeeded == 1
    assert sam.leads.update(made.id, {"company": "Zimt"}).company == "Zimt"
    assert [one.id for one in sam.collaboration.shares.list(entity_id=made.id)] == [given.id]
    told = sam.collaboration.notifications.list(type="share").items[0]
    assert told.entity is not None and (told.entity.id, told.metadata["shareId"]) == (made.id, given.id)
    ada.collaboration.shares.delete(given.id)
    assert not may(lambda: sam.leads.update(made.id, {"company": "Pfeffer"}))
    assert sam.collaboration.shares.list(entity_id=made.id, include_expired=True).total == 0


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({}, "You may view it."),
        ({"access": "edit", "message": ""}, "You may edit it."),
        ({"access": "edit", "message": "Please look"}, "Please look"),
        ({"notify": False}, None),
    ],
)
def test_whoever_is_reached_is_told_by_whom_and_what(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make, members: Any, text: str | None
) -> None:
    made = lead(name="Zimt")
    ada.users.deactivate("user_123")
    for kind, subject in (("user", "user_sam"), ("role", "role_sales"), ("role", "role_admin")):
        share: Any = {"entity": ref(made.id), "subject_type": kind, "subject_id": subject, **members}
        ada.collaboration.shares.create(share)
    told = stub.store.collection("tenant_acme", "notification").find("type", "share")
    people = {user["id"] for user in stub.store.collection("tenant_acme", "user") if user["role"] == "sales"}
    assert {"user_sam", "user_123"} <= people, "one of them is inactive, and who gives it is told nothing"
    reached = sorted(["user_sam", *people - {"user_123"}])
    assert sorted(one["user_id"] for one in told) == ([] if text is None else reached)
    assert {(one["title"], one["message"]) for one in told} == (
        {("acme-admin shares Zimt with you", text)} if text is not None else set()
    )


def test_access_ends_with_the_time_of_the_share(stub: StubServer, sam: CrmClient, lead: Make, give: Give) -> None:
    made = lead()
    given = give(made.id, access="edit", expires_at=stub.clock.now() + timedelta(hours=1))
    assert may(lambda: sam.leads.update(made.id, {"company": "Zimt"}))
    stub.clock.advance(3600)
    assert not may(lambda: sam.leads.update(made.id, {"company": "Pfeffer"}))
    assert sam.collaboration.shares.list(entity_id=made.id).total == 0
    (expired,) = sam.collaboration.shares.list(entity_id=made.id, include_expired=True)
    assert (expired.id, expired.active) == (given.id, False)
    assert give(made.id).id != given.id, "an expired one is no obstacle"


def test_a_share_makes_a_private_record_visible(ada: CrmClient, sam: CrmClient, give: Give) -> None:
    board = ada.dashboards.create({"name": "Mine", "visibility": "private"})
    with pytest.raises(NotFoundError):
        sam.dashboards.get(board.id)
    share = give(board.id, "dashboard", access="edit")
    assert board.id in {one.id for one in sam.dashboards.list()}
    assert sam.dashboards.update(board.id, {"description": "Ours"}).description == "Ours"
    sam.collaboration.shares.delete(share.id)
    with pytest.raises(NotFoundError):
        sam.dashboards.get(board.id)


def test_a_deal_is_shared_with_its_contact_and_account(ada: CrmClient, sam: CrmClient, give: Give) -> None:
    account = ada.accounts.create({"name": "Zanzibar Spices", "owner_id": "user_ada"})
    contact = ada.contacts.create({"name": "Zoë Zimt", "owner_id": "user_ada"})
    deal: Any = {"title": "Pepper", "contact_id": contact.id, "account_id": account.id, "owner_id": "user_ada"}
    made = ada.deals.create(deal)
    share = give(made.id, "deal", access="edit")
    assert not may(lambda: sam.contacts.update(contact.id, {"title": "Buyer"}))
    ada.collaboration.shares.delete(share.id)
    give(made.id, "deal", access="edit", include_related=True)
    assert may(lambda: sam.contacts.update(contact.id, {"title": "Buyer"}))
    assert may(lambda: sam.accounts.update(account.id, {"industry": "Spices"}))
    assert not may(lambda: sam.contacts.delete(contact.id))


def test_one_share_for_each_subject_and_no_more_access_than_the_giver_has(
    sam: CrmClient, lead: Make, give: Give
) -> None:
    made = lead()
    first = give(made.id)
    with pytest.raises(ConflictError) as failure:
        give(made.id, access="edit")
    assert (failure.value.code, failure.value.details["shareId"]) == ("ALREADY_SHARED", first.id)
    share: Any = {"entity": ref(made.id), "subject_type": "role", "subject_id": "role_read_only"}
    with pytest.raises(PermissionDeniedError) as refusal:
        sam.collaboration.shares.create(share | {"access": "edit"})
    assert refusal.value.code == "SHARE_EXCEEDS_ACCESS"
    own = sam.collaboration.shares.create(share)
    with pytest.raises(PermissionDeniedError) as refusal:
        sam.collaboration.shares.update(own.id, {"access": "manage"})
    assert refusal.value.code == "SHARE_EXCEEDS_ACCESS"


def test_who_may_change_and_end_a_share(
    ada: CrmClient, sam: CrmClient, gina: CrmClient, lead: Make, give: Give
) -> None:
    made = lead()
    share = give(made.id)
    with pytest.raises(NotFoundError):
        gina.collaboration.shares.update(share.id, {"access": "edit"})
    assert not may(lambda: sam.collaboration.shares.update(share.id, {"access": "edit"}))
    wider = ada.collaboration.shares.update(share.id, {"access": "edit", "message": "Do it"}, version=1)
    assert (wider.access, wider.message, wider.version) == ("edit", "Do it", 2)
    with pytest.raises(ConflictError):
        ada.collaboration.shares.update(share.id, {"access": "view"}, version=1)
    role: Any = {"entity": ref(made.id), "subject_type": "role", "subject_id": "role_sales"}
    given = ada.collaboration.shares.create(role)
    assert not may(lambda: sam.collaboration.shares.delete(given.id)), "it is not Sam's alone"
    sam.collaboration.shares.delete(share.id)
    with pytest.raises(NotFoundError):
        ada.collaboration.shares.delete(share.id)


def test_the_lists_of_shares(ada: CrmClient, sam: CrmClient, gina: CrmClient, lead: Make, give: Give) -> None:
    made = lead()
    share = give(made.id)
    seen = {
        (name, direction): share.id in [one.id for one in crm.collaboration.shares.list(direction=direction)]
        for name, crm in {"ada": ada, "sam": sam, "gina": gina}.items()
        for direction in ("with_me", "by_me", "all")
        if (name, direction) != ("sam", "all")
    }
    assert {key for key, found in seen.items() if found} == {("ada", "by_me"), ("ada", "all"), ("sam", "with_me")}
    assert not may(lambda: sam.collaboration.shares.list(direction="all"))
    assert sam.collaboration.shares.list(access="edit", entity_id=made.id).total == 0
    ada.leads.delete(made.id)
    assert sam.collaboration.shares.list(entity_id=made.id).total == 0


def test_events_and_audit_tell_of_shares(stub: StubServer, ada: CrmClient, lead: Make, give: Give) -> None:
    share = give(lead().id)
    ada.collaboration.shares.update(share.id, {"access": "comment"})
    ada.collaboration.shares.update(share.id, {"access": "comment"})
    ada.collaboration.shares.delete(share.id)
    told = [entry.action for entry in ada.audit.logs.list(entity_id=share.id)]
    assert told == ["collaboration.shared", "collaboration.share_updated", "collaboration.unshared"]


def test_the_shares_and_comments_of_a_merged_record_are_the_survivors(
    ada: CrmClient, sam: CrmClient, give: Give
) -> None:
    kept = ada.accounts.create({"name": "Zanzibar Spices", "owner_id": "user_ada"})
    gone = ada.accounts.create({"name": "Zanzibar", "owner_id": "user_ada"})
    give(gone.id, "account", access="comment")
    comment = sam.collaboration.comments.create({"entity": ref(gone.id, "account"), "body": "The same one?"})
    ada.accounts.merge(kept.id, [gone.id])
    assert [one.id for one in sam.collaboration.comments.list("account", kept.id)] == [comment.id]
    assert sam.collaboration.shares.list(entity_id=kept.id).total == 1


def test_a_file_is_shared_by_both_doors(ada: CrmClient, sam: CrmClient, give: Give) -> None:
    file = ada.files.upload(("offer.txt", b"Pepper"), visibility="private")
    with pytest.raises(NotFoundError):
        sam.files.get(file.id)
    share = give(file.id, "file")
    assert sam.files.get(file.id).name == "offer.txt"
    with pytest.raises(ConflictError) as failure:
        ada.files.share(file.id, user_id="user_sam")
    assert failure.value.code == "ALREADY_SHARED"
    link: Any = {"entity": ref(file.id, "file"), "subject_type": "link"}
    opened = ada.collaboration.shares.create(link | {"max_downloads": 1})
    assert opened.url is not None and opened.subject_id is None
    with pytest.raises(ValidationError):
        ada.collaboration.shares.create(link | {"access": "edit"})
    ada.collaboration.shares.delete(share.id)
    with pytest.raises(NotFoundError):
        sam.files.get(file.id)


def test_a_deal_is_shared_with_its_files(ada: CrmClient, sam: CrmClient, give: Give) -> None:
    deal = ada.deals.create({"title": "Pepper", "owner_id": "user_ada"})
    file = ada.files.upload(("offer.txt", b"Pepper"), visibility="private", related_to=ref(deal.id, "deal"))
    assert not may(lambda: sam.files.metadata.update(file.id, {"title": "Offer"}))
    give(deal.id, "deal", access="edit", include_related=True)
    assert sam.files.metadata.update(file.id, {"title": "Offer"}).title == "Offer"


def test_who_may_give_no_more_changes_and_ends_no_share_that_was_given(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make, give: Give
) -> None:
    mine: Any = {"entity": ref(lead("user_sam").id), "subject_type": "user", "subject_id": "user_mia"}
    given = sam.collaboration.shares.create(mine)
    received = give(lead().id)
    words = ("leads", "contacts")
    permissions = [{"resource": word, "action": "read", "scope": "all"} for word in words]
    permissions.append({"resource": SHARES.word, "action": "read", "scope": "all"})
    roles, users = (stub.store.collection("tenant_acme", kind) for kind in ("role", "user"))
    role = {"id": "role_quiet", "key": "quiet", "name": "Quiet", "permissions": permissions}
    roles.put(roles.all()[0] | role)
    user = users.get("user_sam")
    assert user is not None
    users.put(user | {"role": "quiet", "roles": [{"id": "role_quiet", "key": "quiet", "name": "Quiet"}]})
    assert not may(lambda: sam.collaboration.shares.update(given.id, {"message": "Look"}))
    assert not may(lambda: sam.collaboration.shares.delete(given.id))
    assert may(lambda: sam.collaboration.shares.delete(received.id)), "it is Sam's own"
    assert ada.collaboration.shares.list(direction="all", entity_id=mine["entity"]["id"]).total == 1


def test_a_file_is_given_on_with_no_more_access_than_its_own(ada: CrmClient, sam: CrmClient, give: Give) -> None:
    file = ada.files.upload(("plan.txt", b"x"), visibility="private")
    given = give(file.id, "file")
    for held, wanted, fits in (
        ("view", "edit", False), ("view", "comment", False), ("view", "view", True), ("edit", "manage", False),
        ("edit", "edit", True), ("manage", "manage", True),
    ):  # fmt: skip
        ada.collaboration.shares.update(given.id, {"access": held})
        onward: Any = {
            "entity": ref(file.id, "file"), "subject_type": "user", "subject_id": "user_mia", "access": wanted,
        }  # fmt: skip
        if fits:
            made = sam.collaboration.shares.create(onward)
            assert (made.access, made.active) == (wanted, True)
            sam.collaboration.shares.delete(made.id)
        else:
            with pytest.raises(PermissionDeniedError) as refusal:
                sam.collaboration.shares.create(onward)
            assert refusal.value.code == "SHARE_EXCEEDS_ACCESS", (held, wanted)
    ada.collaboration.shares.delete(given.id)
    entry: Any = {"subject_type": "user", "subject_id": "user_sam", "access": "edit"}
    ada.files.permissions.update(file.id, entries=[entry])
    onward = {"entity": ref(file.id, "file"), "subject_type": "user", "subject_id": "user_mia", "access": "edit"}
    assert sam.collaboration.shares.create(onward).access == "edit", "as the permissions of the file say"
