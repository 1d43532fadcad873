"""The achievements there are, what they ask for, and what a new one says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from stub_data import some, stored

from server_stub import StubServer
from server_stub.timetable import system_call

GOALS = (
    ("achievement_123", "First Sale", "Closed your first deal", "sales", "common", 1),
    ("achievement_dealmaker", "Dealmaker", "Closed 5 deals", "sales", "uncommon", 5),
    ("achievement_closer", "Closer", "Closed 25 deals", "sales", "epic", 25),
    ("achievement_big_fish", "Big Fish", "Won a deal worth 25,000 or more", "sales", "rare", 1),
    ("achievement_revenue", "Six Figures", "Won deals worth 100,000", "sales", "rare", 100_000),
    ("achievement_million", "Millionaire", "Won deals worth 1,000,000", "sales", "legendary", 1_000_000),
    ("achievement_first_lead", "Door Opener", "Took on your first lead", "leads", "common", 1),
    ("achievement_hunter", "Hunter", "Took on 50 leads", "leads", "uncommon", 50),
    ("achievement_qualifier", "Qualifier", "Qualified 10 leads", "leads", "uncommon", 10),
    ("achievement_converter", "Converter", "Converted 10 leads", "leads", "rare", 10),
    ("achievement_networker", "Networker", "Looks after 25 contacts", "relationships", "uncommon", 25),
    ("achievement_trusted", "Trusted", "Keeps 10 relationships in high health", "relationships", "rare", 10),
    ("achievement_talker", "Conversationalist", "Had 50 conversations", "activity", "uncommon", 50),
    ("achievement_caller", "On the Line", "Made 20 calls", "activity", "common", 20),
    ("achievement_assisted", "Assisted", "Gave an AI agent its first task", "ai", "common", 1),
    ("achievement_delegator", "Delegator", "Gave AI agents 25 tasks", "ai", "rare", 25),
    ("achievement_connected", "Well Connected", "Connected 5 integrations", "system", "uncommon", 5),
)
POINTS = {"common": 50, "uncommon": 100, "rare": 200, "epic": 400, "legendary": 800}


def progress(stub: StubServer) -> dict[str, Any]:
    found = stub.client(dialects="mvp", max_retries=0).achievements.list()
    return {one.id: (one.progress.current, one.unlocked_at) for one in found.achievements}


def test_the_goals_and_their_points(stub: StubServer) -> None:
    found = stub.client(dialects="mvp", max_retries=0, strict=True).achievements.list()
    shown = [(a.id, a.title, a.description, a.category, a.rarity, a.progress.target) for a in found.achievements]
    assert shown == list(GOALS)
    reached = [one for one in found.achievements if one.unlocked_at is not None]
    assert found.progress.total_unlocked == len(reached) and found.progress.total_available == 17
    assert found.progress.points == sum(POINTS[one.rarity] for one in reached)
    for one in found.achievements:
        now = one.progress
        assert now.percentage == now.current * 100 // now.target and (now.current == now.target) == (one in reached)


def test_deals_count_by_their_worth_in_the_companys_currency(stub: StubServer) -> None:
    crm: Any = stub.client(dialects="platform", max_retries=0)
    before = progress(stub)
    assert (before["achievement_big_fish"], before["achievement_revenue"][0]) == ((0, None), 41_500)
    small = crm.deals.create({"title": "Small", "value": 24_999.99})
    crm.deals.move_stage(small.id, "closed-won")
    assert progress(stub)["achievement_big_fish"] == (0, None)
    assert progress(stub)["achievement_revenue"] == (66_499, None)
    start = len(stub.store.collection("tenant_acme", "notification"))
    big = crm.deals.create({"title": "Big", "value": 33_501, "owner_id": "user_ada"})
    crm.deals.move_stage(big.id, "closed-won")
    won = stub.store.collection("tenant_acme", "deal").get(big.id)
    assert won is not None
    after = progress(stub)
    assert after["achievement_big_fish"] == (1, won["closed_at"])
    assert after["achievement_revenue"] == (100_000, won["closed_at"]) and after["achievement_million"][0] == 100_000
    assert after["achievement_closer"][0] == before["achievement_closer"][0] + 2
    told = [
        one
        for one in stub.store.collection("tenant_acme", "notification").all()[start:]
        if "Achievement" in one["title"]
    ]
    names = ("user_id", "type", "title", "message", "priority", "action_url")
    assert [tuple(one[name] for name in names) for one in told] == [
        ("user_ada", "system", f"Achievement unlocked: {title}", f"{text}. That is worth 200 points.", "low",
         "/achievements")
        for title, text in (("Big Fish", "Won a deal worth 25,000 or more"), ("Six Figures", "Won deals worth 100,000"))
    ]  # fmt: skip
    assert [one["metadata"] for one in told] == [
        {"achievementId": id, "rarity": "rare"} for id in ("achievement_big_fish", "achievement_revenue")
    ]
    assert {one["expires_at"] - one["created_at"] for one in told} == {timedelta(days=30)}
    crm.deals.update(big.id, {"value": 33_502})  # by which it counts again
    another = crm.deals.create({"title": "Big", "value": 30_000, "owner_id": "user_ada"})
    crm.deals.move_stage(another.id, "closed-won")
    notes = stub.store.collection("tenant_acme", "notification").all()[start:]
    assert sorted(one["title"] for one in notes if "Achievement" in one["title"]) == [
        "Achievement unlocked: Big Fish", "Achievement unlocked: Six Figures",
    ]  # fmt: skip


def test_what_counts_towards_each_goal(stub: StubServer) -> None:
    """A newcomer's first records: each counts for its owner alone, and what is planned not yet."""
    crm: Any = stub.client(dialects="platform", max_retries=0)
    sam = stub.client(api_key="acme-sales", dialects="mvp", max_retries=0)

    def counted() -> dict[str, int]:
        return {
            one.id.removeprefix("achievement_"): one.progress.current for one in sam.achievements.list().achievements
        }

    for kind in ("lead", "contact", "deal", "activity"):
        records = stub.store.collection("tenant_acme", kind)
        for doc in records.find("owner_id", "user_sam"):
            records.put(doc | {"owner_id": "user_mia"})
    names = ("first_lead", "hunter", "qualifier", "converter", "networker", "trusted", "talker", "caller")
    assert [counted()[name] for name in names] == [0] * 8
    own: Any = {"owner_id": "user_sam"}
    leads = [crm.leads.create({"name": name, **own}).id for name in "abc"]
    told = stub.store.collection("tenant_acme", "notification").find("title", "Achievement unlocked: Door Opener")
    assert [one["user_id"] for one in told] == ["user_sam"], "not who made it, and once"
    crm.leads.update(leads[0], {"status": "qualified"})
    crm.leads.convert(leads[1])
    assert [counted()[name] for name in names] == [1, 3, 2, 1, 1, 0, 0, 0]
    person = crm.contacts.create({"name": "P", **own}).id
    for health in ("high", "medium"):
        stored(stub, "contact", person, relationship_health=health)
        assert [counted()[name] for name in names[4:6]] == [2, int(health == "high")]
    now, hour = stub.clock.now(), timedelta(hours=1)
    crm.activities.calls.create({"title": "c", "contact_id": person, "start_time": now - hour, **own})
    crm.activities.calls.create({"title": "c", "contact_id": person, "start_time": now + hour, **own})
    crm.activities.notes.create({"body": "n", "contact_id": person, **own})
    crm.activities.events.create({"title": "e", "start_time": now - hour, "end_time": now, **own})
    crm.activities.tasks.create({"title": "t", "due_at": now - hour, **own})
    mail: Any = {"subject": "m", "to": [{"email": "a@x.example"}], "sent_at": now - hour, **own}
    crm.activities.emails.create(mail)
    assert [counted()[name] for name in names[6:]] == [4, 1]


