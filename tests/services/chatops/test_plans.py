"""What commands plan: the writes with their values, what would change, and what is said of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import ChatMessage
from server_stub import StubServer
from server_stub.services.chatops.tokens import amount_of, plain, tokens

# A text; then the action and the entity, the values, what they were before; {eva} and the like are ids
PLANNED: list[tuple[str, str, dict[str, Any], list[Any]]] = [
    ("/set {eva} title=Head of all do_not_contact=yes tags=a, b ,", "update contact",
     {"title": "Head of all", "doNotContact": True, "tags": ["a", "b"]}, [None, False, []]),
    ("/set {eva} do_not_contact=maybe", "update contact", {"doNotContact": "maybe"}, [False]),
    ('/set Eva Plan title="Big boss"', "update contact", {"title": "Big boss"}, [None]),
    ("/set {eva} phone=none tags=-", "update contact", {"phone": None, "tags": None}, ["+4930901820", []]),
    ("/set {eva} nextFollowUp=tomorrow 10:00", "update contact", {"nextFollowUp": "2026-01-16T15:00:00Z"}, [None]),
    ("/set {eva} next_follow_up=tomorrow", "update contact", {"nextFollowUp": "2026-01-16T05:00:00Z"}, [None]),
    ("/set {eva} birthday=today", "update contact", {"birthday": "2026-01-15"}, [None]),
    ("/set {eva} birthday=nonsense", "update contact", {"birthday": "nonsense"}, [None]),
    ("/set {eva} owner=Sam", "update contact", {"ownerId": "user_sam"}, ["user_ada"]),
    ("/set {eva} custom_fields.tier=gold customFields.size=5", "update contact",
     {"customFields": {"tier": "gold", "size": "5"}}, [None, None]),
    ("/set {deal} value=2.5k probability_override=50", "update deal",
     {"value": 2500, "probabilityOverride": 50}, [100, None]),
    ("/set {deal} value=x", "update deal", {"value": "x"}, [100]),
    ("/create task title=Do due_at=friday 10:00", "create activity",
     {"title": "Do", "dueAt": "2026-01-16T15:00:00Z"}, []),
    ("/create event title=M start_time=tomorrow 10:00", "create activity",
     {"title": "M", "startTime": "2026-01-16T15:00:00Z"}, []),
    ("/create note body=Hi", "create activity", {"body": "Hi"}, []),
    ("/create lead name=Lea value=1k", "create lead", {"name": "Lea", "value": 1000}, []),
    ("/create deal title=D expected_close_date=next month", "create deal",
     {"title": "D", "expectedCloseDate": "2026-02-01"}, []),
    ("/move {deal} proposal", "update deal", {"stage": "proposal"}, ["prospect"]),
    ("/move {deal} to Closed Won", "update deal", {"stage": "closed-won"}, ["prospect"]),
    ("/move Big Zed nach proposal", "update deal", {"stage": "proposal"}, ["prospect"]),
    ("/done {task}", "update activity", {"status": "completed"}, ["not_started"]),
    ("/done Ring Zed", "update activity", {"status": "completed"}, ["not_started"]),
    ("/assign Eva Plan to sam@acme.test", "update contact", {"ownerId": "user_sam"}, ["user_ada"]),
    ("/assign {task} to Sam", "update activity", {"ownerId": "user_sam"}, ["user_ada"]),
    ("/log call on {eva}: Talked long", "create activity",
     {"title": "Talked long", "description": "Talked long", "status": "completed", "contactId": "{eva}"}, []),
    ("/log note on Big Zed: hi there", "create activity", {"body": "hi there", "dealId": "{deal}"}, []),
    ("/log anruf zu {eva}: x", "create activity",
     {"title": "x", "description": "x", "status": "completed", "contactId": "{eva}"}, []),
]  # fmt: skip
UNPLANNED = """
/set {eva} do_not_contact=nein -> update contact | Nothing would change
/set {eva} customFields.tier= -> update contact | Nothing would change
/assign {eva} to me -> assign contact | Nothing would change
/set {eva} owner=nobody -> unknown None | There is no user nobody
/set {eva} nonsense=1 -> unknown None | contacts have no member nonsense
/set {eva} id=x -> unknown None | contacts have no member id
/set {eva} health_score=5 -> unknown None | contacts have no member health_score
/set nobody title=x -> update None | Nothing was found for nobody
/set {eva} -> unknown None | This command is written /set <id> field=value …
/set title=x -> unknown None | This command is written /set <id> field=value …
/create user name=x -> unknown None | This command is written /create <entity> field=value …
/create thing name=x -> unknown None | This command is written /create <entity> field=value …
/create deal -> unknown None | This command is written /create <entity> field=value …
/move {deal} nowhere -> unknown None | No deal has nowhere
/move {deal} -> unknown None | This command is written /move <deal> <stage>
/move nobody proposal -> move None | Nothing was found for nobody
/done {eva} -> complete None | Nothing was found for {eva}
/done {call} -> unknown None | Talk Zed cannot be the record of this command
/assign {eva} sam -> unknown None | This command is written /assign <id> to <user>
/assign {eva} to -> unknown None | This command is written /assign <id> to <user>
/assign to sam -> unknown None | This command is written /assign <id> to <user>
/log mail on {eva}: y -> unknown None | This command is written /log call|note on <record>: text
/log note on {eva}: -> unknown None | This command is written /log call|note on <record>: text
/log call on {task}: y -> log None | Nothing was found for {task}
/schedule 30 with nobody -> schedule None | Nothing was found for nobody
/schedule x with Eva Plan -> unknown None | This command is written /schedule <minutes> with <contact> [when]
/schedule 1000 with Eva Plan -> unknown None | This command is written /schedule <minutes> with <contact> [when]
/schedule 30 with Eva Plan 25:00 -> schedule None | Nothing was found for Eva Plan 25:00
/schedule 30 with Eva Plan in x days -> schedule None | Nothing was found for Eva Plan in x days
"""
NOW = "2026-01-15T09:00"
TIMES: dict[str, tuple[str, ...]] = {
    "": (),
    "today 14:00": ("2026-01-15T19:00:00Z",),
    "at 14:00": ("2026-01-15T19:00:00Z",),
    "on thursday at 10:15": ("2026-01-15T15:15:00Z",),
    "monday 9:05": ("2026-01-19T14:05:00Z",),
    "morgen um 8:00": ("2026-01-16T13:00:00Z",),
    "mañana 10:00": ("2026-01-16T15:00:00Z",),
    "hoy 14:00": ("2026-01-15T19:00:00Z",),
    "el 2026-02-03 10:00": ("2026-02-03T15:00:00Z",),
    "2026-02-03T11:00": ("2026-02-03T16:00:00Z",),
    "2026-02-03T11:00:00Z": ("2026-02-03T11:00:00Z",),
    "today": (NOW, "2026-01-16T05:00:00Z"),
    "tomorrow": ("2026-01-16T05:00:00Z", "2026-01-17T05:00:00Z"),
    "friday": ("2026-01-16T05:00:00Z", "2026-01-17T05:00:00Z"),
    "on friday": ("2026-01-16T05:00:00Z", "2026-01-17T05:00:00Z"),
    "in 3 tagen": ("2026-01-18T05:00:00Z", "2026-01-19T05:00:00Z"),
    "en 2 dias": ("2026-01-17T05:00:00Z", "2026-01-18T05:00:00Z"),
    "in 0 days": (NOW, "2026-01-16T05:00:00Z"),
    "this week": (NOW, "2026-01-19T05:00:00Z"),
    "next month": ("2026-02-01T05:00:00Z", "2026-03-01T05:00:00Z"),
    "2026-02-03": ("2026-02-03T05:00:00Z", "2026-02-04T05:00:00Z"),
}


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def ids(acme: CrmClient) -> dict[str, str]:
    return {
        "eva": acme.contacts.create({"name": "Eva Plan", "phone": "+4930901820"}).id,
        "deal": acme.deals.create({"title": "Big Zed", "value": 100}).id,
        "task": acme.activities.tasks.create({"title": "Ring Zed"}).id,
        "call": acme.activities.calls.create({"title": "Talk Zed"}).id,
    }


def whole(value: Any, ids: dict[str, str]) -> Any:
    return value.format(**ids) if isinstance(value, str) else value


def intent(answer: ChatMessage) -> str:
    assert answer.intent is not None
    return f"{answer.intent.name} {answer.intent.entity}"


def test_what_commands_plan(acme: CrmClient, ids: dict[str, str]) -> None:
    for text, what, values, before in PLANNED:
        answer = acme.chatops.send(whole(text, ids))
        plan = answer.plan
        assert plan is not None and plan.status == "pending", (text, answer.text)
        (operation,) = plan.operations
        action, entity = what.split()
        assert (operation.action, operation.entity) == (action, entity), text
        assert operation.values == {name: whole(value, ids) for name, value in values.items()}, text
        assert (operation.version is None) is (operation.id is None) is (action == "create"), text
        assert [one.before for one in plan.changes] == before, text
        assert f"This would {plan.summary}. Confirm it?" == answer.text and answer.suggestions == []
        assert plan.summary.startswith("create " if action == "create" else "change "), plan.summary
        if action == "update":
            assert answer.total == len(answer.records) == 1 and answer.records[0].id == operation.id
            assert answer.intent is not None and answer.intent.arguments == {"id": operation.id}
            after = [one.after for one in plan.changes]
            flat = [
                one
                for value in operation.values.values()
                for one in (value.values() if isinstance(value, dict) else [value])
            ]
            assert after == flat
        elif text.startswith("/create"):
            assert (answer.records, answer.total) == ([], None)
        else:
            assert [one.id for one in answer.records] == [ids["deal" if "Zed" in text else "eva"]]


def test_what_plans_nothing(acme: CrmClient, ids: dict[str, str]) -> None:
    for line in UNPLANNED.strip().splitlines():
        text, _, wanted = line.partition(" -> ")
        answer = acme.chatops.send(whole(text, ids))
        assert answer.plan is None and f"{intent(answer)} | {answer.text}" == whole(wanted, ids), text


def test_a_plan_says_what_a_value_was_and_plans_no_value_that_is_there(acme: CrmClient, ids: dict[str, str]) -> None:
    at = datetime(2026, 2, 3, 9, 30, tzinfo=UTC)
    given: Any = {"next_follow_up": at, "birthday": date(1990, 1, 2), "custom_fields": {"tier": "gold", "size": "5"}}
    acme.contacts.update(ids["eva"], given)
    same = f"/set {ids['eva']} next_follow_up=2026-02-03T09:30:00Z custom_fields.tier=gold"
    plan = acme.chatops.send(f"{same} birthday=today custom_fields.size=").plan
    assert plan is not None and [(one.field, one.before, one.after) for one in plan.changes] == [
        ("next_follow_up", "2026-02-03T09:30:00Z", "2026-02-03T09:30:00Z"),
        ("custom_fields.tier", "gold", "gold"), ("custom_fields.size", "5", None),
        ("birthday", "1990-01-02", "2026-01-15"),
    ]  # fmt: skip
    nothing = acme.chatops.send(same)
    assert (nothing.plan, nothing.text, nothing.total) == (None, "Nothing would change", 1)
    assert [one.model_dump(exclude_none=True) for one in nothing.records] == [
        {"type": "contact", "id": ids["eva"], "name": "Eva Plan"}
    ]


def test_when_a_meeting_is_to_be(acme: CrmClient, ids: dict[str, str]) -> None:
    for when, wanted in TIMES.items():
        answer = acme.chatops.send(f"/schedule 30 with Eva Plan {when}")
        assert answer.plan is not None, (when, answer.text)
        values = dict(answer.plan.operations[0].values)
        assert [values.pop(name) for name in ("title", "durationMinutes", "userIds", "contactIds")] == [
            "Meeting with Eva Plan", 30, ["user_ada"], [ids["eva"]],
        ]  # fmt: skip
        names = {0: [], 1: ["startTime"], 2: ["earliest", "latest"]}[len(wanted)]
        assert list(values) == names
        assert all(str(values[name]).startswith(one) for name, one in zip(names, wanted, strict=True)), (when, values)
    for when in (
        "+5h",
        "yesterday",
        "last week",
        "2026-01-14",
        "25:00",
        "2026-02-30 10:00",
        "tomorrow 9",
        "in 3 weeks",
    ):
        answer = acme.chatops.send(f"/schedule 30 with {ids['eva']} {when}")
        assert answer.plan is None and answer.text.startswith("Nothing was found for"), when
    for text in ("/schedule 45 min mit Eva Plan", "/schedule 45minutes with Eva Plan", "/schedule 45 con {eva}"):
        answer = acme.chatops.send(whole(text, ids))
        assert answer.plan is not None and answer.plan.operations[0].values["durationMinutes"] == 45


def test_what_is_meant_by_a_pronoun(acme: CrmClient, ids: dict[str, str]) -> None:
    def named(text: str, **more: Any) -> list[str] | str:
        answer = acme.chatops.send(text, session_id=listed.session_id, **more)
        return [one.id for one in answer.records] if answer.records else answer.text

    pair = [acme.contacts.create({"name": f"Paired {n}", "email": f"p{n}@plan.example"}).id for n in range(3)]
    for text, places in (
        ("/show it", [0]), ("/show this", [0]), ("/show them", [0, 1, 2]), ("/show these", [0, 1, 2]),
        ("/show the first", [0]), ("/show the second", [1]), ("/show the third", [2]), ("/show the last", [2]),
        ("/show der zweite", [1]), ("/show el ultimo", [2]),
    ):  # fmt: skip
        listed = acme.chatops.send("/list contact named Paired top 3 by name")
        order = [one.id for one in listed.records]
        assert sorted(order) == sorted(pair) and named(text) == [order[place] for place in places], text
    listed = acme.chatops.send("/list contact named nobody at all")
    assert (listed.total, named("/show it")) == (0, "There is no answer yet that it could mean")
    listed = acme.chatops.send("/list contact named Paired top 1 by name")
    assert named("/show the second") == "There is no answer yet that the second could mean"
    listed = acme.chatops.send("/list contact named Paired")
    assert named("/show it", context={"type": "deal", "id": ids["deal"]}) == [ids["deal"]]
    assert named("/show Paired 1") == [pair[1]]
    alone = acme.chatops.send("/show it")
    assert alone.records == [] and alone.session_id != listed.session_id


def test_a_place_has_an_article_and_an_article_no_place_of_its_own(acme: CrmClient, ids: dict[str, str]) -> None:
    listed = acme.chatops.send("/list contact named Eva")
    assert [one.id for one in listed.records] == [ids["eva"]]
    for text, is_meant in (("/show the first", True), ("/show first", False), ("/show the unicorn", False)):
        answer = acme.chatops.send(text, session_id=listed.session_id)
        assert ([one.id for one in answer.records] == [ids["eva"]]) is is_meant, text
    assert answer.text == "Nothing was found for the unicorn"


def test_several_fit_a_name_and_one_is_called_so(acme: CrmClient, ids: dict[str, str]) -> None:
    for n in range(5):
        acme.contacts.create({"name": f"Quin {n}", "email": f"q{n}@plan.example"})
    asked = acme.chatops.send("/show Quin")
    assert (asked.total, len(asked.records), len(asked.suggestions)) == (5, 5, 3)
    assert asked.text == "Several records fit Quin: which one do you mean?"
    assert asked.suggestions == [f"/show {one.id}" for one in asked.records[:3]]
    exact = acme.contacts.create({"name": "Quin"}).id
    assert [one.id for one in acme.chatops.send("/show quin").records] == [exact]
    acme.activities.tasks.create({"title": "Quin"})
    assert [one.id for one in acme.chatops.send("/show Quin").records] == [exact], "people before activities"
    assert [one.name for one in acme.chatops.send("/show Ring Zed").records] == ["Ring Zed"]
    assert [one.id for one in acme.chatops.send("/show Sam Okonkwo").records] == ["user_sam"]


def test_what_is_told_of_records(acme: CrmClient, ids: dict[str, str]) -> None:
    told = acme.chatops.send(f"/show {ids['deal']}").text
    assert told.startswith(
        "Big Zed: value 100, currency USD, stage prospect, status open, probability 10, expected_close"
    )
    assert acme.chatops.send(f"/show {ids['task']}").text == "Ring Zed: status not_started, priority medium"
    bare = acme.chatops.send(f"/summarize {ids['eva']}").text
    assert bare == "Eva Plan: phone +4930901820, lifecycle_stage lead, health_score 50. no activities yet"
    for n in range(4):
        acme.activities.notes.create({"body": f"Note {n}", "contact_id": ids["eva"]})
    text = acme.chatops.send("/summarize Eva Plan").text
    assert "Note 3, Note 2, Note 1" in text and "Note 0" not in text and "4" in text
    assert acme.chatops.send("/summarize user_sam").text.endswith("no activities yet")
    start = datetime(2026, 2, 3, 9, 30, tzinfo=UTC)
    event: Any = {"title": "Meet Zed", "start_time": start, "end_time": start + timedelta(hours=1)}
    acme.activities.events.create(event)
    assert "occurred_at 2026-02-03T09:30:00Z" in acme.chatops.send("/show Meet Zed").text
    acme.deals.update(ids["deal"], {"value": Decimal("12.5"), "expected_close_date": date(2026, 3, 4)})
    told = acme.chatops.send(f"/show {ids['deal']}").text
    assert "value 12.5," in told and "expected_close_date 2026-03-04" in told


# -- words -------------------------------------------------------------------------------------------------------------


def test_amounts_and_digits() -> None:
    amounts: dict[str, Any] = {
        "10": (10, None), "10k": (10_000, None), "1.5m": (1_500_000, None), "2mio": (2_000_000, None),
        "3tsd": (3_000, None),
        "€2,000": (2_000, "EUR"), "2,000,000": (2_000_000, None), "$5": (5, "USD"), "5£": (5, "GBP"),
        "12eur": (12, "EUR"),
        "1.25": (1.25, None), "10kusd": (10_000, "USD"), "2,00": None, "1.2.3": None, "ten": None,
        "10kk": None, "": None,
        "1234567890123456": None, "1.1234567": None, "€5k": (5_000, "EUR"),
    }  # fmt: skip
    assert {text: amount_of(text) for text in amounts} == amounts
    assert plain("١٢٣ ۴۵ ５ 5 ²") == "123 45 5 5 2" and plain("٩٬٩٩٩٫٥") == "9,999.5"
    assert plain("\u200fa\u200e\u2066b\u2069") == "ab" and plain("a–b\u2009c") == "a–b\u2009c"


def test_words_of_a_text() -> None:
    found = [(one.text, one.word) for one in tokens('List, "Big won deal" Ünder 5k! „Ja“ «no» "" (the) ¿Qué? a.b')]
    assert found == [
        ("List", "list"), ("Big won deal", ""), ("Ünder", "under"), ("5k", "5k"), ("Ja", ""), ("no", ""),
        ("(the)", "the"), ("Qué", "que"), ("a.b", "a.b"),
    ]  # fmt: skip
