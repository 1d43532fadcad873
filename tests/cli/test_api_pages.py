"""``crm api --paginate``: one array of all pages, in each dialect."""

from __future__ import annotations

import pytest
from shell import Crm

from crm_cli import failures

pytest_plugins = ["cli_fixtures"]


@pytest.mark.parametrize(("dialect", "path"), [
    ("platform", "/v1/contacts"), ("platform", "/v1/contacts?limit=50"), ("mvp", "/api/leads"), ("flow", "/api/deals"),
])  # fmt: skip
def test_all_pages_are_one_array(dialect: str, path: str, served: Crm) -> None:
    noun = path.partition("?")[0].rpartition("/")[2]
    whole = served(noun, "list", "--limit", "all", "-o", "ids", "--dialect", dialect).out.split()
    typed = [] if "?" in path else ["limit=100"]
    done = served("api", "GET", path, *typed, "--paginate", "--dialect", dialect)
    assert done.status == 0, done.err
    assert sorted(record["id"] for record in done.json) == sorted(whole)
    assert len(whole) > 50


@pytest.mark.parametrize(("words", "status", "said"), [
    (("POST", "/v1/leads", "name=Ada"), failures.USAGE, "--paginate is for GET"),
    (("GET", "/v1/users/user_ada"), failures.USAGE, "--paginate is for lists"),
    (("GET", "/v1/contacts/none"), failures.NOT_FOUND, "none"),
])  # fmt: skip
def test_what_is_no_list_is_refused(words: tuple[str, ...], status: int, said: str, served: Crm) -> None:
    done = served("api", *words, "--paginate")
    assert (done.status, said in done.err) == (status, True)
