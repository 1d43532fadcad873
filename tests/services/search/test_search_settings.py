"""The configuration of the search, the index that is built by it, and what callers are suggested."""

from __future__ import annotations

from functools import partial
from typing import Any

from newcomers import signed_in
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from server_stub import StubServer


def entity(platform: CrmClient, type: str) -> Any:
    (found,) = [one for one in platform.search.status().entities if one.type == type]
    return found


def texts(found: Any, kind: str) -> list[str]:
    return [one.text for one in found if one.kind == kind]


# -- the configuration -------------------------------------------------------------------------------------------------


def test_null_restores_what_a_new_company_has(platform: CrmClient, globex: CrmClient, stub: StubServer) -> None:
    assert globex.search.config.get().language == "de"
    first = platform.search.config.get()
    names = ("synonyms", "stop_words", "fuzzy", "fuzzy_distance", "min_query_length", "highlight", "recency_weight")
    assert tuple(getattr(first, name) for name in names) == ([], [], True, 1, 2, True, 0.1)
    assert (first.language, first.version) == ("en", 1)
    changed: Any = {
        "synonyms": [["a", "b"]], "stop_words": ["the"], "fuzzy": False, "fuzzy_distance": 2, "min_query_length": 3,
        "highlight": False, "recency_weight": 0.5, "language": "de",
    }  # fmt: skip
    second = platform.search.config.update(changed, version=1)
    assert (second.version, second.language, second.fuzzy_distance) == (2, "de", 2)
    kept = platform.search.config.update({"fuzzy": True})
    assert (kept.language, kept.fuzzy, kept.stop_words, kept.version) == ("de", True, ["the"], 3)
    lists = {"synonyms": None, "stopWords": None, "entities": None}
    assert platform.request("PUT", "/v1/search/config", json=lists).status == 200
    usual: Any = {name: getattr(first, name) for name in (*names[2:], "language")}
    back = platform.search.config.update(usual)
    assert tuple(getattr(back, name) for name in names) == tuple(getattr(first, name) for name in names)
    told = [entry for entry in stub.audit() if entry["action"] == "search.config_updated"]
    assert [change["field"] for change in told[1]["changes"]] == ["fuzzy"] and told[0]["entity"]["id"] == "tenant_acme"


def test_the_types_that_are_named_are_searched_as_they_say(platform: CrmClient) -> None:
    platform.custom_objects.create({"api_name": "ship", "label": "Ship", "plural_label": "Ships"})
    fields: Any = [{"field": "name"}, {"field": "company", "weight": 3},
                   {"field": "status", "weight": 0, "facetable": True}]  # fmt: skip
    given: Any = [{"type": "lead", "fields": fields}, {"type": "deal", "enabled": False, "boost": 2}]
    found = {one.type: one for one in platform.search.config.update({"entities": given}).entities}
    assert {type: (one.enabled, one.boost) for type, one in found.items() if type in ("lead", "deal", "ship")} == {
        "lead": (True, 1.0), "deal": (False, 2.0), "ship": (True, 1.0),
    }  # fmt: skip
    assert [(one.field, one.weight, one.facetable) for one in found["lead"].fields or ()] == [
        ("name", 1.0, False), ("company", 3.0, False), ("status", 0.0, True),
    ]  # fmt: skip
    assert len(found["deal"].fields or ()) > 3, "those by default"
    assert {one.type for one in platform.search.status().entities} >= {"lead", "ship"}
    assert "deal" not in {one.type for one in platform.search.status().entities}
    assert platform.search.config.update({"entities": given}).version == 2, "nothing new is no change"
    for entities, field, rule in (
        ([{"type": "hats"}], "entities.0.type", "choice"),
        ([{"type": "lead"}, {"type": "lead"}], "entities.1.type", "unique"),
        ([{"type": "lead", "fields": [{"field": "name"}, {"field": "name"}]}], "entities.0.fields.1.field", "unique"),
        ([{"type": "lead", "fields": [{"field": "hat"}]}], "entities.0.fields.0.field", None),
    ):
        wrong: Any = {"entities": entities}
        refusal = refused(partial(platform.search.config.update, wrong))
        assert (refusal.status, refusal.fields[0].field) == (422, field)
        assert rule is None or refusal.fields[0].rule == rule


def test_a_query_is_as_long_as_the_configuration_says(platform: CrmClient) -> None:
    platform.leads.create({"name": "Abcd"})
    platform.search.config.update({"min_query_length": 4})
    calls: Any = {
        "query": platform.search.query, "leads": platform.search.leads, "contacts": platform.search.contacts,
        "deals": platform.search.deals, "accounts": platform.search.accounts, "activities": platform.search.activities,
        "advanced": lambda q: platform.search.advanced({"q": q}, types=["lead"]),
        "faceted": lambda q: platform.search.faceted("lead", q=q),
    }  # fmt: skip
    for name, call in calls.items():
        assert refused(partial(call, "abc")).code == "QUERY_TOO_SHORT", name
        call("abcd")
    assert [hit.title for hit in platform.search.leads("abcd", limit=1)] == ["Abcd"]


