"""What is hidden is nowhere: in no answer, event, export, search or change, nor copied, added up or put into words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from newcomers import PASSWORD
from wire import CHANNELS, opened

import crm_sdk.models
from crm_sdk import ApiError, CrmClient
from server_stub import StubServer
from server_stub.request.access import copies

from .canaries import ENTITIES, MARK, World, asked, every_permission, hidden_members, make, pattern, spread

KINDS = [pytest.param(one, marks=[pytest.mark.thorough] if one in ("lead", "account") else []) for one in ENTITIES]
FEEDS = ("deals", "messages", "contacts", "calendar", "notifications")


@pytest.fixture(scope="module")
def marked_data() -> Iterator[tuple[StubServer, dict[str, str], Any]]:
    with StubServer() as stub:
        crm = stub.client(dialects="platform", max_retries=0)
        ids = make(crm)
        spread(crm, ids)
        stub.clock.advance(3600)
        yield stub, ids, stub.snapshot()


@pytest.fixture
def world(marked_data: tuple[StubServer, dict[str, str], Any], entity: str) -> World:
    """Return the data, and somebody from whom everything of an entity is hidden."""
    stub, ids, start = marked_data
    stub.restore(start)
    admin = stub.client(dialects="platform", max_retries=0)
    hidden = hidden_members(stub, entity)
    role: Any = {"key": "blind", "name": "Blind", "permissions": every_permission(), "field_permissions": hidden}
    admin.security.roles.create(role)
    admin.users.create({"email": "blind@acme.test", "name": "Blind", "role": "blind", "password": PASSWORD})
    login = stub.client(api_key=None, dialects="platform").auth.login("blind@acme.test", PASSWORD)
    return World(stub, ids, {"authorization": f"Bearer {login.access_token}"})


@pytest.fixture
def blind(world: World) -> CrmClient:
    client = world.stub.client(api_key=None, dialects="platform", max_retries=0)
    client.auth.login("blind@acme.test", PASSWORD)
    return client


def around(found: re.Match[bytes], content: bytes) -> bytes:
    return content[max(0, found.start() - 200) : found.end() + 20]


@pytest.mark.thorough
@pytest.mark.parametrize("entity", KINDS)
def test_nothing_hidden_is_in_any_answer_to_a_get(world: World, entity: str) -> None:
    hidden, answered = pattern(entity), set[str]()
    for operation, status, content in asked(world, entity):
        assert status < 500, (operation.id, content)
        answered |= {operation.id} if status == 200 else set()
        found = hidden.search(content.replace(f'{MARK}{entity}"'.encode(), b'"')) if status == 200 else None
        assert found is None, (operation.id, around(found, content))
    assert len(answered) > 160


@pytest.mark.parametrize("entity", ["contact"])
def test_the_marks_are_in_many_answers_to_somebody_who_may_see_them(world: World, entity: str) -> None:
    world.headers = {"authorization": "Bearer acme-admin"}
    found = {operation.id for operation, _, content in asked(world, entity) if pattern(entity).search(content)}
    assert len(found) > 25, found


def answers(crm: CrmClient, entity: str, ids: dict[str, str]) -> Iterator[Callable[[], Any]]:
    """Yield calls that are no GET, and the files that are made for the caller."""
    kind: Any = entity
    asked: Any = {"entity_types": [entity]}
    everything: Any = {"q": MARK, "limit": 100}
    yield lambda: crm.search.advanced({"q": MARK}, types=[kind]).items
    yield lambda: crm.search.query(**everything)
    yield lambda: crm.search.faceted(type=kind, **everything)
    yield lambda: crm.search.faceted(type=kind)
    for suggest in (crm.search.autocomplete, crm.search.suggestions):
        yield lambda suggest=suggest: suggest(q=MARK)  # type: ignore[misc] # a call of either
    yield lambda: crm.objects.batch_get(entity, [ids.get(entity, ids["record"])])
    yield lambda: crm.objects.describe(entity)
    yield lambda: crm.changes.list(entity_types=[entity], fold=False, include=["changes"])
    for kind_of_file in ("csv", "jsonl"):
        yield lambda form=kind_of_file: crm.files.download(  # type: ignore[misc] # a format each
            crm.exports.create(asked | {"format": form, "labels": True}).wait().file_id
        ).read()
    if entity == "contact":
        yield lambda: crm.contacts.search({"limit": 100}).items
        yield lambda: crm.contacts.export(format="csv").read()
    if entity == "subscription":
        yield lambda: crm.custom_objects.records.search(entity, {"limit": 100}).items


@pytest.mark.parametrize("entity", KINDS)
def test_nothing_hidden_is_in_searches_exports_and_changes(world: World, blind: CrmClient, entity: str) -> None:
    done = 0
    for ask in answers(blind, entity, world.ids):
        try:
            answer = ask()
        except ApiError as error:
            answer = error
        else:
            done += 1
        content = answer if isinstance(answer, bytes) else str(answer).encode()
        assert pattern(entity).search(content) is None, content[:2000]
    assert done >= 8


@pytest.mark.parametrize("entity", KINDS)
def test_nothing_hidden_is_in_events(world: World, blind: CrmClient, entity: str) -> None:
    """On the stream, and on the channels of a user; a copy of the records is made anew, so that all is told again."""
    user = blind.auth.userinfo().sub
    with (
        opened(world.stub, "/ws?resume=1", world.headers) as plain,
        opened(world.stub, CHANNELS, world.headers) as wire,
    ):
        for name in FEEDS:
            wire.join(f"user:{user}:{name}")
        admin = world.admin
        for kind, id in world.ids.items():
            if kind in ("contact", "lead", "deal", "account", "task", "event"):
                service = admin.activities if kind in ("task", "event") else getattr(admin, f"{kind}s")
                text: Any = {
                    "title" if kind in ("deal", "task", "event") else "name": f"{MARK}{kind}new",
                    "owner_id": user,
                }
                service.update(id, text)
        fields: Any = {"fields": {"name": f"{MARK}subscriptionnew"}}
        admin.custom_objects.records.update("subscription", world.ids["record"], fields)
        admin.deals.move_stage(world.ids["deal"], "closed-won")
        admin.collaboration.comments.create({"entity": {"type": "deal", "id": world.ids["deal"]}, "body": "hello"})
        world.stub.clock.advance(5)
        told = [*plain.all(), *wire.all()]
    assert len(told) > 15
    for message in told:
        assert pattern(entity).search(str(message).encode()) is None, message


def test_what_is_said_of_copies_is_of_members_that_there_are(stub: StubServer) -> None:
    known = {kind: noun.model for kind, noun in stub.nouns.items()}
    for name, member, sources in copies.named_members():
        model = known[name] if name in known else getattr(crm_sdk.models, name)
        assert member is None or member in model.model_fields, (name, member)
        for source in sources:
            entity, _, field = source.partition(".")
            assert field == "*" or field in known[entity].model_fields, source
