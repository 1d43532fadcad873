"""The keys of a contact's status, lifecycle stage and source, by the labels that people and other systems give them."""

from __future__ import annotations

from collections.abc import Mapping

from crm_sdk.models.contacts import ContactStatus, LifecycleStage
from crm_sdk.models.values import LeadSource
from crm_sdk.reading import choices_of

KEYS: Mapping[str, tuple[str, ...]] = {
    "status": tuple(choices_of(ContactStatus)),
    "lifecycle_stage": tuple(choices_of(LifecycleStage)),
    "source": tuple(choices_of(LeadSource)),
}
"""The keys of each member."""
_STATUSES = """
active: aktiv actif active activo activa enabled current
inactive: inaktiv inactif inactivo inactiva disabled notactive
archived: archiviert archive archivado archivada
"""
_STAGES = """
mql: marketingqualifiedlead marketingqualified leadqualifiedbymarketing marketingqualifizierterlead
mql: leadqualifiemarketing leadcualificadopormarketing
sql: salesqualifiedlead salesqualified leadqualifiecommercial vertriebsqualifizierterlead
sql: leadcualificadoporventas
subscriber: abonnent abonne suscriptor newsletter
lead: interessent prospect prospecto leads
opportunity: verkaufschance opportunite oportunidad deal
customer: kunde client cliente customers
evangelist: furstprecher fursprecher evangelista promoter
other: andere sonstige sonstiges autre otro
"""
_SOURCES = """
website: web websites webseite internet online siteweb sitioweb
referral: employeereferral externalreferral wordofmouth empfehlung referido
social: socialmedia organicsocial paidsocial twitter facebook linkedin
advertising: advertisement paidsearch ads anzeige werbung publicite publicidad
email: emailmarketing mail newsletter
event: tradeshow conference seminar webinar messe salon feria evento
phone: coldcall phoneinquiry telefon telephone telefono call
partner: partners partenaire socio
"""


def _labels(text: str) -> Mapping[str, str]:
    lines = (line.partition(":") for line in text.strip().splitlines())
    return {label: key for key, _, labels in lines for label in labels.split()}


LABELS: Mapping[str, Mapping[str, str]] = {
    "status": _labels(_STATUSES),
    "lifecycle_stage": _labels(_STAGES),
    "source": _labels(_SOURCES),
}
"""The key of each label, without case, accents and spaces."""
