"""What is read from the signature of an e-mail, line by line and part by part."""

from __future__ import annotations

from server_stub.services.leads.signatures import read_signature

LONG = "Head of " + "x" * 72
assert len(LONG) == 80

READ: list[tuple[str, dict[str, str]]] = [
    ("Hi\n--\nCTO at Initech", {"title": "CTO", "company": "Initech"}),
    ("Hi\n-- \nCTO, Initech, Berlin", {"title": "CTO", "company": "Initech"}),
    ("Hi\n--\nCTO, +1 415 555 2673", {"phone": "+14155552673", "title": "CTO"}),
    ("Hi\n--\nCTO, Room 7", {"title": "CTO"}),
    ("Hi\n--\nCTO", {"title": "CTO"}),
    ("Hi\n--\nBo Ek, CTO", {"title": "CTO"}),
    ("Hi\n--\nBo Ek | CTO | Initech", {"title": "CTO", "company": "Initech"}),
    ("Hi\n--\nCTO\nFounder, Initech", {"title": "CTO"}),
    ("Hi\n--\nBo Ek\nInitech GmbH", {"company": "Initech GmbH"}),
    ("Hi\n--\nCTO\nInitech GmbH", {"title": "CTO", "company": "Initech GmbH"}),
    ("Hi\n--\nCTO\nInitech GmbH\nOther Inc.", {"title": "CTO", "company": "Initech GmbH"}),
    ("Hi\n--\nInitech GmbH\nCTO at Other", {"title": "CTO", "company": "Initech GmbH"}),
    ("Hi\n--\nPartner Lead GmbH\nCTO", {"title": "CTO", "company": "Partner Lead GmbH"}),
    ("Hi\n--\nCTO at Initech\nContoso Ltd", {"title": "CTO", "company": "Initech"}),
    ("Hi\n--\n+1 415 555 2671, +1 415 555 2672", {"phone": "+14155552671"}),
    ("Hi\n--\n(415) 555-2674", {"phone": "+14155552674"}),
    ("CTO at Initech\n+1 415 555 2671", {}),
    ("CTO at Initech\nBest regards\nBo", {}),
    ("Hi\nThanks\nCEO at Foo\nBest regards\nCTO at Initech", {"title": "CTO", "company": "Initech"}),
    ("Hi\r\nBest regards\r\n\r\n  CTO at Initech  \r\n", {"title": "CTO", "company": "Initech"}),
    ("Hi\nSaludos\nCTO at Initech\nOn Monday, Eva Lind wrote:\n--\nCEO at Foo", {"title": "CTO", "company": "Initech"}),
    ("Hi\n> --\n> CTO at Initech", {}),
    (f"Hi\n--\n{LONG}", {"title": LONG}),
    (f"Hi\n--\n{LONG}x", {}),
    ("Hi\n--\n" + "x\n\n" * 7 + "CTO", {"title": "CTO"}),
    ("Hi\n--\n" + "x\n" * 8 + "CTO", {}),
]


def test_a_signature_is_read_by_its_lines() -> None:
    assert [read_signature(body, "US") for body, _ in READ] == [found for _, found in READ]
    assert read_signature("Hi\n--\n(415) 555-2674", "DE") != {"phone": "+14155552674"}, "of the company's country"
