"""Links of an import to other records: who may create those that are missing."""

from __future__ import annotations

from typing import Any

import pytest
from imported_files import counts, load
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
