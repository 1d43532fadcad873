"""Cards of versions 2.1, 3.0 and 4.0, as phones and address books write them, and ours as others read them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import vobject  # type: ignore[import-untyped] # it has no types
from importing import Imported, imported

from server_stub import StubServer
from server_stub.services.contacts.files.vcards import write


def card(*lines: str, version: str = "3.0", eol: str = "\r\n") -> str:
    return eol.join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))


def read(*lines: str, version: str = "3.0") -> Imported:
    return imported(card(*lines, version=version), "people.vcf")


CARDS: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "quoted-printable": (
        "2.1",
        ("N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;Dr.;",
         "FN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:J=C3=B6rg M=C3=BCller"),
        {"name": "Jörg Müller", "first_name": "Jörg", "last_name": "Müller", "salutation": "Dr."},
    ),
    "quoted-printable of a code page": (
        "2.1", ("FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=F6rg",), {"name": "Jörg"},
    ),
    "soft breaks": (
        "2.1",
        ("FN:Jo", "NOTE;ENCODING=QUOTED-PRINTABLE:line 1=0D=0A=", "line 2=", "=20end"),
        {"notes": ["line 1\nline 2 end"]},
    ),
    "a soft break before a line that looks like a property": (
        "2.1", ("FN:Jo", "NOTE;QUOTED-PRINTABLE:see=", " TEL:1"), {"notes": ["see TEL:1"], "phone": None},
    ),
    "folded lines": ("3.0", ("FN:Jo", "NOTE:one", "  two", "\tthree"), {"notes": ["one twothree"]}),
    "base64": (
        "2.1", ("FN:Jo", "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQ", " AAAA", "", "NOTE:after"), {"notes": ["after"],
         "avatar": None},
    ),
    "base64 that is not folded": (
        "2.1", ("FN:Jo", "PHOTO;JPEG;BASE64:/9j/4AAQ", "AAAA==", "NOTE:after"), {"notes": ["after"]},
    ),
    "groups": (
        "3.0",
        ("FN:Jo", "item1.EMAIL;type=INTERNET:jo@example.org", "item1.X-ABLabel:_$!<Work>!$_",
         "item2.URL;type=pref:http\\://www.example.com"),
        {"email": "jo@example.org", "website": "http://www.example.com"},
    ),
    "escapes": (
        "3.0",
        ("FN:Lee\\, Ada\\; PhD", "NOTE:a\\nb\\Nc\\\\n d\\:e", "CATEGORIES:a\\,b,c", "ORG:A\\;B;IT;Ops"),
        {"name": "Lee, Ada; PhD", "notes": ["a\nb\nc\\n d:e"], "tags": ["a,b", "c"], "company": "A;B",
         "department": "IT, Ops"},
    ),
    "a fax is no phone": (
        "3.0",
        ("FN:Jo", "TEL;type=WORK;type=FAX:+49 30 901820", "TEL;type=HOME:+49 30 901821",
         "TEL;TYPE=PAGER:+49 30 901822"),
        {"phone": "+4930901821", "mobile": None},
    ),
    "bare types": (
        "2.1",
        ("FN:Jo", "TEL;HOME;FAX:+49 30 901820", "TEL;CELL;VOICE:+49 171 1234567", "TEL;WORK:+49 30 901821"),
        {"phone": "+4930901821", "mobile": "+491711234567"},
    ),
    "the preferred comes first": (
        "3.0",
        ("FN:Jo", "TEL;TYPE=HOME:+49 30 901822", "TEL;TYPE=WORK,pref:+49 30 901821", "EMAIL:b@example.org",
         "EMAIL;TYPE=PREF:a@example.org"),
        {"phone": "+4930901821", "email": "a@example.org", "secondary_emails": ["b@example.org"]},
    ),
    "version 4.0": (
        "4.0",
        ("FN:Jo", 'TEL;VALUE=uri;TYPE="voice,cell";PREF=1:tel:+49-171-1234567', "EMAIL;PREF=2:b@example.org",
         "EMAIL;PREF=1:mailto:a@example.org",
         "BDAY:19910120", "LANG:de", "PHOTO:https://example.org/jo.png", "TZ:Europe/Berlin", "KIND:individual"),
        {"mobile": "+491711234567", "email": "a@example.org", "birthday": date(1991, 1, 20), "language": "de",
         "avatar": "https://example.org/jo.png", "timezone": "Europe/Berlin"},
    ),
    "an address": (
        "3.0",
        ("FN:Jo", "ADR;TYPE=WORK:;Hof 2;Weg 1;Berlin;BE;10115;Germany"),
        {"address": {"street": "Weg 1", "street2": "Hof 2", "city": "Berlin", "state": "BE",
         "postal_code": "10115", "country": "DE"}},
    ),
    "a birthday with a time": ("3.0", ("FN:Jo", "BDAY;VALUE=date-time:1991-01-20T00:00:00Z"),
         {"birthday": date(1991, 1, 20)}),
    "no FN": ("2.1", ("N:Lee;Ada",), {"name": "Ada Lee", "first_name": "Ada", "last_name": "Lee"}),
    "no name": ("3.0", ("FN:", "N:;;;;", "ORG:Acme", "TEL:+49 30 901821"), {"name": "Acme", "company": "Acme"}),
    "only an address": ("3.0", ("EMAIL:jo@example.org",), {"name": "jo@example.org"}),
    "only a nickname": ("3.0", ("NICKNAME:Jojo", "TEL:1"), {"name": "Jojo"}),
    "an agent within": (
        "2.1", ("FN:Jo", "AGENT:", "BEGIN:VCARD", "VERSION:2.1", "FN:Agent", "TEL:1", "END:VCARD", "TEL:+49 30 901821"),
        {"name": "Jo", "phone": "+4930901821"},
    ),
    "small letters": ("3.0", ("fn:Jo", "email;type=internet:jo@example.org"), {"name": "Jo",
         "email": "jo@example.org"}),
    "a social profile": (
        "3.0", ("FN:Jo", "X-SOCIALPROFILE;type=linkedin;x-user=jo:https://www.linkedin.com/in/jo"), {"name": "Jo"},
    ),
}  # fmt: skip


def test_a_card_is_read() -> None:
    apart = [case for case, (_, lines, _) in CARDS.items() if any("@" in line for line in lines)]
    for cases in ([case for case in CARDS if case not in apart], *([case] for case in apart)):
        deck = "".join(card(*CARDS[case][1], version=CARDS[case][0]) for case in cases)
        *found, last = imported(deck + card("FN:Two"), "people.vcf").contacts
        assert last.name == "Two", "and the card after them"
        for case, contact in zip(cases, found, strict=True):
            expected = CARDS[case][2]
            read: dict[str, Any] = {name: getattr(contact, name) for name in expected}
            if read.get("address") is not None:
                read["address"] = {part: text for part, text in read["address"].model_dump().items() if text}
            assert read == expected, case


DROPPED = {
    "TEL;TYPE=FAX:+49 30 901820": ("TEL", "+49 30 901820"),
    "TEL:+49 30 901823": ("TEL", "+49 30 901823"),
    "URL:https://b.example": ("URL", "https://b.example"),
    "ADR:;;Weg 2;Bonn;;;": ("ADR", "Weg 2;Bonn"),
    "ORG:Beta": ("ORG", "Beta"),
    "TITLE:CEO": ("TITLE", "CEO"),
    "BDAY:--0415": ("BDAY", "--0415"),
    "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15": ("BDAY", "1604-04-15"),
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ": ("PHOTO", "/9j/4AAQ"),
    "PHOTO:https://b.example/2.jpg": ("PHOTO", "https://b.example/2.jpg"),
    "no colon": (None, "no colon"),
}


def test_what_a_contact_has_no_place_for_is_told() -> None:
    for line in DROPPED:
        column, value = DROPPED[line]
        whole = (
            "FN:Jo",
            "TEL:+49 30 901821",
            "URL:https://a.example",
            "ADR:;;Weg 1;Berlin;;;",
            "ORG:Acme",
            "TITLE:CTO",
            "PHOTO:https://a.example/1.jpg",
            line,
        )
        done = read(*whole)
        assert done.warned(column) == [(1, value)]
        assert (done.only.phone, done.only.website, done.only.company) == ("+4930901821", "https://a.example", "Acme")
        assert done.only.address is not None
        assert (done.only.address.city, done.only.birthday) == ("Berlin", None)


def test_properties_that_are_not_read_are_told_as_columns() -> None:
    assert read("FN:Jo", "GENDER:F", "X-ABUID:1", "REV:2026").unmapped == ["GENDER", "X-ABUID"]


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_line_breaks_and_encodings(eol: str, encoding: str) -> None:
    assert imported(card("FN:Jörg", eol=eol).encode(encoding), "people.vcf").only.name == "Jörg"


FULL: dict[str, Any] = {
    "name": "Dr. Ada\\Lee; PhD",
    "first_name": "Ada",
    "last_name": "Lee",
    "email": "ada@example.org",
    "secondary_emails": ["b@example.org"],
    "notes": ["a\r\nb", "c\rd", "e\\nf, g; h" + "ü" * 80],
    "status": "inactive",
    "lifecycle_stage": "mql",
    "source": "referral",
    "do_not_contact": True,
    "email_opt_out": True,
    "sms_opt_out": False,
    "external_id": "x;1",
    "custom_fields": {"budget": 5, "a;b": "x, y"},
}


def test_another_reader_reads_our_cards_and_our_own_members_are_x_properties() -> None:
    client = StubServer().client(dialects="platform")
    full: Any = FULL
    client.contacts.create(full)
    content = client.contacts.export(format="vcf", search="ada@example.org").read()
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\r" not in content.replace(b"\r\n", b"")
    (other,) = vobject.readComponents(content.decode())
    assert other.fn.value == FULL["name"]
    assert (other.n.value.given, other.n.value.family) == ("Ada", "Lee")
    assert [note.value for note in other.note_list] == ["a\nb", "c\nd", FULL["notes"][2]]
    assert [email.value for email in other.email_list] == ["ada@example.org", "b@example.org"]
    own = {name: [entry.value for entry in entries] for name, entries in other.contents.items() if "crm" in name}
    assert own["x-crm-status"] == ["inactive"]
    assert own["x-crm-lifecycle-stage"] == ["mql"]
    assert own["x-crm-source"] == ["referral"]
    assert own["x-crm-external-id"] == ["x;1"]
    assert [own[f"x-crm-{name}"] for name in ("do-not-contact", "email-opt-out", "sms-opt-out")] == [
        ["true"],
        ["true"],
        ["false"],
    ]
    assert own["x-crm-field"] == ["budget;5", "a;b;x, y"]


def test_a_profile_has_the_network_and_the_handle_that_its_card_names() -> None:
    cases: list[tuple[str, str, str | None]] = [
        ("X-SOCIALPROFILE;TYPE=twitter;X-USER=ada:https://x.example/ada", "twitter", "ada"),
        ("X-SOCIALPROFILE;TYPE=PREF;TYPE=Twitter:https://x.example/ada", "twitter", None),
        ("X-SOCIALPROFILE;X-USER=ada:https://x.example/ada", "website", "ada"),
        ("X-SOCIALPROFILE;TYPE=pref:https://x.example/ada", "website", None),
    ]
    for line, network, handle in cases:
        (profile,) = imported(card("FN:Ada", line, version="3.0"), "people.vcf").only.social_profiles
        assert (profile.network, profile.url, profile.handle) == (network, "https://x.example/ada", handle)


def test_a_card_of_ours_has_the_lines_of_what_there_is() -> None:
    for contact, lines in (
        ({"name": "Ada"}, ["FN:Ada", "N:Ada;;;;"]),
        ({"name": "Ada Lee", "first_name": "Ada", "last_name": "Lee", "salutation": "Dr."},
         ["FN:Ada Lee", "N:Lee;Ada;;Dr.;"]),
        ({"name": "Ada", "first_name": "Ada"}, ["FN:Ada", "N:;Ada;;;"]),
        ({"name": "Lee", "last_name": "Lee"}, ["FN:Lee", "N:Lee;;;;", "X-CRM-LAST-NAME:Lee"]),
        ({"name": "Dr. Lee", "last_name": "Lee"}, ["FN:Dr. Lee", "N:Lee;;;;"]),
        ({"name": "Lee", "last_name": "Lee", "first_name": "Lee"}, ["FN:Lee", "N:Lee;Lee;;;"]),
        ({"name": "A", "email": "a@x.example", "secondary_emails": ["b@x.example"]},
         ["FN:A", "N:A;;;;", "EMAIL;TYPE=INTERNET:a@x.example", "EMAIL;TYPE=INTERNET:b@x.example"]),
        ({"name": "A", "secondary_emails": ["b@x.example"]},
         ["FN:A", "N:A;;;;", "EMAIL;TYPE=INTERNET:b@x.example", "X-CRM-EMAIL:"]),
        ({"name": "A", "phone": "1", "mobile": "2"}, ["FN:A", "N:A;;;;", "TEL;TYPE=WORK:1", "TEL;TYPE=CELL:2"]),
        ({"name": "A", "company": "C"}, ["FN:A", "N:A;;;;", "ORG:C"]),
        ({"name": "A", "department": "D"}, ["FN:A", "N:A;;;;", "ORG:;D"]),
        ({"name": "A", "address": {"city": None}}, ["FN:A", "N:A;;;;"]),
        ({"name": "A", "address": {"city": "Rome", "street": "Via 1", "street2": "B"}},
         ["FN:A", "N:A;;;;", "ADR;TYPE=WORK:;B;Via 1;Rome;;;"]),
    ):  # fmt: skip
        found = write(contact).decode().split("\r\n")
        assert found[:2] == ["BEGIN:VCARD", "VERSION:3.0"] and found[-2:] == ["END:VCARD", ""]
        assert [line for line in found[2:-2] if line in lines or not line.startswith("X-CRM-")] == lines, contact
