"""What is found, in which order, by whom, and what is said about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import CustomRecord, File, Lead
from crm_sdk.models.search import SearchResults, facets_of
from server_stub import StubServer


def ids(page: Any) -> list[str]:
    return [hit.id for hit in page]


def counts(found: SearchResults) -> dict[str, int]:
    return {kind: count for kind, count in found.counts.items() if count}


def test_ranks_are_exact_beginning_word_and_other_letters(platform: CrmClient) -> None:
    names = ("Xylophon", "Xylophon Trading", "My Xylophon", "My Xylophonist", "Xylophan")
    made = [platform.leads.create({"name": name}).id for name in reversed(names)][::-1]
    found = platform.search.leads("xylophon")
    assert ids(found) == made
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert found[0].score == 1 and found[0].matched_fields == ["name"] and isinstance(found[0].record, Lead)
    assert ids(platform.search.leads("xylophon", fuzzy=False)) == made[:4]


def test_weights_boosts_and_age_decide_among_equals(platform: CrmClient, stub: StubServer) -> None:
    titled = platform.leads.create({"name": "A", "title": "Yttrium dealer"}).id
    firm = platform.leads.create({"name": "B", "company": "Yttrium dealer"}).id
    assert ids(platform.search.leads("yttrium")) == [firm, titled]
    contact = platform.contacts.create({"name": "C", "company": "Yttrium dealer"}).id
    stub.clock.advance(86_400)
    newer = platform.leads.create({"name": "D", "company": "Yttrium dealer"}).id
    assert ids(platform.search.leads("yttrium")) == [newer, firm, titled]
    entities: Any = [{"type": "contact", "boost": 9}, {"type": "lead"}]
    platform.search.config.update({"entities": entities})
    found = platform.search.query("yttrium")
    assert found.hits[0].id == contact and counts(found) == {"contact": 1, "lead": 3}
    platform.search.config.update({"entities": [{"type": "contact", "enabled": False}, {"type": "lead"}]})
    assert counts(platform.search.query("yttrium")) == {"lead": 3}


def test_highlights_are_escaped(platform: CrmClient) -> None:
    platform.leads.create({"name": "Zoé & <b>Qwertz</b>", "company": "Q" * 300 + " qwertz end"})
    (hit,) = platform.search.leads("qwertz")
    assert {each.field: each.fragment for each in hit.highlights}[
        "name"
    ] == "Zoé &amp; &lt;b&gt;<em>Qwertz</em>&lt;/b&gt;"
    assert next(iter(platform.search.leads("zoe"))).highlights[0].fragment.startswith("<em>Zoé</em> &amp; ")
    assert not platform.search.advanced({"q": "qwertz"}, types=["lead"], highlight=False)[0].highlights
    (hit,) = platform.search.leads("qwerts")
    assert any("<em>Qwertz</em>" in each.fragment for each in hit.highlights), "a word that is nearly the one asked for"


def test_three_members_are_highlighted_and_all_that_match_are_named(platform: CrmClient) -> None:
    members = {"name": "Qwertzu", "company": "Qwertzu", "title": "Qwertzu", "industry": "Qwertzu"}
    given: Any = members
    platform.leads.create(given)
    (hit,) = platform.search.leads("qwertzu")
    assert set(hit.matched_fields) == set(members)
    assert [each.field for each in hit.highlights] == hit.matched_fields[:3]


@pytest.mark.parametrize(
    ("q", "found"),
    [("moon:cheese", True), ("company:cheese", False), ("name:cheese", True), ("nosuch:moon", False)],
)
def test_what_no_kind_has_as_a_member_are_words(platform: CrmClient, q: str, found: bool) -> None:
    made = platform.leads.create({"name": "Moon Cheese", "company": "Other"}).id
    assert ids(platform.search.leads(q)) == [made] * found
    assert [hit.id for hit in platform.search.query(q).hits] == [made] * found


def test_names_around_a_record_find_it_and_follow_them(platform: CrmClient) -> None:
    account = platform.accounts.create({"name": "Wolpertinger Works"})
    contact = platform.contacts.create({"name": "Hagen Wurzel"})
    deal = platform.deals.create({"title": "Antlers", "account_id": account.id, "contact_id": contact.id}).id
    assert ids(platform.search.deals("wolpertinger wurzel antlers")) == [deal]
    platform.accounts.update(account.id, {"name": "Jackalope Works"})
    assert ids(platform.search.deals("wolpertinger")) == [] and ids(platform.search.deals("jackalope")) == [deal]


def test_records_of_custom_objects_are_found(platform: CrmClient) -> None:
    made = platform.custom_objects.create({"api_name": "vessel", "label": "Vessel", "plural_label": "Vessels"})
    record = platform.custom_objects.records.create(made.id, {"fields": {"name": "Nautilus Prime"}}).id
    found = platform.search.query("nautilus")
    assert found.counts["vessel"] == 1 and ids(found.others) == [record]
    assert isinstance(found.hits[0].record, CustomRecord) and found.hits[0].type == "vessel"
    assert ids(platform.search.advanced({"q": "naut"}, types=["vessel"])) == [record]
    assert "vessel" in {entity.type for entity in platform.search.config.get().entities}
    platform.custom_objects.records.delete(made.id, record)
    assert platform.search.query("nautilus").total == 0


def test_files_are_found_by_who_sees_them(platform: CrmClient, sales: CrmClient) -> None:
    said: Any = {"folder": "/osmiumfold", "tags": ["osmiumtag"], "description": "osmiumtext"}
    offer = platform.files.upload(("osmium offer.txt", b"text"), **said)
    own = sales.files.upload(("osmium notes.txt", b"text"), visibility="private")
    for word in ("osmium offer", "osmiumfold", "osmiumtag", "osmiumtext"):
        (hit,) = platform.search.query(word).others
        assert (hit.type, hit.id, hit.title) == ("file", offer.id, "osmium offer.txt") and isinstance(hit.record, File)
    assert [one.id for one in platform.search.autocomplete("osmiu")] == [offer.id]
    assert {hit.id for hit in sales.search.query("osmium", types=["file"]).hits} == {offer.id, own.id}
    platform.files.delete(offer.id)
    assert platform.search.query("osmium").total == 0


def test_an_advanced_search_without_types_searches_all(platform: CrmClient) -> None:
    lead = platform.leads.create({"name": "Osmium Lead"})
    file = platform.files.upload(("osmium.txt", b"text"))
    assert {hit.id for hit in platform.search.advanced({"q": "osmium"})} == {lead.id, file.id}
    young: Any = {"filter_groups": [{"filters": [{"field": "created_at", "op": "gte", "value": lead.created_at}]}]}
    assert {hit.id for hit in platform.search.advanced(young)} == {lead.id, file.id}


def test_private_events_of_others_are_not_found(platform: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    start = stub.clock.now()
    given = {"title": "Quokka surprise", "start_time": start, "end_time": start.replace(hour=start.hour + 1)}
    private: Any = {**given, "visibility": "private"}
    public: Any = {**given, "visibility": "public"}
    secret = platform.activities.events.create(private).id
    open_to_all = platform.activities.events.create(public).id
    assert set(ids(platform.search.activities("quokka"))) == {open_to_all, secret}, "one's own are found"
    assert ids(sales.search.activities("quokka")) == [open_to_all]
    assert [item.id for item in sales.search.autocomplete("quok")] == [open_to_all]
    assert sales.search.query("quokka").total == 1
    assert ids(platform.search.activities("quokka", kinds=["task"])) == []


def test_other_companies_find_nothing_of_it(platform: CrmClient, globex: CrmClient) -> None:
    platform.leads.create({"name": "Unobtainium"})
    platform.search.query("unobtainium")
    assert globex.search.query("unobtainium").total == 0 and not globex.search.autocomplete("unob")
    assert not globex.search.suggestions("unob")


def test_what_the_features_and_the_role_exclude_is_not_found(platform: CrmClient, stub: StubServer) -> None:
    name = platform.reports.list(limit=1)[0].name
    assert platform.search.query(name).counts["report"] >= 1
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenant: Any = tenants.get("tenant_acme")
    tenants.put(tenant | {"features": {**(tenant.get("features") or {}), "reports": False}})
    assert "report" not in platform.search.query(name).counts


def test_a_lagging_index_finds_the_present_later(platform: CrmClient, stub: StubServer) -> None:
    stub.faults.add("search_lag", seconds=30)
    made = platform.leads.create({"name": "Laggardly"}).id
    assert ids(platform.search.leads("laggardly")) == []
    stub.clock.advance(31)
    assert ids(platform.search.leads("laggardly")) == [made]


def test_pages_have_every_hit_once_the_best_first(platform: CrmClient) -> None:
    made = {platform.leads.create({"name": f"Tungsten {number}"}).id for number in range(130)}
    best = platform.leads.create({"name": "Tungsten"}).id
    found = platform.search.leads("tungsten", limit=20)
    seen = list(found)
    assert seen[0].id == best and {hit.id for hit in seen} == made | {best} and len(seen) == found.total == 131
    assert [hit.score for hit in seen] == sorted((hit.score for hit in seen), reverse=True)
    assert platform.search.query("tungsten", page=3, limit=50).has_next is False
    assert len(platform.search.query("tungsten", page=2, limit=50).leads) == 50


def test_facets_ignore_their_own_condition(platform: CrmClient) -> None:
    for status, source in (("new", "website"), ("new", "referral"), ("contacted", "website")):
        platform.leads.create({"name": "Molybdenum", "status": status, "source": source, "tags": ["a", "b"]})
    condition: Any = [{"filters": [{"field": "status", "op": "eq", "value": "new"}]}]
    page = platform.search.faceted("lead", q="molybdenum", filter_groups=condition, facets=[
        {"field": "status"}, {"field": "source", "size": 1}, {"field": "tags"}])  # fmt: skip
    by_status, by_source, by_tag = facets_of(page)
    assert page.total == 2 and [(b.value, b.count, b.selected) for b in by_status.buckets] == [
        ("new", 2, True), ("contacted", 1, False)]  # fmt: skip
    assert [(b.value, b.count) for b in by_source.buckets] == [("referral", 1)] and by_source.other_count == 1
    assert {b.value: b.count for b in by_tag.buckets} == {"a": 2, "b": 2} and by_tag.missing_count == 0
    defaults = facets_of(platform.search.faceted("lead", q="molybdenum"))
    assert {facet.field for facet in defaults} == {"status", "source", "rating", "ownerId", "tags"}
    assert refused(lambda: platform.search.faceted("lead", facets=[{"field": "email"}])).code == "FIELD_NOT_FACETABLE"
    assert refused(lambda: platform.search.faceted("lead", facets=[{"field": "no_such"}])).code == "UNKNOWN_FIELD"


def test_ranges_and_periods_are_counted(platform: CrmClient) -> None:
    entities: Any = [{"type": "lead", "fields": [{"field": "name"}, {"field": "value", "weight": 0, "facetable": True},
                                                 {"field": "created_at", "weight": 0, "facetable": True}]}]  # fmt: skip
    platform.search.config.update({"entities": entities})
    for value in (5, 50, 500, None):
        platform.leads.create({"name": "Niobium", "value": value})
    page = platform.search.faceted("lead", q="niobium", facets=[
        {"field": "value", "ranges": [{"high": 50, "label": "small"}, {"low": 50, "high": 100}]},
        {"field": "createdAt", "interval": "quarter"}])  # fmt: skip
    by_value, created = facets_of(page)
    assert [(b.label, b.count) for b in by_value.buckets] == [("small", 1), ("50..100", 1)]
    assert (by_value.type, by_value.other_count, by_value.missing_count) == ("range", 1, 1)
    assert [(b.value, b.count) for b in created.buckets] == [("2026-Q1", 4)] and created.type == "date"
    wrong: Any = [{"field": "value", "interval": "day"}]
    assert refused(lambda: platform.search.faceted("lead", facets=wrong)).code == "VALIDATION_ERROR"


def test_facets_name_what_ids_lead_to(platform: CrmClient) -> None:
    fields: Any = [{"field": "name"}, *({"field": name, "weight": 0, "facetable": True} for name in
                                        ("owner_id", "external_id", "do_not_contact", "tags"))]  # fmt: skip
    platform.search.config.update({"entities": [{"type": "contact", "fields": fields}]})
    given: list[Any] = [
        {"owner_id": "user_sam", "external_id": "x-1", "do_not_contact": True},
        {"owner_id": "user_ada"},
    ]
    for one in given:
        platform.contacts.create(one | {"name": "Hafnium"})
    found = {one.field: one for one in facets_of(platform.search.faceted("contact", q="hafnium"))}
    assert {name: [(b.value, b.label, b.count) for b in facet.buckets] for name, facet in found.items()} == {
        "ownerId": [("user_ada", "Ada Lindqvist", 1), ("user_sam", "Sam Okonkwo", 1)],
        "externalId": [("x-1", "x-1", 1)],
        "doNotContact": [(False, "no", 1), (True, "yes", 1)],
        "tags": [],
    }
    assert {name: facet.missing_count for name, facet in found.items()} == {
        "ownerId": 0, "externalId": 1, "doNotContact": 0, "tags": 2,
    }  # fmt: skip


def test_what_begins_with_what_was_typed_is_scored_by_the_best(platform: CrmClient) -> None:
    assert platform.search.autocomplete("rheniu") == []
    platform.leads.create({"name": "Rhenium", "company": "Smelter"})
    (only,) = platform.search.autocomplete("rheniu")
    assert (only.label, only.sublabel, only.field, only.type, only.score) == ("Rhenium", "Smelter", "name", "lead", 1)
    platform.contacts.create({"name": "Buys much of Rhenium and more", "company": "Rhenium"})
    platform.leads.create({"name": "Other", "campaign": "Rhenium"})
    scores = [one.score for one in platform.search.autocomplete("rheniu")]
    assert scores[0] == 1 and scores == sorted(scores, reverse=True) and 0 < scores[2] < scores[1] < 1
    assert [one.score for one in platform.search.autocomplete("rheniu", limit=1)] == [1]
    assert [one.type for one in platform.search.autocomplete("rheniu", types=["contact"])] == ["contact"]
    assert refused(lambda: platform.search.autocomplete("- ")).code == "QUERY_TOO_SHORT"


def test_suggestions_correct_complete_and_remember(platform: CrmClient, sales: CrmClient) -> None:
    platform.leads.create({"name": "Praseodymium", "status": "qualified"})
    (correction, *_) = platform.search.suggestions("praseodimium")
    assert (correction.kind, correction.text) == ("correction", "praseodymium")
    assert platform.search.query("praseodimium").did_you_mean == "praseodymium"
    assert platform.search.query("praseodymium").did_you_mean is None
    kinds = {each.text: each.kind for each in platform.search.suggestions("prase", limit=20)}
    assert kinds["praseodymium"] == "recent"
    sales.search.query("praseodymium")
    fresh = {each.kind for each in sales.search.suggestions("prase", limit=20)}
    assert "recent" in fresh
    filters = [each for each in platform.search.suggestions("quali", limit=20) if each.kind == "filter"]
    assert "status:qualified" in {each.text for each in filters} and filters[0].filter is not None
    scores = [each.score for each in platform.search.suggestions("pra", limit=20)]
    assert scores == sorted(scores, reverse=True) and all(0 < score <= 1 for score in scores)
    platform.leads.create({"name": "Xu Q"})
    assert platform.search.query("xu").total and refused(lambda: platform.search.query("q ")).code == "QUERY_TOO_SHORT"
    assert "xu" in {each.text for each in platform.search.suggestions("x") if each.kind == "recent"}
    platform.search.query("nobody is called so")
    assert not [each for each in platform.search.suggestions("nobody is") if each.kind == "recent"]


def test_synonyms_and_stop_words_count_once_they_are_indexed(platform: CrmClient) -> None:
    made = platform.leads.create({"name": "Acme Cars of Ruritania"}).id
    before = platform.search.config.get()
    changed = platform.search.config.update(
        {"synonyms": [["cars", "automobiles"]], "stop_words": ["the"]}, version=before.version
    )
    assert changed.version == before.version + 1
    assert ids(platform.search.leads("the ruritania cars")) == [made], "stop words act at once"
    status = platform.search.status()
    assert status.state == "stale" and ids(platform.search.leads("automobiles ruritania")) == []
    job = platform.search.reindex()
    assert refused(lambda: platform.search.reindex()).code == "REINDEX_IN_PROGRESS"
    assert platform.search.status().state == "indexing"
    result = job.wait()
    assert result.state == "ready" and ids(platform.search.leads("automobiles ruritania")) == [made]
    actions = [entry.action for entry in platform.audit.logs.list(limit=200)]
    assert actions.count("search.config_updated") == actions.count("search.reindexed") == 1
    assert (
        refused(lambda: platform.search.config.update({"fuzzy": False}, version=before.version)).code
        == "VERSION_CONFLICT"
    )
    same = platform.search.config.update({"stop_words": ["the"]})
    assert same.version == changed.version


def test_a_new_field_is_searched_after_the_index_is_built(platform: CrmClient) -> None:
    made = platform.leads.create({"name": "Somebody", "timezone": "Asia/Tokyo"}).id
    entities: Any = [{"type": "lead", "fields": [{"field": "name", "weight": 5}, {"field": "timezone"}]}]
    platform.search.config.update({"entities": entities})
    assert ids(platform.search.leads("tokyo")) == [] and ids(platform.search.leads("timezone:tokyo")) == [made]
    platform.search.reindex(types=["lead"]).wait()
    assert ids(platform.search.leads("tokyo")) == [made]
    (lead,) = [each for each in platform.search.status().entities if each.type == "lead"]
    assert not lead.stale and lead.pending == 0


def test_the_index_is_as_new_as_its_newest_record(platform: CrmClient, stub: StubServer) -> None:
    def indexed(*types: str) -> list[Any]:
        entities = {each.type: each.last_indexed_at for each in platform.search.status().entities}
        return [entities[type] for type in types]

    before = indexed("lead", "contact")
    stub.clock.advance(60)
    made = platform.leads.create({"name": "Somebody"})
    assert indexed("lead", "contact") == [made.updated_at, before[1]]
    assert platform.search.status().last_indexed_at == made.updated_at
    stub.clock.advance(60)
    platform.search.reindex(types=["contact"]).wait()
    lead, contact = indexed("lead", "contact")
    assert lead == made.updated_at and contact > lead
    assert platform.search.status().last_indexed_at == contact


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ([{"field": "no_such", "op": "eq", "value": 1}], "UNKNOWN_FIELD"),
        ([{"field": "score", "op": "contains", "value": "x"}], "INVALID_OPERATOR"),
        ([{"field": "score", "op": "gt", "value": 1}] * 11, "FILTER_TOO_LARGE"),
    ],
)
def test_wrong_conditions_are_refused_in_every_search(platform: CrmClient, filters: Any, code: str) -> None:
    groups: Any = [{"filters": filters}]
    assert refused(lambda: platform.search.leads("le", filter_groups=groups)).code == code
    assert refused(lambda: platform.search.faceted("lead", filter_groups=groups)).code == code
    assert refused(lambda: platform.search.advanced({"filter_groups": groups}, types=["lead"])).code == code


def test_conditions_name_the_type_they_are_on(platform: CrmClient) -> None:
    small, big = (platform.leads.create({"name": "Osmium", "value": value}).id for value in (10, 500))
    contact = platform.contacts.create({"name": "Osmium"}).id
    groups: Any = [{"filters": [{"field": "name", "op": "eq", "value": "osmium"},
                                {"field": "lead.value", "op": "gt", "value": 100}]}]  # fmt: skip
    found = platform.search.advanced({"filter_groups": groups}, types=["lead", "contact"])
    assert set(ids(found)) == {big, contact}
    by_value = platform.search.advanced({"q": "osmium", "sort": "value", "order": "asc"}, types=["lead"])
    assert ids(by_value) == [small, big]
    assert refused(lambda: platform.search.advanced({"q": "osmium"}, types=["nonsense"])).code == "VALIDATION_ERROR"
    assert (
        refused(lambda: platform.search.advanced({"q": "osmium", "sort": "value"}, types=["lead", "contact"])).status
        == 422
    )


def test_the_records_of_hits_have_the_members_that_were_asked_for(stub: StubServer) -> None:
    client = stub.client(dialects="platform", max_retries=0, strict=True)
    query: Any = {"q": "acme", "fields": ["name", "address.city"]}
    found = client.search.advanced(query, types=["contact"]).items
    assert found
    for hit in found:
        assert not isinstance(hit.record, dict)
        assert hit.record.model_fields_set <= {"id", "version", "name", "address"}
        assert hit.title and hit.highlights
    query["fields"] = ["nope"]
    error = refused(lambda: client.search.advanced(query, types=["contact"]))
    assert [(one.code, one.field) for one in error.fields] == [("UNKNOWN_FIELD", "fields.0")]


@pytest.mark.parametrize(
    "type", ["contact", "lead", "deal", "account", "activity", "message", "user", "file", "report"]
)
def test_the_records_of_hits_have_the_names_of_the_wire(platform: CrmClient, type: str) -> None:
    for path, body in ((f"advanced?types={type}", {}), ("faceted", {"type": type})):
        reply = platform.request("POST", f"/v1/search/{path}", json=body)
        records = [hit["record"] for hit in json.loads(reply.content)["data"]]
        assert records and all("createdAt" in record for record in records)
        assert not [name for record in records for name in record if "_" in name]
