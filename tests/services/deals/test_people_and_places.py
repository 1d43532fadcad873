"""Who a deal is with and where it is: what a change of one member makes of the others, in exact values."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from server_stub import StubServer
from server_stub.clock import TICK

from .conftest import STAGES, Make

SECOND = timedelta(seconds=1)


def people(deal: Any) -> tuple[Any, ...]:
    roles = {one.contact_id: (str(one.role), one.is_primary) for one in deal.contact_roles}
    return deal.contact_id, deal.contact_name, deal.account_id, deal.company, roles


def test_the_account_is_the_contacts_unless_another_is_given(platform: CrmClient, make: Make) -> None:
    firm, other = (platform.accounts.create({"name": name}).id for name in ("Firm", "Other"))
    ada = platform.contacts.create({"name": "Ada", "account_id": firm}).id
    bob = platform.contacts.create({"name": "Bob", "company": "Bobs"}).id
    main = {ada: ("other", True)}
    update: Any = platform.deals.update
    for given, changes, wanted in (
        ({}, {}, (None, None, None, None, {})),
        ({"contact_name": "Zoe", "company": "Zoes"}, {}, (None, "Zoe", None, "Zoes", {})),
        ({"contact_id": ada}, {}, (ada, "Ada", firm, "Firm", main)),
        ({"contact_id": bob}, {}, (bob, "Bob", None, "Bobs", {bob: ("other", True)})),
        ({"contact_id": ada, "account_id": other}, {}, (ada, "Ada", other, "Other", main)),
        ({"contact_id": ada, "account_id": None}, {}, (ada, "Ada", None, "Firm", main)),
        ({"account_id": other, "contact_name": "Zoe"}, {}, (None, "Zoe", other, "Other", {})),
        ({"contact_id": ada}, {"title": "x"}, (ada, "Ada", firm, "Firm", main)),
        ({"contact_id": ada}, {"contact_id": ada, "contact_name": "Ada", "account_id": firm},
         (ada, "Ada", firm, "Firm", main)),
        ({"contact_id": ada}, {"contact_id": bob}, (bob, "Bob", None, "Bobs", {bob: ("other", True)})),
        ({"contact_id": ada}, {"contact_id": None}, (None, None, None, None, {})),
        ({"contact_id": ada}, {"account_id": None}, (ada, "Ada", None, "Firm", main)),
        ({"contact_id": ada}, {"account_id": other}, (ada, "Ada", other, "Other", main)),
        ({"contact_id": ada, "account_id": other}, {"contact_id": bob, "account_id": other},
         (bob, "Bob", None, "Bobs", {bob: ("other", True)})),
        ({"contact_id": bob}, {"contact_id": ada, "account_id": other}, (ada, "Ada", other, "Other", main)),
        ({"contact_name": "Zoe", "company": "Zoes"}, {"company": "Z"}, (None, "Zoe", None, "Z", {})),
        ({"contact_name": "Zoe", "company": "Zoes"}, {"account_id": other}, (None, "Zoe", other, "Other", {})),
        ({"account_id": other}, {"account_id": None}, (None, None, None, None, {})),
        ({"account_id": other}, {"account_id": None, "company": "New"}, (None, None, None, "New", {})),
    ):  # fmt: skip
        deal = make(**given)
        if changes:
            deal = update(deal.id, changes)
        assert people(deal) == wanted, (given, changes)


def test_roles_follow_the_primary_contact_and_it_them(platform: CrmClient, make: Make) -> None:
    ada, bob, eve = (platform.contacts.create({"name": name}).id for name in ("Ada", "Bob", "Eve"))
    update: Any = platform.deals.update

    def role(id: str, role: str = "user", **more: Any) -> dict[str, Any]:
        return {"contact_id": id, "role": role, **more}

    both = {"contact_roles": [role(ada), role(bob, "champion")]}
    first = {ada: ("user", True), bob: ("champion", False)}
    for given, changes, contact, roles in (
        (both, {}, ada, first),
        ({"contact_roles": [role(ada), role(bob, "champion", is_primary=True)]}, {}, bob,
         {ada: ("user", False), bob: ("champion", True)}),
        ({**both, "contact_id": bob}, {}, bob, {ada: ("user", False), bob: ("champion", True)}),
        ({**both, "contact_id": eve}, {}, eve,
         {ada: ("user", False), bob: ("champion", False), eve: ("other", True)}),
        ({**both, "contact_id": None}, {}, None, {ada: ("user", False), bob: ("champion", False)}),
        (both, {"contact_roles": [role(eve)]}, ada, {eve: ("user", False), ada: ("other", True)}),
        (both, {"contact_roles": [role(eve, is_primary=True)]}, eve, {eve: ("user", True)}),
        (both, {"contact_roles": []}, ada, {ada: ("other", True)}),
        (both, {"contact_roles": [], "contact_id": None}, None, {}),
        (both, {"contact_roles": [role(eve, is_primary=True)], "contact_id": None}, None, {eve: ("user", False)}),
        (both, {"contact_id": eve}, eve, {ada: ("user", False), bob: ("champion", False), eve: ("other", True)}),
        (both, {"contact_id": bob}, bob, {ada: ("user", False), bob: ("champion", True)}),
        ({"contact_id": ada}, {"contact_id": bob}, bob, {bob: ("other", True)}),
        ({"contact_id": ada}, {"contact_id": None}, None, {}),
        (both, {"contact_id": None}, None, {ada: ("user", False), bob: ("champion", False)}),
        ({}, {"contact_roles": [role(bob)]}, bob, {bob: ("user", True)}),
    ):  # fmt: skip
        deal = make(**given)
        if changes:
            deal = update(deal.id, changes)
        assert (people(deal)[0], people(deal)[4]) == (contact, roles), (given, changes)
    deal = make(**both)
    two = [role(ada, is_primary=True), role(bob, is_primary=True)]
    for wrong in ({"contact_roles": two}, {"contact_id": eve, "contact_roles": [role(bob, is_primary=True)]}):
        (field,) = refused(partial(update, deal.id, wrong)).fields
        assert (field.field, field.rule) == ("contact_roles", "choice")
    unknown = refused(lambda: update(deal.id, {"contact_roles": [role(ada), role("contact_none")]}))
    assert unknown.fields[0].field == "contact_roles.1.contact_id"
    platform.contacts.delete(bob)
    assert people(update(deal.id, {"title": "x"}))[4] == {ada: ("user", True)}


def test_a_place_gives_a_deal_its_members_and_takes_others(
    platform: CrmClient, stub: StubServer, make: Make, pipe: Pipeline
) -> None:
    def placed(deal: Any) -> tuple[Any, ...]:
        return deal.stage, deal.status, deal.forecast_category, deal.lost_reason, deal.lost_notes, deal.won_reason

    deal, now = make(), stub.clock.now()
    assert placed(deal) == ("start", "open", "pipeline", None, None, None)
    move: Any = platform.deals.move_stage
    lost = move(deal.id, "lost", lost_reason="price", lost_notes="Dear")
    assert placed(lost) == ("lost", "lost", "omitted", "price", "Dear", None)
    assert lost.closed_at is not None and lost.stage_changed_at == lost.closed_at >= now
    won = move(deal.id, "won", won_reason="Good")
    assert placed(won) == ("won", "won", "closed", None, None, "Good")
    again = move(deal.id, "lost")
    assert placed(again) == ("lost", "lost", "omitted", None, None, None)
    opened = move(deal.id, "late", lost_reason="price", won_reason="Good")
    assert (placed(opened)[:2], opened.closed_at) == (("late", "open"), None)
    # a reason that is sent back as it was is not meant for the new stage
    won = platform.deals.update(make(stage="won", won_reason="Old").id, {"stage": "late", "won_reason": "Old"})
    assert placed(won) == ("late", "open", "commit", None, None, None)
    early = move(make().id, "won", closed_at=stub.clock.now() - SECOND)
    assert some(early.closed_at) < some(early.stage_changed_at)
    for more, allowed in ((TICK, True), (2 * TICK, False)):  # a clock may be five minutes ahead
        deal = make()
        edge = stub.clock.now() + timedelta(minutes=5) + more
        if allowed:
            assert move(deal.id, "won", closed_at=edge).closed_at <= stub.clock.now()
            continue
        (field,) = refused(partial(move, deal.id, "won", closed_at=edge)).fields
        assert (field.field, field.rule) == ("closed_at", "max")
    for stage, category, rule in (
        ("start", "best_case", None), ("start", "commit", None), ("start", "omitted", None),
        ("start", "closed", "choice"),
        ("won", "closed", None), ("won", "commit", "choice"), ("lost", "omitted", None), ("lost", "closed", "choice"),
    ):  # fmt: skip
        if rule is None:
            assert make(stage=stage, forecast_category=category).forecast_category == category
            continue
        (field,) = refused(partial(make, stage=stage, forecast_category=category)).fields
        assert (field.field, field.rule) == ("forecast_category", rule)
    kept = make(forecast_category="commit")
    assert platform.deals.update(kept.id, {"title": "x"}).forecast_category == "commit"
    assert platform.deals.update(kept.id, {"forecast_category": "commit", "stage": "won"}).forecast_category == "closed"


def test_an_amount_has_the_decimals_of_its_currency(platform: CrmClient, stub: StubServer, make: Make) -> None:
    rates = [{"currency": name, "rate": "2"} for name in ("EUR", "KWD", "BHD")]
    stored(stub, "tenant", "tenant_acme", currencies=rates)
    for currency, value, most in (
        ("USD", "1.05", None), ("USD", "1.005", 2), ("KWD", "1.005", None), ("KWD", "1.0005", 3), ("BHD", "1.5", None),
        ("EUR", "1.10", None), ("EUR", "1.001", 2),
    ):  # fmt: skip
        given: Any = {"value": Decimal(value), "currency": currency}
        if most is None:
            assert make(**given).value == Decimal(value)
            continue
        (field,) = refused(partial(make, **given)).fields
        assert (field.field, field.rule) == ("value", "format")
        assert field.message.endswith(f"amounts in this currency have at most {most} decimals")
    deal = make(value=Decimal("1.005"), currency="KWD")
    assert refused(lambda: platform.deals.update(deal.id, {"currency": "USD"})).fields[0].field == "value"
    assert platform.deals.update(deal.id, {"currency": "USD", "value": Decimal(1)}).currency == "USD"


def test_a_deal_that_comes_back_finds_a_place(platform: CrmClient, stub: StubServer) -> None:
    given: Any = {"name": "Gone", "stages": STAGES}
    pipe = platform.pipelines.create(given)
    deal: Any = {"title": "x", "pipeline_id": pipe.id, "stage": "middle"}
    closed: Any = {**deal, "stage": "won"}
    one, two = platform.deals.create(deal), platform.deals.create(closed)
    for made in (one, two):
        platform.deals.delete(made.id)
    stages = stub.store.collection("tenant_acme", "stage")
    for stage in stages.find("pipeline_id", pipe.id):
        if stage["key"] in ("middle", "won"):
            stages.remove(stage["id"])
    platform.objects.restore("deal", [one.id])
    back = platform.deals.get(one.id)
    assert (back.pipeline_id, back.stage, back.status, back.probability) == (pipe.id, "start", "open", 10)
    for stage in stages.find("pipeline_id", pipe.id):
        stages.remove(stage["id"])
    stub.store.collection("tenant_acme", "pipeline").remove(pipe.id)
    platform.objects.restore("deal", [two.id])
    back = platform.deals.get(two.id)
    assert (back.pipeline_id, back.stage, back.status) == ("pipeline_acme", "closed-won", "won")
    assert back.closed_at == two.closed_at


def test_who_won_makes_customers_of_those_who_take_part(platform: CrmClient, stub: StubServer, make: Make) -> None:
    def stages(*ids: str) -> list[str]:
        return [str(platform.contacts.get(id).lifecycle_stage) for id in ids]

    given: Any = ("lead", "customer", "evangelist", "other", "opportunity")
    ids = [platform.contacts.create({"name": stage, "lifecycle_stage": stage}).id for stage in given]
    deal = make(contact_id=ids[0], contact_roles=[{"contact_id": id} for id in ids])
    assert stages(*ids) == list(given), "an open deal makes none"
    platform.deals.move_stage(deal.id, "lost", lost_reason="price")
    assert stages(*ids) == list(given), "nor does a lost one"
    start = len(stub.audit())
    platform.deals.move_stage(deal.id, "won")
    assert stages(*ids) == ["customer", "customer", "evangelist", "other", "customer"]
    told = [one for one in stub.audit()[start:] if one["action"] == "contact.updated"]
    assert {one["entity"]["id"] for one in told} == {ids[0], ids[4]}
    for one in told:
        assert [(change["field"], change["after"]) for change in one["changes"]] == [("lifecycle_stage", "customer")]
    assert [platform.contacts.get(id).total_deals for id in ids] == [1] * 5
    platform.deals.update(deal.id, {"contact_roles": [{"contact_id": ids[0]}]})
    assert [platform.contacts.get(id).total_deals for id in ids] == [1, 0, 0, 0, 0], "those that took part before"
    platform.deals.delete(deal.id)
    assert platform.contacts.get(ids[0]).total_deals == 0
