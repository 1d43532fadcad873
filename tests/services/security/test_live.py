"""Live events are for those who may read what they are about; the numbers of a feed have no holes for the others."""

from __future__ import annotations

from typing import Any

import pytest
from wire import CHANNELS, Wire, opened

from crm_sdk import CrmClient
from crm_sdk.models import DealCreatedPush, LeadCreated
from server_stub import StubServer

from .conftest import PASSWORD, New, Somebody, permission

OWN = [permission(word, "read", "own") for word in ("leads", "deals", "collaboration")]
OWN.append(permission("collaboration", "create"))


@pytest.fixture
def clerk(new: New) -> Somebody:
    """Somebody who reads only what is one's own."""
    return new(*OWN)


def token_of(somebody: Somebody) -> dict[str, str]:
    login = somebody.crm.auth.login(str(somebody.user.email), PASSWORD)
    return {"Authorization": f"Bearer {login.access_token}"}


def comment(admin: CrmClient, id: str, body: str, kind: str = "lead") -> None:
    admin.collaboration.comments.create({"entity": {"type": kind, "id": id}, "body": body})


def bodies(messages: list[Any]) -> list[str]:
    return [message["data"]["body"] for message in messages if message["type"] == "comment.created"]


def numbers(messages: list[Any]) -> list[int]:
    return [message["seq"] for message in messages if "seq" in message]


def test_nobody_is_told_of_a_comment_on_a_record_that_is_not_for_him(
    stub: StubServer, admin: CrmClient, clerk: Somebody
) -> None:
    theirs = admin.leads.create({"name": "Theirs"}).id
    mine = admin.leads.create({"name": "Mine", "owner_id": clerk.id}).id
    headers = token_of(clerk)
    with opened(stub, "/ws", headers) as plain, opened(stub, "/ws?resume=1", headers) as told, opened(stub) as boss:
        comment(admin, theirs, "Hush: they are leaving")
        comment(admin, mine, "Call them")
        admin.leads.update(theirs, {"company": "Secret Ltd"})
        admin.leads.delete(theirs)
        admin.leads.update(mine, {"company": "Open Ltd"})
        for wire in (plain, told):
            seen = wire.all()
            assert bodies(seen) == ["Call them"] and "Secret" not in str(seen) and "Hush" not in str(seen)
            assert "Open Ltd" in str(seen) and theirs not in str(seen)
            if wire is told:
                assert numbers(seen) == list(range(numbers(seen)[0], numbers(seen)[-1] + 1))
                passed = [message for message in seen if message["type"] == "stream.passed"]
                assert len(passed) >= 3 and all(message["data"] == {} for message in passed)
            else:
                assert "stream.passed" not in str(seen)
        assert bodies(boss.all()) == ["Hush: they are leaving", "Call them"]


def test_what_was_missed_is_for_the_same_people(stub: StubServer, admin: CrmClient, clerk: Somebody) -> None:
    theirs = admin.leads.create({"name": "Theirs"}).id
    headers = token_of(clerk)
    with opened(stub, "/ws?resume=1", headers) as wire:
        ready = wire.next()["data"]
    comment(admin, theirs, "Hush")
    with opened(stub, f"/ws?since={ready['seq']}&epoch={ready['epoch']}", headers) as wire:
        assert "Hush" not in str(wire.all())
    (manager,) = [role.id for role in admin.security.roles.list() if role.key == "manager"]
    admin.users.roles.assign(clerk.id, manager)
    with opened(stub, f"/ws?since={ready['seq']}&epoch={ready['epoch']}", headers) as wire:
        assert bodies(wire.all()) == ["Hush"]  # who may read it now is told of it


def test_a_channel_is_read_with_the_rights_of_its_user(stub: StubServer, admin: CrmClient, clerk: Somebody) -> None:
    contact = admin.contacts.list(limit=1).items[0].id
    topic = f"user:{clerk.id}:deals"

    def deal(title: str, owner: str) -> str:
        return admin.deals.create({"title": title, "value": 1, "contact_id": contact, "owner_id": owner}).id

    def titles(wire: Wire) -> list[str]:
        return [frame[4]["deal"]["title"] for frame in wire.all() if frame[3] == "deal:created"]

    with opened(stub, CHANNELS, token_of(clerk)) as wire:
        wire.join(topic)
        theirs = deal("Theirs", "user_ada")
        deal("Mine", clerk.id)
        admin.deals.update(theirs, {"title": "Theirs indeed"})
        assert titles(wire) == ["Mine"]
    with opened(stub, CHANNELS, token_of(clerk)) as wire:
        place = wire.join(topic, resume=True)
        deal("Theirs again", "user_ada")
        deal("Mine again", clerk.id)
        seen = wire.all()
        assert "Theirs" not in str(seen) and [frame[3] for frame in seen].count("stream:passed") >= 1
        assert [frame[4]["seq"] for frame in seen] == [place["seq"] + 1 + n for n in range(len(seen))]
    with opened(stub, CHANNELS, token_of(clerk)) as wire:
        missed = wire.join(topic, last_seq=place["seq"], epoch=place["epoch"])["events"]
        assert "Theirs" not in str(missed) and "Mine again" in str(missed) and len(missed) == len(seen)


