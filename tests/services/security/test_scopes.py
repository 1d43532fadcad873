"""What lies outside of the scope of reading is nowhere: in no answer, list or count, nor in the figures of others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from newcomers import PASSWORD

from crm_sdk import ApiError, CrmClient, NotFoundError, ValidationError
from server_stub import StubServer

from .canaries import AMOUNTS, MARK, World, asked, every_permission, make, spread

OWNED = ("contacts", "leads", "deals", "accounts", "activities", "custom_objects", "conversations")
OTHERS = ("audit", "notifications", "communication")
"""Services with permissions of their own, which somebody with these words at `own` has for all records."""
NAMES = ("name", "names", "title", "titles", "gone")
CASES = [
    pytest.param("contact", marks=pytest.mark.thorough),
    *(pytest.param(one, marks=pytest.mark.slow) for one in (None, "account", "deal", "lead")),
]


@pytest.fixture(scope="module")
def marked_data() -> Iterator[tuple[StubServer, dict[str, str], dict[str, str], str, Any]]:
    """Return records that are somebody else's, and the credential of a user who reads only what is hers."""
    with StubServer() as stub:
        crm = stub.client(dialects="platform", max_retries=0)
        ids = make(crm)
        spread(crm, ids)
        crm.leads.update(ids["lead"], {"owner_id": "user_ada"})
        narrow: Any = [
            {**one, "scope": "own"} if one["resource"] in OWNED and one["action"] != "create" else one
            for one in every_permission()
        ]
        crm.security.roles.create({"key": "narrow", "name": "Narrow", "permissions": narrow})
        user = crm.users.create({"email": "narrow@acme.test", "name": "N", "role": "narrow", "password": PASSWORD})
        login = stub.client(api_key=None, dialects="platform").auth.login("narrow@acme.test", PASSWORD)
        yield stub, ids, {"authorization": f"Bearer {login.access_token}"}, user.id, stub.snapshot()


@pytest.fixture
def world(marked_data: tuple[StubServer, dict[str, str], dict[str, str], str, Any]) -> World:
    stub, ids, headers, _, start = marked_data
    stub.restore(start)
    return World(stub, ids, headers)


@pytest.fixture
def me(marked_data: Any) -> str:
    return str(marked_data[3])


@pytest.fixture
def narrow(world: World) -> CrmClient:
    client = world.stub.client(api_key=None, dialects="platform", max_retries=0)
    client.auth.login("narrow@acme.test", PASSWORD)
    return client


def marks(mine: str | None) -> re.Pattern[bytes]:
    """Return what is in no answer to somebody to whom the records of one kind belong, or none.

    What a record of one's own refers to is called by its name there, as everywhere.
    """
    own = "|".join([*([f"{mine}[a-z]*"] if mine else []), *(f"[a-z]+?(?:{name})" for name in NAMES)])
    amounts = [f"{int(amount):,}|{amount}" for kind, amount in AMOUNTS.items() if kind != mine]
    return re.compile("|".join([f"{MARK}(?!(?:{own})\\b)[a-z]+", *amounts]).encode())


@pytest.mark.parametrize("mine", CASES)
def test_nothing_of_others_is_in_any_answer_to_a_get(world: World, me: str, mine: str | None) -> None:
    """Neither where nothing is one's own, nor beside the one record that is."""
    if mine is not None:
        getattr(world.admin, f"{mine}s").update(world.ids[mine], {"owner_id": me})
    theirs, answered, word = marks(mine), set[str](), mine or "deal"
    for operation, status, content in asked(world, word):
        assert status < 500, (operation.id, content)
        if status != 200 or operation.id.startswith(OTHERS):
            continue
        answered.add(operation.id)
        found = theirs.search(content.replace(f'{MARK}{word}"'.encode(), b'"'))
        assert found is None, (operation.id, content[max(0, found.start() - 200) : found.end() + 20])
    assert len(answered) > 120


def test_searches_find_nothing_of_others(world: World, narrow: CrmClient) -> None:
    assert narrow.contacts.search({"q": MARK}).total == 0
    assert narrow.custom_objects.records.search("subscription", {"q": MARK}).total == 0
    assert narrow.custom_objects.records.list("subscription", search=MARK).total == 0
    assert not narrow.contacts.deduplicate(match_on=["name"]).groups
    assert world.admin.contacts.search({"q": MARK}).items


