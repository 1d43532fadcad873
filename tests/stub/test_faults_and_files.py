"""Faults that are set up and the control routes by themselves, and the parts by which files are read."""

from __future__ import annotations

import gc
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from server_stub import StubServer
from server_stub.doors.control import Control
from server_stub.faults.deliveries import DeliveryFault
from server_stub.faults.links import LiveFault
from server_stub.faults.plan import FaultList
from server_stub.faults.requests import Fault
from server_stub.files import json_lines
from server_stub.files.contents import Contents
from server_stub.files.countries import country_code
from server_stub.files.encodings import decode
from server_stub.files.received import Received
from server_stub.files.table import UnreadableFileError
from server_stub.request.http import Request

EACH: list[tuple[Any, dict[str, Any]]] = [(Fault, {"kind": "drop"}), (DeliveryFault, {"kind": "drop"}),
                                          (LiveFault, {"kind": "drop"})]  # fmt: skip


@pytest.mark.parametrize(("kind", "given"), EACH, ids=lambda value: getattr(value, "__name__", ""))
def test_a_fault_happens_at_least_once_and_after_none_or_some(kind: Any, given: dict[str, Any]) -> None:
    for right in ({}, {"times": 1}, {"times": None}, {"after": 0}, {"after": 3}):
        assert kind(**given, **right)
    for wrong in ({"times": 0}, {"times": -1}, {"after": -1}, {"kind": "odd"}):
        with pytest.raises(ValueError, match=r"at least|not a kind"):
            kind(**given | wrong)


@pytest.mark.parametrize(
    ("kind", "given", "right"),
    [
        (LiveFault, {"kind": "drop", "rate": 0}, True), (LiveFault, {"kind": "drop", "rate": 1}, True),
        (LiveFault, {"kind": "drop", "rate": -0.1}, False), (LiveFault, {"kind": "drop", "rate": 1.1}, False),
        (LiveFault, {"kind": "delay", "seconds": 0.1}, True), (LiveFault, {"kind": "delay", "seconds": 0}, False),
        (DeliveryFault, {"kind": "delay", "seconds": 0.1}, True), (DeliveryFault, {"kind": "delay"}, False),
        (DeliveryFault, {"kind": "drop", "seconds": 1}, False), (Fault, {"kind": "delay", "seconds": 0.1}, True),
        (Fault, {"kind": "delay"}, False), (Fault, {"kind": "search_lag"}, False),
        (Fault, {"kind": "search_lag", "seconds": 1}, True), (Fault, {"kind": "status", "status": 418}, True),
        (Fault, {"kind": "status", "status": 299}, False), (Fault, {"kind": "drop", "status": 299}, True),
        (Fault, {"kind": "drop", "path_prefix": "/v1"}, True), (Fault, {"kind": "drop", "path_prefix": "v1"}, False),
    ],
)  # fmt: skip
def test_a_fault_is_what_can_happen(kind: Any, given: dict[str, Any], right: bool) -> None:
    if right:
        assert kind(**given)
    else:
        with pytest.raises(ValueError, match=r"\w"):
            kind(**given)


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({}, True), ({"operation": "leads.get"}, True), ({"operation": "leads.list"}, False), ({"method": "get"}, True),
        ({"method": "POST"}, False), ({"path_prefix": "/v1/"}, True), ({"path_prefix": "/api"}, False),
        ({"operation": "leads.get", "method": "POST"}, False), ({"method": "GET", "path_prefix": "/x"}, False),
    ],
)  # fmt: skip
def test_a_fault_is_of_the_requests_that_it_names(given: dict[str, Any], fits: bool) -> None:
    assert Fault("drop", **given).fits("leads.get", "GET", "/v1/leads/x") is fits


def test_of_several_faults_the_first_happens_so_often_and_each_sees_all() -> None:
    faults: FaultList[Fault] = FaultList()
    assert faults._next(lambda fault: True) is None
    first, second = faults._plan(Fault("drop", times=2, after=1)), faults._plan(Fault("delay", seconds=1, after=2))
    kept = faults.snapshot()
    assert [faults._next(lambda fault: True) for _ in range(5)] == [None, first, first, second, second]
    assert faults.pending == (second,)
    faults.restore(kept)
    assert [faults._next(lambda fault: fault is first) for _ in range(3)] == [None, first, first]
    assert faults._next(lambda fault: True) is None, "the second has seen one"
    faults.clear()
    assert list(faults.pending) == []


