"""Other words for the fields of records than their labels, which the catalogues of languages have.

Those of people and addresses are in `contacts.files.header_words`, in English, German, French and Spanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_SYNONYMS = """
last_name: apellidos
mobile: mobiltelefon | الجوال
title: العنوان | المسمى الوظيفي
source: quelle
tags: schlagworte
notes: ملاحظات
owner_id: zustandig | propietario | المالك
external_id: externe id | id externo | المعرف الخارجي
employees: mitarbeiter
expected_close_date: fecha de cierre prevista
type: art | النوع
rating: calificacion
due_at: تاريخ الاستحقاق
start_time: البداية
end_time: النهاية
deal.title: deal name | deal | opportunity | opportunity name | name | deal title | geschaft | oportunidad | dealname |
    nombre del negocio | projekt
deal.value: amount | deal value | deal amount | betrag | importe | monto | volume | summe | price | revenue | umsatz
deal.stage: deal stage | dealstage | sales stage | status | pipeline stage | verkaufsphase
deal.expected_close_date: close date | closedate | expected close | closing date | abschlussdatum | fecha de cierre
deal.probability_override: probability | wahrscheinlichkeit | probabilidad
deal.next_step: next steps | nachster schritt | proximo paso
account.name: account | company | company name | account name | organization | organisation | firma | firmenname |
    unternehmen | empresa | legal name
account.domain: company domain | company domain name | email domain | web domain
account.employees: number of employees | headcount | employee count | company size | anzahl mitarbeiter
account.annual_revenue: revenue | annual sales | turnover | umsatz | ingresos
account.tax_id: vat | vat id | vat number | ust id | ustid | nif | cif | steuernummer | tax number
account.parent_id: parent | parent account | parent company | konzern
lead.value: amount | deal value | estimated value | expected value | budget | betrag | importe
lead.employees: number of employees | headcount | company size
lead.annual_revenue: revenue | turnover | umsatz
lead.campaign: campaign name | kampagne | campana
activity.title: subject | betreff | asunto | name | task | aufgabe
activity.kind: type | activity type | art | tipo
activity.due_at: due | due date | deadline | fallig | faelligkeit | vencimiento
activity.start_time: start | begin | starts at | start date | von
activity.end_time: end | ends at | end date | until | bis
activity.body: note | text | content | notiz
territory.code: territory code | region code | key
territory.name: territory | region | area | gebiet | territorio
"""


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.strip().replace("\n    ", " ").splitlines():
        name, _, words = line.partition(": ")
        yield name, [word.strip() for word in words.split("|")]


SYNONYMS: Mapping[str, frozenset[str]] = {name: frozenset(words) for name, words in _lines(_SYNONYMS)}
"""Other words for fields, by entity and field; those without an entity are for the field of any."""
