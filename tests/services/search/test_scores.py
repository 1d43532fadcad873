"""What a query means, and what each way in which a word is found counts, to the digit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models.search import facets_of
from server_stub import StubServer
from server_stub.data import order
from server_stub.services.search import finding
from server_stub.services.search.wording import Unit, parse


def test_a_query_is_read_by_its_marks() -> None:
    """A query has words, phrases, what is left out and members; what joins words to one makes a phrase of them."""
    cases: list[tuple[str, list[Unit]]] = [
        ("", []),
        ("Ada lovelace", [Unit((("ada",),)), Unit((("lovelace",),))]),
        ('"Ada  lovelace"', [Unit((("ada", "lovelace"),), exact=True)]),
        ('a "b c', [Unit((("a",),)), Unit((("b", "c"),), exact=True)]),
        ('""', []),
        ("-ada bo", [Unit((("ada",),), excluded=True), Unit((("bo",),))]),
        ('-"ada bo"', [Unit((("ada", "bo"),), excluded=True, exact=True)]),
        ("name:ada", [Unit((("ada",),), "name")]),
        ("-name:ada", [Unit((("ada",),), "name", True)]),
        ('name:"ada bo"', [Unit((("ada", "bo"),), "name", exact=True)]),
        ("hat:ada", [Unit((("hat",),)), Unit((("ada",),))]),
        ('hat:"ada bo"', [Unit((("hat", "ada", "bo"),), exact=True)]),
        ("ada@bo.test", [Unit((("ada", "bo", "test"),), exact=True)]),
        ("ada+bo", [Unit((("ada",),)), Unit((("bo",),))]),
        ("-ada+bo", [Unit((("ada", "bo"),), excluded=True)]),
        ("&", []),
        ("+49 (30) 77-88", [Unit((("49307788",), ("49", "30", "77", "88")))]),
        ("4930778", [Unit((("4930778",),))]),
        ("493077", [Unit((("493077",),))]),
    ]
    for q, units in cases:
        assert list(parse(q, is_field=lambda name: name == "name").units) == units, q
    query = parse("-x name:y a b", is_field=lambda name: True)
    assert ([unit.words for unit in query.wanted], query.plain) == ([("y",), ("a",), ("b",)], ("a", "b"))


def test_stop_words_go_and_synonyms_come() -> None:
    groups = [["car", "auto", "motor car"], ["New York", "NYC"], ["", "x"]]

    def read(q: str, *stops: str) -> list[tuple[Any, ...]]:
        units = parse(q, synonyms=groups, stop_words=stops, is_field=lambda name: name == "name").units
        return [unit.wordings for unit in units]

    car = (("car",), ("auto",), ("motor", "car"))
    assert read("red car") == [(("red",),), car]
    assert read("motor car park") == [(("motor", "car"), ("car",), ("auto",)), (("park",),)]
    assert read("new york city") == [(("new", "york"), ("nyc",)), (("city",),)]
    assert read('"new york"') == [(("new", "york"), ("nyc",))]
    assert read('"motor" car') == [(("motor",),), car]
    assert read("-car name:car") == [(("car",),), (("car",),)]
    assert read("new -york") == [(("new",),), (("york",),)]
    assert read("the old man", "the", "old") == [(("man",),)]
    assert read("the old", "the", "old") == [(("the",),), (("old",),)]
    assert read('the "old" -the name:the', "the", "old") == [(("old",),), (("the",),), (("the",),)]
    assert read("the -old", "the") == [(("the",),), (("old",),)], "something has to be wanted"
    assert [unit.exact for unit in parse('"new york"', synonyms=groups).units] == [True]


def scores(found: Any) -> list[tuple[str, float]]:
    return [(hit.title, hit.score) for hit in found]


def test_each_way_of_being_found_has_its_share(platform: CrmClient, stub: StubServer) -> None:
    platform.search.config.update({"recency_weight": 0})
    names = ("Holmium", "Holmium Ltd", "Holmiums Ltd", "The Holmium", "The Holmiums", "Helmium")
    for name in names:
        platform.leads.create({"name": name})
    shares = [1.0, 0.8, 0.75, 0.6, 0.45, 0.25]
    assert scores(platform.search.leads("holmium")) == list(zip(names, shares, strict=True))
    assert scores(platform.search.leads("holmium", fuzzy=False)) == list(zip(names, shares, strict=True))[:-1]
    assert scores(platform.search.leads('"holmium"')) == [(names[0], 1), (names[1], 0.8), (names[3], 0.6)]
    assert scores(platform.search.leads("the holmium")) == [("The Holmium", 1), ("The Holmiums", 0.625)]
    assert scores(platform.search.leads("holmium -ltd -the")) == [(names[0], 1), (names[5], 0.25)]
    assert scores(platform.search.leads("name:helmium", fuzzy=False)) == [("Helmium", 1)]
    assert scores(platform.search.leads("name:holmium name:ltd", fuzzy=False)) == [
        ("Holmium Ltd", 1), ("Holmiums Ltd", 0.9643),
    ]  # fmt: skip
    for name, company in (("One", "Cerium Works"), ("Two", "Works")):
        platform.leads.create({"name": name, "company": company, "title": "Cerium"})
    assert scores(platform.search.leads("cerium")) == [("One", 1), ("Two", 0.8333)], (
        "3 × 0.8 of a company, 2 of a title"
    )
    assert [(one.label, one.score, one.field) for one in platform.search.autocomplete("ceri", limit=2)] == [
        ("One", 1.0, "company"), ("Two", 0.6667, "title"),
    ]  # fmt: skip


def test_letters_are_forgiven_by_the_length_of_a_word(platform: CrmClient) -> None:
    for name in ("Zork", "Zorkblat", "Zor"):
        platform.leads.create({"name": name})

    def found(q: str) -> list[str]:
        return sorted(hit.title for hit in platform.search.leads(q))

    one = {"zurk": ["Zork"], "zur": [], "zurkblat": ["Zorkblat"], "zurkblut": []}
    assert {q: found(q) for q in one} == one
    platform.search.config.update({"fuzzy_distance": 2})
    two = one | {"zurkblut": ["Zorkblat"], "zurg": []}
    assert {q: found(q) for q in two} == two
    platform.search.config.update({"fuzzy_distance": 0})
    assert {q: found(q) for q in one} == {q: list[str]() for q in one}


def test_words_beside_others_are_found_whole_as_one(platform: CrmClient) -> None:
    """Words that stand together count more; a single one beside a member counts as any other."""
    platform.search.config.update({"recency_weight": 0})
    for name in ("Yttrium Neodym", "Yttrium old Neodym", "Neodym Yttrium", "Yttriums Neodym"):
        platform.leads.create({"name": name})
    assert scores(platform.search.leads("yttrium neodym")) == [
        ("Yttrium Neodym", 1), ("Neodym Yttrium", 0.7), ("Yttrium old Neodym", 0.7), ("Yttriums Neodym", 0.675),
    ]  # fmt: skip
    assert scores(platform.search.leads("yttr name:neodym")) == [
        ("Yttriums Neodym", 1), ("Yttrium old Neodym", 1), ("Yttrium Neodym", 1), ("Neodym Yttrium", 0.9259),
    ]  # fmt: skip


def test_of_many_that_fit_the_newest_are_rated(
    platform: CrmClient, stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond those that are rated in full come the newest, whichever way they are looked for."""
    now = stub.clock.now()
    monkeypatch.setattr(order, "_LONGEST", 4)  # they lie in several chunks
    ids = [platform.leads.create({"name": f"{'The ' * (n % 2)}Samarium"}).id for n in range(8)]
    for number, id in enumerate(ids):
        stored(stub, "lead", id, updated_at=now - timedelta(minutes=number), created_at=now)
    platform.search.config.update({"recency_weight": 0})
    whole = [*ids[::2], *ids[1::2]]
    assert [hit.id for hit in platform.search.leads("samarium")] == whole
    for ranked, looking in ((3, 0), (3, 10**9), (1, 0), (1, 10**9), (7, 10**9), (8, 8)):
        monkeypatch.setattr(finding, "_RANKED", ranked)
        monkeypatch.setattr(finding, "_LOOKING", looking)
        first = [id for id in whole if id in ids[: 2 * ranked : 2]]
        rest = [id for id in ids if id not in first]
        expected = whole if ranked == 8 else [*first, *rest]
        assert [hit.id for hit in platform.search.leads("samarium")] == expected, (ranked, looking)
        assert [hit.id for hit in platform.search.leads("samarium", page=2, limit=2).items] == expected[2:4]