def test_a_body_cannot_refer_to_what_one_does_not_see(world: World, narrow: CrmClient) -> None:
    with pytest.raises(ValidationError) as refused:
        narrow.activities.tasks.create({"title": "Call", "contact_id": world.ids["contact"]})
    assert (refused.value.code, refused.value.fields[0].field) == ("REFERENCE_NOT_FOUND", "contact_id")


def test_what_a_record_refers_to_may_be_sent_back(world: World, narrow: CrmClient, me: str) -> None:
    world.admin.deals.update(world.ids["deal"], {"owner_id": me})
    contact: str = world.ids["contact"]
    kept = narrow.deals.update(world.ids["deal"], {"title": "Mine now", "contact_id": contact})
    assert (kept.title, kept.contact_id) == ("Mine now", contact)


def test_parts_of_what_one_does_not_see_are_not_found(world: World, narrow: CrmClient) -> None:
    for ask in (narrow.deals.history, narrow.contacts.deals.list, narrow.accounts.hierarchy):
        kind = "deal" if ask == narrow.deals.history else "contact" if ask == narrow.contacts.deals.list else "account"
        with pytest.raises(NotFoundError):
            ask(world.ids[kind])


# -- figures -----------------------------------------------------------------------------------------------------------


def figures(crm: CrmClient, world: World) -> tuple[Any, ...]:
    """Return what a contact and an account count and add up, wherever they are read; it is the same everywhere."""
    account, contact = world.ids["account"], world.ids["contact"]
    of_account: Any = crm.accounts.get(account), crm.accounts.list(limit=200).items, list(crm.objects.scan("account"))
    of_contact: Any = crm.contacts.get(contact), crm.contacts.list(limit=200).items, list(crm.objects.scan("contact"))
    seen = set[tuple[Any, ...]]()
    for one, *many in (of_account, of_contact):
        for found in (one, *(next(each for each in few if each.id == one.id) for few in many)):
            names = ("open_deal_count", "open_deal_value", "contact_count", "total_deals", "total_value", "open_deals")
            seen.add(tuple(getattr(found, name, None) for name in names))
    first, second = sorted(seen, key=lambda one: one[0] is None)
    return first[0], first[1], first[2], second[3], second[4], second[5]


def test_a_record_counts_what_its_reader_may_read(world: World, narrow: CrmClient, me: str) -> None:
    admin, ids = world.admin, world.ids
    admin.accounts.update(ids["account"], {"owner_id": me})
    admin.contacts.update(ids["contact"], {"owner_id": me})
    value: Any = Decimal(AMOUNTS["deal"])
    assert figures(admin, world) == (1, value, 1, 1, value, 1)
    assert figures(narrow, world) == (0, 0, 1, 0, 0, 0)
    ten: Any = 10
    mine = narrow.deals.create({"title": "Mine", "value": 10, "contact_id": ids["contact"]})
    assert figures(narrow, world) == (1, 10, 1, 1, 10, 1)
    assert figures(admin, world) == (2, value + 10, 1, 2, value + 10, 2)
    assert narrow.contacts.list(account_id=ids["account"], sort="total_value").items[0].total_value == 10
    assert narrow.accounts.contacts.list(ids["account"]).items[0].total_value == 10
    rich: Any = {"filter_groups": [{"filters": [{"field": "total_value", "op": "gt", "value": 1_000}]}]}
    assert ids["contact"] not in [one.id for one in narrow.contacts.search(rich)]
    assert ids["contact"] in [one.id for one in admin.contacts.search(rich)]
    rollup = narrow.accounts.hierarchy(ids["account"]).rollup
    assert (rollup.open_deals, rollup.open_value) == (1, ten)
    admin.deals.update(mine.id, {"owner_id": "user_ada"})
    assert figures(narrow, world) == (0, 0, 1, 0, 0, 0)


