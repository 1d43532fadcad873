"""Every endpoint of the mvp and flow documents over plain HTTP: its answer and its refusals, as the documents say.

``contract/answers.json`` has a line per endpoint, written from the documents:

send      what to send, one request after the other: bodies (objects) or queries (strings); nothing, where absent
id        what stands in the path; ``<GET /api/deals>`` is the id of the first record of that answer
answer    the shape of the answer (``contract/shapes.json``)
status    of a success, where it is not 200
wrong     what cannot be accepted, by the member that is to blame: 422 VALIDATION_ERROR
dangling  a body that refers to nothing, by the member: 422 REFERENCE_NOT_FOUND
refused   what else it refuses, by status and code
open      it needs no token
"""

from __future__ import annotations

import http.client
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pytest
from patience import HANG
from shapes import CONTRACT, Shapes

from server_stub import StubServer

pytestmark = pytest.mark.thorough

ANSWERS: dict[str, dict[str, dict[str, Any]]] = json.loads((CONTRACT / "answers.json").read_text())
INVENTORY = json.loads((CONTRACT / "endpoints.json").read_text())
ENDPOINTS = [(dialect, endpoint) for dialect, lines in ANSWERS.items() for endpoint in lines]
Way: TypeAlias = tuple[str, dict[str, str]]
WAYS: dict[str, list[Way]] = {
    "mvp": [("/mvp", {}), ("", {}), ("", {"X-CRM-Dialect": "mvp"})],
    "flow": [("/flow", {}), ("", {"X-CRM-Dialect": "flow"})],
}
"""How a request says which document it is of: by mount, or by a header; the paths both have are mvp's without one."""
CREDENTIALS = {"email": "ada@acme.test", "password": "demo-password"}


@dataclass(frozen=True)
class Place:
    """Where a server listens, what to go back to, and a session there."""

    server: StubServer
    address: tuple[str, int]
    token: str = ""
    refresh_token: str = ""
    fresh: Any = None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


class Wire:
    """A client that knows nothing but HTTP, and the words of one document."""

    def __init__(self, place: Place, dialect: str, way: Way) -> None:
        self.address, self.lines, (self.mount, self.headers) = place.address, ANSWERS[dialect], way
        self.token, self.refresh_token = place.token, place.refresh_token

    def ask(self, method: str, path: str, sent: Any = None, *, token: str | None = "") -> Answer:
        headers = dict(self.headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.token}"
        if isinstance(sent, str):
            path, sent = f"{path}?{sent}", None
        elif sent is not None:
            headers["Content-Type"] = "application/json"
        content = sent if isinstance(sent, bytes) else None if sent is None else json.dumps(sent).encode()
        connection = http.client.HTTPConnection(*self.address, timeout=HANG)
        try:
            connection.request(method, self.mount + path, content, headers)
            reply = connection.getresponse()
            read = reply.read()
        finally:
            connection.close()
        assert reply.headers["Content-Type"] == "application/json", read
        return Answer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, json.loads(read))

    def call(self, endpoint: str, sent: Any = None, *, id: str | None = None, token: str | None = "") -> Answer:
        method, _, path = endpoint.partition(" ")
        if "{" in path:
            path = f"{path[: path.index('{')]}{id or self.of(self.lines[endpoint]['id'])}{path[path.index('}') + 1 :]}"
        if isinstance(sent, dict):
            sent = {name: self.of(value) for name, value in sent.items()}
        return self.ask(method, path, sent, token=None if "open" in self.lines[endpoint] else token)

    def of(self, value: Any) -> Any:
        """Return what stands for a value: ``<GET /api/deals>`` is the id of the first deal."""
        if value == "<refreshToken>":
            return self.refresh_token
        return self.ids(value)[0] if isinstance(value, str) and value.startswith("<") else value

    def ids(self, reference: str) -> list[str]:
        """Return the ids of the records of an answer, or of those in one of its members."""
        method, path, *member = reference.strip("<>").split(" ")
        found = self.call(f"{method} {path}", self.lines[f"{method} {path}"].get("send", [None])[0]).body
        if member:
            found = found[member[0]]
        elif isinstance(found, dict) and "id" not in found:
            found = next(value for value in found.values() if isinstance(value, list))
        return [record["id"] for record in (found if isinstance(found, list) else [found])]


@pytest.fixture(scope="module")
def served() -> Iterator[Place]:
    server = StubServer()
    with server.serve() as port:
        place = Place(server, ("127.0.0.1", port.number))
        signed_in = Wire(place, "flow", WAYS["flow"][0]).ask("POST", "/api/auth/login", CREDENTIALS).body
        yield replace(place, token=signed_in["token"], refresh_token=signed_in["refreshToken"], fresh=server.snapshot())


@pytest.fixture
def place(served: Place) -> Place:
    """Return where a server listens that is as if nobody had asked it anything yet."""
    served.server.restore(served.fresh)
    return served


