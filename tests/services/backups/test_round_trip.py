"""Archive, restore into an empty server, archive: the two archives have the same records, whatever was done before."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from backing_up import Founded, found, manifest_of, parts_of
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from portions import portion

from server_stub import StubServer

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(str.strip)
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
AMOUNTS = st.decimals(0, 10**9, places=2)
FIELDS = st.dictionaries(NAMES, TEXT | st.integers(-(10**9), 10**9) | st.booleans() | AMOUNTS, max_size=3)
DAYS = st.dates(date(2026, 1, 1), date(2030, 12, 31))
PLACES = st.integers(0, 50)
STEPS = st.one_of(
    st.tuples(st.just("account"), TEXT, FIELDS),
    st.tuples(st.just("contact"), TEXT, PLACES, FIELDS),
    st.tuples(st.just("deal"), TEXT, AMOUNTS, PLACES, st.none() | DAYS),
    st.tuples(st.just("task"), TEXT, PLACES, TEXT),
    st.tuples(st.just("lead"), TEXT, TEXT),
    st.tuples(st.just("file"), NAMES, st.binary(max_size=200)),
    st.tuples(st.just("comment"), TEXT, PLACES),
    st.tuples(st.just("object"), NAMES, TEXT),
    st.tuples(st.just("pipeline"), TEXT),
    st.tuples(st.just("setting"), st.integers(1, 200)),
    st.tuples(st.just("edit"), PLACES, TEXT),
    st.tuples(st.just("delete"), PLACES),
    st.tuples(st.just("merge"), PLACES, PLACES),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)


class Company:
    """A company in which steps are taken; one that its rules refuse is none."""

    def __init__(self, stub: StubServer, name: str) -> None:
        self.stub, self.company, self.numbers = stub, found(stub, name), iter(range(1_000_000))
        self.crm = self.company.crm
        self.crm.configuration.settings.update({"backup.schedule": "off"})
        self.accounts: list[str] = []
        self.contacts: list[str] = []

    def take(self, what: str, *given: Any) -> None:
        getattr(self, f"on_{what}")(*given)

    def one(self, ids: list[str], place: int) -> str | None:
        return ids[place % len(ids)] if ids else None

    def on_account(self, name: str, fields: dict[str, Any]) -> None:
        self.accounts.append(self.crm.accounts.create({"name": name, "custom_fields": fields}).id)

    def on_contact(self, name: str, place: int, fields: dict[str, Any]) -> None:
        body: Any = {"name": name, "account_id": self.one(self.accounts, place), "custom_fields": fields}
        self.contacts.append(self.crm.contacts.create(body).id)

    def on_deal(self, title: str, value: Decimal, place: int, day: date | None) -> None:
        body: Any = {"title": title, "value": value, "contact_id": self.one(self.contacts, place)}
        self.crm.deals.create(body | ({"expected_close_date": day} if day else {}))

    def on_task(self, title: str, place: int, text: str) -> None:
        body: Any = {"title": title, "description": text, "contact_id": self.one(self.contacts, place)}
        self.crm.activities.tasks.create(body | {"due_at": datetime(2026, 3, 1, tzinfo=UTC) + timedelta(place)})

    def on_lead(self, name: str, note: str) -> None:
        self.crm.leads.create({"name": name, "notes": [note]})

    def on_file(self, name: str, content: bytes) -> None:
        self.crm.files.upload((f"{name}.bin", content), on_conflict="new_version")

    def on_comment(self, text: str, place: int) -> None:
        contact = self.one(self.contacts, place)
        if contact is not None:
            self.crm.collaboration.comments.create({"entity": {"type": "contact", "id": contact}, "body": text})

    def on_object(self, name: str, text: str) -> None:
        api_name = f"{name}_{next(self.numbers)}"
        self.crm.custom_objects.create({"api_name": api_name, "label": name, "plural_label": name})
        self.crm.custom_objects.records.create(api_name, {"fields": {"name": text}})

    def on_pipeline(self, name: str) -> None:
        self.crm.pipelines.create({"name": f"{name} {next(self.numbers)}"})

    def on_setting(self, size: int) -> None:
        self.crm.configuration.settings.update({"records.page_size": size})

    def on_edit(self, place: int, title: str) -> None:
        contact = self.one(self.contacts, place)
        if contact is not None:
            self.crm.contacts.update(contact, {"title": title})

    def on_delete(self, place: int) -> None:
        contact = self.one(self.contacts, place)
        if contact is not None:
            self.contacts.remove(contact)
            self.crm.contacts.delete(contact)

    def on_merge(self, place: int, other: int) -> None:
        one, two = self.one(self.accounts, place), self.one(self.accounts, other)
        if one is not None and two is not None and one != two:
            self.crm.accounts.merge(one, [two])
            self.accounts.remove(two)

    def on_wait(self, days: int) -> None:
        self.stub.clock.advance(days * 3_600)


def assert_same(company: Founded, content: bytes, elsewhere: Founded) -> None:
    """Assert that an archive and one of where it was restored have the same parts, but for who owns the records."""
    again = elsewhere.archive(elsewhere.backup())
    owner, new = company.user_id.encode(), elsewhere.user_id.encode()

    def neutral(text: bytes) -> bytes:
        return text.replace(owner, b"the founder").replace(new, b"the founder")

    one, other = ({name: neutral(text) for name, text in parts_of(each).items()} for each in (content, again))
    assert other.keys() == one.keys()
    for name, text in one.items():
        assert other[name].splitlines() == text.splitlines(), name
    series = [manifest_of(each)["series"] for each in (content, again)]
    assert all(series[1][prefix] >= last for prefix, last in series[0].items())


@pytest.mark.thorough
@pytest.mark.parametrize("elsewhere", ["Umbrella"])
@settings(max_examples=portion(12), phases=[Phase.explicit, Phase.generate])
@given(steps=st.lists(STEPS, min_size=1, max_size=14))
def test_what_is_restored_is_what_was_archived(elsewhere: str, steps: list[tuple[Any, ...]]) -> None:
    company = Company(StubServer(demo=False), "Hooli")
    for step in steps:
        company.take(*step)
    content = company.company.archive(company.company.backup())
    empty = StubServer(demo=False)
    found(empty, "First", None)
    there = found(empty, elsewhere)
    there.crm.configuration.settings.update({"backup.schedule": "off"})
    taken = there.take_over(content)
    result = there.restore(taken, "replace")
    assert (result.conflicts, result.missing_references) == ([], 0)
    assert_same(company.company, content, there)
    assert there.restore(taken).differences == [], "and a drill finds no difference"
    once_more = there.restore(taken, "merge")
    assert (sum(once_more.restored.values()), once_more.conflicts) == (0, [])


@pytest.mark.thorough
def test_the_demo_company_is_what_was_archived() -> None:
    stub, empty = StubServer(), StubServer(demo=False)
    crm = stub.client(dialects="platform")
    made = crm.backups.create().wait()
    content = crm.files.download(made.file_id or "").read()
    there = found(empty, "Umbrella")
    there.restore(there.take_over(content), "replace")
    again = parts_of(there.archive(there.backup()))
    names = {name: len(text.splitlines()) for name, text in parts_of(content).items() if name.endswith(".jsonl")}
    assert {name: len(text.splitlines()) for name, text in again.items() if name.endswith(".jsonl")} == names
    fetch: list[Callable[[Any], Any]] = [
        lambda crm: crm.leads.list(limit=200, sort="id"), lambda crm: crm.deals.list(limit=200, sort="id"),
        lambda crm: crm.contacts.list(limit=200, sort="id"),
    ]  # fmt: skip
    for each in fetch:
        one, other = ([record.model_dump(exclude={"owner_id"}) for record in each(who)] for who in (crm, there.crm))
        assert other == one
