"""Forty queries, each with the record that anybody would expect first."""

from __future__ import annotations

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import ContactCreate, LeadCreate
from server_stub import StubServer

CONTACTS: dict[str, ContactCreate] = {
    "jürgen": {
        "name": "Jürgen Müller",
        "company": "Bäckerei Straßer",
        "title": "Owner",
        "email": "jm@strasser.example",
    },
    "zoe": {"name": "Zoë Zimt", "company": "Zanzibar Spices", "title": "Buyer", "phone": "+49 30 7788990"},
    "łukasz": {"name": "Łukasz Wiśniewski", "company": "Kraków Glass", "tags": ["glassware"]},
    "mary": {"name": "Mary Ann Okonkwo", "company": "Lagos Freight", "title": "Head of Logistics"},
    "marian": {"name": "Marian Okonkwo-Bell", "company": "Bell Harbour", "title": "Captain"},
    "oconnor": {"name": "Siobhán O'Connor", "company": "Quayside Brewing", "notes": ["likes stout and porter"]},
    "tariq": {"name": "Tariq Haddad", "company": "Haddad Textiles", "address": {"city": "Casablanca"}},
    "quay": {"name": "Quay Lindqvist", "company": "Nordlicht"},
}
LEADS: dict[str, LeadCreate] = {
    "velo": {"name": "Velodrome Cycling", "company": "Velodrome", "source": "referral", "campaign": "springtime"},
    "velvet": {"name": "Velvet Underwear", "company": "Velvet Mills", "tags": ["wholesale"]},
    "ivory": {"name": "Ivory Tower", "company": "Tower Bridge Press", "email": "hello@ivorytower.example"},
    "tower": {"name": "Tower", "company": "Tower Holdings"},
    "solar": {"name": "Solveig Solarium", "company": "Sunrise Solar Panels", "notes": "asked about panels on a barn"},
}
FIRST = {
    "jürgen müller": "jürgen", "jurgen muller": "jürgen", "JÜRGEN": "jürgen", "mueler jürgen": "jürgen",
    "mulller": "jürgen", "strasser": "jürgen", "bäckerei": "jürgen", "jm@strasser.example": "jürgen", "zoe": "zoe",
    "zimt zoe": "zoe", "zanzibar": "zoe", "zanzibr": "zoe", "zanz": "zoe", "+49 30 7788990": "zoe", "4930778": "zoe",
    "lukasz": "łukasz", "wisniewski": "łukasz", "krakow glass": "łukasz", "glassware": "łukasz", "mary ann": "mary",
    "mary": "mary", '"ann okonkwo"': "mary", "marian": "marian", "okonkwo -bell": "mary", "company:bell": "marian",
    "head of logistics": "mary", "o'connor": "oconnor", "siobhan": "oconnor", "stout porter": "oconnor",
    "casablanca": "tariq", "haddad textiles": "tariq", "haddda": "tariq", "quay": "quay", "velodrome": "velo",
    "velod": "velo", "springtime": "velo", "velvet underwear": "velvet", "wholesale velvet": "velvet",
    "tower": "tower", "ivory tower": "ivory", '"tower bridge"': "ivory", "hello@ivorytower.example": "ivory",
    "sunrise solar": "solar", "barn panels": "solar",
}  # fmt: skip


@pytest.fixture(scope="module")
def crm() -> tuple[CrmClient, dict[str, str]]:
    """A client of a company with the records, and their ids."""
    client = StubServer().client(dialects="platform", max_retries=0, strict=True)
    ids = {key: client.contacts.create(given).id for key, given in CONTACTS.items()}
    ids |= {key: client.leads.create(given).id for key, given in LEADS.items()}
    return client, ids


@pytest.mark.parametrize("q", FIRST)
def test_the_obvious_answer_is_first(crm: tuple[CrmClient, dict[str, str]], q: str) -> None:
    client, ids = crm
    found = client.search.query(q)
    assert [hit.id for hit in found.hits[:1]] == [ids[FIRST[q]]], [hit.title for hit in found.hits]
    assert found.hits[0].score == 1 and all(hit.score <= 1 for hit in found.hits)
    assert client.search.query(q, limit=1).total == found.total == sum(found.counts.values())


def test_there_are_forty_of_them() -> None:
    assert len(FIRST) >= 40
