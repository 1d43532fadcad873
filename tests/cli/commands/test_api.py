"""``crm api``: what it sends, and what it prints of whatever is answered."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
from shell import Crm, Result, Terminal

from crm_cli import failures
from crm_cli.commands.api import _hide, _member, _pair
from crm_cli.failures import MisuseError
from crm_sdk.raw import RawReply

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def answered(served: Crm, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Result, dict[str, Any]]]:
    """`crm api` with an answer of the server; returns what it prints, and what it sent."""

    def call(*words: str, status: int = 200, content: bytes = b"", **headers: str) -> tuple[Result, dict[str, Any]]:
        sent: dict[str, Any] = {}

        def request(self: object, method: str, path: str, **rest: Any) -> RawReply:
            sent.update(method=method, path=path, **rest)
            return RawReply(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)

        monkeypatch.setattr("crm_sdk.CrmClient.request", request)
        return served("api", *words), sent

    return call


def test_members_are_of_the_query_or_of_the_body(answered: Any) -> None:
    for method, place in (("GET", "query"), ("head", "query"), ("DELETE", "query"), ("POST", "json"), ("put", "json")):
        _, sent = answered(method, "v1/x", "name=Ada", "value:=12.5", "-H", "X-A:  b ", "-H", "X-B: c:d")
        assert (sent["method"], sent["path"], sent[place]) == (method, "/v1/x", {"name": "Ada", "value": 12.5})
        assert sent["json" if place == "query" else "query"] == (None if place == "query" else {})
        assert sent["headers"] == {"X-A": "b", "X-B": "c:d"}
    _, sent = answered("POST", "/v1/x", "b:=[1]", "-d", '{"a": 1, "b": 2}', "-q", "q= x ")
    assert (sent["json"], sent["query"]) == ({"a": 1, "b": [1]}, {"q": " x "})
    _, sent = answered("POST", "/v1/x", "-d", "[1]", "--dialect", "platform,flow")
    assert (sent["json"], sent["headers"]) == ([1], {"X-CRM-Dialect": "platform"})
    _, sent = answered("GET", "/v1/x?a=1", "--dialect", "flow", "-H", "X-CRM-Dialect: mvp")
    assert (sent["path"], sent["headers"], sent["json"]) == ("/v1/x?a=1", {"X-CRM-Dialect": "mvp"}, None)


def test_what_cannot_be_sent_is_refused(answered: Any) -> None:
    for words, said in (
        (["POST", "/x", "a=1", "-d", "[1]"], "--data must be a JSON object where members are typed as well"),
        (["POST", "/x", "--paginate"], "--paginate is for GET"), (["GTE", "/x"], "did you mean 'GET'"),
        (["GET", "//x"], "PATH is without the server"), (["GET", "a://x"], "PATH is without the server"),
        (["GET", "/x", "-q", "odd"], "--query must be NAME=VALUE, not 'odd'"),
        (["GET", "/x", "-H", ": v"], "--header must be NAME:VALUE, not ': v'"),
        (["POST", "/x", "=1"], "KEY=VALUE or KEY:=JSON is expected, not '=1'"),
    ):  # fmt: skip
        done, sent = answered(*words)
        assert (done.status, sent) == (failures.USAGE, {}), words
        assert said in done.err
    assert (_pair("a = b ", "=", "-q"), _pair(" a: b ", ":", "-H")) == (("a", " b "), ("a", "b"))
    assert [_member(text) for text in ("a=", "a=b=c", "a:={}", "a=x\ny")] == [
        ("a", ""), ("a", "b=c"), ("a", {}), ("a", "x\ny"),
    ]  # fmt: skip
    with pytest.raises(MisuseError, match="is expected"):
        _member("a:b=c")


@pytest.mark.thorough
def test_what_is_answered_is_printed_as_it_is(answered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    json, text = {"content_type": "application/json; charset=utf-8"}, {"content_type": "text/plain"}
    for content, headers, printed in (
        (b'{"a":1}', json, '{\n  "a": 1\n}\n'), (b'{"a":1}', {"content_type": "application/problem+json"}, None),
        (b'{"a":1}', text, '{"a":1}'), (b"{odd", json, "{odd"), (b"", json, ""), (b"", {}, ""),
        (b"a\x1b[2J", text, "a\x1b[2J"), (b'{"a":1}', {"content_type": "text/plain; x=json"}, '{"a":1}'),
    ):  # fmt: skip
        done, _ = answered("GET", "/x", content=content, **headers)
        assert (done.status, done.err) == (0, "status 200\n")
        assert done.out == ('{\n  "a": 1\n}\n' if printed is None else printed)
    done, _ = answered("GET", "/x", "-o", "table", content=b'{"a":1}', **json)
    assert done.json == {"a": 1}
    written = io.BytesIO()
    terminal = Terminal(written, encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", terminal)
        answered("GET", "/x", content=b"a\x1b[2J\xff", **text)
    assert written.getvalue().decode() == "a\ufffd[2J\ufffd"


def test_the_status_and_the_headers_are_printed_without_secrets(answered: Any) -> None:
    done, _ = answered("GET", "/x", "-i", status=204, set_cookie="a=canary", x_a="b\x1b")
    assert done.out == "HTTP 204\nset-cookie: ***\nx-a: b\ufffd\n\n"
    assert [_hide(line) for line in ("Authorization: x", "a: b", "authorization", "")] == [
        "Authorization: ***", "a: b", "authorization", "",
    ]  # fmt: skip


def test_each_answer_has_an_exit_status(answered: Any) -> None:
    for status, ended, said in (
        (299, 0, "status 299\n"), (302, failures.USAGE, "status 302\nerror: the server redirects (302) to /y\n"),
        (399, failures.USAGE, "status 399\nerror: the server redirects (399) to /y\n"),
        (400, failures.INVALID, None), (404, failures.NOT_FOUND, None), (503, failures.RETRYABLE, None),
    ):  # fmt: skip
        done, _ = answered("GET", "/x", status=status, content=b"{}", content_type="application/json", location="/y")
        assert done.status == ended and (said is None or done.err == said), done.err
        assert said is not None or "status" not in done.err.partition("error")[0]
    done, _ = answered("GET", "/x", status=301)
    assert done.err.endswith("(301) to nowhere\n")


@pytest.mark.thorough
def test_only_what_wrote_is_written_down(answered: Any, served: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr("crm_cli.commands.api.forget_answers", lambda: forgotten.append(True))
    for method, status, noted in (
        ("GET", 200, 0), ("HEAD", 200, 0), ("options", 200, 0), ("POST", 300, 0), ("POST", 422, 0), ("post", 299, 1),
        ("DELETE", 204, 1),
    ):  # fmt: skip
        before = len(served("undo", "--list").json)
        answered(method, "/v1/x", status=status)
        assert len(served("undo", "--list").json) - before == noted == len(forgotten), (method, status)
        forgotten.clear()


def test_all_pages_are_one_list_or_none(answered: Any) -> None:
    content = b'{"data":[{"id":"a"}],"pagination":{"hasNext":false}}'
    page = {"content": content, "content_type": "application/json"}
    done, sent = answered("GET", "/v1/x?a=1&b=2&b=3", "b=4", "--paginate", **page)
    assert (done.status, sent["path"], sent["query"]) == (0, "/v1/x", {"a": "1", "b": "4"} | sent["query"])
    assert sent["query"]["b"] == "4" and [row["id"] for row in done.json] == ["a"]
    _, sent = answered("GET", "/v1/x?b=2&b=3", "--paginate", **page)
    assert sent["query"]["b"] == ["2", "3"]
    done, _ = answered("GET", "/v1/x", "--paginate", status=500, **page)
    assert done.status == failures.RETRYABLE