# -- the index ---------------------------------------------------------------------------------------------------------


def test_the_index_is_built_one_type_after_the_other(platform: CrmClient, stub: StubServer) -> None:
    sizes = {one.type: one.documents for one in platform.search.status().entities}
    job = platform.search.reindex(types=["contact", "lead", "contact"])
    assert (some(job.counts).total, job.cancellable) == (sizes["lead"] + sizes["contact"], False)
    assert job.status_url == "/search/status"
    assert refused(platform.search.reindex).details == {"jobId": job.id}
    seen: list[tuple[int, int, int, str]] = []
    for _ in range(30):
        lead, contact = (entity(platform, type).pending for type in ("lead", "contact"))
        status = platform.search.status()
        counts = platform.jobs.get(job.id).counts
        assert entity(platform, "deal").pending == 0
        line = (lead, contact, some(counts).processed, status.state)
        seen += [line] if line not in seen else []
        stub.clock.advance(0.05)
    total = sizes["lead"] + sizes["contact"]
    first = "contact" if seen[1][0] else "lead"
    assert seen[0] == (sizes["lead"], sizes["contact"], 0, "indexing")
    assert seen[1][2:] == (sizes[first], "indexing") and seen[-1] == (0, 0, total, "ready") and len(seen) == 3
    done = platform.search.status()
    assert (some(done.job).id, some(done.job).status, done.pending) == (job.id, "succeeded", 0)
    assert done.documents == sum(one.documents for one in done.entities)
    (told,) = [entry for entry in stub.audit() if entry["action"] == "search.reindexed"]
    assert (sorted(told["metadata"]["types"]), told["metadata"]["documents"]) == (["contact", "lead"], total)
    second = platform.search.reindex()
    assert some(second.counts).total == sum(sizes.values()) and second.wait().state == "ready"


def test_a_type_that_is_gone_since_is_passed_over(platform: CrmClient, stub: StubServer) -> None:
    ship = platform.custom_objects.create({"api_name": "ship", "label": "Ship", "plural_label": "Ships"})
    platform.custom_objects.records.create(ship.id, {"fields": {"name": "Nautilus"}})
    contacts = entity(platform, "contact").documents
    job = platform.search.reindex(types=["ship", "contact"])
    for record in platform.custom_objects.records.list(ship.id):
        platform.custom_objects.records.delete(ship.id, record.id)
    platform.custom_objects.delete(ship.id)
    assert job.wait().state == "ready"
    assert some(platform.jobs.get(job.id).counts).succeeded == contacts + 1


def test_what_is_stale_waits_for_the_index(platform: CrmClient) -> None:
    assert platform.search.status().state == "ready" and platform.search.status().pending == 0
    platform.search.config.update({"synonyms": [["cars", "automobiles"]]})
    status = platform.search.status()
    assert status.state == "stale" and all(one.stale and one.pending == one.documents for one in status.entities)
    platform.search.reindex(types=["lead"]).wait()
    assert [entity(platform, type).stale for type in ("lead", "contact")] == [False, True]
    assert platform.search.status().state == "stale"
    platform.search.reindex().wait()
    assert platform.search.status().state == "ready" and platform.search.status().pending == 0


# -- suggestions -------------------------------------------------------------------------------------------------------


def test_what_others_ask_often_is_suggested(platform: CrmClient, sales: CrmClient) -> None:
    platform.leads.create({"name": "Gadolinium Samarium"})
    platform.search.query(" Gadolinium ")
    assert texts(sales.search.suggestions("gado"), "popular") == []
    platform.search.query("gadolinium")
    found = sales.search.suggestions("GADO", limit=20)
    assert texts(found, "popular") == ["gadolinium"] and texts(found, "recent") == []
    assert texts(platform.search.suggestions("gado", limit=20), "recent") == ["gadolinium"]
    for q in ("gadolinium s", "gadolinium sa", "gadolinium sam", "gadolinium sama"):
        platform.search.leads(q)
    assert texts(platform.search.suggestions("gado", limit=20), "recent") == [
        "gadolinium sama", "gadolinium sam", "gadolinium sa",
    ]  # fmt: skip
    platform.search.leads("gadolinium nothingness")
    assert "gadolinium nothingness" not in texts(platform.search.suggestions("gado", limit=20), "recent")
    assert "gadolinium" not in [one.text for one in platform.search.suggestions("gadolinium", limit=20)]


