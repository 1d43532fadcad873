"""Links of an import to other records: who may create those that are missing."""

from __future__ import annotations

from typing import Any

import pytest
from imported_files import counts, load, record
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.mark.parametrize("may", [False, True])
def test_linked_records_are_created_by_who_may_create_them(client: CrmClient, stub: StubServer, may: bool) -> None:
    granted = [*(("contacts", action) for action in ("read", "create", "update", "import")), ("accounts", "read")]
    granted += [("accounts", "create")] if may else []
    held: Any = [{"resource": word, "action": action, "scope": "all"} for word, action in granted]
    client.security.roles.create({"key": "loader", "name": "Loader", "permissions": held})
    _, crm = signed_in(stub, client, "loader", strict=False)
    link: Any = {"column": "Firm", "entity": "account", "match_on": "name", "field": "account_id"}
    content = "name,Firm\nAda,Brand new\n"
    missing = load(crm, "contact", content, links=[link])
    assert [error.code for error in missing.errors] == ["REFERENCE_NOT_FOUND"]
    create: Any = {**link, "create_missing": True}
    if may:
        assert counts(load(crm, "contact", content, links=[create])) == (1, 0, 0, 0)
    else:
        for links in ([create], [{**link, "column": "none"}, create]):
            error = refused(lambda links=links: load(crm, "contact", content, links=links))  # type: ignore[misc] # bound at once
            assert (error.status, error.code) == (403, "FORBIDDEN")
    assert client.accounts.list(search="Brand new").total == int(may)


def test_a_link_finds_its_record_by_the_key_or_says_why_not(client: CrmClient) -> None:
    firm = client.accounts.create({"name": "Firm", "domain": "firm.example"}).id
    twins = sorted(client.accounts.create({"name": "Twin"}).id for _ in range(2))
    link: Any = {"column": "Firm", "entity": "account", "match_on": "id", "field": "account_id"}
    for match_on, known, unknown in (
        ("id", f" {firm} ", "account_none"), ("domain", "FIRM.example", "none.example"), ("name", "firm", "No firm"),
    ):  # fmt: skip
        done = load(client, "contact", f"name,Firm\nAda,{known}\nBen,{unknown}\nCleo, \n",
                    links=[{**link, "match_on": match_on}])  # fmt: skip
        assert counts(done) == (2, 0, 0, 1)
        assert [(error.row, error.field, error.code, error.message, error.value) for error in done.errors] == [
            (2, "account_id", "REFERENCE_NOT_FOUND", f"no account has the {match_on} {unknown!r}", unknown)
        ]
        assert [record(client, "contact", done, place).account_id for place in (0, 1)] == [firm, None]
    made = load(client, "contact", "name,Firm\nAda,account_none\n", links=[{**link, "create_missing": True}])
    assert [error.code for error in made.errors] == ["REFERENCE_NOT_FOUND"], "an id is not given to a new record"
    (error,) = load(client, "contact", "name,Firm\nAda,Twin\n", links=[{**link, "match_on": "name"}]).errors
    assert (error.row, error.field, error.code, error.value) == (1, "account_id", "AMBIGUOUS_MATCH", "Twin")
    assert error.message == f"{', '.join(twins)} have the name 'Twin': name the one you mean by its id"