def test_the_control_routes_say_what_they_do_not_take() -> None:
    with StubServer() as stub:
        control = Control(stub)

        def said(method: str, name: str, body: Any = None) -> tuple[int, Any]:
            content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
            reply = control.handle(Request(method, f"/_test/{name}", "", {}, content))
            return reply.status, json.loads(reply.body or b"null")

        before = said("GET", "clock")[1]["now"]
        for odd in (-1, True, "5", None, 10 * 366 * 86_400 + 1):
            assert said("POST", "clock", {"advance": odd})[0] == 422
        assert said("POST", "clock", {"advance": 0})[0] == 200 and said("GET", "clock")[1]["now"] >= before
        assert said("POST", "clock", {"advance": 86_400})[1]["now"] > before
        status, answer = said("POST", "restore", {"name": "mine"})
        assert (status, "no state was kept as 'mine'; POST /_test/snapshot" in answer["error"]) == (422, True)
        assert said("POST", "snapshot", {"name": "mine"}) == (200, {"name": "mine"})
        stub.client().leads.delete("lead_123")
        assert said("POST", "restore", {"name": "mine"})[0] == 200
        assert stub.client().leads.get("lead_123").id == "lead_123"
        for body in ({}, {"kind": "drop", "odd": 1}, {"kind": "odd"}, [1], b"{", 5):
            assert said("POST", "faults", body)[0] == 422, body
        assert said("POST", "faults", {"kind": "drop", "pathPrefix": "/none"})[1]["pathPrefix"] == "/none"
        assert len(said("GET", "faults")[1]) == 1
        assert said("DELETE", "faults")[0] == 200 and said("GET", "faults")[1] == []
        status, answer = said("GET", "nothing")
        assert status == 404 and "there is no GET /_test/nothing; there are POST /_test/faults" in answer["error"]
        assert said("GET", "journal")[1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"), ("de", "DE"), (" us ", "US"), ("QQ", None), ("DEU", "DE"), ("276", "DE"), ("Germany", "DE"),
        ("Deutschland", "DE"), ("Côte d'Ivoire", "CI"), ("U.S.A.", "US"), ("the  Netherlands", "NL"), ("England", "GB"),
        ("UK", "GB"), ("EL", "GR"), ("", None), ("Atlantis", None), ("g" * 101, None), ("éé", None),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_code_or_a_name(text: str, code: str | None) -> None:
    assert country_code(text) == code


UMLAUT = "Ärger, Öl, Übel"


@pytest.mark.parametrize(
    ("content", "given", "read", "guessed"),
    [
        (UMLAUT.encode(), "utf-8", "utf-8", False), (UMLAUT.encode("cp1252"), "utf-8", "cp1252", True),
        (UMLAUT.encode("utf-8-sig"), "cp1252", "utf-8-sig", False), (UMLAUT.encode("utf-16"), "utf-8", "utf-16", False),
        (UMLAUT.encode("utf-32"), "utf-8", "utf-32", False), ("name\n".encode("utf-16-le"), "utf-8", "utf-16-le", True),
        ("name\n".encode("utf-16-be"), "UTF8", "utf-16-be", True), (UMLAUT.encode("cp1252"), "cp1252", "cp1252", False),
        (UMLAUT.encode("cp1252"), "latin_1", "latin_1", False),
        (UMLAUT.encode() + b"\xff", "utf-8", "utf-8", True), (b"\xff\xc3\xa4", "utf_8", "utf-8", True),
    ],
)  # fmt: skip
def test_bytes_are_read_as_what_they_show(content: bytes, given: str, read: str, guessed: bool) -> None:
    text, encoding, remarks = decode(content, given)
    assert (encoding, [remark.code for remark in remarks]) == (read, ["ENCODING_GUESSED"] * guessed)
    if read != "utf-8" or not guessed:
        assert text in (UMLAUT, "name\n")


@pytest.mark.parametrize(
    ("content", "given", "exact"),
    [
        (b"\xff", "utf-8", True), (UMLAUT.encode("cp1252"), "utf-8", True), (b"x", "odd", False),
        (b"\x81", "cp1252", False), (UMLAUT.encode("cp1252"), "ascii", False),
    ],
)  # fmt: skip
def test_an_encoding_that_was_named_is_the_one(content: bytes, given: str, exact: bool) -> None:
    with pytest.raises(UnreadableFileError, match="give the option encoding"):
        decode(content, given, exact=exact)
    assert decode(UMLAUT.encode(), "utf-8", exact=True) == (UMLAUT, "utf-8", [])


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def listed(levels: int) -> str:
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


@pytest.mark.parametrize("make", [nested, listed])
def test_a_line_is_nested_so_deeply_and_no_deeper(make: Any) -> None:
    most = json_lines._DEEPEST
    value = json.loads(make(most))
    assert not json_lines._is_deeper(value, most) and json_lines._is_deeper(value, most - 1)
    assert list(json_lines.read(f"{make(most)}\n\n{make(most + 1)}\n5")) == [
        value,
        "the line is nested too deeply",
        "the line is not a JSON object",
    ]


def test_numbers_of_lines_have_so_many_digits() -> None:
    digits = json_lines._DIGITS
    assert json_lines._integer("9" * digits) and json_lines._number("0." + "1" * (digits - 2))
    assert json_lines._number("1.50") == Decimal("1.50")
    for read, text in ((json_lines._integer, "9" * (digits + 1)), (json_lines._number, "1." + "1" * digits),
                       (json_lines._number, f"1e{digits + 1}"), (json_lines._number, f"1e-{digits + 1}"),
                       (json_lines._refuse, "NaN")):  # fmt: skip
        with pytest.raises(ValueError, match=r"digits|too large or too small|not a number"):
            read(text)
    assert json_lines._number(f"1e{digits}")


@pytest.mark.parametrize(("size", "is_in_a_file"), [(1 << 20, False), ((1 << 20) + 1, True)])
def test_a_large_content_is_in_a_file_for_as_long_as_somebody_has_it(
    size: int, is_in_a_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    contents = Contents()
    received = Received.of("a.bin", b"x" * size)
    checksum = contents.keep(received)
    received.close()
    with contents.open(checksum) as file:
        assert file.read() == b"x" * size
    assert len(list(tmp_path.iterdir())) == is_in_a_file
    del contents
    gc.collect()
    assert list(tmp_path.iterdir()) == []
