"""Each property of a card and the member that it is, both ways, with all that is told of what was not taken."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from server_stub.services.contacts.files import vcards

ADA: dict[str, Any] = {
    "id": "contact_1", "name": "Ada Lee", "first_name": "Ada", "last_name": "Lee", "salutation": "Dr.",
    "email": "a@x.example", "secondary_emails": ["b@x.example"], "phone": "+491", "mobile": "+492",
    "company": "Acme; Co", "department": "IT", "title": "CTO", "website": "https://x.example",
    "birthday": date(1990, 1, 2), "timezone": "Europe/Berlin", "language": "de", "avatar": "https://x.example/a.png",
    "address": {"street": "Weg 1", "street2": None, "city": "Berlin", "postal_code": "10115", "country": "DE"},
    "social_profiles": [
        {"network": "github", "url": "https://g.example", "handle": "ada"}, {"network": "x", "url": "https://x.example"},
    ],
    "tags": ["a,b", "c"], "notes": ["one\ntwo", "three"], "status": "active", "lifecycle_stage": "lead", "source": None,
    "owner_id": "user_1", "do_not_contact": False, "email_opt_out": True, "external_id": "x1",
    "next_follow_up": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "custom_fields": {"n": 5, "t": "5", "none": None},
}  # fmt: skip
CARD = r"""BEGIN:VCARD
VERSION:3.0
FN:Ada Lee
N:Lee;Ada;;Dr.;
EMAIL;TYPE=INTERNET:a@x.example
EMAIL;TYPE=INTERNET:b@x.example
TEL;TYPE=WORK:+491
TEL;TYPE=CELL:+492
ORG:Acme\; Co;IT
ADR;TYPE=WORK:;;Weg 1;Berlin;;10115;DE
TITLE:CTO
URL:https://x.example
BDAY:1990-01-02
TZ;VALUE=TEXT:Europe/Berlin
LANG:de
PHOTO;VALUE=URI:https://x.example/a.png
X-SOCIALPROFILE:github;https://g.example;ada
X-SOCIALPROFILE:x;https://x.example;
CATEGORIES:a\,b,c
NOTE:one\ntwo
NOTE:three
X-CRM-ID:contact_1
X-CRM-STATUS:active
X-CRM-LIFECYCLE-STAGE:lead
X-CRM-OWNER-ID:user_1
X-CRM-DO-NOT-CONTACT:false
X-CRM-EMAIL-OPT-OUT:true
X-CRM-EXTERNAL-ID:x1
X-CRM-NEXT-FOLLOW-UP:2026-01-02T03:04:00Z
X-CRM-FIELD:n;5
X-CRM-FIELD:t;'5
END:VCARD
"""


def test_a_contact_is_written_as_these_lines_and_read_from_them() -> None:
    written = vcards.write(ADA).decode()
    assert written == CARD.replace("\n", "\r\n")
    rows, unread, remarks = vcards.read(written)
    texts = {"birthday": "1990-01-02", "do_not_contact": "false", "email_opt_out": "true",
             "next_follow_up": "2026-01-02T03:04:00Z", "custom_fields": {"n": 5, "t": "5"}}  # fmt: skip
    place = {name: text for name, text in ADA["address"].items() if text}
    assert rows == [{**{name: value for name, value in ADA.items() if value}, "address": place, **texts}]
    assert (unread, remarks) == ([], [])


def test_what_a_card_must_have_is_made_of_what_there_is() -> None:
    cases: tuple[tuple[dict[str, Any], list[str]], ...] = (
        ({"name": "Solo"}, ["FN:Solo", "N:Solo;;;;"]),
        ({"name": "Lee", "last_name": "Lee"}, ["FN:Lee", "N:Lee;;;;", "X-CRM-LAST-NAME:Lee"]),
        ({"name": "Ada", "first_name": "Ada"}, ["FN:Ada", "N:;Ada;;;"]),
        ({"name": "Lee", "first_name": "Lee", "last_name": "Lee"}, ["FN:Lee", "N:Lee;Lee;;;"]),
        ({"name": "Dr. Lee", "last_name": "Lee"}, ["FN:Dr. Lee", "N:Lee;;;;"]),
        (
            {"name": "A", "secondary_emails": ["b@x.example"], "department": "IT"},
            ["FN:A", "N:A;;;;", "EMAIL;TYPE=INTERNET:b@x.example", "X-CRM-EMAIL:", "ORG:;IT"],
        ),
        ({"name": "A", "email": "a@x.example"}, ["FN:A", "N:A;;;;", "EMAIL;TYPE=INTERNET:a@x.example"]),
        ({"name": "B", "address": {"city": ""}, "company": "C"}, ["FN:B", "N:B;;;;", "ORG:C"]),
        ({"name": "B", "address": {"state": "BE"}}, ["FN:B", "N:B;;;;", "ADR;TYPE=WORK:;;;;BE;;"]),
    )
    for contact, lines in cases:
        assert vcards.write(contact).decode().splitlines()[2:-1] == lines


FIRST = "was not taken: another one comes first"
READ: tuple[tuple[str, dict[str, Any], list[tuple[str | None, str, str]]], ...] = (
    ("FN:Lee|N:Lee;;;;", {"name": "Lee"}, []),
    ("FN:Lee|N:Lee;;;;|X-CRM-LAST-NAME:Lee", {"name": "Lee", "last_name": "Lee"}, []),
    ("FN:Lee|N:Lee;Ada;;;", {"name": "Lee", "first_name": "Ada", "last_name": "Lee"}, []),
    (
        "FN:Ada Lee|N:Lee;Ada;Maria;Dr.;",
        {"name": "Ada Lee", "first_name": "Ada Maria", "last_name": "Lee", "salutation": "Dr."}, [],
    ),
    ("N:;;;;|NICKNAME:Jo", {"name": "Jo"}, []),
    ("FN:J|NICKNAME:Jo", {"name": "J"}, []),
    ("N:Lee;;;;|NICKNAME:Jo", {"last_name": "Lee"}, []),
    ("N:;Ada;;;|NICKNAME:Jo", {"first_name": "Ada"}, []),
    ("N:Van,Berg;A,B;;", {"first_name": "A B", "last_name": "Van Berg"}, []),
    (r"N:Van\,Berg;A,B;;", {"first_name": "A,B", "last_name": "Van,Berg"}, []),
    ("FN:One|FN:Two|N:A;B|N:C;D", {"name": "One", "first_name": "B", "last_name": "A"}, [("FN", "Two", FIRST)]),
    ("EMAIL:mailto:a@x.example|X-CRM-EMAIL:", {"secondary_emails": ["a@x.example"]}, []),
    ("EMAIL: |EMAIL:MAILTO:b@x.example", {"email": "b@x.example"}, []),
    (
        "TEL:tel:+491|TEL;TYPE=FAX,CELL:+492|TEL;TYPE=WORKFAX:+493|TEL;TYPE=PAGER:+494|TEL;TYPE=IPHONE:+495|TEL:+496",
        {"phone": "+491", "mobile": "+492"},
        [
            ("TEL", "+493", "is a fax, no phone"), ("TEL", "+494", "is a pager, no phone"),
            ("TEL", "+495", "was not taken: mobile is '+492'"), ("TEL", "+496", "was not taken: phone is '+491'"),
        ],
    ),
    ("ORG:A;B;;C|ORG:D", {"company": "A", "department": "B, C"}, [("ORG", "D", FIRST)]),
    ("ORG:;B", {"department": "B"}, []),
    (
        "ADR:;;;;;;|ADR:Box 1;;;Berlin;;;|ADR:;;Weg;Bonn;;;", {"address": {"city": "Berlin", "street": "Box 1"}},
        [("ADR", "Weg;Bonn", "was not taken: a contact has one address")],
    ),
    (
        "ADR:Box 1;Hof;Weg;Berlin;BE;10115;DE",
        {"address": {"street2": "Hof", "street": "Weg", "city": "Berlin", "state": "BE", "postal_code": "10115",
                     "country": "DE"}}, [],
    ),
    ("ADR:Box", {"address": {"street": "Box"}}, []),
    ("BDAY:1990-01-02|BDAY:1991", {"birthday": "1990-01-02"}, [("BDAY", "1991", FIRST)]),
    ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-01-02", {}, [("BDAY", "1604-01-02", "is not a date with a year")]),
    ("BDAY;X-APPLE-OMIT-YEAR=1604:1990-01-02", {"birthday": "1990-01-02"}, []),
    (
        "PHOTO;ENCODING=b:aHR0cHM6Ly94|PHOTO:ftp://x.example|PHOTO:HTTPS://x.example/a.png|PHOTO:https://y.example",
        {"avatar": "HTTPS://x.example/a.png"},
        [
            ("PHOTO", "aHR0cHM6Ly94", "is a picture, not the address of one"),
            ("PHOTO", "ftp://x.example", "is a picture, not the address of one"),
            ("PHOTO", "https://y.example", FIRST),
        ],
    ),
    (f"PHOTO;ENCODING=b:{'A' * 30}", {}, [("PHOTO", "A" * 20, "is a picture, not the address of one")]),
    (
        "X-SOCIALPROFILE:github;https://g.example;ada|X-SOCIALPROFILE:x;https://x.example;|"
        "X-SOCIALPROFILE;TYPE=pref,Twitter;X-USER=jo:https://t.example|X-SOCIALPROFILE:a;b",
        {"social_profiles": [
            {"network": "twitter", "url": "https://t.example", "handle": "jo"},
            {"network": "github", "url": "https://g.example", "handle": "ada"},
            {"network": "x", "url": "https://x.example"}, {"network": "website", "url": "a;b"},
        ]}, [],
    ),
    (
        r"X-CRM-ID:c|X-CRM-SOURCE:|X-CRM-STATUS:a|X-CRM-STATUS:b|X-CRM-FIELD:n;5|X-CRM-FIELD:a\;b;x\, y;z",
        {"id": "c", "status": "a", "custom_fields": {"n": 5, "a;b": "x, y;z"}}, [("X-CRM-STATUS", "b", FIRST)],
    ),
    (
        r"CATEGORIES:a\,b,c|CATEGORIES:d|NOTE:x|NOTE: |LANG:de|LANG:en|TZ:Z|TITLE:CTO|URL:u|REV:1|UID:1|strange line",
        {"tags": ["a,b", "c", "d"], "notes": ["x"], "title": "CTO", "timezone": "Z", "language": "de", "website": "u"},
        [(None, "strange line", "is not a line of a card"), ("LANG", "en", FIRST)],
    ),
)  # fmt: skip


def card(lines: str) -> str:
    return "\r\n".join(("BEGIN:VCARD", "VERSION:3.0", *lines.split("|"), "END:VCARD", ""))


def test_a_card_is_read_into_these_members_and_told_of() -> None:
    for lines, members, told in READ:
        rows, unread, remarks = vcards.read(card(lines))
        assert (rows, unread) == ([members], []), lines
        assert [(one.column, one.value, one.message) for one in remarks] == [
            (column, value, f"{value!r} {message}") for column, value, message in told
        ]
        assert {(one.row, one.code) for one in remarks} <= {(1, "NOT_READ")}


def test_of_many_cards_each_counts_and_what_no_card_is_read_for_is_named_once() -> None:
    broken = "BEGIN:VCARD\r\nFN:B\r\n"
    rows, unread, remarks = vcards.read(card("FN:A|GENDER:F") + broken + card("FN:C|X-Y:1|GENDER:M|BDAY:x"))
    assert rows == [{"name": "A"}, "the card has no END:VCARD", {"name": "C"}]
    assert unread == ["GENDER", "X-Y"]
    assert [(one.row, one.column, one.value) for one in remarks] == [(3, "BDAY", "x")]
