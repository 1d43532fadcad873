"""Files as other programs export them: their headers, languages, encodings, delimiters and preambles."""

from __future__ import annotations

from typing import Any

from importing import imported
from refusals import refused

from crm_sdk.models import SocialProfile
from crm_sdk.models.contacts import Contact
from server_stub.services.contacts.files.headers import header_of, label_of, value_of

ADA = {"first_name": "Ada", "last_name": "Lee", "email": "ada@example.org"}
PLACE = {"street": "Weg 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
PHONES = {"phone": "+4930901821", "mobile": "+491711234567"}
WORK = {"company": "Acme", "title": "CTO", "department": "IT"}

PROGRAMS: dict[str, tuple[dict[str, str], dict[str, Any], set[str]]] = {
    "HubSpot": (
        {"Record ID": "51", "First Name": "Ada", "Last Name": "Lee", "Email": "ada@example.org",
         "Phone Number": "+49 30 901821", "Mobile Phone Number": "+49 171 1234567", "Contact owner": "Sam Okonkwo",
         "Associated Company": "Acme", "Job Title": "CTO", "Lifecycle Stage": "Marketing Qualified Lead",
         "Street Address": "Weg 1", "City": "Berlin", "Postal Code": "10115", "Country/Region": "Germany",
         "Website URL": "acme.example", "Unsubscribed from all email": "true", "Lead Status": "New",
         "Create Date": "2026-01-01 10:00"},
        {**ADA, **PHONES, "external_id": "51", "owner_id": "user_sam", "company": "Acme", "title": "CTO",
         "lifecycle_stage": "mql", "address": PLACE, "website": "https://acme.example", "email_opt_out": True},
        {"Lead Status", "Create Date"},
    ),
    "Salesforce": (
        {"Id": "0030t000012yoO4AAI", "Salutation": "Dr.", "FirstName": "Ada", "LastName": "Lee",
         "Email": "ada@example.org", "Phone": "+49 30 901821", "Fax": "+49 30 901820", "MobilePhone": "+49 171 1234567",
         "Title": "CTO", "Department": "IT", "MailingStreet": "Weg 1", "MailingCity": "Berlin",
         "MailingPostalCode": "10115", "MailingCountry": "Germany", "OtherCity": "", "Birthdate": "1991-01-20",
         "LeadSource": "Trade Show", "Description": "met", "HasOptedOutOfEmail": "1", "AssistantName": "Bo"},
        {**ADA, **PHONES, "external_id": "0030t000012yoO4AAI", "salutation": "Dr.", "title": "CTO", "department": "IT",
         "address": PLACE, "source": "event", "notes": ["met"], "email_opt_out": True},
        {"Fax", "AssistantName"},
    ),
    "Pipedrive": (
        {"Person - Name": "Ada Lee", "Person - Organization": "Acme", "Person - Email - Work": "ada@example.org",
         "Person - Email - Home": "home@example.org", "Person - Phone - Work": "+49 30 901821",
         "Person - Phone - Mobile": "+49 171 1234567", "Person - Owner": "Sam Okonkwo", "Person - Label": "Hot"},
        {"name": "Ada Lee", "email": "ada@example.org", "secondary_emails": ["home@example.org"], **PHONES,
         "company": "Acme", "owner_id": "user_sam", "tags": ["Hot"]},
        set(),
    ),
    "Zoho": (
        {"Record Id": "zcrm_1", "Contact Owner": "sam@acme.test", "Lead Source": "Web", "First Name": "Ada",
         "Last Name": "Lee", "Account Name": "Acme", "Email": "ada@example.org", "Title": "CTO", "Department": "IT",
         "Phone": "+49 30 901821", "Home Phone": "", "Mobile": "+49 171 1234567", "Date of Birth": "1991-01-20",
         "Email Opt Out": "false", "Mailing Street": "Weg 1", "Mailing City": "Berlin", "Mailing Zip": "10115",
         "Mailing Country": "Germany", "Secondary Email": "b@example.org", "Skype ID": "x"},
        {**ADA, **PHONES, **WORK, "external_id": "zcrm_1", "owner_id": "user_sam", "source": "website",
         "address": PLACE, "secondary_emails": ["b@example.org"]},
        {"Skype ID"},
    ),
    "Google": (
        {"Name": "Ada Lee", "Given Name": "Ada", "Family Name": "Lee", "Birthday": "1991-01-20", "Notes": "met",
         "Group Membership": "* myContacts ::: Fair", "E-mail 1 - Type": "*", "E-mail 1 - Value": "ada@example.org",
         "E-mail 2 - Value": "b@example.org", "Phone 1 - Type": "Work Fax", "Phone 1 - Value": "+49 30 901820",
         "Phone 2 - Type": "Mobile", "Phone 2 - Value": "+49 171 1234567", "Phone 3 - Type": "Work",
         "Phone 3 - Value": "+49 30 901821", "Organization 1 - Name": "Acme", "Organization 1 - Title": "CTO",
         "Organization 1 - Department": "IT", "Address 1 - Street": "Weg 1", "Address 1 - City": "Berlin",
         "Address 1 - Postal Code": "10115", "Address 1 - Country": "Germany", "Website 1 - Value": "acme.example"},
        {**ADA, **PHONES, **WORK, "secondary_emails": ["b@example.org"], "tags": ["myContacts", "Fair"],
         "notes": ["met"], "address": PLACE, "website": "https://acme.example"},
        set(),
    ),
    "Google of today": (
        {"First Name": "Ada", "Last Name": "Lee", "Organization Name": "Acme", "Organization Title": "CTO",
         "Organization Department": "IT", "Labels": "* myContacts", "E-mail 1 - Label": "Work",
         "E-mail 1 - Value": "ada@example.org", "Phone 1 - Label": "Mobile", "Phone 1 - Value": "+49 171 1234567"},
        {**ADA, **WORK, "mobile": "+491711234567"},
        set(),
    ),
    "Outlook": (
        {"Title": "Dr.", "First Name": "Ada", "Last Name": "Lee", "Company": "Acme", "Department": "IT",
         "Job Title": "CTO", "Business Street": "Weg 1", "Business Street 2": "", "Business City": "Berlin",
         "Business Postal Code": "10115", "Business Country/Region": "Germany", "Home Street": "Privatweg 9",
         "Home City": "Potsdam", "Business Fax": "+49 30 901820", "Business Phone": "+49 30 901821",
         "Home Phone": "", "Mobile Phone": "+49 171 1234567", "Birthday": "0/0/00", "Categories": "Fair;VIP",
         "E-mail Address": "ada@example.org", "E-mail 2 Address": "b@example.org", "Web Page": "acme.example"},
        {**ADA, **PHONES, **WORK, "salutation": "Dr.", "address": PLACE, "tags": ["Fair", "VIP"],
         "secondary_emails": ["b@example.org"], "website": "https://acme.example", "birthday": None},
        {"Business Fax"},
    ),
    "Outlook, German": (
        {"Anrede": "Frau", "Vorname": "Ada", "Nachname": "Lee", "Firma": "Acme", "Abteilung": "IT", "Position": "CTO",
         "Straße geschäftlich": "Weg 1", "Ort geschäftlich": "Berlin", "Postleitzahl geschäftlich": "10115",
         "Land/Region geschäftlich": "Deutschland", "Straße privat": "", "Fax geschäftlich": "+49 30 901820",
         "Telefon geschäftlich": "+49 30 901821", "Telefon (privat)": "", "Mobiltelefon": "+49 171 1234567",
         "E-Mail-Adresse": "ada@example.org", "Geburtstag": "20.01.1991", "Kategorien": "Messe", "Notizen": "met"},
        {**ADA, **PHONES, **WORK, "salutation": "Frau", "address": PLACE, "tags": ["Messe"], "notes": ["met"]},
        {"Fax geschäftlich"},
    ),
    "Outlook, French": (
        {"Titre": "Mme", "Prénom": "Ada", "Nom": "Lee", "Société": "Acme", "Service": "IT", "Titre ": "CTO",
         "Rue (bureau)": "Weg 1", "Ville (bureau)": "Berlin", "Code postal (bureau)": "10115",
         "Pays/Région (bureau)": "Allemagne", "Télécopie (bureau)": "+49 30 901820",
         "Téléphone (bureau)": "+49 30 901821", "Tél. mobile": "+49 171 1234567",
         "Adresse de messagerie": "ada@example.org", "Catégories": "Salon", "Anniversaire": "20 janvier 1991"},
        {**ADA, **PHONES, **WORK, "salutation": "Mme", "address": PLACE, "tags": ["Salon"]},
        {"Télécopie (bureau)"},
    ),
    "Outlook, Spanish": (
        {"Título": "Sra.", "Nombre": "Ada", "Apellidos": "Lee", "Organización": "Acme", "Departamento": "IT",
         "Puesto": "CTO", "Calle del trabajo": "Weg 1", "Ciudad de trabajo": "Berlin",
         "Código postal del trabajo": "10115", "País o región del trabajo": "Alemania",
         "Teléfono del trabajo": "+49 30 901821", "Teléfono móvil": "+49 171 1234567",
         "Dirección de correo electrónico": "ada@example.org", "Cumpleaños": "20 de enero de 1991"},
        {**ADA, **PHONES, **WORK, "salutation": "Sra.", "address": PLACE},
        set(),
    ),
    "LinkedIn": (
        {"First Name": "Ada", "Last Name": "Lee", "URL": "https://www.linkedin.com/in/ada",
         "Email Address": "ada@example.org", "Company": "Acme", "Position": "CTO", "Connected On": "01 Jul 2026"},
        {**ADA, "company": "Acme", "title": "CTO", "website": "https://www.linkedin.com/in/ada"},
        {"Connected On"},
    ),
    "Mailchimp": (
        {"Email Address": "ada@example.org", "First Name": "Ada", "Last Name": "Lee", "Phone Number": "+49 30 901821",
         "MEMBER_RATING": "2", "OPTIN_TIME": "", "TIMEZONE": "Europe/Berlin", "NOTES": "met",
         "TAGS": '"Fair","Very, very"', "CC": "de"},
        {**ADA, "phone": "+4930901821", "timezone": "Europe/Berlin", "notes": ["met"], "tags": ["Fair", "Very, very"],
         "address": {"country": "DE"}},
        {"MEMBER_RATING", "OPTIN_TIME"},
    ),
    "Thunderbird": (
        {"First Name": "Ada", "Last Name": "Lee", "Display Name": "Ada Lee", "Primary Email": "ada@example.org",
         "Secondary Email": "b@example.org", "Work Phone": "+49 30 901821", "Fax Number": "+49 30 901820",
         "Mobile Number": "+49 171 1234567", "Home Address": "", "Home City": "", "Work Address": "Weg 1",
         "Work City": "Berlin", "Work ZipCode": "10115", "Work Country": "Germany", "Job Title": "CTO",
         "Department": "IT", "Organization": "Acme", "Web Page 1": "acme.example", "Birth Year": "1991",
         "Birth Month": "1", "Birth Day": "20", "Custom 1": "", "Notes": "met"},
        {**ADA, **PHONES, **WORK, "secondary_emails": ["b@example.org"], "address": PLACE, "notes": ["met"],
         "website": "https://acme.example"},
        {"Fax Number", "Custom 1"},
    ),
    "Thunderbird, German": (
        {"Vorname": "Ada", "Nachname": "Lee", "Anzeigename": "Ada Lee", "Primäre E-Mail-Adresse": "ada@example.org",
         "Sekundäre E-Mail-Adresse": "b@example.org", "Tel. dienstlich": "+49 30 901821", "Tel. privat": "",
         "Fax-Nummer": "+49 30 901820", "Mobil-Tel.-Nr.": "+49 171 1234567", "Adresse dienstlich": "Weg 1",
         "Ort dienstlich": "Berlin", "PLZ dienstlich": "10115", "Land dienstlich": "Deutschland",
         "Arbeitstitel": "CTO", "Abteilung": "IT", "Organisation": "Acme", "Geburtsjahr": "1991",
         "Geburtsmonat": "1", "Geburtstag": "20"},
        {**ADA, **PHONES, **WORK, "secondary_emails": ["b@example.org"], "address": PLACE},
        {"Fax-Nummer"},
    ),
    "Dynamics": (
        {"(Do Not Modify) Row Checksum": "x=", "First Name": "Ada", "Last Name": "Lee", "Email": "ada@example.org",
         "Company Name": "Acme", "Business Phone": "+49 30 901821", "Mobile Phone": "+49 171 1234567",
         "Address 1: Street 1": "Weg 1", "Address 1: City": "Berlin", "Address 1: ZIP/Postal Code": "10115",
         "Address 1: Country/Region": "Germany", "Address 2: City": "Bonn", "Job Title": "CTO", "Department": "IT"},
        {**ADA, **PHONES, **WORK, "address": PLACE},
        {"(Do Not Modify) Row Checksum"},
    ),
    "Shopify": (
        {"Customer ID": "77", "First Name": "Ada", "Last Name": "Lee", "Email": "ada@example.org",
         "Default Address Company": "Acme", "Default Address Address1": "Weg 1", "Default Address City": "Berlin",
         "Default Address Country Code": "DE", "Default Address Zip": "10115",
         "Default Address Phone": "+49 30 901821", "Phone": "", "Note": "met", "Tags": "Fair, VIP"},
        {**ADA, "phone": "+4930901821", "company": "Acme", "address": PLACE, "notes": ["met"], "tags": ["Fair", "VIP"]},
        {"Customer ID"},
    ),
    "WooCommerce": (
        {"billing_first_name": "Ada", "billing_last_name": "Lee", "billing_company": "Acme",
         "billing_address_1": "Weg 1",
         "billing_email": "ada@example.org", "billing_phone": "+49 30 901821", "billing_postcode": "10115",
         "billing_city": "Berlin", "billing_country": "DE", "shipping_city": "Bonn", "shipping_address_1": "Allee 2"},
        {**ADA, "phone": "+4930901821", "company": "Acme", "address": PLACE},
        set(),
    ),
    "Odoo": (
        {"Title": "Doctor", "Firstname": "Ada", "Lastname": "Lee", "Email": "ada@example.org", "Job Position": "CTO",
         "Company Name": "Acme", "Salesperson": "sam@acme.test", "Street": "Weg 1", "Zip": "10115", "City": "Berlin",
         "Country": "Germany"},
        {**ADA, "salutation": "Doctor", "title": "CTO", "company": "Acme", "owner_id": "user_sam", "address": PLACE},
        set(),
    ),
    "Insightly": (
        {"RecordId": "1", "FirstName": "Ada", "LastName": "Lee", "EmailAddress": "ada@example.org",
         "BusinessPhone": "+49 30 901821", "MobilePhone": "+49 171 1234567", "OrganizationName": "Acme", "Role": "CTO",
         "MailAddressStreet": "Weg 1", "MailAddressCity": "Berlin", "MailAddressPostalCode": "10115",
         "MailAddressCountry": "Germany", "OtherAddressCity": "", "Tag1": "Fair", "Tag2": "VIP", "Background": "x"},
        {**ADA, **PHONES, "title": "CTO", "external_id": "1", "address": PLACE, "tags": ["Fair", "VIP"]},
        {"Background"},
    ),
    "Xing": (
        {"Anrede": "Frau", "Vorname": "Ada", "Nachname": "Lee", "Position": "CTO", "Unternehmen": "Acme",
         "Private E-Mail": "b@example.org", "Geschäftliche E-Mail": "ada@example.org",
         "Geschäftliches Telefon": "+49 30 901821", "Geschäftliches Mobiltelefon": "+49 171 1234567",
         "Geschäftliche Straße": "Weg 1", "Geschäftliche PLZ": "10115", "Geschäftlicher Ort": "Berlin",
         "Geschäftliches Land": "Deutschland", "Privater Ort": "Bonn"},
        {**ADA, **PHONES, "secondary_emails": ["b@example.org"], "company": "Acme", "title": "CTO", "address": PLACE},
        set(),
    ),
    "Apollo": (
        {"First Name": "Ada", "Last Name": "Lee", "Email": "ada@example.org", "Corporate Phone": "'+49 30 901821",
         "Person Linkedin Url": "https://linkedin.com/in/ada", "Company Linkedin Url": "https://linkedin.com/company/a"},
        {**ADA, "phone": "+4930901821", "social_profiles": [
            SocialProfile(network="linkedin", url="https://linkedin.com/in/ada", handle=None)
        ]},
        {"Company Linkedin Url"},
    ),
    "Google, with whole addresses": (
        {"First Name": "Ada", "Last Name": "Lee", "E-mail 1 - Value": "ada@example.org", "Address 1 - Label": "Work",
         "Address 1 - Formatted": "Weg 1\n10115 Berlin", "Address 1 - Street": "Weg 1", "Address 1 - City": "Berlin",
         "Address 1 - Postal Code": "10115", "Address 1 - Country": "Germany"},
        {**ADA, "address": PLACE},
        {"Address 1 - Label"},
    ),
    "one whole address": (
        {"Name": "Ada Lee", "Full Address": "Weg 1, 10115 Berlin"},
        {"address": {"street": "Weg 1, 10115 Berlin"}},
        set(),
    ),
}  # fmt: skip
BORN = {"Salesforce", "Zoho", "Google", "Outlook, German", "Outlook, French", "Outlook, Spanish", "Thunderbird",
        "Thunderbird, German"}  # fmt: skip


def written(contact: Contact, names: Any) -> dict[str, Any]:
    found = {name: getattr(contact, name) for name in names}
    if found.get("address") is not None:
        found["address"] = {part: text for part, text in found["address"].model_dump().items() if text}
    return found


def row_of(cells: dict[str, str], delimiter: str = ",") -> str:
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line] for line in (cells, cells.values())]
    return "".join(f"{delimiter.join(line)}\r\n" for line in quoted)