def test_age_and_boost_move_a_score(platform: CrmClient, stub: StubServer) -> None:
    old, new = (platform.leads.create({"name": "Thulium"}).id for _ in range(2))
    now = stub.clock.now()
    platform.search.config.update({"recency_weight": 0.5})
    stored(stub, "lead", old, updated_at=now - timedelta(days=90), created_at=now)
    stored(stub, "lead", new, updated_at=now + timedelta(days=9))
    assert [(hit.id, hit.score) for hit in platform.search.leads("thulium")] == [(new, 1.0), (old, 0.75)]
    contact = platform.contacts.create({"name": "Thulium"}).id
    stored(stub, "contact", contact, updated_at=now + timedelta(days=9))
    entities: Any = [{"type": "lead"}, {"type": "contact", "boost": 2}]
    platform.search.config.update({"entities": entities})
    assert [(hit.id, hit.score) for hit in platform.search.query("thulium").hits] == [
        (contact, 1.0), (new, 0.5), (old, 0.375),
    ]  # fmt: skip


def test_what_custom_objects_have_and_lead_to_is_searched(platform: CrmClient) -> None:
    made = platform.custom_objects.create({"api_name": "vessel", "label": "Vessel", "plural_label": "Vessels"}).id
    fields: list[Any] = [
        {"api_name": "cargo", "label": "Cargo", "type": "text"},
        {"api_name": "captain", "label": "Captain", "type": "reference", "reference_to": "contact"},
    ]
    for field in fields:
        platform.custom_objects.fields.create(made, field)
    captain = platform.contacts.create({"name": "Nemo Prince"}).id
    platform.search.config.update({"recency_weight": 0})
    rows: list[Any] = [{"name": "Praseodym"}, {"name": "N", "cargo": "Praseodym"}, {"name": "M", "captain": captain}]
    ids = [platform.custom_objects.records.create(made, {"fields": members}).id for members in rows]
    found = platform.search.advanced({"q": "praseodym"}, types=["vessel"])
    assert [(hit.id, hit.score) for hit in found] == [(ids[0], 1.0), (ids[1], 0.2)]
    searched: Any = [{"field": "fields.name", "weight": 5}, {"field": "captain.name", "weight": 2}]
    entities: Any = [{"type": "vessel", "fields": searched}, {"type": "lead"}]
    platform.search.config.update({"entities": entities})
    platform.search.reindex(types=["vessel"]).wait()
    led = platform.search.advanced({"q": "nemo"}, types=["vessel"])
    assert [(hit.id, hit.matched_fields) for hit in led] == [(ids[2], ["captain.name"])]


