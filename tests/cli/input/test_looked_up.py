"""Names in place of ids: what is looked up, when, and what is said where none or several records have a name."""

from __future__ import annotations

from types import SimpleNamespace as Of
from typing import Any

import pytest
from shell import OPERATIONS

from crm_cli import lookups
from crm_cli.failures import MisuseError
from crm_cli.lookups import Lookups, id_of, identified_record, label_of, lists_of, named_options
from crm_cli.tree.parameters import Form
from crm_sdk import errors

DEAL = Form(OPERATIONS["deals.get"])
MISSING = errors.NotFoundError("no", status=404, code="NOT_FOUND")


class Deals:
    """A client with these deals, which notes what it is asked."""

    def __init__(self, *titles: str, has_next: bool = False, refuses: Exception | None = None) -> None:
        self.deals = self
        self.asked: list[Any] = []
        self._page = Of(items=[Of(id=f"deal_{n}", title=title) for n, title in enumerate(titles)], has_next=has_next)
        self._refuses = refuses

    def list(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if self._refuses is not None:
            raise self._refuses
        return self._page

    def get(self, deal_id: str) -> Any:
        self.asked.append(deal_id)
        found = next((item for item in self._page.items if item.id == deal_id), None)
        if found is None:
            raise MISSING
        return found


def looked_up(client: Any, typed: str, *, flag: str | None = None) -> dict[str, str]:
    made = Lookups(DEAL, {"deal_id": typed}, flag=flag)
    return made.ids(client, made.names | made.doubtful)


def test_what_can_be_no_id_is_a_name_and_one_word_may_be_either() -> None:
    for text, known in (
        ("Tea time", False), ("Tea", None), ("deal_7", True), ("", True), ("  ", True), (5, True), ("Käse", False),
    ):  # fmt: skip
        assert lookups._is_id("deal_id", text) is known, text
    assert lookups._is_id("name", "Tea time") is True
    made = Lookups(DEAL, {"deal_id": "Tea time"})
    assert (made.names, made.doubtful) == ({"deal_id": "Tea time"}, {})
    made = Lookups(DEAL, {"deal_id": "Tea"})
    assert (made.names, made.doubtful) == ({}, {"deal_id": "Tea"})
    assert not Lookups(DEAL, {"deal_id": "deal_7"}).names and not Lookups(DEAL, {}).doubtful
    assert not Lookups(DEAL, {"deal_id": "Tea time"}, lists={}).names


def test_a_name_is_that_of_one_record_or_refused() -> None:
    client = Deals("Tea  TIME", "Tea time later")
    assert looked_up(client, "tea time") == {"deal_id": "deal_0"}
    assert client.asked == [{"search": "tea time", "limit": 100}]
    with pytest.raises(MisuseError, match=r"'Tea time' is not unique: 2 deals have this name; give DEAL_ID") as two:
        looked_up(Deals("Tea time", "x", "tea time"), "Tea time")
    assert [(field.field, field.message) for field in two.value.fields] == [
        ("deal_id", "deal_0 (Tea time)"), ("deal_id", "deal_2 (tea time)"),
    ]  # fmt: skip
    with pytest.raises(MisuseError, match="more than 100 deals are found by it; give --deal as an id") as many:
        looked_up(Deals(*[f"Tea time {n}" for n in range(12)], has_next=True), "Tea time", flag="--deal")
    assert len(many.value.fields) == 10 and many.value.fields[0].field == "--deal"
    with pytest.raises(MisuseError, match="more than 100 deals are found by it"):
        looked_up(Deals("Tea time", has_next=True), "Tea time")
    with pytest.raises(errors.NotFoundError, match="none of the deals has the name 'Tea time'"):
        looked_up(Deals("Tea"), "Tea time")
    assert looked_up(Deals("Tea time"), "Tea") == {} and looked_up(Deals("tea"), "Tea") == {"deal_id": "deal_0"}
    for refusal in (errors.PermissionDeniedError("no", status=403, code="X"),
                    errors.UnsupportedOperationError("no", operation="x", dialects=["mvp"])):  # fmt: skip
        assert looked_up(Deals(refuses=refusal), "Tea time") == {}
    with pytest.raises(errors.ServerError):
        looked_up(Deals(refuses=errors.ServerError("no", status=500, code="X")), "Tea time")


def test_an_id_is_taken_as_it_is_unless_the_record_has_to_be_there() -> None:
    def found(client: Any, typed: str, flag: str | None = None) -> tuple[str, list[Any]]:
        return id_of(client, "deals", typed, flag=flag), client.asked

    search = {"search": "Tea", "limit": 100}
    assert found(Deals("Tea"), "deal_9") == ("deal_9", []) and found(Deals("Tea"), "deal_0", "--deal")[1] == ["deal_0"]
    assert found(Deals("Tea time"), "Tea time") == ("deal_0", [{"search": "Tea time", "limit": 100}])
    assert found(Deals("Tea"), "Tea") == ("deal_0", ["Tea", search]) and found(Deals(), "Tea") == (
        "Tea",
        ["Tea", search],
    )
    assert found(Deals("Tea"), "Tea", "--deal") == ("deal_0", ["Tea", search])
    for typed in ("deal_9", "Tea"):
        with pytest.raises(errors.NotFoundError):
            found(Deals(), typed, "--deal")
    nobody: Any = None
    assert id_of(nobody, "odd", "x") == "x"

    class Without(Deals):
        def get(self, deal_id: str) -> Any:
            raise errors.UnsupportedOperationError("no", operation="x", dialects=["mvp"])

    assert found(Without(), "Tea", "--deal")[0] == "Tea"


def test_a_record_is_found_by_its_id_or_its_name() -> None:
    client: Any = Deals("Tea")
    call = OPERATIONS["deals.get"]
    assert identified_record(client, call, ["deal_0"]) == {"deal_id": "deal_0"} and client.asked == []
    assert identified_record(client, call, ["Tea"]) == {"deal_id": "deal_0"}
    assert [one if isinstance(one, str) else "list" for one in client.asked] == ["Tea", "list"]
    timed: Any = Deals("Tea time")
    assert identified_record(timed, call, ["Tea time"]) == {"deal_id": "deal_0"} and len(timed.asked) == 1
    assert lookups.record_of(client, call, {"deal_id": "deal_0"}).title == "Tea"
    assert lookups.record_of(client, call, {"deal_id": "x"}, or_none=True) is None
    with pytest.raises(errors.NotFoundError):
        lookups.record_of(client, call, {"deal_id": "x"})


def test_options_may_be_names_of_records() -> None:
    def named(call: str, **typed: Any) -> dict[str, str]:
        form = Form(OPERATIONS[call])
        given = {p: typed[p.name] for p in form.parameters if p.name in typed}
        return {p.name: listed.id for p, listed in named_options(form, given).items()}

    assert named("deals.list", owner_id="Sam Okonkwo") == {"owner_id": "users.list"}
    assert named("deals.list", owner_id="Sam") == {"owner_id": "users.list"}, "a list would be empty"
    for word in ("me", "7", "user_1", "", None):
        assert named("deals.list", owner_id=word) == {}
    assert named("deals.create", owner_id="Sam Okonkwo") == {"owner_id": "users.list"}
    assert named("deals.create", owner_id="Sam") == {} and named("deals.get", deal_id="Tea time") == {}
    form = Form(OPERATIONS["deals.list"])
    owner = next(p for p in form.parameters if p.name == "owner_id")
    users: Any = Of(users=Of(list=lambda **_: Of(items=[Of(id="user_1", name="Sam Okonkwo")], has_next=False)))
    listed = {owner: OPERATIONS["users.list"]}
    assert lookups.ids_of_options(users, form, listed, {owner: "sam okonkwo"}) == {owner: "user_1"}
    assert lookups.ids_of_options(users, form, listed, {owner: "Sam"}) == {}


def test_a_record_is_called_by_its_first_label() -> None:
    assert label_of(Of(id="x")) is None and label_of(Of(name="", title="T")) == "T"
    assert label_of(Of(name=5, title="T")) == "T" and label_of(Of(name="N", title="T")) == "N"
    assert lookups._folded_name("  Tea \t TIME ") == "tea time"
    assert lists_of(Form(OPERATIONS["deals.list"])) == {}
    assert {name: listed.id for name, listed in lists_of(DEAL).items()} == {"deal_id": "deals.list"}
    assert lists_of(Form(OPERATIONS["auth.me"])) == {}