def test_a_file_of_another_program_is_read() -> None:
    for program in PROGRAMS:
        cells, expected, unmapped = PROGRAMS[program]
        done = imported(row_of(cells))
        assert written(done.only, expected) == expected
        assert set(done.unmapped) == unmapped
        assert (str(done.only.birthday) == "1991-01-20") == (program in BORN)


ROW = "Name{0}Email{0}City\nJörg{0}j@example.org{0}Köln\n"
SHAPES: dict[str, tuple[bytes, dict[str, Any], str | None]] = {
    "UTF-8": (ROW.format(",").encode(), {}, None),
    "UTF-8 with a mark": (ROW.format(",").encode("utf-8-sig"), {}, None),
    "UTF-16 with a mark": (ROW.format(",").encode("utf-16"), {}, None),
    "UTF-16 without a mark": (ROW.format(",").encode("utf-16-le"), {}, "ENCODING_GUESSED"),
    "UTF-16 of the other order": (ROW.format(",").encode("utf-16-be"), {}, "ENCODING_GUESSED"),
    "UTF-16 and tabs, as Excel's Unicode text": (ROW.format("\t").encode("utf-16"), {}, "DELIMITER_GUESSED"),
    "UTF-32": (ROW.format(",").encode("utf-32"), {}, None),
    "cp1252": (ROW.format(",").encode("cp1252"), {}, "ENCODING_GUESSED"),
    "cp1252 that is named": (ROW.format(",").encode("cp1252"), {"encoding": "cp1252"}, None),
    "an encoding that is not the file's": (ROW.format(",").encode("utf-8-sig"), {"encoding": "cp1252"}, None),
    "semicolons": (ROW.format(";").encode(), {}, "DELIMITER_GUESSED"),
    "tabs": (ROW.format("\t").encode(), {}, "DELIMITER_GUESSED"),
    "bars": (ROW.format("|").encode(), {}, "DELIMITER_GUESSED"),
    "semicolons that are named": (ROW.format(";").encode(), {"delimiter": ";"}, None),
    "another delimiter": (ROW.format("^").encode(), {"delimiter": "^"}, None),
    "sep=": (("sep=^\n" + ROW.format("^")).encode(), {}, None),
    "sep= in quotes": (('"sep=;"\n' + ROW.format(";")).encode(), {}, None),
    "old line breaks": (ROW.format(",").replace("\n", "\r").encode(), {}, None),
    "lines before the header": (("Our contacts:\n\n\"of, today\"\n" + ROW.format(",")).encode(), {}, "LINES_SKIPPED"),
    "a mapping by header": (
        ("x;y;z\n" + ROW.format(";").partition("\n")[2]).encode(),
        {"mapping": [{"column": "x", "field": "name"}, {"column": "y", "field": "email"},
                     {"column": "z", "field": "address.city"}]},
        "DELIMITER_GUESSED",
    ),
}  # fmt: skip