def test_a_fragment_is_around_what_was_found(platform: CrmClient) -> None:
    def fragment(text: str) -> str:
        id = platform.leads.create({"name": "N", "company": text}).id
        (hit,) = [hit for hit in platform.search.leads("erbium") if hit.id == id]
        return hit.highlights[0].fragment

    mark, word = "<em>Erbium</em>", "Erbium"
    cases = {
        "a" * 40 + f" {word} " + "b" * 112: "a" * 40 + f" {mark} " + "b" * 112,
        "a" * 39 + f" {word} " + "b" * 114: "a" * 39 + f" {mark} " + "b" * 113 + "…",
        "a" * 60 + f" {word} " + "b" * 20: f"{'a' * 60} {mark} {'b' * 20}",
        "a" * 100 + f" {word} " + "b" * 60: f"…{'a' * 39} {mark} {'b' * 60}",
        f"{word} {'b' * 151} {word}": f"{mark} {'b' * 151} E…",
        f"{word} {'b' * 146} {word}": f"{mark} {'b' * 146} {mark}",
        f"{word} {'b' * 145} {word} c": f"{mark} {'b' * 145} {mark} …",
    }
    assert {text: fragment(text) for text in cases} == cases


def test_a_length_that_is_asked_for_is_said_in_words(platform: CrmClient) -> None:
    for least, words in ((1, "one character"), (2, "two characters"), (3, "3 characters")):
        platform.search.config.update({"min_query_length": least})
        error = refused(lambda least=least: platform.search.leads(" " + "x" * (least - 1)))  # type: ignore[misc] # a length
        assert (error.message, error.details) == (f"search for at least {words}", {"minimum": least})


