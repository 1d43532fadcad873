"""What the fields of records are called: their labels in the languages that are shipped, and other words for them.

Those of people and addresses are in `contacts.files.header_words`, in English, German, French and Spanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_LABELS = """
name: name | nombre | الاسم
first_name: vorname | nombre de pila | الاسم الأول
last_name: nachname | apellidos | اسم العائلة
email: e mail | correo electronico | البريد الإلكتروني
phone: telefon | telefono | الهاتف
mobile: mobiltelefon | movil | الجوال
company: firma | empresa | الشركة
title: titel | titulo | العنوان | المسمى الوظيفي
department: abteilung | departamento | القسم
status: status | estado | الحالة
source: quelle | origen | المصدر
tags: schlagworte | etiquetas | الوسوم
notes: notizen | notas | ملاحظات
owner_id: zustandig | propietario | المالك
external_id: externe id | id externo | المعرف الخارجي
website: website | sitio web | الموقع الإلكتروني
industry: branche | sector | القطاع
employees: mitarbeiter | empleados | الموظفون
annual_revenue: jahresumsatz | ingresos anuales | الإيرادات السنوية
value: wert | valor | القيمة
currency: wahrung | moneda | العملة
stage: phase | etapa | المرحلة
expected_close_date: erwarteter abschluss | fecha de cierre prevista | تاريخ الإغلاق المتوقع
priority: prioritat | prioridad | الأولوية
description: beschreibung | descripcion | الوصف
domain: domain | dominio | النطاق
type: art | tipo | النوع
rating: bewertung | calificacion | التقييم
birthday: geburtstag | cumpleanos | تاريخ الميلاد
language: sprache | idioma | اللغة
timezone: zeitzone | zona horaria | المنطقة الزمنية
code: kurzel | codigo | الرمز
due_at: fallig am | vence el | تاريخ الاستحقاق
start_time: beginn | inicio | البداية
end_time: ende | fin | النهاية
subject: betreff | asunto | الموضوع
"""
_SYNONYMS = """
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


LABELS: Mapping[str, frozenset[str]] = {name: frozenset(words) for name, words in _lines(_LABELS)}
"""The labels of fields in German, Spanish and Arabic, without case and accents."""
SYNONYMS: Mapping[str, frozenset[str]] = {name: frozenset(words) for name, words in _lines(_SYNONYMS)}
"""Other words for fields, by entity and field."""