def test_a_goal_is_reached_at_the_time_of_the_step_that_reaches_it(stub: StubServer) -> None:
    """Of each record that is the time at which it became what counts, as far as that is known."""
    sam = stub.client(api_key="acme-sales", dialects="mvp", max_retries=0)
    now, hour = stub.clock.now(), timedelta(hours=1)
    first, second, third = (now - n * hour for n in (3, 2, 1))
    goals: list[tuple[str, str, int, dict[str, Any], list[tuple[dict[str, Any], Any]]]] = [
        ("qualifier", "lead", 10, {"status": "qualified"}, [
            ({"qualification": {"qualified_at": first}, "converted_at": second, "updated_at": third}, first),
            ({"qualification": {"qualified_at": None}, "converted_at": second, "updated_at": third}, second),
            ({"qualification": None, "converted_at": None, "updated_at": third}, third),
            ({"status": "new"}, None), ({"status": "converted", "converted_at": second}, second)]),
        ("converter", "lead", 10, {"status": "converted"}, [
            ({"converted_at": second, "updated_at": third}, second),
            ({"converted_at": None, "updated_at": third}, third), ({"status": "qualified"}, None)]),
        ("first_lead", "lead", 1, {"status": "new"}, [({"created_at": second}, second)]),
        ("hunter", "lead", 50, {"status": "new"}, [({"created_at": third, "updated_at": now}, third)]),
        ("trusted", "contact", 10, {"relationship_health": "high"}, [
            ({"last_contact": third, "created_at": first}, third), ({"last_contact": None, "created_at": first}, first),
            ({"relationship_health": "medium"}, None)]),
        ("networker", "contact", 25, {}, [({"created_at": second}, second)]),
        ("123", "deal", 1, {"status": "won"}, [({"closed_at": second}, second), ({"status": "lost"}, None)]),
        ("closer", "deal", 25, {"status": "won"}, [({"closed_at": third}, third), ({"status": "open"}, None)]),
        ("caller", "activity", 20, {"kind": "call"}, [
            ({"occurred_at": first, "start_time": second, "created_at": third}, first),
            ({"occurred_at": None, "start_time": second, "created_at": third}, second),
            ({"occurred_at": None, "start_time": None, "created_at": third}, third),
            ({"occurred_at": now + hour}, None), ({"kind": "note"}, None)]),
        ("connected", "integration", 5, {"status": "connected"}, [
            ({"connected_at": second, "created_at": third}, second),
            ({"connected_at": None, "created_at": third}, third), ({"status": "error"}, None)]),
        ("delegator", "audit", 25, {"action": "agent.completed"}, [
            ({"occurred_at": second, "actor": {"id": "user_sam"}}, second),
            ({"occurred_at": third, "actor": {"id": "apikey_acme_sales"}}, third),
            ({"occurred_at": third, "actor": {"id": "user_mia"}}, None)]),
    ]  # fmt: skip
    early: dict[str, Any] = dict.fromkeys(
        ("created_at", "updated_at", "converted_at", "closed_at", "last_contact", "occurred_at", "start_time",
         "connected_at"), now - 100 * hour
    )  # fmt: skip
    stub.client(dialects="platform", max_retries=0).contacts.create({"name": "Of which the trail tells"})
    fresh = stub.snapshot()
    for goal, kind, target, members, lasts in goals:
        for last, at in lasts:
            stub.restore(fresh)
            records = stub.store.collection("tenant_acme", kind)
            base = some(records.first())
            for doc in records.all() if kind != "audit" else ():
                records.remove(doc["id"])
            own: dict[str, Any] = {"owner_id": "user_sam", "qualification": None, "actor": {"id": "user_sam"}}
            for number in range(target - 1):
                records.put(base | own | early | members | {"id": f"{base['id']}x{number}"})
            records.put(base | own | early | members | last | {"id": f"{base['id']}xlast"})
            (found,) = [one for one in sam.achievements.list().achievements if one.id == f"achievement_{goal}"]
            reached = target if at is not None else target - 1
            assert (found.progress.current, found.unlocked_at) == (reached, at), (goal, last)
            assert found.progress.percentage == 100 * reached // target


def test_what_nobody_has_and_nobody_did_is_nobodys_achievement(stub: StubServer) -> None:
    told = stub.store.collection("tenant_acme", "notification")
    lead = stub.client(dialects="platform").leads.create({"name": "Nobody's"}).id
    before, doc = len(told), stored(stub, "lead", lead, owner_id=None)
    system_call(stub, "tenant_acme", stub.clock.now(), "leads.create").emit("lead.created", "lead", doc)
    assert len(told) == before
    assert all("None" not in one["id"] for one in stub.store.collection("tenant_acme", "unlocked"))