def refused(answer: Answer, dialect: str, status: int, code: str, field: str | None = None) -> None:
    problem = answer.body.get("error", {})
    assert (answer.status, problem.get("code")) == (status, code), answer.body
    shapes = Shapes.of(dialect)
    assert list(shapes.wrong(answer.body, "Error")) == []
    if field is not None:
        assert list(shapes.wrong(problem["details"], "Mistake")) == []
        assert problem["details"]["field"] == field


def over(fits: Callable[[str, str], bool]) -> pytest.MarkDecorator:
    """Parametrise over the endpoints that fit."""
    found = [(dialect, endpoint) for dialect, endpoint in ENDPOINTS if fits(dialect, endpoint)]
    return pytest.mark.parametrize(("dialect", "endpoint"), found, ids=[" ".join(one) for one in found])


def read_of(dialect: str, endpoint: str) -> str:
    """Return the endpoint that reads what this one writes and answers; nothing where there is none."""
    lines, path = ANSWERS[dialect], endpoint.partition(" ")[2]
    get = f"GET {path[: path.index('}') + 1]}" if "{" in path else f"GET {path}/{{id}}"
    written = not endpoint.startswith("GET") and get in lines and lines[get]["answer"] == lines[endpoint]["answer"]
    return get if written else ""


def test_every_endpoint_of_both_documents_has_a_line() -> None:
    documented = [(entry["api"], f"{entry['method']} {entry['path']}") for entry in INVENTORY]
    for dialect, count in (("mvp", 21), ("flow", 59)):
        assert list(ANSWERS[dialect]) == [line for api, line in documented if api == dialect]
        assert len(ANSWERS[dialect]) == count


@over(lambda dialect, endpoint: True)
def test_every_line_says_what_its_endpoint_refuses(dialect: str, endpoint: str) -> None:
    line = ANSWERS[dialect][endpoint]
    assert ("{" in endpoint) == ("id" in line)
    assert "wrong" in line or not any(isinstance(sent, dict) for sent in line.get("send", []))


@pytest.mark.parametrize(
    ("dialect", "endpoint", "way"),
    [(dialect, endpoint, way) for dialect, endpoint in ENDPOINTS for way in WAYS[dialect]],
    ids=[f"{endpoint} {way[0] or way[1] or 'bare'}" for dialect, endpoint in ENDPOINTS for way in WAYS[dialect]],
)
def test_the_answer_has_the_documented_shape(place: Place, dialect: str, endpoint: str, way: Way) -> None:
    wire, line, shapes = Wire(place, dialect, way), ANSWERS[dialect][endpoint], Shapes.of(dialect)
    for sent in line.get("send", [None]):
        answer = wire.call(endpoint, sent)
        assert answer.status == line.get("status", 200), answer.body
        assert list(shapes.wrong(answer.body, line["answer"])) == []
        if answer.status == 201:
            assert answer.headers["location"].endswith(f"/{answer.body['id']}")
        assert answer.headers["x-request-id"]
        limit, left, reset = (int(answer.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))
        assert 0 <= left < limit and reset > 0
    if line["answer"].endswith("[]"):
        assert wire.call(endpoint, line.get("send", [None])[0]).body, "an empty list shows nothing"