def test_encoding_and_delimiter_are_found_or_told() -> None:
    for shape in SHAPES:
        content, options, code = SHAPES[shape]
        done = imported(content, **options)
        assert written(done.only, ("name", "email", "address")) == {
            "name": "Jörg",
            "email": "j@example.org",
            "address": {"city": "Köln"},
        }
        assert [entry.code for entry in done.warnings] == [code] * bool(code)


def test_a_tsv_is_separated_by_tabs_and_an_old_workbook_is_told_apart() -> None:
    assert imported(ROW.format("\t"), "people.tsv").only.email == "j@example.org"
    assert imported(ROW.format(","), "people.tsv").only.email == "j@example.org"
    problem = refused(lambda: imported(b"", "people.xls"))
    assert (problem.status, "save an old workbook as .xlsx" in str(problem)) == (422, True)


def test_of_two_columns_with_one_member_the_first_that_is_not_empty_counts() -> None:
    cases: list[tuple[str, str, str, Any, str | None]] = [
        ("Phone Number,Phone Number", "1,2", "phone", "1", "2"),
        ("Phone Number,Phone Number", "1,", "phone", "1", None),
        ("Phone Number,Phone Number", ",2", "phone", "2", None),
        ("Phone Number,Phone Number", "2,2", "phone", "2", None),
        ("Home Phone,Business Phone", "1,2", "phone", "2", "1"),
        ("City,City", "Rome,Oslo", "address", {"city": "Rome"}, "Oslo"),
        ("Home City,Business City", "Rome,Oslo", "address", {"city": "Oslo"}, "Rome"),
        ("Company,Organization,Firma", "A,,C", "company", "A", "C"),
        ("Email,E-Mail", "a@x.example,b@x.example", "secondary_emails", ["b@x.example"], None),
        ("Website,Web Page", "a.example,b.example", "website", "https://a.example", "https://b.example"),
    ]
    for header, cells, member, value, lost in cases:
        done = imported(f"Name,{header}\nAda,{cells}\n")
        assert written(done.only, [member]) == {member: value}
        shared = [entry for entry in done.warnings if entry.code == "SAME_MEMBER"]
        assert len(shared) == 1
        rows = [(entry.row, entry.value) for entry in done.warnings if entry.row is not None]
        assert rows == ([(1, lost)] if lost else [])