def test_what_is_asked_with_facets_is_kept_where_it_found_something(platform: CrmClient, stub: StubServer) -> None:
    platform.leads.create({"name": "Lutetium", "status": "qualified"})
    kept = stub.store.collection("tenant_acme", "search_query")
    known, others = len(kept), [{"filters": [{"field": "status", "op": "eq", "value": "lost"}]}]
    groups: Any
    for q, groups, count in (
        (None, None, 0), (" ", None, 0), ("lutetium nothing", None, 0), ("lutetium", others, 0),
        (" Lutetium ", None, 1), ("lutetium", None, 2),
    ):  # fmt: skip
        platform.search.faceted("lead", q=q, filter_groups=groups)
        mine = [(doc["text"].lower(), doc["count"]) for doc in kept.all()[known:]]
        assert mine == ([("lutetium", count)] if count else []), (q, groups)
    assert texts(platform.search.suggestions("lute", limit=20), "recent") == ["lutetium"]


def test_fifty_queries_of_a_caller_are_kept(platform: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    platform.leads.create({"name": "Terbium"})
    sales.search.leads("terb")
    kept = stub.store.collection("tenant_acme", "search_query")
    for number in range(51):
        platform.search.leads("terbium" + " terbium" * number)
    mine = [doc for doc in kept if doc["actor_id"] != "apikey_acme_sales"]
    assert len(mine) == 50 and "terbium" not in {doc["key"] for doc in mine}
    assert len(kept) == 51, "those of others stay"


def test_words_are_completed_and_values_are_conditions(platform: CrmClient) -> None:
    for name in ("Dysprosium One", "Dysprosium Two", "Dysprosial"):
        platform.leads.create({"name": name, "status": "qualified"})
    found = platform.search.suggestions("big dyspros", limit=20)
    assert texts(found, "completion") == ["big dysprosium", "big dysprosial"]
    for q in ("dyspros -", "dyspros ", "-"):
        assert texts(platform.search.suggestions(q, limit=20), "completion") == (
            ["dysprosium", "dysprosial"] if q == "dyspros " else []
        )
    platform.leads.create({"name": "T", "tags": ["yttric gold", "yttric"]})
    (plain, quoted) = [one for one in platform.search.suggestions("yttr", limit=20) if one.kind == "filter"]
    assert ([plain.text, quoted.text], plain.type) == (["tags:yttric", 'tags:"yttric gold"'], "lead")
    assert some(plain.filter).field == "tags" and some(plain.filter).value == "yttric"
    assert texts(platform.search.suggestions("yttr", limit=20, types=["contact"]), "filter") == []
    platform.leads.create({"name": "Cerium", "company": "Cerous", "source": "website", "address": {"city": "Cerville"}})
    platform.activities.tasks.create({"title": "Cerium", "tags": ["ceric"]})
    for q in ("user", "cero", "cervi", "ceri"):  # ids, what nobody counts, and what not everybody sees
        assert texts(platform.search.suggestions(q, limit=20), "filter") == [], q
    assert texts(platform.search.suggestions("websi", limit=20, types=["lead"]), "filter") == ["source:website"]
    assert [one.score for one in platform.search.suggestions("yttr", limit=1)] == [1]
    assert [one.score for one in platform.search.suggestions("yttr", limit=2)] == [1, 0.6667]


def test_a_word_that_does_not_occur_is_corrected_to_the_most_frequent(platform: CrmClient) -> None:
    for name in ("Holmium One", "Holmium Two", "Holmiun"):
        platform.leads.create({"name": name})
    for q, better in (
        ("holmius", "holmium"), ("holmium", None), ("holm", None), ("one holmius", "one holmium"), ("zzzzzz", None),
    ):  # fmt: skip
        assert platform.search.query(q).did_you_mean == better, q
        corrections = texts(platform.search.suggestions(q, limit=20), "correction")
        assert corrections == ([better] if better is not None else []), q


def test_the_ends_of_ranges_are_of_the_type_of_the_member(platform: CrmClient) -> None:
    fields: Any = [{"field": "name"}, *({"field": name, "weight": 0, "facetable": True} for name in
                                        ("value", "created_at", "status"))]  # fmt: skip
    platform.search.config.update({"entities": [{"type": "lead", "fields": fields}]})
    day = "2026-01-01"
    for facet, field in (
        ({"field": "created_at", "ranges": [{"low": 5}]}, "facets.0.ranges.0.low"),
        ({"field": "created_at", "ranges": [{"high": 5}]}, "facets.0.ranges.0.high"),
        ({"field": "value", "ranges": [{"low": 1}, {"low": day}]}, "facets.0.ranges.1.low"),
        ({"field": "value", "ranges": [{"low": 5, "high": 5}]}, "facets.0.ranges.0.high"),
        ({"field": "created_at", "ranges": [{"low": day, "high": day}]}, "facets.0.ranges.0.high"),
        ({"field": "status", "interval": "day"}, "facets.0.interval"),
        ({"field": "created_at", "interval": "decade"}, "facets.0.interval"),
    ):
        reply = platform.request("POST", "/v1/search/faceted", json={"type": "lead", "facets": [facet]})
        assert reply.status == 422 and reply.json()["errors"][0]["field"] == field, facet


def test_hits_are_sorted_as_the_list_of_their_records_is(platform: CrmClient) -> None:
    deals = {stage: platform.deals.create({"title": "Rhenium", "stage": stage}).id
             for stage in ("proposal", "prospect", "negotiation")}  # fmt: skip
    for sort in ("stage", "probability"):
        listed = [one.id for one in platform.deals.list(search="rhenium", sort=sort)]
        assert [hit.id for hit in platform.search.deals("rhenium", sort=sort)] == listed
        assert listed == [deals[stage] for stage in ("prospect", "proposal", "negotiation")], sort


def test_what_cannot_be_searched_so_says_which_member_and_why(platform: CrmClient, stub: StubServer) -> None:
    """Ranges and periods are of what has them; a sort is of what the records have, and of no list."""
    search = platform.search
    calls: list[tuple[Any, str, str]] = [
        (partial(search.faceted, "lead", facets=[{"field": "status", "ranges": [{"low": 1}]}]), "facets.0.ranges",
         "type"),
        (partial(search.faceted, "lead", facets=[{"field": "status", "interval": "day"}]), "facets.0.interval", "type"),
        (partial(search.faceted, "lead", facets=[{"field": "created_at", "interval": "fortnight"}]),
         "facets.0.interval", "choice"),
        (partial(search.faceted, "app"), "type", "choice"),
        (partial(search.faceted, "planet"), "type.0", "choice"),
        (partial(search.advanced, {"q": "x" * 5, "include": ["notes"]}), "include.0", "choice"),
        (partial(search.advanced, {"q": "x" * 5}, types=[]), "types.0", "choice"),
        (partial(search.leads, "x" * 5, sort="tags"), "sort", "choice"),
        (partial(search.advanced, {"q": "x" * 5, "sort": "tags"}, types=["lead"]), "sort", "choice"),
        (partial(search.advanced, {"q": "x" * 5, "sort": "nonsense"}, types=["lead"]), "sort", "choice"),
    ]  # fmt: skip
    fields: Any = [{"field": "name"}, {"field": "tags"}, *({"field": name, "weight": 0, "facetable": True}
                                        for name in ("status", "created_at"))]  # fmt: skip
    search.config.update({"entities": [{"type": "lead", "fields": fields}]})
    platform.leads.create({"name": "x" * 5})
    for call, field, rule in calls:
        error = refused(call)
        assert (error.status, error.fields[0].field, error.fields[0].rule) == (422, field, rule), (field, error.message)
    raw = platform.request("POST", "/v1/search/advanced", json={"q": "x" * 5, "types": []})
    (entry,) = raw.json()["errors"]
    assert (raw.status, entry["field"], entry["rule"]) == (422, "types", "required")


def test_who_reads_their_own_finds_their_own(platform: CrmClient, stub: StubServer) -> None:
    permissions: Any = [
        {"resource": "leads", "action": "read", "scope": "own"},
        {"resource": "search", "action": "read"},
    ]
    platform.security.roles.create({"key": "own", "name": "Own", "permissions": permissions})
    user, own = signed_in(stub, platform, "own")
    ids = {owner: platform.leads.create({"name": "Osmium", "owner_id": owner}).id for owner in (user.id, "user_ada")}
    platform.contacts.create({"name": "Osmium"})
    found = own.search.query("osmium")
    assert ([hit.id for hit in found.hits], found.total, found.counts) == ([ids[user.id]], 1, {"lead": 1})
    assert [hit.id for hit in own.search.leads("osmium")] == [ids[user.id]]
    assert [one.id for one in own.search.autocomplete("osmi")] == [ids[user.id]]
    assert sorted(hit.id for hit in platform.search.leads("osmium")) == sorted(ids.values())


def test_hits_are_sorted_by_what_is_within_a_member(platform: CrmClient) -> None:
    towns = ("Ulm", "Aachen", "Bonn")
    ids = {city: platform.contacts.create({"name": "Iridium", "address": {"city": city}}).id for city in towns}
    for order in ("asc", "desc"):
        found = platform.search.advanced({"q": "iridium", "sort": "address.city", "order": order}, types=["contact"])
        assert [hit.id for hit in found] == [ids[city] for city in sorted(towns, reverse=order == "desc")]