def test_the_client_passes_over_what_is_not_for_it(stub: StubServer, admin: CrmClient, clerk: Somebody) -> None:
    theirs = admin.leads.create({"name": "Theirs"}).id
    contact = admin.contacts.list(limit=1).items[0].id
    user = stub.client(api_key=token_of(clerk)["Authorization"].removeprefix("Bearer "))
    with user.events.listen() as events, user.channels.join(f"user:{clerk.id}:deals") as pushes:
        comment(admin, theirs, "Hush")
        mine = admin.leads.create({"name": "Mine", "owner_id": clerk.id})
        for owner in ("user_ada", clerk.id):
            admin.deals.create({"title": owner, "value": 1, "contact_id": contact, "owner_id": owner})
        event, push = next(iter(events)), next(iter(pushes))
        assert isinstance(event, LeadCreated) and event.data.id == mine.id
        assert isinstance(push, DealCreatedPush) and push.deal.title == clerk.id


def test_one_s_own_notifications_need_no_permission(stub: StubServer, admin: CrmClient, clerk: Somebody) -> None:
    with opened(stub, CHANNELS, token_of(clerk)) as wire:
        wire.join(f"user:{clerk.id}:notifications")
        admin.notifications.send_in_app(clerk.id, title="Yours", content="C")
        admin.notifications.send_in_app("user_ada", title="Hers", content="C")
        assert [frame[4]["notification"]["title"] for frame in wire.all()] == ["Yours"]


@pytest.mark.parametrize("may_read", [True, False])
def test_a_comment_on_a_record_of_a_custom_object_is_told_to_its_readers(
    stub: StubServer, admin: CrmClient, new: New, may_read: bool
) -> None:
    record = admin.custom_objects.records.list("onboarding", limit=1).items[0]
    others = [permission("custom_objects", "read")] if may_read else []
    somebody = new(permission("collaboration", "read"), permission("contacts", "read"), *others)
    with opened(stub, "/ws", token_of(somebody)) as wire, opened(stub) as boss:
        comment(admin, record.id, "Of the record", "onboarding")
        comment(admin, admin.contacts.list(limit=1).items[0].id, "Of the contact", "contact")
        assert bodies(wire.all()) == [*(["Of the record"] if may_read else []), "Of the contact"]
        assert bodies(boss.all()) == ["Of the record", "Of the contact"]


@pytest.mark.parametrize(
    ("hidden", "left"),
    [([], {"oldStage", "newStage", "probability"}), (["probability"], {"oldStage", "newStage"}),
     (["stage"], {"probability"}), (["stage", "probability"], set())],
)  # fmt: skip
def test_the_figures_of_a_move_are_without_hidden_members(
    stub: StubServer, admin: CrmClient, new: New, hidden: list[str], left: set[str]
) -> None:
    fields: Any = [{"entity": "deal", "field": name, "access": "hidden"} for name in hidden]
    somebody = new(permission("deals", "read"), field_permissions=fields)
    contact = admin.contacts.list(limit=1).items[0].id
    deal = admin.deals.create({"title": "D", "value": 1, "contact_id": contact, "owner_id": somebody.id})
    headers = token_of(somebody)
    with opened(stub, "/ws", headers) as plain, opened(stub, CHANNELS, headers) as wire:
        wire.join(f"user:{somebody.id}:deals")
        admin.deals.move_stage(deal.id, "proposal")
        (pushed,) = (frame[4] for frame in wire.all() if frame[3] == "deal:stage_changed")
        (told,) = (message["data"] for message in plain.all() if message["type"] == "deal.stage_changed")
        figures = {"oldStage", "newStage", "probability"}
        assert pushed.keys() & figures == left == told.keys() & figures
        assert pushed["id"] == told["id"] == deal.id