def test_parts_of_two_addresses_are_not_mixed() -> None:
    header = "Name,Home Street,Home City,Business Street,Business City"
    done = imported(f"{header}\nA,Privatweg 9,Potsdam,Weg 1,\nB,Privatweg 9,Potsdam,,\n")
    first, second = (written(contact, ["address"])["address"] for contact in done.contacts)
    assert first == {"street": "Weg 1"}
    assert second == {"street": "Privatweg 9", "city": "Potsdam"}


def test_the_number_of_an_address_tells_it_from_others_and_the_first_needs_none() -> None:
    cases: list[tuple[str, Any]] = [
        ("City,Address 1 - Street", {"city": "Rome", "street": "Via"}), ("City,Address 2 - Street", {"city": "Rome"}),
        ("Address 1 - City,Address 1 - Street", {"city": "Rome", "street": "Via"}),
        ("Address 2 - City,Address 2 - Street", {"city": "Rome", "street": "Via"}),
        ("Address 1 - City,Address 2 - Street", {"city": "Rome"}),
        ("Address 2 - City,Address 3 - Street", {"city": "Rome"}),
        ("Address 2 - City,Street", {"street": "Via"}),
    ]  # fmt: skip
    for header, address in cases:
        done = imported(f"Name,{header}\nA,Rome,Via\n")
        assert written(done.only, ["address"]) == {"address": address}
        left = [text for text in ("Rome", "Via") if text not in address.values()]
        assert [entry.value for entry in done.warnings if entry.row is not None] == left