@pytest.mark.parametrize("sort", ["open_deal_value", "won_value"])
def test_a_list_is_sorted_by_what_it_shows(world: World, narrow: CrmClient, me: str, sort: Any) -> None:
    for account in world.admin.accounts.list(limit=30).items:
        world.admin.accounts.update(account.id, {"owner_id": me})
    deal = next(one for one in world.admin.deals.list(status="won", limit=200) if one.account_id)
    world.admin.deals.update(deal.id, {"owner_id": me})
    world.admin.accounts.update(str(deal.account_id), {"owner_id": me})
    narrow.deals.create({"title": "Mine", "value": 7, "account_id": narrow.accounts.list().items[0].id})
    shown = [getattr(one, sort) for one in narrow.accounts.list(limit=200, sort=sort, order="desc").items]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] > 0


def changed(crm: CrmClient, cursor: str) -> dict[str, Any]:
    """Return the changes since a position, by the entity of their records."""
    return {one.entity.type: one for one in crm.changes.list(cursor=cursor, include=["changes"]).items}


def test_another_owner_of_a_deal_is_a_change_of_what_counts_it(world: World, narrow: CrmClient, me: str) -> None:
    admin, ids = world.admin, world.ids
    admin.accounts.update(ids["account"], {"owner_id": me})
    admin.contacts.update(ids["contact"], {"owner_id": me})
    cursor, of_admin = (crm.changes.list(start="now", limit=0).cursor for crm in (narrow, admin))
    admin.deals.update(ids["deal"], {"owner_id": me})
    told = changed(narrow, cursor)
    assert told["deal"].change == "access_gained"
    account, contact = (told[kind] for kind in ("account", "contact"))
    assert [(one.change, one.changes) for one in (account, contact)] == [("updated", [])] * 2
    value = Decimal(AMOUNTS["deal"])
    assert (account.record.open_deal_value, contact.record.total_value) == (value, value)
    assert "account" not in {one.entity.type for one in admin.changes.list(cursor=of_admin).items}
    cursor = narrow.changes.list(start="now", limit=0).cursor
    admin.deals.update(ids["deal"], {"owner_id": "user_ada"})
    admin.deals.update(ids["deal"], {"value": 999})
    told = changed(narrow, cursor)
    assert told["account"].record.open_deal_value == 0
    assert "999" not in str(told)


def test_a_share_counts(world: World, narrow: CrmClient, me: str) -> None:
    admin, ids = world.admin, world.ids
    admin.accounts.update(ids["account"], {"owner_id": me})
    cursor = narrow.changes.list(start="now", limit=0).cursor
    share = admin.collaboration.shares.create(
        {"entity": {"type": "deal", "id": ids["deal"]}, "subject_type": "user", "subject_id": me}
    )
    assert narrow.accounts.get(ids["account"]).open_deal_count == 1
    told = changed(narrow, cursor)
    assert told["account"].record.open_deal_count == 1
    admin.collaboration.shares.delete(share.id)
    assert narrow.accounts.get(ids["account"]).open_deal_count == 0
    with pytest.raises(ApiError):
        narrow.deals.get(ids["deal"])


# -- conversations -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["own", "team"])
def reader(stub: StubServer, request: pytest.FixtureRequest) -> CrmClient:
    """A user in no team, who reads contacts, leads and conversations in the narrower scopes."""
    crm = stub.client(dialects="platform")
    words = ("contacts", "leads", "conversations")
    narrow: Any = [{"resource": word, "action": "read", "scope": request.param} for word in words]
    crm.security.roles.create({"key": "reader", "name": "Reader", "permissions": narrow})
    crm.users.create({"email": "reader@acme.test", "name": "R", "role": "reader", "password": PASSWORD})
    client = stub.client(api_key=None, dialects="platform", max_retries=0)
    client.auth.login("reader@acme.test", PASSWORD)
    return client


def test_a_conversation_is_nobodys_and_read_in_every_scope(stub: StubServer, reader: CrmClient) -> None:
    """It has no owner of its own; the contacts of others stay unseen."""
    admin = stub.client(dialects="platform")
    there = {one.id for one in admin.objects.scan("conversation")}
    assert there and {one.id for one in reader.objects.scan("conversation")} == there
    contacts = list(admin.contacts.list())
    assert contacts and {one.id for one in reader.contacts.list()} < {one.id for one in contacts}
