"""The lines of a feed, in the languages of the application."""

from __future__ import annotations

from collections.abc import Mapping

_EN = {
    "created": "{actor} created {entity}",
    "updated": "{actor} updated {entity}",
    "deleted": "{actor} deleted {entity}",
    "commented": "{actor} commented on {entity}",
    "mentioned": "{actor} mentioned {target} on {entity}",
    "shared": "{actor} shared {entity} with {target}",
    "stage_changed": "{actor} moved {entity} to another stage",
    "won": "{actor} won {entity}",
    "lost": "{actor} lost {entity}",
    "qualified": "{actor} qualified {entity}",
    "converted": "{actor} converted {entity}",
    "assigned": "{actor} assigned {entity}",
    "completed": "{actor} completed {entity}",
    "merged": "{actor} merged {entity}",
    "uploaded": "{actor} uploaded {entity}",
    "joined": "{actor} joined {entity}",
}
_DE = {
    "created": "{actor} hat {entity} angelegt",
    "updated": "{actor} hat {entity} geändert",
    "deleted": "{actor} hat {entity} gelöscht",
    "commented": "{actor} hat {entity} kommentiert",
    "mentioned": "{actor} hat {target} bei {entity} erwähnt",
    "shared": "{actor} hat {entity} mit {target} geteilt",
    "stage_changed": "{actor} hat {entity} in eine andere Phase verschoben",
    "won": "{actor} hat {entity} gewonnen",
    "lost": "{actor} hat {entity} verloren",
    "qualified": "{actor} hat {entity} qualifiziert",
    "converted": "{actor} hat {entity} umgewandelt",
    "assigned": "{actor} hat {entity} zugewiesen",
    "completed": "{actor} hat {entity} erledigt",
    "merged": "{actor} hat {entity} zusammengeführt",
    "uploaded": "{actor} hat {entity} hochgeladen",
    "joined": "{actor} ist {entity} beigetreten",
}
_ES = {
    "created": "{actor} creó {entity}",
    "updated": "{actor} actualizó {entity}",
    "deleted": "{actor} eliminó {entity}",
    "commented": "{actor} comentó en {entity}",
    "mentioned": "{actor} mencionó a {target} en {entity}",
    "shared": "{actor} compartió {entity} con {target}",
    "stage_changed": "{actor} movió {entity} a otra etapa",
    "won": "{actor} ganó {entity}",
    "lost": "{actor} perdió {entity}",
    "qualified": "{actor} calificó {entity}",
    "converted": "{actor} convirtió {entity}",
    "assigned": "{actor} asignó {entity}",
    "completed": "{actor} completó {entity}",
    "merged": "{actor} fusionó {entity}",
    "uploaded": "{actor} subió {entity}",
    "joined": "{actor} se unió a {entity}",
}
_AR = {
    "created": "أنشأ {actor} {entity}",
    "updated": "حدّث {actor} {entity}",
    "deleted": "حذف {actor} {entity}",
    "commented": "علّق {actor} على {entity}",
    "mentioned": "أشار {actor} إلى {target} في {entity}",
    "shared": "شارك {actor} {entity} مع {target}",
    "stage_changed": "نقل {actor} {entity} إلى مرحلة أخرى",
    "won": "ربح {actor} {entity}",
    "lost": "خسر {actor} {entity}",
    "qualified": "أهّل {actor} {entity}",
    "converted": "حوّل {actor} {entity}",
    "assigned": "أسند {actor} {entity}",
    "completed": "أكمل {actor} {entity}",
    "merged": "دمج {actor} {entity}",
    "uploaded": "رفع {actor} {entity}",
    "joined": "انضم {actor} إلى {entity}",
}
SUMMARIES: Mapping[str, Mapping[str, str]] = {"en": _EN, "de": _DE, "es": _ES, "ar": _AR}
"""The line of each verb, by language."""
VERBS = frozenset(_EN)
"""What a feed says was done."""


def summary(language: str, verb: str, actor: str, entity: str, target: str) -> str:
    """Return the line of an item."""
    lines = SUMMARIES.get(language.partition("-")[0], _EN)
    return lines[verb].format(actor=actor, entity=entity, target=target)