def test_an_error_has_the_value_that_is_wrong_whichever_column_of_the_member_it_is_in() -> None:
    done = imported("First Name,Email,E-mail 2 Address\nAnn,,no-address\nBo,no-address,b@example.com\n")
    assert [(row, error.field, error.value) for row, error in done.failed.items()] == [
        (1, "email", "no-address"), (2, "email", "no-address"),
    ]  # fmt: skip


def test_a_header_names_a_member_its_rank_and_which_of_several_it_is_of() -> None:
    named: dict[str, tuple[str, int, str] | None] = {
        "Email": ("email", 0, ""), "id": ("id", 0, ""), "ID": None, "Record id": ("external_id", 0, ""),
        "Business Phone": ("phone", 0, ""), "Home Phone": ("phone", 10, "home"), "Other Phone": ("phone", 10, "other"),
        "Home Phone 2": ("phone", 11, "home2"), "Phone of work": ("phone", 0, ""), "Work City": ("address.city", 0, ""),
        "Home City": ("address.city", 10, "home"), "Ville (bureau)": ("address.city", 0, ""),
        "Ville du domicile": ("address.city", 10, "domicile"), "City 2": ("address.city", 1, "2"),
        "Address 1 - Street": ("address.street", 0, ""), "Address 2 - Street": ("address.street", 1, "2"),
        "Street 2": ("address.street2", 0, ""), "Business Street 2": ("address.street2", 0, ""), "Street 3": None,
        "2 Street": None, "Home Address": ("address.street", 10, "home"), "address": ("address.street", 0, ""),
        "Phone 2 - Value": ("phone", 1, "2"), "Phone 12 - Value": ("phone", 11, "12"),
        "Phone 123 - Value": ("phone", 0, "123"), "Email 1": ("email", 0, ""), "Email 2": ("email", 1, "2"),
        "Email (2)": ("email", 0, ""), "name (1)": ("name", 0, ""), "Fax Number": None, "Home Fax": None,
        "custom_fields.x": ("custom_fields.x", 0, ""), "customFields.a b": ("custom_fields.a b", 0, ""),
        "custom_fields": ("custom_fields", 0, ""), "Custom fields": None, "firstName": ("first_name", 0, ""),
        "address.city": ("address.city", 0, ""), "address.planet": None, "position": ("title", 0, ""),
        "health_score": None, "nothing": None, "": None, "a b c d e f g h i j k phone": None,
    }  # fmt: skip
    for name, expected in named.items():
        found = header_of(name)
        assert (found and (found.field, found.rank, found.family)) == expected, name
    types = {
        "Phone 1 - Type": ("phone", 1), "phone 12 - label": ("phone", 12), "E-mail 2 - Label": ("email", 2),
        " Website 3 - Type ": ("website", 3), "Address 1 - Type": ("address", 1), "Phone - Type": None,
    }  # fmt: skip
    values = {"Phone 1 - Value": ("phone", 1), "E-mail 2 - value": ("email", 2), "Address 1 - Value": None}
    for name in (*types, *values):
        assert (label_of(name), value_of(name)) == (types.get(name), values.get(name)), name


def test_the_type_of_a_value_stands_in_a_column_of_its_own() -> None:
    fax = "Name,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value\nAda,{},+49301,{},+49302\n"
    for types, phone, mobile in (
        (("Work", "Mobile"), "+49301", "+49302"), (("Mobile", "Work"), "+49302", "+49301"),
        (("Work Fax", "Work"), "+49302", None), (("Work", "Home"), "+49301", None),
    ):  # fmt: skip
        only = imported(fax.format(*types)).only
        assert (only.phone, only.mobile) == (phone, mobile), types
