"""What texts are understood as: which records, by which conditions, and what is said where a word says nothing."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import ChatMessage
from server_stub import StubServer

NOT = "I did not understand that. The nearest commands are "
OVER = "completed,cancelled,no-show,busy,no_answer,failed"
UNDERSTOOD = """
/list deal won this month -> list deal 100; status eq won & closed_at eq this_month
/list deal lost last year -> list deal 100; status eq lost & closed_at eq last_year
/list deal lost -> list deal 100; status eq lost
/list deals overdue -> list deal 100; status eq open & expected_close_date lt today
/list deal at-risk -> list deal 100; filter=at-risk
/list deal at risk -> list deal 100; filter=at-risk
/list deal hot -> list deal 100; filter=hot
/list deal new -> list deal 100; created_at gte -7d
/list deal stale -> list deal 100; last_activity lt -30d | last_activity is_not_set
/list deal my open -> list deal 100; owner_id eq user_ada & status eq open
/list deal mine -> list deal 100; owner_id eq user_ada
/list deal unassigned -> list deal 100; owner_id is_not_set
/list deal over 10k -> list deal 100; value gt 10000
/list deal below 1m -> list deal 100; value lt 1000000
/list deal over €2,000 -> list deal 100; value gt 2000 & currency eq EUR
/list deal over 10 EUR won -> list deal 100; value gt 10 & currency eq EUR & status eq won
/list deal closing this month -> list deal 100; expected_close_date eq this_month
/list deal closes next week -> list deal 100; expected_close_date eq next_week
/list deal due today -> list deal 100; expected_close_date eq today
/list deal created yesterday -> list deal 100; created_at eq yesterday
/list deal updated this year -> list deal 100; updated_at eq this_year
/list deal closed last quarter -> list deal 100; closed_at eq last_quarter
/list deal today -> list deal 100; expected_close_date eq today
/list deal in 3 weeks -> list deal 100; expected_close_date between today +3w
/list deal within 2 months -> list deal 100; expected_close_date between today +2m
/list deal in proposal -> list deal 100; stage eq proposal
/list deal in Closed Won over 5k -> list deal 100; stage eq closed-won & value gt 5000
/list deal in qualified my -> list deal 100; stage eq qualified & owner_id eq user_ada
/list deal tagged vip won -> list deal 100; tags contains vip & status eq won
/list deal of sam -> list deal 100; owner_id eq user_sam
/list deal of me -> list deal 100; owner_id eq user_ada
/list deal named Big Deal won -> list deal 100; status eq won; search=Big Deal
/list deal named "Big won deal" open -> list deal 100; status eq open; search=Big won deal
/list deal called X -> list deal 100; search=X
/list deal top 5 by value -> list deal 100; sort=value; order=desc; limit=5
/list deal top 99 by value -> list deal 100; sort=value; order=desc; limit=20
/list deal top 0 by value -> list deal 100; sort=value; order=desc; limit=1
/list contact at-risk tagged vip -> list contact 100; churn_risk gte 60 & tags contains vip
/list contact in customer -> list contact 100; lifecycle_stage eq customer
/list contact over 5k -> list contact 100; total_value gt 5000
/list contact new -> list contact 100; created_at gte -7d
/list contact stale -> list contact 100; last_contact lt -30d | last_contact is_not_set
/list contact from website -> list contact 100; source eq website
/list lead in new -> list lead 100; status eq new
/list lead open -> list lead 100; status in new,contacted,qualified
/list lead won -> list lead 100; status eq converted
/list lead lost -> list lead 100; status eq unqualified
/list lead new -> list lead 100; status eq new
/list deal stale won -> list deal 100; last_activity lt -30d & status eq won | last_activity is_not_set & status eq won
/list lead under 500 -> list lead 100; value lt 500
/list account hot -> list account 100; rating eq hot
/list account lost -> list account 100; status eq churned
/list account new -> list account 100; created_at gte -7d
/list account stale -> list account 100; last_activity_at lt -30d | last_activity_at is_not_set
/list account over 1m -> list account 100; annual_revenue gt 1000000
/list task overdue -> list activity 100; overdue=True; kind=task
/list task my due tomorrow -> list activity 100; owner_id eq user_ada & due_at eq tomorrow; kind=task
/list task due in 5 days -> list activity 100; due_at between today +5d; kind=task
/list meeting tomorrow -> list activity 100; start_time eq tomorrow; kind=event
/list call this week -> list activity 100; start_time eq this_week; kind=call
/list note today -> list activity 100; created_at eq today; kind=note
/list email last month -> list activity 100; occurred_at eq last_month; kind=email
/list activity open -> list activity 100; status not_in OVER
/list user -> list user 100
/list user named sam -> list user 100; search=sam
/list deal from website -> list deal 100; source eq website
/count lead hot -> count lead 100; rating eq hot
/count deal won -> count deal 100; status eq won
/count task open -> count activity 100; status not_in OVER; kind=task
/sum value of deal won -> sum deal 100; status eq won; field=value
/sum value of deal lost named zzz -> sum deal 100; status eq lost; search=zzz; field=value
/sum total_value of contact -> sum contact 100; field=total_value
/sum score of lead -> sum lead 100; field=score
/sum probability of deal open -> sum deal 100; status eq open; field=probability
my open deals -> list deal 80; owner_id eq user_ada & status eq open
how many won deals -> count deal 80; status eq won
what is the total of my won deals -> sum deal 80; owner_id eq user_ada & status eq won; field=value
average value of won deals -> average deal 80; status eq won; field=value
average of tasks -> list activity 80; kind=task
show me hot leads please -> list lead 80; rating eq hot
which contacts are at risk -> list contact 80; churn_risk gte 60
wie viele offene Geschäfte -> count deal 80; status eq open
cuántos negocios abiertos -> count deal 80; status eq open
كم صفقات مفتوحة -> count deal 80; status eq open
deals with Quantum -> list deal 80; search=Quantum
meetings tomorrow -> list activity 80; start_time eq tomorrow; kind=event
/help -> help None 100
/list opportunities in Negotiation -> list deal 100; stage eq negotiation
/list deal ohne besitzer -> list deal 100; owner_id is_not_set
/list deal más de 10k -> list deal 100; value gt 10000
/list deal menos de 10k -> list deal 100; value lt 10000
/list deal more than 10k -> list deal 100; value gt 10000
/list deal less than 10k -> list deal 100; value lt 10000
/list deal this week -> list deal 100; expected_close_date eq this_week
/list deal lost this week -> list deal 100; status eq lost & closed_at eq this_week
/list lead created today -> list lead 100; created_at eq today
/list lead won today -> list lead 100; status eq converted & created_at eq today
/list contact of Sam Okonkwo -> list contact 100; owner_id eq user_sam
/list contact of sam@acme.test -> list contact 100; owner_id eq user_sam
/list contact of user_sam -> list contact 100; owner_id eq user_sam
/list contact named Eva of me -> list contact 100; owner_id eq user_ada; search=Eva
/list lead tagged a tagged b -> list lead 100; tags contains a & tags contains b
/list deal in 5 tagen -> list deal 100; expected_close_date between today +5d
/list deal within 1 mes -> list deal 100; expected_close_date between today +1m
/list company in active -> list account 100; status eq active
/list people -> list contact 100
/list termine heute -> list activity 100; start_time eq today; kind=event
/sum value of deal top 2 by value -> sum deal 100; sort=value; order=desc; limit=2; field=value
show my tasks -> list activity 80; owner_id eq user_ada; kind=task
total value of leads -> sum lead 80; field=value
/count lead created last week -> count lead 100; created_at eq last_week
"""
"""A text, then the intent, its confidence, the groups of conditions, and the arguments of the list."""
REFUSED = """
/list deal above 10k eur -> eur says nothing of deals
/list deal under 1.5m usd -> usd says nothing of deals
/list deal of Sam Sales -> Sales says nothing of deals
/list deal top 3 by owner -> deals have no member owner_id
/list deal open or -> or says nothing of deals
/list note over 5 -> 5 says nothing of notes
/list contact won -> won says nothing of contacts
/list deal in nowhere -> No deal has nowhere
/list deal of nobody -> No deal has nobody
/list deal top x by value -> top says nothing of deals
/list deal quickly won -> quickly says nothing of deals
/sum title of deal -> title of deals is no number
/sum value of -> This command is written /sum <field> of <entity> [words]
/sum value deal won -> This command is written /sum <field> of <entity> [words]
hello -> NOT /help, /log call|note on <record>: text, /schedule <minutes> with <contact> [when]
won -> NOT /done <task>, /count <entity> [words], /log call|note on <record>: text
/lst deal -> NOT /list <entity> [words], /set <id> field=value …, /move <deal> <stage>
/set -> This command is written /set <id> field=value …
/list -> This command is written /list <entity> [words]
/create -> This command is written /create <entity> field=value …
/show -> This command is written /show <id or name>
/sum -> This command is written /sum <field> of <entity> [words]
/list deal within 1 year -> within says nothing of deals
won contacts -> NOT /done <task>, /count <entity> [words], /schedule <minutes> with <contact> [when]
mean score of leads -> NOT /move <deal> <stage>, /create <entity> field=value …, /assign <id> to <user>
"""
"""A text, and what is said of it."""


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def pairs(table: str) -> list[tuple[str, str]]:
    rows = (line.partition(" -> ") for line in table.strip().splitlines())
    return [(text, wanted.replace("OVER", OVER).replace("NOT ", NOT)) for text, _, wanted in rows]


def understood(answer: ChatMessage) -> str:
    found = answer.intent
    assert found is not None
    groups: list[str] = []
    for group in found.filter_groups:
        parts = [
            (one.field, one.op, one.value, one.high_value, ",".join(map(str, one.values or ())) or None)
            for one in group.filters
        ]
        groups.append(" & ".join(" ".join(str(part) for part in each if part is not None) for each in parts))
    more = [
        f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in found.arguments.items()
    ]
    head = f"{found.name} {found.entity} {found.confidence}"
    return "; ".join([head, *([" | ".join(groups)] if groups else []), *more])


@pytest.mark.parametrize("part", range(3))
def test_what_texts_are_understood_as(acme: CrmClient, part: int) -> None:
    for text, wanted in pairs(UNDERSTOOD)[part::3]:
        answer = acme.chatops.send(text)
        assert understood(answer) == wanted, text
        assert answer.plan is None and answer.role == "assistant" and answer.text


def test_what_is_said_of_what_is_not_understood(acme: CrmClient) -> None:
    for text, wanted in pairs(REFUSED):
        answer = acme.chatops.send(text)
        assert (understood(answer), answer.text) == ("unknown None 0", wanted), text
        assert (answer.total, answer.records, answer.figures) == (None, [], [])
        assert len(answer.suggestions) == 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hello", ["/help", "/log call|note on <record>: text", "/schedule <minutes> with <contact> [when]"]),
        ("/lst deal", ["/list <entity> [words]", "/set <id> field=value …", "/move <deal> <stage>"]),
        ("/ ", ["/help", "/done <task>", "/show <id or name>"]),
    ],
)
def test_the_nearest_commands(acme: CrmClient, text: str, wanted: list[str]) -> None:
    assert acme.chatops.send(text).suggestions == wanted


def test_the_commands(acme: CrmClient) -> None:
    found = [(one.name, one.usage, one.writes, one.permission) for one in acme.chatops.commands()]
    assert found == [
        ("/list", "/list <entity> [words]", False, None),
        ("/show", "/show <id or name>", False, None),
        ("/count", "/count <entity> [words]", False, None),
        ("/sum", "/sum <field> of <entity> [words]", False, None),
        ("/create", "/create <entity> field=value …", True, None),
        ("/set", "/set <id> field=value …", True, None),
        ("/move", "/move <deal> <stage>", True, "deals:update"),
        ("/done", "/done <task>", True, "activities:update"),
        ("/assign", "/assign <id> to <user>", True, None),
        ("/log", "/log call|note on <record>: text", True, "activities:create"),
        ("/schedule", "/schedule <minutes> with <contact> [when]", True, "activities:create"),
        ("/summarize", "/summarize <record>", False, None),
        ("/help", "/help", False, None),
    ]
    assert all(one.description and one.examples for one in acme.chatops.commands())
    answer = acme.chatops.send("/help")
    assert answer.intent is not None and answer.intent.name == "help"
    assert answer.text.endswith(", ".join(name for name, *_ in found))
    assert answer.suggestions == [one.examples[0] for one in acme.chatops.commands()[:3]]