@over(lambda dialect, endpoint: "open" not in ANSWERS[dialect][endpoint])
def test_without_a_token_it_is_401(place: Place, dialect: str, endpoint: str) -> None:
    wire, line = Wire(place, dialect, WAYS[dialect][0]), ANSWERS[dialect][endpoint]
    for token in (None, "made-up"):
        answer = wire.call(endpoint, line.get("send", [None])[0], id="any", token=token)
        refused(answer, dialect, 401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@over(lambda dialect, endpoint: "refused" in ANSWERS[dialect][endpoint])
def test_what_it_refuses_besides(place: Place, dialect: str, endpoint: str) -> None:
    wire = Wire(place, dialect, WAYS[dialect][0])
    for told, sent in ANSWERS[dialect][endpoint]["refused"].items():
        status, code = told.split()
        refused(wire.call(endpoint, sent), dialect, int(status), code)


@over(lambda dialect, endpoint: "id" in ANSWERS[dialect][endpoint])
def test_an_unknown_id_in_the_path_is_404(place: Place, dialect: str, endpoint: str) -> None:
    wire = Wire(place, dialect, WAYS[dialect][0])
    for sent in ANSWERS[dialect][endpoint].get("send", [None]):
        refused(wire.call(endpoint, sent, id="none_0"), dialect, 404, "NOT_FOUND")


@over(lambda dialect, endpoint: "wrong" in ANSWERS[dialect][endpoint])
def test_what_cannot_be_accepted_is_422(place: Place, dialect: str, endpoint: str) -> None:
    wire, line = Wire(place, dialect, WAYS[dialect][0]), ANSWERS[dialect][endpoint]
    for field, sent in line["wrong"].items():
        refused(wire.call(endpoint, sent), dialect, 422, "VALIDATION_ERROR", field)


@over(lambda dialect, endpoint: isinstance(ANSWERS[dialect][endpoint].get("send", [None])[0], dict))
def test_a_body_that_cannot_be_read_is_400_and_one_with_an_unknown_member_422(
    place: Place, dialect: str, endpoint: str
) -> None:
    wire, bodies = Wire(place, dialect, WAYS[dialect][0]), ANSWERS[dialect][endpoint]["send"]
    for sent in (b"{", b"[]"):
        refused(wire.call(endpoint, sent), dialect, 400, "BAD_REQUEST")
    refused(wire.call(endpoint, bodies[0] | {"shoeSize": 38}), dialect, 422, "VALIDATION_ERROR", "shoeSize")


JUNK: tuple[Any, ...] = (
    None,
    "\ud800",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    -1,
    1e308,
    math.nan,
    [None],
    {},
)


@over(lambda dialect, endpoint: isinstance(ANSWERS[dialect][endpoint].get("send", [None])[0], dict))
def test_junk_in_any_member_is_refused_or_answered_in_shape(
    place: Place, monkeypatch: pytest.MonkeyPatch, dialect: str, endpoint: str
) -> None:
    monkeypatch.setattr(place.server, "enforce_limits", False)
    wire, line, shapes = Wire(place, dialect, WAYS[dialect][0]), ANSWERS[dialect][endpoint], Shapes.of(dialect)
    sent, id = line["send"][0], wire.of(line.get("id"))
    for name in sent:
        for junk in JUNK:
            answer = wire.call(endpoint, sent | {name: junk}, id=id)
            assert answer.status < 500
            shape = "Error" if answer.status >= 400 else line["answer"]
            assert list(shapes.wrong(answer.body, shape)) == [], f"{name}: {junk!r}"


@over(lambda dialect, endpoint: endpoint.startswith("PUT") and endpoint.endswith("}"))
def test_what_was_fetched_can_be_sent_back(place: Place, dialect: str, endpoint: str) -> None:
    wire, get = Wire(place, dialect, WAYS[dialect][0]), endpoint.replace("PUT", "GET")
    fetched = wire.call(get).body
    answer = wire.call(endpoint, fetched, id=fetched["id"])
    assert answer.status == 200
    assert answer.body == wire.call(get).body
    assert answer.body | {"updatedAt": None} == fetched | {"updatedAt": None}


@over(lambda dialect, endpoint: bool(read_of(dialect, endpoint)))
def test_a_write_answers_what_a_read_answers_after_it(place: Place, dialect: str, endpoint: str) -> None:
    wire, line = Wire(place, dialect, WAYS[dialect][0]), ANSWERS[dialect][endpoint]
    id = wire.of(line.get("id"))
    for sent in line["send"]:
        answer = wire.call(endpoint, sent, id=id)
        assert answer.body == wire.call(read_of(dialect, endpoint), id=answer.body["id"]).body


@over(lambda dialect, endpoint: "dangling" in ANSWERS[dialect][endpoint])
def test_a_reference_to_nothing_is_422(place: Place, dialect: str, endpoint: str) -> None:
    wire, line = Wire(place, dialect, WAYS[dialect][0]), ANSWERS[dialect][endpoint]
    for field, sent in line["dangling"].items():
        refused(wire.call(endpoint, sent), dialect, 422, "REFERENCE_NOT_FOUND", field)


UNMET = {"mvp": set[str](), "flow": {"User.avatar"}}
"""What nothing in the demo data has, and no documented request gives it."""


@pytest.mark.parametrize("dialect", ["mvp", "flow"])
def test_every_record_is_in_shape_and_every_documented_member_is_met(
    place: Place, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    monkeypatch.setattr(place.server, "enforce_limits", False)
    shapes = Shapes.of(dialect)
    for endpoint, line in ANSWERS[dialect].items():
        place.server.restore(place.fresh)
        wire, id = Wire(place, dialect, WAYS[dialect][0]), line.get("id", "")
        every = endpoint.startswith("GET") and id.startswith("<")
        for one in wire.ids(id) if every else [None]:
            for sent in line.get("send", [None]):
                assert list(shapes.wrong(wire.call(endpoint, sent, id=one).body, line["answer"])) == [], endpoint
    met = {f"{model}.{name}" for model, name in shapes.seen} | {model for model, _ in shapes.seen}
    told = {f"{model}.{name}" for model in shapes.models for name in shapes.models[model] if model in met}
    refusals = {"Error", "Problem", "Mistake"}
    assert (told | shapes.models.keys()) - met - refusals == UNMET[dialect]
