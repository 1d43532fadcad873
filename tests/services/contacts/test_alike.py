"""How alike two contacts are: by addresses, numbers and names, and which are compared at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from server_stub.data.document import Document
from server_stub.services.contacts.likeness import MATCHED, alike, likeness, traits

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def test_the_score_of_two_contacts_is_that_of_their_best_reason() -> None:
    acme: Any = {"company": "Acme"}
    for one, other, score, reasons in (
        ({}, {}, 0, []), ({"email": "a@x.example"}, {"email": "A@X.example"}, 100, ["email"]),
        ({"email": "a@x.example"}, {"secondary_emails": ["b@x.example", "a@x.example"]}, 100, ["email"]),
        ({"email": None}, {"email": None}, 0, []), ({"phone": "1"}, {"mobile": "1"}, 95, ["phone"]),
        ({"phone": "1", "email": "a"}, {"phone": "1", "email": "a"}, 100, ["email", "phone"]),
        ({"name": "Ada Lee"}, {"name": "Lee, Ada"}, 65, ["name"]),
        ({"name": "Ada Lee"}, {"name": "LEE  ADA"}, 70, ["name"]),
        ({"name": "Ada Lee", **acme}, {"name": "Lee Ada", "company": " acme "}, 100, ["name"]),
        ({"name": "Ada Lee", **acme}, {"name": "Ada Lee", "company": "Other"}, 70, ["name"]),
        ({"name": "Ada-Lee"}, {"name": "ada.lee"}, 70, ["name"]), ({"name": "Ada"}, {"name": "Bob"}, 0, []),
        ({"name": "", **acme}, {"name": "", **acme}, 0, []),
        ({"name": "abcd", **acme}, {"name": "abxy", **acme}, 50, ["name"]),
        ({"name": "abcd", **acme}, {"name": "axyz", **acme}, 0, []),
        ({"name": "abcd"}, {"name": "abcx"}, 52, ["name"]),
        ({"name": "abc"}, {"name": "abx"}, 0, []), ({"name": "José", **acme}, {"name": "jose", **acme}, 100, ["name"]),
    ):  # fmt: skip
        for first, second in ((one, other), (other, one)):
            found = likeness(traits(first), traits(second))
            assert (found.score, [reason["field"] for reason in found.reasons]) == (score, reasons), (first, second)
    both: Any = {"name": "Ada", "email": "a", "phone": "1"}
    for match_on, fields in ((["email"], ["email"]), (["phone", "name"], ["phone", "name"]), ([], [])):
        assert [one["field"] for one in likeness(traits(both), traits(both), match_on).reasons] == fields
    email, phone = likeness(traits(both), traits({**both, "name": "Bob"})).reasons
    assert (email, phone) == (
        {"field": "email", "similarity": 1.0, "values": ["a"]}, {"field": "phone", "similarity": 1.0, "values": ["1"]},
    )  # fmt: skip
    (reason,) = likeness(traits({"name": "abcd", **acme}), traits({"name": "abcx", **acme})).reasons
    assert reason == {"field": "name", "similarity": 0.75, "values": ["abcd", "abcx"]}


def test_pairs_are_those_that_share_a_key_and_reach_the_threshold() -> None:
    docs = [
        Document({"id": id, "created_at": NOW, **members}) for id, members in (
            ("1", {"name": "Ada Lee", "company": "Acme", "email": "a@x.example"}),
            ("2", {"name": "Ada Leo", "company": "Acme", "phone": "1"}),
            ("3", {"name": "Ada Lee", "company": "Other", "mobile": "1"}),
            ("4", {"name": "Zed", "secondary_emails": ["a@x.example"]}),
            ("5", {"name": "Ada Lee"}),
        )
    ]  # fmt: skip

    def pairs(match_on: Any, threshold: int) -> list[tuple[str, str, int]]:
        return sorted((one["id"], other["id"], like.score) for like, one, other in alike(docs, match_on, threshold))

    assert pairs(["email"], 90) == [("1", "4", 100)]
    assert pairs(["phone"], 95) == [("2", "3", 95)] and pairs(["phone"], 96) == []
    assert pairs(["name"], 86) == [("1", "2", 86)] and pairs(["name"], 87) == []
    assert pairs(["name"], 71) == [("1", "2", 86)]
    assert pairs(["name"], 70) == [("1", "2", 86), ("1", "3", 70), ("1", "5", 70), ("3", "5", 70)]
    assert pairs(MATCHED, 60) == [
        ("1", "2", 86), ("1", "3", 70), ("1", "4", 100), ("1", "5", 70), ("2", "3", 95), ("2", "5", 60), ("3", "5", 70),
    ]  # fmt: skip
