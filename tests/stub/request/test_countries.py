"""The country of an address is one that there is, in every record that has an address."""

from __future__ import annotations

import httpx
import pytest

PLACES = {
    "lead": ("POST", "/leads", {"name": "Ann Lee"}, "address"),
    "contact": ("POST", "/contacts", {"name": "Ann Lee"}, "address"),
    "account billed": ("POST", "/accounts", {"name": "Acre"}, "billing_address"),
    "account shipped": ("POST", "/accounts", {"name": "Acre"}, "shipping_address"),
    "billing": ("PUT", "/tenants/current/billing", {}, "billing_address"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_country_that_is_none_is_refused(raw: httpx.Client, place: str) -> None:
    method, path, members, name = PLACES[place]
    wire = name.replace("_a", "A")
    answer = raw.request(method, path, json={**members, wire: {"country": "ZZ"}})
    error = answer.json()["errors"][0]
    assert answer.status_code == 422, answer.text
    assert (error["rule"], error["field"]) == ("choice", f"{wire}.country"), error
    for country in ("DE", "XK", None):
        answer = raw.request(method, path, json={**members, wire: {"country": country}})
        assert answer.is_success, answer.text
        assert (answer.json()["data"][wire] or {}).get("country") == country
