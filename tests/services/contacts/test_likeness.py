"""How alike two contacts are: what counts how much, from where on, and who is compared with whom."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services import sentiment
from server_stub.services.contacts import health
from server_stub.services.contacts.likeness import MATCHED, Likeness, alike, likeness, traits

from .test_insights import talk


def person(name: str = "", **members: Any) -> dict[str, Any]:
    return {"id": name, "name": name, **members}


def compared(one: Any, other: Any, *match_on: str, least: int = 50) -> tuple[int, list[tuple[Any, ...]]]:
    found = likeness(traits(one), traits(other), *([match_on] if match_on else []), least=least)
    assert all(reason.keys() == {"field", "similarity", "values"} for reason in found.reasons)
    return found.score, [(one["field"], one["similarity"], one["values"]) for one in found.reasons]


def test_names_count_whole_in_one_company_and_seventy_percent_in_others() -> None:
    for one, other, here, apart in (
        ("Ada Lee", "Lee Ada", 100, 70), ("A. Lee", "a-lee", 100, 70), ("Ada Lee", "Ada Lea", 86, 60),
        ("Abcd", "Abcx", 75, 52), ("Jon", "Jonathan", 55, 0), ("Ada", "Bob", 0, 0), ("", "Bob", 0, 0), ("", "", 0, 0),
        ("abcdefghij", "abcdevwxyz", 50, 0), ("abcdefghijk", "abcdevwxyzz", 0, 0), ("ab", "abcdef", 50, 0),
        ("abcdefg", "abcdexy", 71, 50), ("abcdefghijklmn", "abcdefghijzyxw", 71, 50), ("ab", "abcdefg", 0, 0),
        ("Ada Lee", "LEE  ADA", 100, 70), ("Ada Lee", "Lee, Ada", 93, 65), ("José", "jose", 100, 70),
        ("abcd", "abxy", 50, 0), ("abcd", "axyz", 0, 0), ("abc", "abx", 67, 0),
    ):  # fmt: skip
        for firms, score in ((("X", "x "), here), (("X", "Y"), apart), (("", ""), apart), (("X", ""), apart)):
            first, second = person(one, company=firms[0]), person(other, company=firms[1])
            found, reasons = compared(first, second)
            assert compared(second, first)[0] == found
            assert (found, len(reasons)) == (score, int(score > 0)), (one, other, firms)
            assert all((field, values) == ("name", [one, other]) for field, _, values in reasons)
    assert compared(person("Ada Lee", company="X"), person("Ada Lea", company="X"))[1] == [
        ("name", 0.8571, ["Ada Lee", "Ada Lea"])
    ]
    assert compared(person("Ada Lee", company="X"), person("Ada Lea", company="X"), least=86)[0] == 86
    assert compared(person("Ada Lee", company="X"), person("Ada Lea", company="X"), least=88)[0] == 0
    others = person("Ada Lea", company="Y")
    assert [compared(person("Ada Lee", company="X"), others, least=least)[0] for least in (60, 61, 85)] == [60, 0, 0]
    longer = person("abcdefgxy", company="X")  # as alike as lengths of seven and nine can be
    assert compared(person("abcdefg", company="X"), longer, least=88)[0] == 88


def test_an_address_counts_hundred_and_a_number_ninety_five_whichever_it_is() -> None:
    one = person("Ada", email="A@x.example", secondary_emails=["b@x.example"], phone="+491", mobile="+492")
    for other, score, reasons in (
        ({"email": "a@X.example"}, 100, [("email", 1.0, ["a@x.example"])]),
        ({"secondary_emails": ["c@x.example", "B@x.example"]}, 100, [("email", 1.0, ["b@x.example"])]),
        ({"mobile": "+491"}, 95, [("phone", 1.0, ["+491"])]),
        ({"phone": "+492", "mobile": "+491"}, 95, [("phone", 1.0, ["+491", "+492"])]),
        ({"email": "a@x.example", "phone": "+492"}, 100, [("email", 1.0, ["a@x.example"]), ("phone", 1.0, ["+492"])]),
        ({"email": None, "phone": ""}, 0, []),
    ):  # fmt: skip
        assert compared(one, person("Zed", **other)) == (score, reasons)
        assert compared(one, person("Zed", **other), "name") == (0, [])
        assert compared(person("Zed", **other), one) == (score, reasons)
    both = person("Ada", email="a@x.example", phone="+491")
    assert compared(one, both, "phone") == (95, [("phone", 1.0, ["+491"])])
    assert likeness(traits(both), traits(both), ()) == Likeness(0, ())
    assert compared(one, both, "email", "name") == (
        100, [("email", 1.0, ["a@x.example"]), ("name", 1.0, ["Ada", "Ada"])],
    )  # fmt: skip


def test_only_those_are_compared_that_share_what_they_are_matched_by() -> None:
    docs: Any = [
        person("Ada Lee", email="a@x.example", phone="+491", company="X"),
        person("Zed Quill", secondary_emails=["a@x.example"]),
        person("Uma Ray", mobile="+491"), person("Ada Lea", company="x"), person("Lee Ada"),
    ]  # fmt: skip

    def pairs(*match_on: str, threshold: int = 50) -> list[tuple[str, str, int]]:
        return sorted((one["id"], other["id"], like.score) for like, one, other in alike(docs, match_on, threshold))

    near = [("Ada Lee", "Ada Lea", 86)]
    names = sorted([*near, ("Ada Lee", "Lee Ada", 70), ("Ada Lea", "Lee Ada", 60)])
    assert pairs("email") == pairs("email", threshold=100) == [("Ada Lee", "Zed Quill", 100)]
    assert pairs("phone") == pairs("phone", threshold=95) == [("Ada Lee", "Uma Ray", 95)]
    assert pairs("phone", threshold=96) == pairs("name", threshold=87) == []
    assert pairs("name") == names
    assert pairs("name", threshold=70) == [*near, ("Ada Lee", "Lee Ada", 70)]
    assert pairs("name", threshold=71) == pairs("name", threshold=86) == near
    assert pairs(*MATCHED) == sorted([("Ada Lee", "Zed Quill", 100), ("Ada Lee", "Uma Ray", 95), *names])


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def test_a_draft_is_likened_to_contacts_with_its_address_number_name_or_company(crm: CrmClient) -> None:
    given: Any = (
        {"name": "Zed Quill", "email": "zed@q.example", "company": "Quux"}, {"name": "Zed Quilt", "company": "Quux"},
        {"name": "Abe Moss", "secondary_emails": ["zed@home.example"]}, {"name": "Ben Nash", "mobile": "+12125550123"},
        {"name": "Zed Quill", "company": "Elsewhere"}, {"name": "Zed Quilz"},
    )  # fmt: skip
    ids = [crm.contacts.create(one).id for one in given]

    def likened(**draft: Any) -> tuple[list[tuple[int, int]], list[Any]]:
        (found,) = crm.contacts.validate([draft])
        names = {id: number for number, id in enumerate(ids)}
        near = [(names[one.contact_id], one.score) for one in found.duplicates if one.contact_id in names]
        return near, [(one.code, one.details) for one in found.warnings if one.code == "POSSIBLE_DUPLICATE"]

    assert likened(name="Zed Quill") == (
        sorted([(0, 70), (4, 70)], key=lambda pair: (-pair[1], ids[pair[0]])),
        [("POSSIBLE_DUPLICATE", {"contactId": min(ids[0], ids[4]), "score": 70})],
    )
    near, warnings = likened(name="Zed Quill", company="Quux", secondaryEmails=["zed@home.example"],
                             phone="+12125550123")  # fmt: skip
    assert sorted(near) == [(0, 100), (1, 89), (2, 100), (3, 95), (4, 70)]
    assert [score for _, score in near] == [100, 100, 95, 89, 70]
    assert warnings == [("POSSIBLE_DUPLICATE", {"contactId": min(ids[0], ids[2]), "score": 100})]
    assert likened(name="Nobody Else", company="Quux") == ([], [])
    (taken,) = crm.contacts.validate([{"email": "zed@q.example"}])
    assert [(one.contact_id, [reason.field for reason in one.reasons]) for one in taken.duplicates] == [
        (ids[0], ["email"])
    ]


def test_a_tone_moves_by_more_than_a_quarter(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(text: str) -> sentiment.Tone:
        return sentiment.Tone(float(text), 60, ())

    monkeypatch.setattr(sentiment, "tone", told)
    for scores, trend in (
        ("0.25 0.25 0 0", "stable"), ("0.25 0.26 0 0", "improving"), ("0 0 0.25 0.25", "stable"),
        ("0 0 0.25 0.26", "declining"), ("1 0 0", "stable"), ("0.5 0 0 0 0", "stable"), ("1 0 0 0 0", "improving"),
    ):  # fmt: skip
        talks = [talk(at, summary=score) for at, score in enumerate(scores.split())]
        assert health.trend(talks) == trend, scores