def test_facets_are_told_whole(platform: CrmClient, stub: StubServer) -> None:
    names = ("value", "created_at", "status", "source", "tags")
    fields: Any = [{"field": "name"}, *({"field": name, "weight": 0, "facetable": True} for name in names)]
    platform.search.config.update({"entities": [{"type": "lead", "fields": fields}]})
    zone = ZoneInfo("America/New_York")
    rows: list[tuple[Any, str, datetime]] = [
        (10, "new", datetime(2001, 1, 31, 23, 59, tzinfo=zone)), (20, "new", datetime(2001, 2, 1, tzinfo=zone)),
        (None, "contacted", datetime(2001, 2, 28, 23, 59, tzinfo=zone)),
        (30, "qualified", datetime(2001, 3, 1, tzinfo=zone)),
    ]  # fmt: skip
    for value, status, at in rows:
        made = platform.leads.create({"name": "Lutetium", "value": value, "status": status, "tags": ["a", "b"]}).id
        stored(stub, "lead", made, created_at=at)

    def facet(given: Any, groups: Any = None) -> tuple[list[tuple[Any, ...]], int, int]:
        page = platform.search.faceted("lead", q="lutetium", facets=[given], filter_groups=groups)
        (one,) = [one.model_dump() for one in facets_of(page)]
        buckets = [tuple(bucket[name] for name in ("value", "count", "selected")) for bucket in one["buckets"]]
        return buckets, one["other_count"], one["missing_count"]

    february, march = ("2001-02", 2, False), ("2001-03", 1, False)
    assert facet({"field": "created_at"}) == ([("2001-01", 1, False), february, march], 0, 0)
    assert facet({"field": "created_at", "interval": "month", "size": 2}) == ([february, march], 1, 0)
    assert facet({"field": "status", "size": 1}) == ([("new", 2, False)], 2, 0)
    picked: Any = [{"filters": [{"field": "status", "op": "in", "values": ["new", "qualified"]}]}]
    assert facet({"field": "status"}, picked) == (
        [("new", 2, True), ("contacted", 1, False), ("qualified", 1, True)], 0, 0,
    )  # fmt: skip
    assert facet({"field": "created_at"}, picked)[0] == [("2001-01", 1, False), ("2001-02", 1, False), march]
    tagged: Any = [{"filters": [{"field": "tags", "op": "contains", "value": "a"}]}]
    assert facet({"field": "tags"}, tagged) == ([("a", 4, True), ("b", 4, False)], 0, 0)
    ranges: Any = [{"high": 20}, {"low": 20, "high": 30}, {"low": 30}, {"low": 10, "high": 31}]
    page = platform.search.faceted("lead", q="lutetium", facets=[{"field": "value", "ranges": ranges}])
    (one,) = [one.model_dump() for one in facets_of(page)]
    assert [(each["label"], each["count"], each["low"], each["high"]) for each in one["buckets"]] == [
        ("..20", 1, None, 20), ("20..30", 1, 20, 30), ("30..", 1, 30, None), ("10..31", 3, 10, 31),
    ]  # fmt: skip
    assert (one["other_count"], one["missing_count"], one["type"]) == (0, 1, "range")
